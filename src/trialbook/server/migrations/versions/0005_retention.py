"""Retention, files to be deleted, an index of console blocks, properties of workers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "file_garbage",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("file_garbage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_file_garbage_due"), ["due"], unique=False)

    op.create_table(
        "retention",
        sa.Column("project", sa.String(length=32), nullable=False),
        sa.Column("console_days", sa.Double(), nullable=True),
        sa.Column("samples_days", sa.Double(), nullable=True),
        sa.Column("archived_days", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("project"),
    )
    with op.batch_alter_table("console", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_line", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("first_entry", sa.BigInteger(), server_default="0", nullable=False))

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("url_hash", sa.String(length=32), nullable=True))

    with op.batch_alter_table("log_block", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trigrams", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("worker", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "properties",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                server_default="{}",
                nullable=False,
            )
        )
