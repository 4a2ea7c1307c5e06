"""Packs: zips with an index, written and read in runs; recipes of files that are stored in pieces."""
