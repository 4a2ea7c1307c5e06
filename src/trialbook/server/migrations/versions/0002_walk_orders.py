"""Orders by parameter that are walked, text search in narrow rows, a column for archived."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "task_text",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("facet", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_head", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("archived", sa.Boolean(), server_default=sa.false(), nullable=False))

    _fill(op.get_bind())

    with op.batch_alter_table("facet", schema=None) as batch_op:
        batch_op.create_index("facet_by_key", ["field", "key_head", "number", "head", "owner"], unique=False)
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("task_by_duration", ["active_duration"], unique=False)
        batch_op.create_index("task_by_end", ["completed"], unique=False)
        batch_op.create_index("task_by_iteration", ["last_iteration"], unique=False)
        batch_op.create_index("task_by_start", ["started"], unique=False)
        batch_op.create_index("task_shown", ["hidden", "archived", "status", "project"], unique=False)


def _fill(connection: sa.Connection) -> None:
    text = sa.Text
    facet = sa.table(
        "facet", *(sa.column(name, text) for name in ("owner", "field", "key", "key_head", "head"))
    )
    task = sa.table(
        "task",
        sa.column("archived", sa.Boolean),
        *(sa.column(name, text) for name in ("id", "name", "comment")),
        *(sa.column(name, sa.JSON) for name in ("tags", "script")),
    )
    searched = sa.table("task_text", sa.column("id", text), sa.column("text", text))
    connection.execute(facet.update().values(key_head=sa.func.substr(facet.c.key, 1, 64)))
    put_away = sa.select(facet.c.owner).where(facet.c.field == "system_tags", facet.c.head == "archived")
    connection.execute(task.update().where(task.c.id.in_(put_away)).values(archived=True))
    columns = [task.c[name] for name in ("id", "name", "comment", "tags", "script")]
    last = ""
    while rows := connection.execute(
        sa.select(*columns).where(task.c.id > last).order_by(task.c.id).limit(1000)
    ).all():
        last = rows[-1].id
        texts = []
        for row in rows:
            script = row.script or {}
            named = (script.get("repository") or "", script.get("entry_point") or "")
            parts = (row.id, row.name, row.comment, *row.tags, *named)
            texts.append({"id": row.id, "text": "\n".join(parts).lower()})
        connection.execute(searched.insert(), texts)
