"""Versions as a program holds them: opening, making, committing them, with a server and without."""
