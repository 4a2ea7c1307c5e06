"""Everything of a run that has a name, under every name: what is accepted is found by this name, here and from afar."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest

from tests.names.conftest import file_names
from tests.names.hostile import NAMES
from tests.support.length import LONG
from tests.support.server import RunningServer
from trialbook import Dataset, InputModel, Model, OutputModel, StorageManager, Task
from trialbook.base.unicode import LONGEST_NAME, storable
from trialbook.client import settings as settings_module
from trialbook.errors import TrialbookError

Put = Callable[[Task, str, int], Any]
Get = Callable[[Task, str], Any]


class Noun(NamedTuple):
    """Something with a name.

    Args:
        put: gives a run one of this name, which holds a number.
        get: finds the number by the name.
    """

    put: Put
    get: Get


def _put_model(task: Task, name: str, number: int) -> None:
    OutputModel(task, name=name).update_weights(register_uri=f"https://example.org/{number}.pt")


def _put_input(task: Task, name: str, number: int) -> None:
    model = InputModel.import_model(f"https://example.org/{task.id}/{number}.pt", name=name)
    task.connect(model, name=f"in {name}")


def _put_metadata(task: Task, name: str, number: int) -> None:
    _described(task).set_metadata(name, str(number))


def _described(task: Task) -> OutputModel:
    kept: dict[str, OutputModel] = task.__dict__.setdefault("_test_models", {})
    if "described" not in kept:
        kept["described"] = OutputModel(task, name="described")
        kept["described"].update_weights(register_uri="https://example.org/described.pt")
    return kept["described"]


def _number_of(model: Model) -> int:
    return int(model.url.rpartition("/")[2].removesuffix(".pt"))


def _plots(task: Task, name: str) -> Any:
    (found,) = [one for one in task.get_reported_plots() if one["metric"] == storable(name)]
    return found["iter"]


NOUNS = {
    "section": Noun(
        lambda task, name, n: task.connect({"a": n}, name=name),
        lambda task, name: task.get_parameter(f"{name}/a", cast=True),
    ),
    "parameter": Noun(
        lambda task, name, n: task.connect({name: n}, name="Connected"),
        lambda task, name: task.get_parameter(f"Connected/{name}", cast=True),
    ),
    "set parameter": Noun(
        lambda task, name, n: task.set_parameter(f"Set/{name}", n),
        lambda task, name: task.get_parameter(f"Set/{name}", cast=True),
    ),
    "user property": Noun(
        lambda task, name, n: task.set_user_properties({name: n}),
        lambda task, name: int(task.get_user_properties()[storable(name)]["value"]),
    ),
    "configuration": Noun(
        lambda task, name, n: task.connect_configuration({"a": n}, name=name),
        lambda task, name: (task.get_configuration_object_as_dict(name) or {})["a"],
    ),
    "configuration text": Noun(
        lambda task, name, n: task.set_configuration_object(f"text {name}", str(n)),
        lambda task, name: int(task.get_configuration_object(f"text {name}") or ""),
    ),
    "label": Noun(
        lambda task, name, n: task.set_model_label_enumeration({**task.get_labels_enumeration(), name: n}),
        lambda task, name: task.get_labels_enumeration()[storable(name)],
    ),
    "metric": Noun(
        lambda task, name, n: task.get_logger().report_scalar(name, "v", n, 0),
        lambda task, name: int(task.get_reported_scalars()[storable(name)]["v"]["y"][0]),
    ),
    "variant": Noun(
        lambda task, name, n: task.get_logger().report_scalar("m", name, n, 0),
        lambda task, name: int(task.get_reported_scalars()["m"][storable(name)]["y"][0]),
    ),
    "single value": Noun(
        lambda task, name, n: task.get_logger().report_single_value(name, n),
        lambda task, name: task.get_reported_single_value(name),
    ),
    "plot": Noun(
        lambda task, name, n: task.get_logger().report_histogram(name, name, [1, 2], n),
        _plots,
    ),
    "artifact": Noun(
        lambda task, name, n: task.upload_artifact(name, {"n": n}),
        lambda task, name: task.artifacts[name].get()["n"],
    ),
    "array": Noun(
        lambda task, name, n: task.upload_artifact(f"array {name}", numpy.array([n])),
        lambda task, name: int(task.artifacts[f"array {name}"].get()[0]),
    ),
    "output model": Noun(_put_model, lambda task, name: _number_of(task.models.output[name])),
    "input model": Noun(_put_input, lambda task, name: _number_of(task.models.input[f"in {name}"])),
    "model metadata": Noun(
        _put_metadata, lambda task, name: int(task.models.output["described"].get_metadata(name) or "")
    ),
}
REFUSED = {
    "parameter": {"empty"},
    "set parameter": {"empty"},
    "user property": {"empty"},
    "artifact": {"empty"},
    "model metadata": {"empty"},
}
"""What is no name at all; the other nouns have one of their own then, or take it for a name."""
ANY_LENGTH = ("metric", "variant", "single value", "plot")
"""Nouns that are no row with a name of its own: the others are refused where they would be lost on their way."""
DEFAULT = ("section", "configuration", "output model")
"""Nouns that have another name when none is given."""


QUIET: dict[str, Any] = {
    "auto_connect_streams": False,
    "auto_connect_arg_parser": False,
    "auto_connect_frameworks": {"detect_repository": False},
    "auto_resource_monitoring": False,
    "reuse_last_task_id": False,
}


@pytest.fixture
def task(project: str) -> Task:
    return Task.init(project, "names", **QUIET)


def _given(put: Put, task: Task, name: str, number: int) -> Any:
    """None, or why it was refused, which must be with words."""
    try:
        put(task, name, number)
    except (TrialbookError, ValueError) as error:
        assert len(str(error)) > 15, (name, error)
        return error
    return None


@pytest.mark.parametrize("noun", NOUNS)
def test_N4_each_noun_of_a_run(task: Task, noun: str) -> None:
    put, get = NOUNS[noun]
    names = {what: name for what, name in NAMES.items() if name or noun not in DEFAULT}
    refused = {what for number, (what, name) in enumerate(names.items()) if _given(put, task, name, number)}
    long = {what for what, name in names.items() if len(name) > LONGEST_NAME and noun not in ANY_LENGTH}
    assert refused == REFUSED.get(noun, set()) | long
    task.flush(wait_for_uploads=True)
    fresh = Task.get_task(task.id)
    assert fresh is not None
    taken = {name: number for number, (what, name) in enumerate(names.items()) if what not in refused}
    for found in (task, fresh):
        assert {name: get(found, name) for name in taken} == taken


def test_N4_what_is_edited_reaches_the_program(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in NAMES.values() if 0 < len(name) < LONGEST_NAME]
    code = {"texts": dict.fromkeys(names, "code"), "names": {str(n): name for n, name in enumerate(names)}}

    def run() -> Task:
        running = Task.init(project, "edited", **QUIET)
        running.connect(code["texts"], name="texts")
        for name in names:
            running.connect({"x": 1}, name=name)
        running.connect(code["names"], name="names")
        return running

    first = run()
    copy = Task.clone(first, name="copy")
    first.close()
    for name in names:
        copy.set_parameter(f"texts/{name}", f"edited {name!a}")
        if "/" not in name:
            copy.set_parameter(f"{name}/x", 2)
    copy.flush()
    monkeypatch.setattr(settings_module.table._simulated, "value", "")
    Task.debug_simulate_remote_task(copy.id)
    again = Task.init(project, "edited", **QUIET)
    assert again.id == copy.id
    texts = again.connect(dict(code["texts"]), name="texts")
    assert {name: texts[name] for name in names} == {name: f"edited {name!a}" for name in names}
    # A value that nobody has edited is the code's own, also where a server cannot hold it.
    assert dict(again.connect(dict(code["names"]), name="names")) == code["names"]
    for name in names:
        if "/" not in name:
            assert again.connect({"x": 1}, name=name)["x"] == 2, name


def test_N4_who_looks_for_a_name_finds_it(sdk: RunningServer, project: str) -> None:
    for number, name in enumerate(NAMES.values()):
        if not name or len(name) > LONGEST_NAME:
            continue
        task = Task.create(f"{project}/{number}", name)
        task.set_tags([name])
        task.flush()
        found = Task.get_task(project_name=f"{project}/ {number} /", task_name=name)
        assert found is not None and found.id == task.id and found.name == task.name == storable(name)
        assert [one.id for one in Task.get_tasks(project_name=f"{project}/{number}", tags=[name])] == [
            task.id
        ]
        assert task.get_tags() == found.get_tags() == [storable(name)]
        renamed = Task.clone(task, name=f"{name} again")
        assert Task.get_task(project_name=f"{project}/{number}", task_name=f"{name} again").id == renamed.id  # type: ignore[union-attr]
        if name.strip():
            queue = f"{name}{uuid.uuid4().hex[:6]}"
            sdk.call("queues.create", name=storable(queue))
            Task.enqueue(renamed, queue_name=queue)
            assert Task.get_num_enqueued_tasks(queue_name=queue) == 1
            Task.dequeue(renamed)


def test_N4_the_files_of_a_run(place: str, project: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    task = Task.init(project, "files", output_uri=place, **QUIET)
    names = file_names()[:: 1 if LONG else 3]
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"bytes {number}".encode())
        task.upload_artifact(f"file {number}", file)
        OutputModel(task, name=name).update_weights(str(file))
        task.get_logger().report_media(name, name, 0, local_path=str(file))
        task.get_logger().report_image(name, "image", 0, image=numpy.full((2, 2, 3), number, numpy.uint8))
    task.upload_artifact("folder", folder)
    assert task.flush(wait_for_uploads=True)
    fresh = Task.get_task(task.id)
    assert fresh is not None
    for number, name in enumerate(names):
        content = f"bytes {number}".encode()
        copy = fresh.artifacts[f"file {number}"].get_local_copy(extract_archive=False)
        assert Path(str(copy)).read_bytes() == content, name
        weights = fresh.models.output[name].get_local_copy()
        assert weights is not None and Path(weights).read_bytes() == content, name
        (shown,) = fresh.get_debug_samples(name, name)
        media = StorageManager.get_local_copy(shown["url"], extract_archive=False)
        assert media is not None and Path(media).read_bytes() == content, name
        (picture,) = fresh.get_debug_samples(name, "image")
        assert StorageManager.exists_file(picture["url"])
    unpacked = Path(str(fresh.artifacts["folder"].get_local_copy()))
    found = {
        path.relative_to(unpacked).as_posix(): path.read_bytes()
        for path in unpacked.rglob("*")
        if path.is_file()
    }
    assert set(found.values()) == {f"bytes {number}".encode() for number in range(len(names))}
    assert {name for name in names if name == storable(name)} <= set(found)
    task.close()
    assert StorageManager.list(place)
    assert fresh.delete()
    assert not StorageManager.list(place), "all that the run has stored goes with it"


@pytest.mark.parametrize("name", ["run\udcff", "run\ud800", "zero\0in", "two\udcc3x\udcfe"])
def test_S1_a_search_finds_names_that_are_no_unicode(project: str, name: str) -> None:
    task = Task.create(project, name)
    Task.create(project, "another")
    for pattern in (name, f"^{name}$", f"(?:none|{name})"):
        found = Task.get_tasks(project_name=project, task_name=pattern)
        assert [one.id for one in found] == [task.id], pattern
    data = Dataset.create(name, project)
    (listed,) = Dataset.list_datasets(project, partial_name=name, only_completed=False)
    assert listed["id"] == data.id
