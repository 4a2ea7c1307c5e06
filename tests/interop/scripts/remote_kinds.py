"""A run that an agent repeats with other values. Runs unchanged under both SDKs."""

import argparse
import json
import os
from pathlib import Path

from clearml import Task

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--flag", action="store_true")
parser.add_argument("--sizes", nargs="+", type=int, default=[7])
task = Task.init(
    project_name="Interop/Remote",
    task_name="values",
    reuse_last_task_id=False,
    auto_connect_frameworks=False,
    auto_resource_monitoring=False,
)
arguments = parser.parse_args([] if Task.running_locally() else None)
given = {
    "flag": True,
    "count": 8,
    "rate": 0.1,
    "name": "adam",
    "list": [1, 2],
    "pair": (1, 2),
    "net": {"depth": 3},
}
settings = task.connect(given, name="Train")


class Options:
    batch = 32


options = Options()
options.batch = 32
task.connect(options, name="Object")
Path("conf.json").write_text('{"lr": 1}')
path = task.connect_configuration(Path("conf.json"), name="file")
values = task.connect_configuration({"a": 1}, name="dict")
labels = task.connect_label_enumeration({"cat": 0})
answer = {
    "id": task.id,
    "local": Task.running_locally(),
    "settings": {name: repr(dict(v) if isinstance(v, dict) else v) for name, v in settings.items()},
    "arguments": {name: repr(value) for name, value in vars(arguments).items()},
    "batch": repr(options.batch),
    "file": Path(path).read_text(),
    "dict": dict(values.items()),
    "labels": labels,
}
task.get_logger().report_scalar("seen", "epochs", arguments.epochs, 1)
task.flush(wait_for_uploads=True)
if answer["local"]:
    task.close()
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
