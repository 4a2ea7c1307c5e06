"""The kinds of reports: each file adds its members to ``Logger``."""
