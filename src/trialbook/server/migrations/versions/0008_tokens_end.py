"""Tokens end with their user's epoch, browsers with the key whose link let them in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("page_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("access_key", sa.String(length=64), nullable=True))

    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("token_epoch", sa.Integer(), server_default="0", nullable=False))
    # Whoever is disabled now shall not come back with the tokens of before.
    op.execute("UPDATE user_account SET token_epoch = 1 WHERE disabled")
