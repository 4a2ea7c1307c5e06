"""Images by where their file is."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("event_url", ["owner", "url_hash"], unique=False)
