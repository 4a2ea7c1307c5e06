"""Versions of datasets: what they need in the storage, their parents, what waits to be freed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dataset_parent",
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("version", "position"),
    )
    with op.batch_alter_table("dataset_parent", schema=None) as batch_op:
        batch_op.create_index("ix_dataset_parent_parent", ["parent"], unique=False)

    op.create_table(
        "dataset_reference",
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", "key"),
    )
    with op.batch_alter_table("dataset_reference", schema=None) as batch_op:
        batch_op.create_index("dataset_reference_by_key", ["key"], unique=False)

    op.create_table(
        "dataset_trash",
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.create_table(
        "dataset_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("places", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
