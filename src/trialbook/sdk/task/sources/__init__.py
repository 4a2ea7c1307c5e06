"""The code of a task and its packages."""
