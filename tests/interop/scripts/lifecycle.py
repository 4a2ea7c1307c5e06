"""Reuse, continue, clone, publish, archive, delete: what a user does with tasks after a run."""

import json
import os
from pathlib import Path

from clearml import Task

PROJECT = "Interop/Lifecycle"
QUIET = {
    "auto_connect_frameworks": False,
    "auto_resource_monitoring": False,
    "auto_connect_arg_parser": False,
}
answer = {}


def start(**options):
    task = Task.init(project_name=PROJECT, task_name="again", **QUIET, **options)
    return task


first = start()
first.get_logger().report_scalar("m", "s", 1.0, 7)
first.flush(wait_for_uploads=True)
first.close()
second = start()
answer["reused"] = second.id == first.id
second.get_logger().report_scalar("m", "s", 2.0, 3)
second.connect({"x": 5})
second.close()
reset_points = Task.get_task(task_id=second.id).get_reported_scalars()["m"]["s"]
answer["after_reuse"] = [reset_points["x"], reset_points["y"]]

third = start(continue_last_task=True)
answer["continued"] = third.id == first.id
third.get_logger().report_scalar("m", "s", 3.0, 0)
third.close()
continued = Task.get_task(task_id=third.id).get_reported_scalars()["m"]["s"]
answer["after_continue"] = [continued["x"], continued["y"]]

fourth = start(reuse_last_task_id=False)
answer["forced_new"] = fourth.id != first.id
fourth.upload_artifact("a", {"x": 1}, wait_on_upload=True)
fourth.close()
fifth = start()
answer["new_after_artifact"] = fifth.id != fourth.id
fifth.close()

done = Task.get_task(task_id=third.id)
clone = Task.clone(source_task=done, name="the copy")
clone = Task.get_task(task_id=clone.id)
answer["clone"] = {
    "status": str(clone.get_status()),
    "parameters": clone.get_parameters(),
    "scalars": clone.get_reported_scalars(),
    "parent": clone.parent == done.id,
    "same_id": clone.id == done.id,
}
done.publish()
answer["published"] = str(Task.get_task(task_id=done.id).get_status())
sixth = Task.get_task(task_id=fifth.id)
sixth.set_archived(True)
answer["archived"] = Task.get_task(task_id=sixth.id).get_archived()
visible = [
    task.id for task in Task.get_tasks(project_name=PROJECT, task_filter={"system_tags": ["-archived"]})
]
answer["archived_hidden"] = sixth.id not in visible and done.id in visible
sixth.set_archived(False)
answer["deleted"] = bool(Task.get_task(task_id=clone.id).delete())
remaining = [task.id for task in Task.get_tasks(project_name=PROJECT)]
answer["gone"] = clone.id not in remaining
answer["by_name"] = Task.get_task(project_name=PROJECT, task_name="again").id in remaining
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
