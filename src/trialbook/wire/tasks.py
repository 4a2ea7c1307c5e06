"""Wire types and methods of tasks."""
