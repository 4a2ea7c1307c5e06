"""What a run that takes the place of an earlier one leaves of that: an archived task that can be brought back."""

from __future__ import annotations

from typing import Any

from trialbook.base.ids import new_id
from trialbook.server.series.hand_over import hand_over
from trialbook.server.services.call import Call
from trialbook.server.services.changes import changed
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.tasks import TaskStore, task

_DERIVED = ("name_head", "hidden", "archived")
REPLACED_BY = "replaced_by"
"""In the runtime of a kept task: id of the task whose earlier run it is."""


def keep(call: Call, tasks: TaskStore, models: ModelStore, row: Any) -> str | None:
    """Give all that a run reported to a new, archived task with the same fields.

    Args:
        call: of a write.
        tasks, models: the stores.
        row: of the task, locked.

    Returns:
        The id of the new task; None when nothing was reported, and so nothing is kept.
    """
    id = new_id()
    if not hand_over(call.connection, row.id, id):
        return None
    values = {column.name: row._mapping[column.name] for column in task.c if column.name not in _DERIVED}
    values |= {
        "id": id,
        "queue": None,
        "status_before_queue": None,
        "system_tags": sorted({*row.system_tags, "archived"}),
        "runtime": {**row.runtime, REPLACED_BY: row.id},
        "last_change": call.now,
    }
    tasks.insert(call.connection, values)
    tasks.record(
        call.connection,
        id,
        time=call.now,
        user=call.caller.user or None,
        method=call.method,
        old=None,
        new=row.status,
        reason="kept",
        message=f"the run of task {row.id} that a later one replaced",
    )
    for found in models.of_task(call.connection, row.id):
        models.change(call.connection, found.id, {"task": id})
        changed(
            call,
            "model",
            found.id,
            "edited",
            project=found.project,
            before={"task": row.id},
            after={"task": id},
        )
    made = {"name": row.name, "type": row.type, "status": row.status, "kept_of": row.id}
    changed(call, "task", id, "kept", project=row.project, after=made)
    return id
