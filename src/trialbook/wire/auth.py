"""Wire types and methods of auth."""
