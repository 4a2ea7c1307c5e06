"""A run from beginning to end, here or elsewhere."""
