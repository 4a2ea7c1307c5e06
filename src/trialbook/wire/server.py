"""Wire types and methods of server."""
