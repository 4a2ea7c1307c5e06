"""Models: made by runs, imported, found, changed, deleted."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.conftest import Begin, again
from tests.support.server import RunningServer
from trialbook import InputModel, Model, OutputModel, Task
from trialbook.errors import ModelNotFound, TrialbookError, UsageError, WireError
from trialbook.sdk.models import guess_framework


def address(suffix: str = ".pt") -> str:
    """An address that no other model has."""
    return f"http://example.org/{uuid.uuid4().hex}{suffix}"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "net.pt"
    file.write_bytes(b"weights")
    return file


@pytest.mark.covers("TK-038", "TK-068", "TM-1", "TM-2", "TM-3", "TM-4")
def test_the_models_of_a_task(task: Task) -> None:
    start = InputModel.import_model(address(".onnx"), name="start")
    task.connect(start, name="first input")
    for name in ("one", "two", "three"):
        OutputModel(task, name=name).update_weights(register_uri=address())
    found = again(task).models
    assert set(found) == {"input", "output"} and found["input"].keys() == ["first input"]
    assert found.input is found["input"] and found.output is found["output"]
    assert found.output.keys() == ["one", "two", "three"], "in order of first use"
    assert found.output[-1].name == "three" == found.output["three"].name and len(found.output) == 3
    assert [model.name for model in found.output[:2]] == ["one", "two"]
    assert [model.name for model in found.output] == ["one", "two", "three"]
    with pytest.raises(KeyError, match="no model 'none'"):
        found.output["none"]
    assert found.output.get("none") is None
    assert isinstance(found.output[0], Model) and found.input[0].id == start.id
    assert task.get_models().output.keys() == ["one", "two", "three"]
    with pytest.raises(AttributeError):
        task.models = {}  # type: ignore[misc, assignment]


@pytest.mark.covers("TK-099", "IA-7", "OM-8")
def test_update_output_model(task: Task, weights: Path, sdk: RunningServer) -> None:
    url = task.update_output_model(str(weights), comment="why", tags=["t"], iteration=7)
    assert url.startswith(sdk.files_url), "the files server without a destination"
    weights.write_bytes(b"overwritten at once")
    linked = address()
    assert task.update_output_model(linked, name="far", model_name="far away") == linked
    folder = weights.parent / "folder"
    folder.mkdir()
    (folder / "a").write_text("a")
    task.update_output_model(str(folder))
    found = again(task).models.output
    net = found["net"]
    assert (net.name, net.framework, net.tags, net.url) == (f"{task.name} - net", "PyTorch", ["t"], url)
    assert "why" in net.comment and "iteration 7" in net.comment
    assert Path(str(net.get_local_copy())).read_bytes() == b"weights"
    assert (found["far"].name, found["far"].url) == ("far away", linked)
    assert (Path(str(found["folder"].get_local_copy())) / "a").read_text() == "a"
    weights.write_bytes(b"second")
    task.update_output_model(str(weights))
    found = again(task).models.output
    assert found["net"].id == net.id and len(found) == 3, "the same slot is the same model"
    assert Path(str(found["net"].get_local_copy(force_download=True))).read_bytes() == b"second"
    with pytest.raises(UsageError, match="there is no file"):
        task.update_output_model("missing.pt")


@pytest.mark.covers("TK-082", "IM-5")
def test_set_input_model(draft: Task, project: str) -> None:
    model = InputModel.import_model(
        address(), config_dict={"layers": 3}, label_enumeration={"cat": 0}, name=f"start {project}"
    )
    draft.set_input_model(model.id, name="slot")
    found = again(draft)
    assert found.models.input.keys() == ["slot"] and found.models.input[0].id == model.id
    assert found.get_labels_enumeration() == {"cat": 0} and found.get_model_config_dict() == {"layers": 3}
    bare = Task.create(project, "bare")
    bare.set_input_model(model_name=f"start {project}", update_task_design=False, update_task_labels=False)
    found = again(bare)
    assert found.models.input.keys() == [Path(model.url).stem]
    assert found.get_labels_enumeration() == {} and found.get_model_design() == ""
    with pytest.raises(UsageError, match="model_id or model_name"):
        bare.set_input_model()
    with pytest.raises(UsageError, match="no model matches"):
        bare.set_input_model(model_name="no such model at all")


@pytest.mark.covers("OM-2")
def test_the_iteration_of_the_weights_is_the_models(task: Task, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(b"weights")
    registered, stored, packed = (OutputModel(task, name=name) for name in ("registered", "stored", "packed"))
    registered.update_weights(register_uri=address(), iteration=3)
    stored.update_weights(str(tmp_path / "w.pt"), iteration=4, update_comment=False, auto_delete_file=False)
    packed.update_weights_package([str(tmp_path / "w.pt")], iteration=5, auto_delete_file=False)
    task.flush(wait_for_uploads=True)
    found = [Model(model.id)._data() for model in (registered, stored, packed)]
    assert [document["last_iteration"] for document in found] == [3, 4, 5]


@pytest.mark.covers("MD-1")
def test_fields_of_a_model(task: Task, project: str) -> None:
    model = OutputModel(task, name="net", comment="first", tags=["a"], framework="Custom")
    model.update_weights(register_uri=address())
    task.flush()
    found = Model(model.id)
    assert (found.name, found.comment, found.tags, found.framework) == ("net", "first", ["a"], "Custom")
    assert (found.project, found.task, found.original_task) == (task.project, task.id, task.id)
    assert found.system_tags == [] and found.published is False and found.url == model.url
    other = Task.create(f"{project}/other", "x").project
    found.name, found.comment, found.tags, found.project = "renamed", "second", ["b", "c"], other
    fresh = Model(model.id)
    assert (fresh.name, fresh.comment, sorted(fresh.tags), fresh.project) == (
        "renamed",
        "second",
        ["b", "c"],
        other,
    )
    with pytest.raises(ModelNotFound):
        _ = Model("0" * 32).name


@pytest.mark.covers("MD-2", "OM-1", "OM-5")
def test_configuration_and_labels(task: Task) -> None:
    task.set_model_config(config_dict={"from": "task"})
    text = OutputModel(task, config_text="a = 1", label_enumeration={"cat": 0}, name="text")
    values = OutputModel(task, config_dict={"b": 2}, name="dict")
    plain = OutputModel(task, name="plain")
    assert [model.name for model in task.models.output] == [], "nothing before weights or connect"
    for model in (text, values, plain):
        model.connect(task)
    found = again(task).models.output
    assert found["text"].config_dict == {"a": 1} and found["dict"].config_text == "b = 2"
    assert found["plain"].config_dict == {"from": "task"} and found["text"].labels == {"cat": 0}
    text.update_labels({"dog": 1})
    text.update_design(config_dict={"c": 3})
    found = again(task).models.output
    assert found["text"].labels == {"dog": 1} and found["text"].config_dict == {"c": 3}
    with pytest.raises(UsageError, match="not both"):
        OutputModel(task, config_text="x", config_dict={})
    with pytest.raises(UsageError, match="names to integers"):
        text.update_labels({"dog": "x"})  # type: ignore[dict-item]


def test_T34_the_task_knows_what_its_model_says(task: Task) -> None:
    model = OutputModel(task, name="net")
    model.update_labels({"a": 1})
    assert task.get_labels_enumeration() == again(task).get_labels_enumeration() == {"a": 1}
    model.update_labels({"b": 2, "c": 3})
    assert again(task).get_labels_enumeration() == {"b": 2, "c": 3}
    model.update_design(config_dict={"depth": 3})
    model.update_design(config_dict={"depth": 4})
    assert again(task).get_model_design() == "depth = 3", "only a task that has none takes it"
    with pytest.raises(UsageError, match="names to integers"):
        model.update_labels({"a": "x"})  # type: ignore[dict-item]
    assert again(task).get_labels_enumeration() == {"b": 2, "c": 3}


def test_T34_what_is_assigned_is_told_as_well(task: Task) -> None:
    model = OutputModel(task, name="net")
    model.connect(task)
    model.labels = {"cat": 0}
    model.config_dict = {"depth": 3}
    found = again(task)
    assert found.get_labels_enumeration() == model.labels == {"cat": 0}
    assert found.get_model_design() == model.config_text == "depth = 3" and model.config_dict == {"depth": 3}
    model.config_text = "depth = 4"
    model.system_tags = ["kept"]
    task.flush()
    stored = Model(model.id)
    assert (stored.config_dict, stored.system_tags, stored.labels) == ({"depth": 4}, ["kept"], {"cat": 0})
    with pytest.raises(UsageError, match="names to integers"):
        model.labels = {"cat": "x"}  # type: ignore[dict-item]


def test_T34_a_connected_model_tells_its_task(task: Task) -> None:
    OutputModel(task, name="net", label_enumeration={"a": 1}, config_text="depth = 3").connect(task)
    found = again(task)
    assert found.get_labels_enumeration() == {"a": 1} and found.get_model_design() == "depth = 3"


def test_T34_what_is_given_for_a_model_that_exists_is_kept(task: Task) -> None:
    first = OutputModel(task, name="net", tags=["old"], framework="PyTorch")
    first.connect(task)
    task.flush()
    OutputModel(task, base_model_id=first.id, label_enumeration={"a": 1}, tags=["new"], comment="said")
    task.flush()
    found = Model(first.id)
    assert (found.name, found.framework) == ("net", "PyTorch"), "what is not given stays"
    assert (found.labels, found.tags, found.comment) == ({"a": 1}, ["new"], "said")


@pytest.mark.covers("OM-1")
def test_a_model_belongs_to_a_task(project: str) -> None:
    with pytest.raises(UsageError, match="belongs to a task"):
        OutputModel()


@pytest.mark.covers("OM-2", "IA-6", "MD-3", "MD-5")
def test_weights(begin: Begin, weights: Path, tmp_path: Path, sdk: RunningServer) -> None:
    task = begin()
    registered = OutputModel(task, name="stays")
    assert registered.update_weights(str(weights)) == weights.as_uri(), "without a destination it stays"
    model = OutputModel(task, name="net")
    target = tmp_path / "store"
    url = model.update_weights(str(weights), upload_uri=str(target), iteration=3, auto_delete_file=True)
    assert url.startswith(str(target)) and model.id
    assert model.wait_for_uploads(timeout=30) and again(task) and not weights.exists()
    assert Path(url).read_bytes() == b"weights" and "iteration 3" in model.comment
    weights.write_bytes(b"second")
    again_url = model.update_weights(
        str(weights), upload_uri=str(target), iteration=4, async_enable=False, auto_delete_file=False
    )
    assert Path(again_url).read_bytes() == b"second"
    found = again(task).models.output["net"]
    assert found.id == model.id and "iteration 4" in found.comment and "iteration 3" not in found.comment
    assert Path(str(found.get_weights())).read_bytes() == b"second"
    linked = address(".h5")
    assert model.update_weights(register_uri=linked) == linked
    assert again(task).models.output["net"].url == linked
    for wrong in ({}, {"weights_filename": "x", "register_uri": "y"}):
        with pytest.raises(UsageError, match="either weights_filename or register_uri"):
            model.update_weights(**wrong)
    with pytest.raises(UsageError, match="there is no file"):
        model.update_weights("missing.pt")
    model.publish()
    with pytest.raises(UsageError, match="published"):
        model.update_weights(register_uri=address())


@pytest.mark.covers("OM-4", "IA-7", "IA-8", "MD-3", "MD-5")
def test_where_weights_go(
    begin: Begin, weights: Path, tmp_path: Path, project: str, sdk: RunningServer
) -> None:
    task = begin("named", output_uri=str(tmp_path / "of the task"))
    model = OutputModel(task, name="net")
    url = model.update_weights(str(weights))
    assert url.startswith(f"{tmp_path}/of the task/{project}/named.{task.id}/models/")
    model.set_upload_destination(str(tmp_path / "of the model"))
    assert model.update_weights(str(weights)).startswith(f"{tmp_path}/of the model/")
    task.output_uri = True
    other = OutputModel(task, name="other")
    assert other.update_weights(str(weights)).startswith(sdk.files_url)
    found = again(task).models.output["other"]
    first = found.get_weights(raise_on_error=True)
    assert first is not None and Path(first).read_bytes() == b"weights"
    stamp = Path(first).stat().st_mtime_ns
    assert found.get_weights() == first and Path(first).stat().st_mtime_ns == stamp, "from the cache"
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        model.set_upload_destination(str(blocked))


@pytest.mark.covers("MD-5")
def test_weights_that_are_not_there(task: Task) -> None:
    model = OutputModel(task, name="none")
    model.connect(task)
    found = again(task).models.output["none"]
    assert found.url == "" and found.get_local_copy() is None
    with pytest.raises(TrialbookError, match="no weights yet"):
        found.get_local_copy(raise_on_error=True)


@pytest.mark.covers("OM-3", "MD-4")
def test_packages(task: Task, tmp_path: Path) -> None:
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_text(name)
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    (folder / "c.bin").write_text("c")
    files = OutputModel(task, name="files")
    files.update_weights_package([str(tmp_path / "a.bin"), str(tmp_path / "b.bin")], iteration=2)
    tree = OutputModel(task, name="tree")
    tree.update_weights_package(weights_path=str(tmp_path / "folder"))
    single = OutputModel(task, name="single")
    single.update_weights(register_uri=address())
    found = again(task).models.output
    paths = found["files"].get_weights_package()
    assert isinstance(paths, list) and [Path(path).read_text() for path in paths] == ["a.bin", "b.bin"]
    root = found["tree"].get_weights_package(return_path=True)
    assert (Path(str(root)) / "deep" / "c.bin").read_text() == "c"
    assert Path(str(found["files"].get_local_copy())).is_dir()
    with pytest.raises(UsageError, match="single file"):
        found["single"].get_weights_package()
    for wrong in ({}, {"weights_filenames": ["x"], "weights_path": "y"}):
        with pytest.raises(UsageError, match="either weights_filenames or weights_path"):
            files.update_weights_package(**wrong)  # type: ignore[arg-type]
    (tmp_path / "folder" / "a.bin").write_text("same name")
    with pytest.raises(UsageError, match="same name"):
        files.update_weights_package([str(tmp_path / "a.bin"), str(tmp_path / "folder" / "a.bin")])


@pytest.mark.covers("MD-6")
def test_queries(task: Task, project: str) -> None:
    for number in range(3):
        model = OutputModel(task, name=f"net {number}", tags=["all", f"t{number}"])
        model.update_weights(register_uri=address())
        model.set_metadata("accuracy", number / 10)
        task.flush()

    def names(**ask: Any) -> list[str]:
        return [model.name for model in Model.query_models(project_name=project, **ask)]

    assert names() == ["net 2", "net 1", "net 0"], "the newest first"
    assert names(model_name=r"net [01]") == ["net 1", "net 0"] and names(model_name="net") == names()
    assert names(tags=["all", "t1"]) == ["net 1"] and names(tags=["all", "-t1"]) == ["net 2", "net 0"]
    assert names(metadata={"accuracy": "0.1"}) == ["net 1"] and names(max_results=2) == ["net 2", "net 1"]
    one = Model.query_models(project_name=project, model_name="net 1")[0]
    one.publish()
    assert names(only_published=True) == ["net 1"] and Model(one.id).published
    two = Model.query_models(project_name=project, model_name="net 2")[0]
    two.archive()
    assert names() == ["net 1", "net 0"] and "net 2" in names(include_archived=True)
    two.unarchive()
    assert names() == ["net 2", "net 1", "net 0"]
    assert Model.query_models(project_name="no such project") == []


@pytest.mark.covers("MD-7")
def test_removing(
    begin: Begin, weights: Path, sdk: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    task = begin(output_uri=True)
    models = [OutputModel(task, name=name) for name in ("plain", "kept", "published", "used")]
    for model in models:
        model.update_weights(str(weights))
    plain, kept, published, used = models
    user = Task.create("Catalogue/Users", "user of a model")
    again(task)
    user.set_input_model(used.id)
    user.flush()
    published.publish()

    def there(model: Model) -> bool:
        path = model.url.removeprefix(sdk.url).lstrip("/")
        return sdk.ask(path, verb="GET", body=b" ").status == 200

    assert Model.remove(plain) is True and not there(plain)
    assert Model.remove(kept.id, delete_weights_file=False) is True and there(kept)
    for model in (published, used):
        assert Model.remove(model) is False and there(model)
        assert "was not deleted" in capsys.readouterr().out
        with pytest.raises(WireError):
            Model.remove(model, raise_on_errors=True)
        assert Model.remove(model, force=True) is True and not there(model)


@pytest.mark.covers("MD-8")
def test_a_published_model_is_final(task: Task) -> None:
    model = OutputModel(task, name="net")
    model.update_weights(register_uri=address())
    task.flush()
    found = Model(model.id)
    found.publish()
    assert found.published
    with pytest.raises(WireError):
        found._change({"uri": address()})
    assert found.set_metadata("late", 1) and Model(model.id).get_metadata("late") == "1"


@pytest.mark.covers("MD-9")
def test_metadata(task: Task) -> None:
    model = OutputModel(task, name="net")
    for key, value in {"f": 0.5, "i": 3, "b": True, "l": [1, 2], "s": "text"}.items():
        assert model.set_metadata(key, value)
    model.set_metadata("typed", "7", v_type="int")
    task.flush()
    found = Model(model.id)
    assert found.get_metadata("f") == "0.5" and found.get_metadata_casted("f") == 0.5
    expected = {"f": 0.5, "i": 3, "b": True, "l": [1, 2], "s": "text", "typed": 7}
    assert found.get_all_metadata_casted() == expected
    assert found.get_all_metadata()["i"] == {"key": "i", "type": "int", "value": "3"}
    assert found.get_metadata("none") is None and found.get_metadata_casted("none") is None
    found.set_all_metadata({"i": 4, "new": {"value": "x", "type": "str"}}, replace=False)
    assert Model(model.id).get_all_metadata_casted() == {**expected, "i": 4, "new": "x"}
    found.set_all_metadata({"only": {"value": 1.5, "type": "float"}})
    assert Model(model.id).get_all_metadata_casted() == {"only": 1.5}
    with pytest.raises(UsageError, match="no value"):
        found.set_all_metadata({"x": {"type": "int"}})


@pytest.mark.covers("MD-10")
def test_reports_of_a_model(task: Task, sdk: RunningServer) -> None:
    model = OutputModel(task, name="net")
    for step in range(3):
        model.report_scalar("quality", "val", step / 10, step)
    model.report_single_value("best", 0.2)
    model.report_confusion_matrix("matrix", "m", [[1, 2], [3, 4]], 1)
    model.report_table("table", "t", 1, table_plot=[["a"], [1]])
    again(task)
    ask = {"task": model.id, "model_events": True}
    found = sdk.call("events.scalar_metrics_iter_histogram", {**ask, "samples": 100})
    assert found["quality"]["val"]["y"] == [0.0, 0.1, 0.2]
    plots = sdk.call("events.get_task_plots", {**ask, "iters": 10})["plots"]
    assert {plot["metric"] for plot in plots} == {"matrix", "table"}
    assert task.get_reported_scalars() == {} and task.get_reported_plots() == [], "not on the task's page"


@pytest.mark.covers("MD-10")
def test_reports_of_a_model_that_another_run_made(begin: Begin, sdk: RunningServer) -> None:
    maker = begin("maker")
    model = OutputModel(maker, name="net")
    model.update_weights(register_uri=address())
    maker.close()
    found = Model(model.id)
    found.report_scalar("quality", "later", 1.0, 1)
    assert found._carrier is not None and found._carrier.flush(30)
    ask = {"task": model.id, "model_events": True, "samples": 10}
    assert "later" in sdk.call("events.scalar_metrics_iter_histogram", ask)["quality"]
    alone = InputModel.import_model(address())
    with pytest.raises(UsageError, match="no task"):
        alone.report_scalar("a", "b", 1.0, 1)


@pytest.mark.covers("IM-1")
def test_looking_a_model_up(task: Task, project: str) -> None:
    for number in range(2):
        model = OutputModel(task, name="same", tags=[f"t{number}"])
        model.update_weights(register_uri=address())
        task.flush()
    assert InputModel(name="same", project=project).id == model.id, "the newest"
    assert InputModel(project=project, tags=["t0"]).id != model.id
    assert InputModel(model.id).name == "same"
    with pytest.raises(UsageError, match="no model matches"):
        InputModel(name="same", project=project, only_published=True)


@pytest.mark.covers("IM-2", "IM-3", "OM-8")
def test_importing(project: str, sdk: RunningServer) -> None:
    url = address(".onnx")
    assert InputModel.load_model(url) is None
    model = InputModel.import_model(
        url,
        config_dict={"a": 1},
        label_enumeration={"cat": 0},
        name="outside",
        project=project,
        tags=["t"],
        comment="why",
        create_as_published=True,
    )
    assert (model.url, model.framework, model.name, model.tags) == (url, "ONNX", "outside", ["t"])
    assert model.published and model.config_dict == {"a": 1} and model.labels == {"cat": 0}
    assert model.project == Task.get_project_id(project) and model.comment == "why"
    same = InputModel.import_model(url, name="another name")
    assert same.id == model.id and same.name == "outside", "the known one, unchanged"
    assert InputModel.load_model(url).id == model.id  # type: ignore[union-attr]
    model.archive()
    assert InputModel.load_model(url) is None
    assert InputModel.load_model(url, load_archived=True).id == model.id  # type: ignore[union-attr]
    package = InputModel.import_model(address(".zip"), is_package=True)
    assert "package" in package.system_tags
    assert guess_framework("x.keras") == "Keras" and guess_framework("x.cbm") == "CatBoost"
    assert guess_framework("x.joblib") == "ScikitLearn" and guess_framework("x.unknown") == ""


@pytest.mark.covers("IM-4")
def test_a_model_without_weights(task: Task) -> None:
    model = InputModel.empty(config_text="a = 1", label_enumeration={"cat": 0})
    assert model.url == "" and model.config_dict == {"a": 1} and model.labels == {"cat": 0}
    model.connect(task, name="design")
    found = again(task)
    assert found.models.input.keys() == ["design"] and found.get_model_config_dict() == {"a": 1}


@pytest.mark.covers("IM-5", "TK-008")
def test_connecting_an_input(begin: Begin, project: str) -> None:
    model = InputModel.import_model(address(), label_enumeration={"cat": 0}, config_dict={"a": 1})
    task = begin()
    assert task.connect(model, name="start") is model
    task.flush()
    assert task.get_labels_enumeration() == {"cat": 0} and task.get_model_config_dict() == {"a": 1}
    task.close()
    chosen = InputModel.import_model(address(), name="chosen on the page")
    copy = Task.clone(task)
    copy.set_input_model(chosen.id, name="start")
    copy.flush()
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    given = InputModel(model.id)
    remote.connect(given, name="start")
    assert given.id == chosen.id and given.name == "chosen on the page"
    ignored = InputModel(model.id)
    ignored.connect(remote, name="start", ignore_remote_overrides=True)
    assert ignored.id == model.id


@pytest.mark.covers("TI-14")
def test_removing_inputs(draft: Task) -> None:
    models = [InputModel.import_model(address(), name=str(number)) for number in range(2)]
    for model in models:
        draft.set_input_model(model.id)
    draft.flush()
    draft.remove_input_models([models[0]])
    assert [model.id for model in again(draft).models.input] == [models[1].id]
    draft.remove_input_models([models[1].id])
    assert len(again(draft).models.input) == 0 and Model(models[0].id).name == "0"
    with pytest.raises(UsageError, match="no input model"):
        draft.remove_input_models([models[0]])


@pytest.mark.covers("OM-6", "OM-7")
def test_uploads_and_slots(begin: Begin, weights: Path) -> None:
    task = begin(output_uri=True)
    model = OutputModel(task, name="net")
    model.connect(task, name="slot")
    model.update_weights(str(weights))
    assert model.wait_for_uploads(timeout=30, max_num_uploads=1) is True
    assert again(task).models.output.keys() == ["slot"]


@pytest.mark.covers("OM-7")
def test_a_model_is_connected_to_its_own_task(task: Task, draft: Task) -> None:
    model = OutputModel(task, name="net")
    for connect in (lambda: model.connect(draft), lambda: draft.connect(model)):
        with pytest.raises(UsageError, match=f"an output of task {task.id}, not of {draft.id}") as refused:
            connect()
        assert isinstance(refused.value, ValueError) and "InputModel(" in str(refused.value)
    assert not again(task).models.output and not again(draft).models.output
    model.connect(Task.get_task(task.id))
    assert again(task).models.output.keys() == ["net"]


@pytest.mark.covers("TM-2")
def test_a_model_is_found_by_any_of_its_names(task: Task) -> None:
    for file in ("first", "second"):
        OutputModel(task, name=f"the {file}").update_weights(register_uri=f"http://example.org/{file}.pt")
    slotted = OutputModel(task, name="first")
    slotted.connect(task, name="second")
    slotted.update_weights(register_uri="http://example.org/third.pt")
    for models in (task.models.output, again(task).models.output):
        assert models.keys() == ["the first", "the second", "second"]
        # A place before a name, a name before a file.
        assert models["second"].id == models["first"].id == models["third"].id == slotted.id
        assert models["the second"].url.endswith("second.pt")
        assert models.get("fourth") is None and models.get("", 5) == 5
