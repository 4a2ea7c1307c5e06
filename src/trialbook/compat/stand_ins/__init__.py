"""Modules of the reference SDK below the top, as far as scripts and other libraries import from them."""
