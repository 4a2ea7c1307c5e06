"""Searching a console: blocks whose index says that they cannot have the text are passed over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.core.patterns import Program
from trialbook.server.stores import log_index
from trialbook.server.stores.graves import standing
from trialbook.server.stores.logs import Line, lines_of, log_block

_PAGE = 512
_AT_ONCE = 16


class Hits(NamedTuple):
    """What a search found.

    Attributes:
        hits: the first lines that match.
        total: how many lines match in what was looked at.
        next_line: where to go on; None when the whole console was looked at.
    """

    hits: list[Line]
    total: int
    next_line: int | None


def search(
    connection: Connection,
    owner: str,
    pattern: Program,
    text: str | None = None,
    start: int = 0,
    most: int = 200,
    seconds: float = 2.0,
) -> Hits:
    """Look for lines that match, from line ``start`` on, until the console or the time is over.

    Args:
        connection: one snapshot.
        owner: task or model id.
        pattern: searched in each line.
        text: what every line that matches holds, whatever its case; None when nothing is known.
        start: first line.
        most: hits to return; further ones are only counted.
        seconds: a search that takes longer stops between two lines and says where.
    """
    deadline = time.monotonic() + seconds
    hits: list[Line] = []
    count = 0
    for row in _candidates(connection, owner, start, log_index.needed(text) if text else []):
        for line in lines_of(row):
            if line.number > start and time.monotonic() > deadline:
                return Hits(hits, count, max(line.number, row.first_line))
            if line.number >= start and pattern.search(line.text):
                count += 1
                if len(hits) < most:
                    hits.append(line)
    return Hits(hits, count, None)


def _candidates(connection: Connection, owner: str, start: int, wanted: list[int]) -> Iterator[Any]:
    """The blocks from line ``start`` on that may hold the text, in order."""
    at = -1
    while True:
        query = sa.select(log_block.c.first_line, log_block.c.lines, log_block.c.trigrams)
        mine = (log_block.c.owner == owner, standing(log_block.c.owner))
        query = query.where(*mine, log_block.c.first_line > at)
        if at < 0:
            query = query.where(log_block.c.first_line + log_block.c.lines > start)
        rows = connection.execute(query.order_by(log_block.c.first_line).limit(_PAGE)).all()
        chosen = [row.first_line for row in rows if log_index.may_hold(row.trigrams, wanted)]
        for place in range(0, len(chosen), _AT_ONCE):
            some = sa.select(log_block).where(
                log_block.c.owner == owner, log_block.c.first_line.in_(chosen[place : place + _AT_ONCE])
            )
            yield from connection.execute(some.order_by(log_block.c.first_line))
        if len(rows) < _PAGE:
            return
        at = rows[-1].first_line
