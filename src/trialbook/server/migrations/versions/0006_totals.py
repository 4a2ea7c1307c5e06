"""Totals of task lists from an index alone, a project by name."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("task_shown")
        batch_op.create_index("task_shown", ["hidden", "archived", "status", "project", "id"], unique=False)
        batch_op.create_index("task_by_project_and_name", ["project", "name_head"], unique=False)
