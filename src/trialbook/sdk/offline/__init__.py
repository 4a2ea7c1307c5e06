"""Runs without a server: their way to one, later."""
