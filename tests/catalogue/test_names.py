"""Names that users and file systems give: what is accepted is stored and found again."""

import io
import os
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from tests.catalogue.conftest import Begin, again
from tests.names.hostile import NAMES
from trialbook import Task
from trialbook.errors import UsageError


@pytest.mark.parametrize("name", list(NAMES.values()), ids=list(NAMES))
def test_T15_what_is_accepted_is_stored(begin: Begin, project: str, name: str) -> None:
    task = begin(name or "run", project=f"{project}/{name}")
    task.upload_artifact("the first", {"a": 0})
    given: dict[str, Any] = {"dict": {"a": 1}, "array": numpy.arange(3), "pickle": [1, (2,)]}
    for kind, value in given.items():
        task.upload_artifact(f"{name}{kind}", value)
    if name:
        assert task.upload_artifact(name, numpy.arange(2), wait_on_upload=True)
        assert task.artifacts[name].get().tolist() == [0, 1]
    for found in (task.artifacts, again(task).artifacts):
        assert found["the first"].get() == {"a": 0}
        assert found[f"{name}dict"].get() == {"a": 1} and found[f"{name}pickle"].get() == [1, (2,)]
        assert found[f"{name}array"].get().tolist() == [0, 1, 2]
        assert len(found) == (5 if name else 4)


@pytest.mark.parametrize("name", ["file", "allow_pickle", "args", "arr_0", "a/b", "kwds"])
def test_T15_an_array_of_any_name(task: Task, name: str) -> None:
    assert task.upload_artifact(name, numpy.arange(3), wait_on_upload=True)
    found = again(task).artifacts[name]
    assert found.get().tolist() == [0, 1, 2]
    with numpy.load(found.get_local_copy(extract_archive=False)) as arrays:
        assert arrays[name].tolist() == [0, 1, 2], "under its name, as released clients look for it"


def test_T15_names_that_differ_only_in_what_is_no_unicode(task: Task, tmp_path: Path) -> None:
    for name, value in (("a\udcff", 1), ("a\udcfe", 2), ("a?", 3)):
        task.upload_artifact(name, {"v": value})
    for found in (task.artifacts, again(task).artifacts):
        assert [found[name].get()["v"] for name in ("a\udcff", "a\udcfe", "a?")] == [1, 2, 3]
    file = tmp_path / os.fsdecode(b"n\xff.bin")
    file.write_bytes(b"x")
    for given in (file, str(file), tmp_path):
        assert task.upload_artifact("file", given, wait_on_upload=True)
    assert again(task).artifacts["file"].get_local_copy()
    assert task.delete_artifacts(["a\udcff"]) and len(again(task).artifacts) == 3


def test_T15_a_table_of_such_names_is_registered(task: Task) -> None:
    """As ``os.listdir`` gives them; nothing that a table holds takes the artifact away."""
    odd = os.fsdecode(b"n\xff.jpg")
    table = pandas.DataFrame({"file": pandas.Series([odd, "b.jpg"], dtype=object), "n": [1, 2]})
    task.register_artifact("files", table)
    again(task)
    stored = again(task).artifacts["files"].get()
    assert stored["file"].tolist() == [odd, "b.jpg"] and stored["n"].tolist() == [1, 2]
    task.get_logger().report_media("page", "names", 1, stream=io.StringIO(odd), file_extension=".txt")


def test_T15_a_name_that_is_too_long_is_refused_before_others_are_lost(task: Task) -> None:
    long = "x" * 5000
    task.add_tags(["kept"])
    for change in (
        lambda: task.connect({long: 1, "lr": 0.1}),
        lambda: task.connect({"lr": 0.1}, long),
        lambda: task.set_parameter(f"Args/{long}", 1),
        lambda: task.set_user_properties({long: 1, "lr": 0.1}),
        lambda: task.upload_artifact(long, {"a": 1}),
        lambda: task.set_configuration_object(long, "text"),
        lambda: task.connect_configuration({"a": 1}, name=long),
        lambda: task.add_tags([long, "with it"]),
        lambda: task.set_tags([long]),
        lambda: task.set_name(long),
    ):
        with pytest.raises(UsageError, match="at most 4096 are allowed"):
            change()
    with pytest.raises(UsageError, match="needs a name"):
        task.set_configuration_object("", "text")
    task.add_tags(["later"])
    task.connect({"lr": 0.1})
    found = again(task)
    assert found.get_parameters()["General/lr"] == "0.1" and set(found.get_tags()) == {"kept", "later"}


def test_T15_a_parameter_without_a_name_is_refused_before_others_are_lost(task: Task) -> None:
    task.connect({"kept": 1})
    for change in (
        lambda: task.connect({"": 1, "lr": 0.1}),
        lambda: task.connect({"lr": 0.1, "": 1}, "Train"),
        lambda: task.set_parameters({"": 1, "lr": 0.1}),
        lambda: task.set_parameter("Args/", 1),
        lambda: task.set_user_properties({"": 1, "lr": 0.1}),
    ):
        with pytest.raises(UsageError, match="needs a name"):
            change()
    task.connect({"lr": 0.1}, "Train")
    assert set(again(task).get_parameters()) >= {"General/kept", "Train/lr"}
