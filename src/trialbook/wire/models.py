"""Wire types and methods of models."""
