"""Everything that the SDK can read of a task, as JSON."""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from clearml import Task


def plain(value):
    """A value that JSON keeps, with its type told where JSON would lose it."""
    if isinstance(value, np.ndarray):
        return {"ndarray": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, pd.DataFrame):
        return {"frame": value.to_dict("list")}
    if isinstance(value, set):
        return {"set": sorted(value)}
    if isinstance(value, (str, os.PathLike)) and Path(value).is_dir():
        return {"folder": sorted(file.name for file in Path(value).iterdir())}
    if isinstance(value, (str, os.PathLike)) and Path(value).is_file():
        return {"file": Path(value).read_bytes().decode("latin-1")}
    return value


task = Task.get_task(task_id=sys.argv[1])
models = task.models["output"]
answer = {
    "name": task.name,
    "project": task.get_project_name(),
    "status": str(task.get_status()),
    "type": str(task.task_type),
    "tags": sorted(task.get_tags()),
    "comment": task.comment,
    "parameters": task.get_parameters(),
    "configuration": task.get_configuration_object("network"),
    "properties": task.get_user_properties(value_only=True),
    "scalars": task.get_reported_scalars(),
    "last": task.get_last_scalar_metrics(),
    "single": task.get_reported_single_values(),
    "last_iteration": task.get_last_iteration(),
    "console": "".join(task.get_reported_console_output(number_of_reports=100)),
    "plots": sorted(
        [plot["metric"], plot["variant"], json.loads(plot["plot_str"])] for plot in task.get_reported_plots()
    ),
    "artifacts": {name: plain(artifact.get()) for name, artifact in task.artifacts.items()},
    "artifact_types": {name: artifact.type for name, artifact in task.artifacts.items()},
    "artifact_metadata": {name: artifact.metadata for name, artifact in task.artifacts.items()},
    "models": [
        {
            "name": model.name,
            "framework": model.framework,
            "labels": model.labels,
            "weights": hashlib.sha256(Path(model.get_local_copy()).read_bytes()).hexdigest(),
        }
        for model in models
    ],
}
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
