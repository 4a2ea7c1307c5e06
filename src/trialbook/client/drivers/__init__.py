"""Kinds of storages, one file each. A new one is a file here and a line in ``client/storage.py``."""
