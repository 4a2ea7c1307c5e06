"""Wire types and methods of users."""
