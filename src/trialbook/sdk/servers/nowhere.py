"""The addresses that a run without a server names."""

NO_SERVER = "http://127.0.0.1:8008"
"""Where a run without any server is said to be recorded, until it is sent."""
NOWHERE = f"{NO_SERVER}/files"
"""Where its files are said to be."""
