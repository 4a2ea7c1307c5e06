"""The query grammar of every ``get_all``, compiled to SQL that is the same on both databases."""
