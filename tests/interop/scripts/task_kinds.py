"""The calls of ``Task`` beside a plain run. Runs unchanged under both SDKs."""

import argparse
import json
import os
import sys
from pathlib import Path

from clearml import InputModel, Task
from clearml.task_parameters import TaskParameters, param

PROJECT, QUEUE = sys.argv[1], sys.argv[2]
sys.argv = sys.argv[:1]
QUIET = {"auto_connect_frameworks": False, "auto_resource_monitoring": False}
answer = {}


def fresh(task):
    return Task.get_task(task_id=task.id)


def words(value):
    return str(getattr(value, "value", value))


Path("train.py").write_text("print('training')\n")
made = Task.create(
    project_name=PROJECT,
    task_name="made",
    task_type="testing",
    script="train.py",
    packages=["numpy>=2", "scipy"],
    docker="python:3.12",
    docker_args="--ipc=host",
    docker_bash_setup_script="echo start",
    argparse_args=[("rate", "0.1")],
    add_task_init_call=False,
)
made = fresh(made)
answer["created"] = {
    "status": words(made.get_status()),
    "type": words(made.task_type),
    "entry": made.get_script()["entry_point"],
    "diff": "print('training')" in made.data.script.diff,
    "packages": "numpy>=2" in made.get_requirements()["pip"],
    "docker": made.get_base_docker(),
    "setup": made.data.container["setup_shell_script"],
    "rate": made.get_parameter("Args/rate"),
}

made.set_parameters({"Train/rate": 0.5, "Train/deep/x": 1})
made.update_parameters({"Data/path": "x"})
made.set_parameter("Train/rate", 0.25, description="why")
made.set_user_properties({"name": "backbone", "value": "great", "description": "d"}, stable=True)
made.set_configuration_object("network", config_text="width = 3", description="d")
made.set_model_label_enumeration({"cat": 0, "dog": 1})
made.set_base_docker(
    docker_image="other:1", docker_arguments="-v a:b", docker_setup_bash_script=["line 1", "line 2"]
)
made.set_comment("a comment")
made.set_name("renamed")
made.add_tags(["one", "two"])
made.set_task_type("qc")
found = fresh(made)
answer["edited"] = {
    "parameters": {k: v for k, v in found.get_parameters().items() if not k.startswith("properties/")},
    "nested": found.get_parameters_as_dict()["Train"],
    "property": {k: found.get_user_properties()["backbone"][k] for k in ("name", "value", "description")},
    "configuration": found.get_configuration_object("network"),
    "configurations": found.get_configuration_objects(),
    "as dict": found.get_configuration_object_as_dict("network"),
    "labels": found.get_labels_enumeration(),
    "docker": found.get_base_docker(),
    "comment": found.comment,
    "name": found.name,
    "tags": sorted(found.get_tags()),
    "type": words(found.task_type),
}
made.delete_parameter("Data/path")
made.delete_user_properties([("properties", "stable")])
found = fresh(made)
answer["deleted"] = {
    "path": found.get_parameter("Data/path"),
    "properties": found.get_user_properties(value_only=True),
}

answer["enqueued"] = Task.enqueue(made, queue_name=QUEUE).queued
answer["queued"] = words(fresh(made).get_status())
answer["waiting"] = Task.get_num_enqueued_tasks(QUEUE)
answer["dequeued"] = Task.dequeue(made).dequeued
answer["draft again"] = words(fresh(made).get_status())

exported = fresh(made).export_task()
imported = Task.import_task({**exported, "name": "imported"})
imported = fresh(imported)
answer["imported"] = {
    "name": imported.name,
    "rate": imported.get_parameter("Train/rate"),
    "configuration": imported.get_configuration_object("network"),
    "other": imported.id != made.id,
}

copy = Task.clone(source_task=made.id, name="copy", comment="of made", parent=imported.id)
copy = fresh(copy)
answer["copy"] = [copy.name, copy.comment, copy.parent == imported.id, copy.get_parameter("Train/rate")]
copy.set_parent(made.id)
copy.move_to_project(new_project_name=PROJECT + "/moved")
copy = fresh(copy)
answer["moved"] = [copy.get_project_name() == PROJECT + "/moved", copy.parent == made.id]

made.mark_started(force=True)
answer["started"] = words(fresh(made).get_status())
made.set_progress(40)
answer["progress"] = fresh(made).get_progress()
made.mark_failed(status_reason="why", status_message="because", force=True)
found = fresh(made)
answer["failed"] = [words(found.get_status()), found.data.status_reason, found.data.status_message]
made.reset(force=True)
made.mark_started(force=True)
made.mark_stopped(force=True)
answer["stopped"] = words(fresh(made).get_status())
made.mark_completed(force=True)
answer["completed"] = words(fresh(made).get_status())
made.publish()
answer["published"] = words(fresh(made).get_status())

ids = [task.id for task in Task.get_tasks(project_name=PROJECT, task_name="renamed")]
answer["listed"] = ids == [made.id]
answer["queried"] = sorted(Task.query_tasks(project_name=PROJECT, tags=["one", "two"])) == sorted(
    task.id for task in (made, imported)
)
answer["ids"] = [task.id for task in Task.get_tasks(task_ids=[copy.id])] == [copy.id]
answer["project"] = Task.get_project_id(PROJECT) == made.project
answer["projects"] = PROJECT in [project.name for project in Task.get_projects()]
answer["unknown project"] = Task.get_project_id("no such project")


class Declared(TaskParameters):
    steps = param(type=int, range=(1, 100))
    rate = param(type=float, range=(0, 1))


task = Task.init(project_name=PROJECT, task_name="run", reuse_last_task_id=False, tags=["run"], **QUIET)
declared = Declared(steps=10, rate=0.5)
declared.connect(task)


class Options:
    batch = 32
    _hidden = 1


options = Options()
options.batch = 64
options.width = 7
task.connect(options, name="Object")
task.connect(Options, name="Class")
settings = task.connect({"a": {"b": 1}, "none": None, "list": [1, 2]}, name="Dict")
settings["a"]["b"] = 2
Path("network.yaml").write_text("width: 3  # comment\n")
task.connect_configuration("network.yaml", name="file", description="d")
task.connect_configuration({"deep": {"x": 1}}, name="dict")
task.connect_label_enumeration({"cat": 0})
start = InputModel.import_model("http://example.org/" + made.id + ".pt", name="start")
task.connect(start, name="start")
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.parse_args([])
task.set_initial_iteration(100)
task.get_logger().report_scalar("m", "s", 1.0, 1)
task.flush(wait_for_uploads=True)
other = fresh(task)
answer["run"] = {
    "parameters": {k: v for k, v in other.get_parameters().items() if v not in (None, "")},
    "file": other.get_configuration_object("file"),
    "dict": other.get_configuration_object_as_dict("dict"),
    "labels": other.get_labels_enumeration(),
    "input": [model.name for model in other.models["input"]],
    "scalars": other.get_reported_scalars()["m"]["s"]["x"],
    "last": other.get_last_iteration(),
    "main": [task.is_main_task(), other.is_main_task(), Task.running_locally()],
    "page": other.get_output_log_web_page().endswith("/output/log"),
}
task.set_initial_iteration(0)
task.close()
answer["closed"] = [Task.current_task() is None, words(fresh(task).get_status())]
answer["deleted task"] = bool(fresh(copy).delete())
Path(os.environ["RESULT"]).write_text(json.dumps({**answer, "made": made.id}, default=words))
