"""Models that a run makes and takes."""

import pathlib
from typing import Any

from clearml import InputModel, Model, OutputModel, Task


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Make, describe, read, use."""
    weights = pathlib.Path("weights.pt")
    weights.write_bytes(b"weights")
    model = OutputModel(task=task, name="mine", framework="PyTorch", tags=["t"], comment="c")
    answers("labels", lambda: model.update_labels({"cat": 0}))
    answers("task labels", task.get_labels_enumeration)
    answers("design", lambda: model.update_design(config_dict={"layers": 2}))
    answers("design read", lambda: model.config_dict)
    answers("design text", lambda: model.config_text)
    answers("weights", lambda: bool(model.update_weights("weights.pt", auto_delete_file=False, iteration=3)))
    answers("metadata", lambda: model.set_metadata("k", "v"))
    answers("metadata typed", lambda: model.set_metadata("n", "3", "int"))
    answers(
        "metadata all", lambda: model.set_all_metadata({"x": {"type": "str", "value": "y"}}, replace=False)
    )
    answers("metadata read", model.get_all_metadata)
    answers("metadata cast", model.get_all_metadata_casted)
    answers("metadata value", lambda: model.get_metadata("k"))
    answers("metadata unknown", lambda: model.get_metadata("unknown"))
    answers("scalar", lambda: model.report_single_value("accuracy", 0.5))
    answers("published before", lambda: model.published)
    answers("tags", lambda: model.tags)
    answers("name", lambda: [model.name, model.framework, model.comment, model.labels])
    answers("flush", lambda: task.flush(wait_for_uploads=True))
    fresh = Model(model.id)
    answers("fresh", lambda: [fresh.name, fresh.framework, fresh.comment, fresh.labels, fresh.tags])
    answers("fresh design", lambda: [fresh.config_dict, fresh.config_text])
    answers("fresh file", lambda: pathlib.Path(fresh.get_local_copy()).read_bytes().decode())
    answers("fresh task", lambda: fresh.task == task.id)
    answers("fresh original", lambda: fresh.original_task == task.id)

    other = OutputModel(task=task, config_text="plain", label_enumeration={"a": 1})
    answers("unnamed", lambda: other.name)
    answers("unnamed framework", lambda: other.framework)
    answers("registered", lambda: other.update_weights(register_uri="https://example.invalid/w.h5") and True)
    folder = pathlib.Path("package")
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    packed = OutputModel(task=task, name="packed", framework="Keras")
    answers(
        "package", lambda: bool(packed.update_weights_package(weights_path="package", auto_delete_file=False))
    )
    answers("package files", lambda: [pathlib.Path(p).name for p in packed.get_weights_package()])

    imported = answers(
        "import", lambda: InputModel.import_model("https://example.invalid/in.pt", name="imported")
    )
    answers("connected", lambda: task.connect(imported) and None)
    answers("input", lambda: [m.name for m in task.models["input"]])
    answers("output", lambda: [m.name for m in task.models["output"]])
    answers("input keys", lambda: list(task.models["input"].keys()))
    answers("output keys", lambda: list(task.models["output"].keys()))
    answers("input framework", lambda: imported.framework)
    answers("set input", lambda: task.set_input_model(model_id=model.id, name="again"))
    answers("found", lambda: sorted(m.name for m in Model.query_models(project_name=task.get_project_name())))
    answers("found by tag", lambda: [m.name for m in Model.query_models(task.get_project_name(), tags=["t"])])
    answers("found published", lambda: Model.query_models(task.get_project_name(), only_published=True))
    answers("get models", lambda: sorted(Task.get_task(task_id=task.id).get_models()))
    answers("publish", model.publish)
    answers("published", lambda: Model(model.id).published)
