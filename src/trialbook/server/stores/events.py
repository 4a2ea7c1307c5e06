"""Table of the events that are neither points nor console: plots, images, vectors."""

from __future__ import annotations

import sqlalchemy as sa

from trialbook.server.stores.database import metadata
from trialbook.server.stores.series import Id

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(32), nullable=False),
    sa.Column("is_model", sa.Boolean, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("metric_hash", sa.String(32), nullable=False),
    sa.Column("variant_hash", sa.String(32), nullable=False),
    sa.Column("iteration", sa.BigInteger, nullable=False),
    sa.Column("key_hash", sa.String(32), nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False, default=""),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index(
        "event_identity",
        "owner",
        "kind",
        "metric_hash",
        "variant_hash",
        "iteration",
        "key_hash",
        unique=True,
    ),
    sa.Index("event_time", "owner", "kind", "time", "id"),
    sqlite_autoincrement=True,
)
"""``payload`` is zstd of JSON with the fields that depend on the kind (``plot_str``, ``url``, ``values``
…)."""
