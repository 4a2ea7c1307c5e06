"""A run that uses every reporting door of the SDK once. Runs unchanged under both SDKs."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
from clearml import OutputModel, Task

task = Task.init(
    project_name="Interop/Säge & Co",
    task_name="full run (1.0)",
    tags=["alpha", "beta"],
    output_uri=True,
    auto_connect_frameworks=False,
    auto_resource_monitoring=False,
)
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--rate", type=float, default=0.5)
arguments = parser.parse_args(["--epochs", "5"])

settings = task.connect(
    {"lr": 0.1, "layers": [1, 2], "nested": {"depth": 3}, "flag": True, "name": "adam", "path/with.dots": "x"}
)
task.connect_configuration({"model": {"width": 64, "kind": "mlp"}}, name="network")
task.set_user_properties(backbone="great", stable=True)
task.set_comment("a comment with Ümlaut")

logger = task.get_logger()
for step in range(300):
    logger.report_scalar("loss", "train", 1.0 / (step + 1), step)
    logger.report_scalar("loss", "val/über.a$b", 2.0 / (step + 1), step)
logger.report_single_value("best", 0.25)
logger.report_plotly(
    "figure",
    "line",
    iteration=0,
    figure={"data": [{"type": "scatter", "x": [1, 2, 3], "y": [4, 5, 6]}], "layout": {}},
)
logger.report_table("table", "frame", iteration=0, table_plot=pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
logger.report_histogram("histogram", "counts", iteration=0, values=[1, 5, 2], xaxis="bin", yaxis="n")
logger.report_confusion_matrix("confusion", "val", iteration=0, matrix=np.array([[5, 1], [2, 7]]))
logger.report_scatter2d("scatter", "points", iteration=0, scatter=[(0, 1), (1, 2), (2, 0)], mode="markers")
logger.report_image("image", "gradient", iteration=2, image=np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
logger.report_text("hello from report_text")
print("hello from print")

folder = Path("work")
folder.mkdir(exist_ok=True)
plain = folder / "notes with blank.txt"
plain.write_text("plain file\n")
task.upload_artifact("a dict", {"b": 2, "a": [1, 2]})
task.upload_artifact("array", np.arange(12, dtype=np.float32).reshape(3, 4))
task.upload_artifact("frame", pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}))
task.upload_artifact("file", str(plain), metadata={"kind": "notes"})
task.upload_artifact("object", {1, 2, 3})
task.upload_artifact("folder", str(folder))

weights = folder / "model.pt"
weights.write_bytes(bytes(range(256)) * 40)
model = OutputModel(task=task, name="my model", framework="PyTorch")
model.update_labels({"cat": 0, "dog": 1})
model.update_weights(str(weights), auto_delete_file=False)

task.flush(wait_for_uploads=True)
identity = task.id
task.close()
Path(os.environ["RESULT"]).write_text(
    json.dumps({"id": identity, "epochs": arguments.epochs, "model": model.id})
)
