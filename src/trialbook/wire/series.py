"""Wire types and methods of series."""
