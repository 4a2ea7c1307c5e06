"""Versions and sessions that the reference SDK wrote."""
