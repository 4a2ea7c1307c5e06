"""Values of the wrong type are refused by name, before the method begins."""

import inspect
import typing
from collections import OrderedDict, UserDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trialbook import Dataset, InputModel, Logger, Model, OutputModel, StorageManager, Task
from trialbook.errors import UsageError
from trialbook.journal.delivery import Identity
from trialbook.journal.journal import Journal
from trialbook.sdk.values.argument_types import checked

CLASSES = [Task, Logger, Model, InputModel, OutputModel, Dataset, StorageManager]
LOOK_THEMSELVES = ("report_scalar", "set_progress", "set_resource_monitor_iteration_timeout")
CONVERTED = [("report_text", "msg"), ("report_single_value", "value")]


class Wrong:
    """Is nothing that any argument takes."""


def typed_arguments(cls: type) -> list[tuple[str, str]]:
    """Each argument of each public method whose type is not left open."""
    found = []
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if name.startswith("_") or not inspect.isfunction(function) or name in LOOK_THEMSELVES:
            continue
        for argument in inspect.signature(function).parameters.values():
            kinds = (argument.annotation, *typing.get_args(argument.annotation))
            open_to_all = argument.empty in kinds or Any in kinds or (name, argument.name) in CONVERTED
            if not open_to_all and argument.kind not in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL):
                found.append((name, argument.name))
    return found


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_T27_every_typed_argument_of_every_method(cls: type) -> None:
    bare = cls.__new__(cls)
    arguments = typed_arguments(cls)
    assert arguments
    for name, argument in arguments:
        with pytest.raises(UsageError) as refused:
            getattr(bare, name)(**{argument: Wrong()})
        message = str(refused.value)
        assert message.startswith(f"{cls.__name__}.{name}: {argument} must be "), message
        assert message.endswith("(Wrong)") and "\n" not in message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Task.clone(3), "Task.clone: source_task must be a string, a Task or None, not 3 (int)"),  # type: ignore[arg-type]
        (
            lambda: Task.get_task(tags="abc"),
            "Task.get_task: tags must be a list of strings or None, not 'abc' (str)",
        ),
        (
            lambda: Task.get_tasks(task_ids=[3]),  # type: ignore[list-item]
            "Task.get_tasks: task_ids must be a list of strings or None, not [3] (list)",
        ),
        (
            lambda: Task.init("p", "t", auto_connect_streams="yes"),  # type: ignore[arg-type]
            "Task.init: auto_connect_streams must be True or False or a dict, not 'yes' (str)",
        ),
        (
            lambda: Task.init("p", "t", output_uri=5),  # type: ignore[arg-type]
            "Task.init: output_uri must be a string, True or False, a path or None, not 5 (int)",
        ),
        (
            lambda: Dataset.create("d", "p", parent_datasets="id"),
            "Dataset.create: parent_datasets must be a list of strings or Datasets or None, not 'id' (str)",
        ),
        (lambda: InputModel(3), "InputModel: model_id must be a string or None, not 3 (int)"),  # type: ignore[arg-type]
        (
            lambda: StorageManager.get_local_copy(b"a"),  # type: ignore[arg-type]
            "StorageManager.get_local_copy: remote_url must be a string or a path, not b'a' (bytes)",
        ),
        (
            lambda: Task.set_random_seed(1.5),  # type: ignore[arg-type]
            "Task.set_random_seed: random_seed must be an integer or None, not 1.5 (float)",
        ),
        (
            lambda: setattr(object.__new__(Task), "name", 3),
            "Task.name: value must be a string, not 3 (int)",
        ),
    ],
)
def test_T27_the_sentence(call: Any, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        call()
    assert str(refused.value) == message


@checked
class Example:
    """Gives back what it was given."""

    def one(
        self,
        steps: int = 1,
        seconds: float = 1,
        flag: bool = False,
        local_path: str = "",
        pairs: Sequence[tuple[str, Any]] | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str] | str = (),
    ) -> tuple[Any, ...]:
        return steps, seconds, flag, local_path, pairs, values, names


def test_T27_what_is_as_good_is_taken() -> None:
    take: Any = Example().one
    for number in (3, True, 3.0, np.int64(3), np.float32(3), np.array(3)):
        assert take(steps=number)[0] is number and take(number, number)[1] is number
    for flag in (True, 0, 1, None, np.bool_(True), np.int64(1)):
        assert take(flag=flag)[2] is flag
    assert take(local_path=Path("/a/b"))[3] == take(1, 1, True, Path("/a/b"))[3] == "/a/b"
    for pairs in ([("a", 1)], [["a", 1]], (("a", 1),), None, []):
        assert take(pairs=pairs)[4] is pairs
    for names in ("a", ["a"], ("a",), {"a"}, {"a": 1}.keys(), iter(["a"]), np.array(["a"])):
        assert take(names=names)[6] is names
    for values in ({}, OrderedDict(a=1), UserDict(a=1), None):
        assert take(values=values)[5] is values


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": "3"},
        {"steps": 3.5},
        {"steps": float("nan")},
        {"steps": None},
        {"seconds": "1"},
        {"seconds": 1j},
        {"flag": "no"},
        {"flag": []},
        {"flag": 2},
        {"local_path": b"/a"},
        {"local_path": 3},
        {"pairs": [("a", 1), "b"]},
        {"pairs": 3},
        {"values": [("a", 1)]},
        {"names": b"a"},
        {"names": ["a", 3]},
        {"names": None},
    ],
    ids=str,
)
def test_T27_what_is_something_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"^Example.one: {next(iter(wrong))} must be "):
        Example().one(**wrong)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (lambda log: log.report_scalar(["a"], "b", 1.0, 1), "title must be a string, not ['a'] (list)"),
        (lambda log: log.report_scalar("a", {}, 1.0, 1), "series must be a string, not {} (dict)"),
        (lambda log: log.report_scalar("a", "b", None, 1), "value must be a number, got None (NoneType)"),
        (lambda log: log.report_scalar("a", "b", [1], 1), "value must be a number, got [1] (list)"),
        (
            lambda log: log.report_scalar("a", "b", 1.0, "7"),
            "iteration must be an integer of 64 bits, got '7' (str)",
        ),
        (
            lambda log: log.report_scalars({"a": 1.0}, "7"),
            "Logger.report_scalars: iteration must be an integer or None, not '7' (str)",
        ),
        (lambda log: log.report_single_value("a", "x"), "value must be a number, got 'x' (str)"),
        (lambda log: log.report_text("a", None), "Logger.report_text: level must be an integer or a string"),
        (lambda log: log.report_text("a", [1]), "Logger.report_text: level must be an integer or a string"),
        (lambda log: log.report_text("a", "loud"), "level is a number or one of"),
    ],
)
@pytest.mark.parametrize("offset", [0, 10])
def test_T27_reports_that_look_at_their_values_themselves(
    tmp_path: Path, report: Any, sentence: str, offset: int
) -> None:
    """With and without the iterations of a run that is continued."""
    journal = Journal(tmp_path, Identity("j" * 32, "t" * 32, "host", 1, 0.0), None)
    logger: Any = object.__new__(Logger)
    logger._record, logger._charts = SimpleNamespace(journal=journal, offset=offset), {}
    with pytest.raises(UsageError) as refused:
        report(logger)
    journal.close(0.1)
    assert str(refused.value).startswith(sentence)
