"""Versions and sessions that the clearml SDK wrote."""
