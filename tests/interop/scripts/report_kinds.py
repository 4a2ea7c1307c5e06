"""Every kind of report, artifact, model and file. Runs unchanged under both SDKs."""

import io
import json
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from clearml import InputModel, Logger, Model, OutputModel, StorageManager, Task

PROJECT = sys.argv[1]
sys.argv = sys.argv[:1]
answer = {}
task = Task.init(
    project_name=PROJECT,
    task_name="reports",
    reuse_last_task_id=False,
    output_uri=True,
    auto_connect_frameworks=False,
    auto_resource_monitoring=False,
)
logger = Logger.current_logger()
Path("table.csv").write_text("a,b\n1,2\n")
Path("sound.wav").write_bytes(b"RIFF....WAVE")
picture = np.tile(np.arange(32, dtype=np.uint8), (32, 1))

logger.report_histogram(
    "histogram", "h", iteration=1, values=[[1, 2], [3, 4]], labels=["p", "q"], mode="stack"
)
logger.report_vector("vector", "v", iteration=1, values=[1, 2, 3])
logger.report_table("csv", "t", iteration=1, csv="table.csv")
logger.report_line_plot(
    "lines", [{"name": "a", "data": np.array([[0, 1], [1, 3]])}], xaxis="x", yaxis="y", iteration=1
)
logger.report_scatter2d("flat", "s", iteration=1, scatter=[(0, 1), (1, 2)], mode="markers", labels=["p", "q"])
logger.report_scatter3d("cloud", "s", iteration=1, scatter=np.eye(3))
logger.report_confusion_matrix(
    "confusion", "c", iteration=1, matrix=np.array([[5, 1], [2, 7]]), xlabels=["a", "b"], ylabels=["a", "b"]
)
logger.report_matrix("matrix", "m", iteration=1, matrix=np.eye(2))
logger.report_surface("surface", "s", iteration=1, matrix=np.eye(3), camera=(1, 1, 2))
logger.report_plotly("plotly", "p", iteration=1, figure={"data": [{"y": [1, 2]}], "layout": {"title": "t"}})
logger.report_image("image", "array", iteration=1, image=picture)
logger.report_image("image", "url", iteration=1, url="http://example.org/x.png")
logger.report_media("media", "sound", iteration=1, local_path="sound.wav")
logger.report_media("media", "page", iteration=1, stream=io.StringIO("<p>hello"), file_extension="html")
logger.report_text("a line of text", level=logging.WARNING, print_console=False)
logger.report_single_value("accuracy", 0.5)
logger.report_single_value("accuracy", 0.9)
for step in range(5):
    logger.report_scalar("loss", "train", step / 2, step)
task.flush(wait_for_uploads=True)
found = Task.get_task(task_id=task.id)
answer["plots"] = {
    plot["metric"]: json.loads(plot["plot_str"])["data"][0] for plot in found.get_reported_plots()
}
answer["plots"] = {
    title: [data.get("type"), data.get("y") if title in ("vector", "plotly") else None]
    for title, data in answer["plots"].items()
}
answer["samples"] = {
    series: [sample["iter"] for sample in found.get_debug_samples(title, series)]
    for title, series in (("image", "array"), ("image", "url"), ("media", "sound"), ("media", "page"))
}
answer["single"] = found.get_reported_single_value("accuracy")
answer["text"] = "a line of text" in "".join(found.get_reported_console_output(number_of_reports=10))
answer["all"] = found.get_all_reported_scalars()["loss"]["train"]["y"]
answer["few"] = len(found.get_reported_scalars(max_samples=3)["loss"]["train"]["y"]) <= 3

frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
task.register_artifact("followed", frame, metadata={"why": "test"})
Path("folder").mkdir(exist_ok=True)
Path("folder/inside.txt").write_text("inside")
task.upload_artifact("text", "just words")
task.upload_artifact("files", "folder/*.txt")
task.upload_artifact("link", "http://example.org/data.bin")
task.upload_artifact("number", 5, preview="five", metadata={"k": 1})
task.upload_artifact("gone", {"a": 1})
task.flush(wait_for_uploads=True)
task.unregister_artifact("followed")
task.flush(wait_for_uploads=True)
task.reload()
task.delete_artifacts(["gone"])
found = Task.get_task(task_id=task.id)
artifacts = found.artifacts
answer["artifacts"] = sorted(artifacts.keys())
answer["values"] = {
    "text": artifacts["text"].get(),
    "files": sorted(path.name for path in Path(artifacts["files"].get()).iterdir()),
    "number": artifacts["number"].get(),
    "followed": artifacts["followed"].get()["a"].tolist(),
}
answer["details"] = {
    "preview": artifacts["number"].preview,
    "metadata": artifacts["number"].metadata,
    "link": artifacts["link"].url,
    "hash": len(artifacts["number"].hash),
    "size": artifacts["number"].size > 0,
    "mode": str(getattr(artifacts["number"].mode, "value", artifacts["number"].mode)),
}

Path("net.pt").write_bytes(b"weights")
Path("a.bin").write_bytes(b"a")
Path("b.bin").write_bytes(b"b")
net = OutputModel(
    task=task, name="net", tags=["good"], config_dict={"layers": 2}, label_enumeration={"cat": 0}
)
net.update_weights(weights_filename="net.pt", auto_delete_file=False, iteration=3)
pair = OutputModel(task=task, name="pair")
pair.update_weights_package(weights_filenames=["a.bin", "b.bin"], auto_delete_file=False)
task.flush(wait_for_uploads=True)
net.set_metadata("accuracy", 0.9, "float")
pair.report_single_value("quality", 0.5)
pair.report_scalar("curve", "val", 0.1, 1)
linked = OutputModel(task=task, name="linked")
linked.update_weights(register_uri="http://example.org/" + task.id + ".onnx")
task.flush(wait_for_uploads=True)
outside = InputModel.import_model(
    weights_url="http://example.org/in/" + task.id + ".h5",
    name="outside",
    label_enumeration={"dog": 1},
    config_dict={"k": 1},
)
outside.connect(task, name="start")
task.flush(wait_for_uploads=True)
found = Task.get_task(task_id=task.id)
models = found.models
answer["models"] = [model.name for model in models["output"]]
first = Model(model_id=net.id)
answer["model"] = {
    "name": first.name,
    "tags": list(first.tags),
    "labels": first.labels,
    "design": first.config_dict,
    "weights": Path(first.get_local_copy()).read_bytes().decode(),
    "metadata": first.get_metadata("accuracy"),
    "casted": first.get_metadata_casted("accuracy"),
}
package = Model(model_id=pair.id)
answer["package"] = sorted(Path(path).name for path in package.get_weights_package())
answer["input"] = [models["input"]["start"].id == outside.id, outside.framework, outside.labels]
answer["found"] = [
    [model.id for model in Model.query_models(project_name=PROJECT, tags=["good"])] == [net.id],
    [model.id for model in Model.query_models(project_name=PROJECT, metadata={"accuracy": "0.9"})]
    == [net.id],
    InputModel.load_model("http://example.org/in/" + task.id + ".h5").id == outside.id,
]
first.publish()
answer["ready"] = Model(model_id=net.id).published
Model(model_id=linked.id).archive()
answer["hidden"] = [model.name for model in Model.query_models(project_name=PROJECT, model_name="linked")]
Model(model_id=linked.id).unarchive()
answer["removed"] = bool(Model.remove(linked.id, delete_weights_file=False))

base = logger.get_default_upload_destination()
remote = StorageManager.upload_file("net.pt", base + "/interop/" + task.id + "/net.pt")
copy = StorageManager.get_local_copy(remote)
answer["storage"] = {
    "content": Path(copy).read_bytes().decode(),
    "exists": StorageManager.exists_file(remote),
    "size": StorageManager.get_file_size_bytes(remote),
    "missing": bool(StorageManager.exists_file(base + "/interop/none")),
}
task.close()
Path(os.environ["RESULT"]).write_text(json.dumps({**answer, "id": task.id, "model id": pair.id}))
