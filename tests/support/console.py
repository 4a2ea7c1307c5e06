"""Consoles of very many blocks, written at once."""

from trialbook.server.stores import logs
from trialbook.server.stores.logs import Entry, Packed


def blocks(many: int, moment: int) -> Packed:
    """So many blocks of one line each, reported at a moment (µs)."""
    one = logs.pack("w", [Entry(moment, 20, 0, "one line")])
    rows = [{**one.blocks[0], "first_line": n, "first_entry": n} for n in range(many)]
    return Packed(many, many, many * one.bytes, rows)
