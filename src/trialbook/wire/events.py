"""Wire types and methods of events."""
