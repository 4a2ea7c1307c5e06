"""Modules of the clearml SDK below the top, as far as scripts and other libraries import from them."""
