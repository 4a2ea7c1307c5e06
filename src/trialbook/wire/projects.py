"""Wire types and methods of projects."""
