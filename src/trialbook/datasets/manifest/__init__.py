"""Manifests: rows of files in tables, cut into ranges under a root."""
