"""How a member of a pack is stored: the numbers that zip files have for it, and one of ours."""

STORED, DEFLATE, ZSTD = 0, 8, 93
PIECES = 255
"""Instead of a method: the row's place is that of a recipe, see ``pieces``."""
