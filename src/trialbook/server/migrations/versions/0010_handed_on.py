"""What is given to another task, or leaves with its project, some rows at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("grave", schema=None) as batch_op:
        batch_op.add_column(sa.Column("files", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("heir", sa.String(length=32), nullable=True))
    op.create_table(
        "leaving",
        sa.Column("project", sa.String(length=32), nullable=False),
        sa.Column("contents", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("project"),
    )
