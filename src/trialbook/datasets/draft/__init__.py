"""A version in the making, and the order in which it comes to exist."""
