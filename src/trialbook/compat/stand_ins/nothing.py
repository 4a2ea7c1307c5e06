"""A package that holds nothing but other modules."""
