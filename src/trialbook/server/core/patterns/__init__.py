"""Patterns of users: one grammar, RE2's, with ``\\w \\d \\s \\b`` meaning Unicode as in Python.

``grammar`` reads a pattern once, ``charsets`` knows which characters it means; ``program`` runs it in RE2, whose time
is linear in the text, and ``postgres`` says the same in PostgreSQL's words. Python's ``re`` never sees a pattern of a
user: it may take exponential time and holds the interpreter meanwhile.
"""

from trialbook.server.core.patterns.postgres import translated
from trialbook.server.core.patterns.program import SECONDS, Program, program, quoted, took_too_long

__all__ = ["SECONDS", "Program", "program", "quoted", "took_too_long", "translated"]
