"""Tables of the console: compressed blocks of entries, with line numbers that never change."""

from __future__ import annotations

import sqlalchemy as sa

from trialbook.server.stores.database import metadata

console = sa.Table(
    "console",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("lines", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)
"""Totals of a task's console. Its row is the lock that gives line numbers out in turn."""

log_block = sa.Table(
    "log_block",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("first_line", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("first_entry", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("first_time", sa.BigInteger, nullable=False),
    sa.Column("last_time", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("small", sa.Boolean, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("log_block_entry", "owner", "first_entry"),
    sa.Index("log_block_small", "small", "owner", "first_line"),
)
"""``payload`` is zstd of JSON lines ``[time_µs, level, stream, text]``, one per entry; ``first_time`` and
``last_time`` are the least and the greatest; ``small`` marks what the compaction loop may still merge."""
