"""Hyperparameters: connecting objects, reading and changing values, what an agent's run gets."""

import argparse
import logging
from enum import Enum
from typing import Any

import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import Task
from trialbook.errors import UsageError
from trialbook.sdk.task_parameters import TaskParameters, param, percent_param


class Colour(Enum):
    """Values of a parameter."""

    RED = 1
    BLUE = 2


class Setup(TaskParameters):
    """Declared parameters."""

    steps = param(type=int, range=(1, 100), desc="how long", default=10)
    rate = param(type=float, range=(0, 1), default=0.5)
    kind = param(validator=lambda value: value in ("adam", "sgd"), default="adam")
    dropout = percent_param(default=0.1)


@pytest.mark.covers("TK-008", "CT-19")
def test_a_dict_is_followed(task: Task) -> None:
    given = {"lr": 0.1, "net": {"depth": 3, "deep": {"x": 1}}}
    connected = task.connect(given)
    assert connected == given and isinstance(connected, dict)
    connected["lr"] = 0.2
    connected["net"]["deep"]["x"] = 5
    connected["new"] = "text"
    del connected["net"]["depth"]
    assert again(task).get_parameters() == {
        "General/lr": "0.2",
        "General/net/deep/x": "5",
        "General/new": "text",
    }


@pytest.mark.covers("TK-008")
def test_sections_merge(task: Task) -> None:
    task.connect({"a": 1}, name="Train")
    task.connect({"b": 2}, name="Train")
    task.connect({"a": 9}, name="Data")
    assert again(task).get_parameters() == {"Train/a": "1", "Train/b": "2", "Data/a": "9"}


@pytest.mark.covers("TK-008")
def test_classes_and_objects(task: Task) -> None:
    class Options:
        batch = 32
        _hidden = 1

        @property
        def computed(self) -> int:
            return 1

        def method(self) -> None: ...

    options = Options()
    options.width = 7  # type: ignore[attr-defined]
    options._own = 2  # type: ignore[attr-defined]
    assert task.connect(Options, name="class") is Options
    assert task.connect(options, name="object") is options
    assert again(task).get_parameters() == {"class/batch": "32", "object/batch": "32", "object/width": "7"}


@pytest.mark.covers("TK-008")
def test_a_parser(task: Task) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2, help="how long")
    parser.add_argument("--flag", action="store_true")
    assert task.connect(parser) is parser
    parser.parse_args(["--epochs", "5"])
    found = again(task)
    assert found.get_parameters() == {"Args/epochs": "5", "Args/flag": "False"}
    assert found.data.hyperparams["Args"]["epochs"]["description"] == "how long"


@pytest.mark.covers("TK-008")
def test_what_cannot_be_connected(task: Task) -> None:
    for wrong in ([1], 5, None, "text", 1.5, (1,), {1}):
        with pytest.raises(UsageError, match="takes a dict"):
            task.connect(wrong)


@pytest.mark.covers("TK-008")
def test_names_that_are_no_texts(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    task.connect({5: "five", (1, 2): "pair"})
    assert again(task).get_parameters() == {"General/5": "five", "General/(1, 2)": "pair"}
    assert [record.levelno for record in caplog.records if "names of parameters" in record.message] == [
        logging.WARNING
    ]


@pytest.mark.covers("TP-1", "TP-2", "TP-3")
def test_declared_parameters() -> None:
    setup = Setup(steps=20)
    assert setup.to_dict() == {"steps": 20, "rate": 0.5, "kind": "adam", "dropout": 0.1}
    setup.rate = 1
    assert setup.rate == 1.0 and isinstance(setup.rate, float)
    setup.steps = "30"
    assert setup.steps == 30
    wrong: list[tuple[str, Any]] = [
        ("steps", 0),
        ("steps", 101),
        ("steps", 1.5),
        ("steps", True),
        ("steps", "many"),
        ("rate", 1.01),
        ("kind", "magic"),
        ("dropout", -0.1),
        ("dropout", 2),
    ]
    for name, value in wrong:
        with pytest.raises(UsageError, match=name):
            setattr(setup, name, value)
    setup.dropout = 1.0
    setup.dropout = 0
    before = setup.to_dict()
    with pytest.raises(UsageError, match="no such"):
        setup.update_from_dict({"steps": 5, "no such": 1})
    with pytest.raises(UsageError):
        setup.update_from_dict({"steps": 5, "rate": 7})
    assert setup.to_dict() == before, "all or none"
    other = Setup()
    other.update_from_dict(before)
    assert other.to_dict() == before
    with pytest.raises(UsageError):
        Setup(unknown=1)


@pytest.mark.covers("TP-4", "TK-008")
def test_declared_parameters_on_a_task(begin: Begin, project: str) -> None:
    task = begin()
    setup = Setup()
    assert setup.connect(task, name="Setup") is setup
    setup.steps = 33
    found = again(task)
    assert found.get_parameters()["Setup/steps"] == "33"
    assert found.data.hyperparams["Setup"]["steps"]["description"] == "how long"
    task.close()
    copy = Task.clone(task)
    copy.set_parameter("Setup/steps", 44)
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    seen = Setup()
    remote.connect(seen, name="Setup")
    assert seen.steps == 44 and isinstance(seen.steps, int)
    remote.close()
    copy = Task.clone(copy)
    copy.set_parameter("Setup/steps", 4000)
    Task.debug_simulate_remote_task(copy.id)
    with pytest.raises(UsageError, match="between 1 and 100"):
        begin().connect(Setup(), name="Setup")


CASES: list[tuple[str, Any, str, Any]] = [
    ("CT-1", True, "False", False),
    ("CT-1", True, "0", False),
    ("CT-1", False, "2", True),
    ("CT-2", 8, "16", 16),
    ("CT-3", 8, "0.5", 0.5),
    ("CT-4", 0.1, "1e-3", 0.001),
    ("CT-5", "adam", "123", "123"),
    ("CT-6", [1, 2], "[3, 4]", [3, 4]),
    ("CT-7", (1, 2), "(3, 4)", (3, 4)),
    ("CT-7", (1, 2), "[3, 4]", (3, 4)),
    ("CT-9", None, "5", "5"),
    ("CT-10", 8, "", None),
    ("CT-10", "adam", "", ""),
    ("CT-11", Colour.RED, "BLUE", Colour.BLUE),
    ("CT-12", 8, "abc", 8),
]


@pytest.mark.covers(
    "CT-1",
    "CT-2",
    "CT-3",
    "CT-4",
    "CT-5",
    "CT-6",
    "CT-7",
    "CT-8",
    "CT-9",
    "CT-10",
    "CT-11",
    "CT-12",
    "CT-13",
    "CT-14",
    "CT-20",
    "TK-014",
)
def test_edited_values_in_the_types_of_the_code(
    begin: Begin, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    task = begin()
    given = {f"v{number}": value for number, (_, value, _, _) in enumerate(CASES)}
    task.connect({**given, "net": {"depth": 3, "deep": {"x": 1}}}, name="T")
    description = again(task).data.hyperparams["T"][f"v{len(CASES) - 2}"]["description"]
    assert description == "one of RED, BLUE"
    task.close()
    copy = Task.clone(task)
    known = copy.data.hyperparams["T"]
    for number, (_, _, text, _) in enumerate(CASES):
        copy.set_parameter(f"T/v{number}", text, value_type=known[f"v{number}"].get("type") or "")
    copy.set_parameter("T/net/deep/x", "7", value_type="int")
    copy.set_parameter("T/only here", "9", value_type="int")
    Task.debug_simulate_remote_task(copy.id)
    assert not Task.running_locally()
    remote = begin()
    assert remote.id == copy.id
    seen = remote.connect({**given, "net": {"depth": 3, "deep": {"x": 1}}, "fresh": 1.5}, name="T")
    for number, (row, value, text, expected) in enumerate(CASES):
        found = seen[f"v{number}"]
        assert found == expected and type(found) is type(expected), (row, value, text, found)
    assert seen["net"] == {"depth": 3, "deep": {"x": 7}}
    assert seen["only here"] == 9 and seen["fresh"] == 1.5
    assert any("'abc'" in record.message for record in caplog.records)
    seen["v3"] = 99
    stored = again(remote).get_parameters()
    assert stored["T/v3"] == "99" and stored["T/fresh"] == "1.5" and stored["T/only here"] == "9"


@pytest.mark.covers("CT-9")
def test_none_takes_the_stored_type(begin: Begin) -> None:
    task = begin()
    task.connect({"x": None}, name="T")
    task.close()
    copy = Task.clone(task)
    copy.set_parameter("T/x", "5", value_type="int")
    Task.debug_simulate_remote_task(copy.id)
    assert begin().connect({"x": None}, name="T")["x"] == 5


@pytest.mark.covers("TK-014")
def test_simulating_an_agent(begin: Begin, draft: Task) -> None:
    draft.get_logger().report_scalar("old", "s", 1.0, 1)
    draft.get_logger().flush(wait=True)
    with pytest.raises(Exception, match="not a task id"):
        Task.debug_simulate_remote_task("nonsense")
    Task.debug_simulate_remote_task(draft.id, reset_task=True)
    task = begin()
    assert task.id == draft.id and task.get_reported_scalars() == {}
    with pytest.raises(UsageError, match=r"before Task\.init"):
        Task.debug_simulate_remote_task(draft.id)


@pytest.mark.covers("TK-014", "TK-073")
def test_a_real_agent_is_not_simulated(draft: Task, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Task.running_locally()
    monkeypatch.setenv("CLEARML_TASK_ID", draft.id)
    assert not Task.running_locally()
    other = Task.create(project, "other")
    Task.debug_simulate_remote_task(other.id)
    monkeypatch.delenv("CLEARML_TASK_ID")
    assert Task.running_locally()


@pytest.mark.covers("TK-016")
def test_deleting_a_parameter(draft: Task) -> None:
    draft.set_parameters({"A/b/c": 1, "A/d": 2})
    assert draft.delete_parameter("A/b/c") is True
    assert again(draft).get_parameters() == {"A/d": "2"}
    assert draft.delete_parameter("A/none") is False


@pytest.mark.covers("TK-017")
def test_deleting_properties(draft: Task) -> None:
    draft.set_user_properties(a=1, b=2, c=3)
    draft.set_parameter("Train/x", 1)
    gone = [{"section": "properties", "name": "a"}, ("properties", "b")]
    assert draft.delete_user_properties(gone, [["Train", "x"]]) is True
    found = again(draft)
    assert found.get_user_properties(value_only=True) == {"c": "3"}
    assert found.get_parameters() == {"properties/c": "3"}


@pytest.mark.covers("TK-017")
@pytest.mark.parametrize("wrong", ["ab", 3, ["ab"], [("properties",)], {"name": "a"}, [("properties", 1)]])
def test_what_names_no_property_is_refused_before_anything_is_deleted(draft: Task, wrong: Any) -> None:
    draft.set_user_properties(a=1)
    with pytest.raises(UsageError, match="pairs such as"):
        draft.delete_user_properties([("properties", "a")], wrong)
    assert draft.get_user_properties(value_only=True) == {"a": "1"}
    assert draft.delete_user_properties(("properties", "a")) is True
    assert again(draft).get_user_properties() == {}


@pytest.mark.covers("TK-043")
def test_an_empty_text_is_read_as_a_text_and_none_as_none(draft: Task) -> None:
    draft.set_parameters({"A/empty": "", "A/none": None})
    found = again(draft)
    assert found.get_parameter("A/empty", cast=True) == ""
    assert found.get_parameter("A/none", cast=True) is None
    assert found.get_parameters(cast=True) == {"A/empty": "", "A/none": None}


@pytest.mark.covers("TK-043")
def test_one_parameter(draft: Task) -> None:
    draft.set_parameter("Train/deep/x", 3)
    draft.set_parameter("bare", 1.5)
    found = again(draft)
    assert found.get_parameter("Train/deep/x") == "3" and found.get_parameter("Train/deep/x", cast=True) == 3
    assert found.get_parameter("bare") == "1.5" == found.get_parameter("General/bare")
    assert found.get_parameter("Train/none") is None and found.get_parameter("none", default=7) == 7


@pytest.mark.covers("TK-044", "TK-045")
def test_all_parameters(draft: Task) -> None:
    draft.set_parameters({"Train/a/b/c": 1, "Train/a/d": True})
    draft.set_user_properties(note="x")
    draft.set_parameter("Args/old", 5, value_type="legacy")
    found = again(draft)
    assert found.get_parameters() == {
        "Train/a/b/c": "1",
        "Train/a/d": "True",
        "old": "5",
        "properties/note": "x",
    }
    assert found.get_parameters(backwards_compatibility=False) == {
        "Train/a/b/c": "1",
        "Train/a/d": "True",
        "Args/old": "5",
        "properties/note": "x",
    }
    nested = {
        "Train": {"a": {"b": {"c": "1"}, "d": "True"}},
        "Args": {"old": "5"},
        "properties": {"note": "x"},
    }
    assert found.get_parameters_as_dict() == nested
    assert found.get_parameters_as_dict(cast=True)["Train"] == {"a": {"b": {"c": 1}, "d": True}}


@pytest.mark.covers("TK-054", "TK-093")
def test_properties(draft: Task) -> None:
    assert draft.set_user_properties({"name": "one", "value": 1, "description": "first"}, two=2.5)
    assert draft.set_user_properties([{"name": "three", "value": "x"}], {"four": True, "five": {"value": 5}})
    assert draft.set_user_properties(two={"value": "again", "type": "text", "description": "d"})
    draft.mark_started()
    draft.mark_completed()
    draft.set_user_properties(late="yes")
    found = again(draft).get_user_properties()
    assert found["one"] == {"name": "one", "value": "1", "type": "int", "description": "first"}
    assert found["two"] == {"name": "two", "value": "again", "type": "text", "description": "d"}
    expected = {"one": "1", "two": "again", "three": "x", "four": "True", "five": "5", "late": "yes"}
    assert draft.get_user_properties(value_only=True) == expected
    assert draft.set_user_properties(six={"description": "no value"}) is False
    assert "six" not in again(draft).get_user_properties()


@pytest.mark.covers("TK-087")
def test_setting_one_parameter(draft: Task) -> None:
    draft.set_parameter("A/x", 1, description="why", value_type=float)
    draft.set_parameter("A/y", 2)
    draft.set_parameter("A/x", 3)
    items = again(draft).data.hyperparams["A"]
    assert items["x"]["value"] == "3" and items["y"]["value"] == "2"
    draft.set_parameter("A/x", 3, description="why", value_type=float)
    stored = again(draft).data.hyperparams["A"]["x"]
    assert (stored["description"], stored["type"]) == ("why", "float")


@pytest.mark.covers("TK-088", "TK-100")
def test_replacing_and_merging(draft: Task) -> None:
    draft.set_user_properties(kept="yes")
    draft.set_parameters({"A/x": 1, "A/y": 1}, [("A/y", 2), ("B/z", 3)], bare=4)
    expected = {"A/x": "1", "A/y": "2", "B/z": "3", "General/bare": "4", "properties/kept": "yes"}
    assert again(draft).get_parameters() == expected
    draft.update_parameters({"A/x": 10}, [("C/new", 1)], bare=5)
    assert again(draft).get_parameters() == {**expected, "A/x": "10", "C/new": "1", "General/bare": "5"}
    draft.set_parameters({"A/x": 7})
    found = again(draft)
    assert found.get_parameters() == {"A/x": "7", "properties/kept": "yes"}
    assert found.get_user_properties(value_only=True) == {"kept": "yes"}


@pytest.mark.covers("TK-089")
def test_a_nested_dict_that_is_not_followed(task: Task) -> None:
    given = {"Train": {"a": {"b": 1}}, "Data": {"path": "x"}}
    assert task.set_parameters_as_dict(given) is None  # type: ignore[func-returns-value]
    given["Train"]["a"] = {"b": 2}
    assert again(task).get_parameters() == {"Train/a/b": "1", "Data/path": "x"}
    assert type(given["Train"]) is dict


@pytest.mark.covers("TK-044", "BAD")
@pytest.mark.parametrize(
    "name", ["x'; DROP TABLE task; --", "%s %d {} \\", "a" * 300, "ünï/$where", "\u202eabc"]
)
def test_names_that_try_something(draft: Task, name: str) -> None:
    draft.set_parameter(f"S/{name}", name)
    draft.get_logger().report_scalar(name, name, 1.0, 1)
    draft.get_logger().flush(wait=True)
    found = again(draft)
    assert found.get_parameters() == {f"S/{name}": name}
    assert found.get_reported_scalars() == {name: {name: {"x": [1], "y": [1.0]}}}


def test_T4_a_namespace_gets_what_was_edited(begin: Begin) -> None:
    code = {"lr": 0.1, "steps": 8, "sizes": [1, 2], "flag": False, "name": "adam", "none": None}
    task = begin()
    given = argparse.Namespace(**code, run=print)
    assert task.connect(given) is given
    assert again(task).get_parameters()["Args/lr"] == "0.1"
    task.close()
    copy = Task.clone(task)
    for name, text in {"lr": "0.7", "steps": "16", "sizes": "[3]", "flag": "True", "name": "7"}.items():
        copy.set_parameter(f"Args/{name}", text)
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    unchanged = argparse.Namespace(lr=0.1)
    remote.connect(unchanged, ignore_remote_overrides=True, name="Other")
    assert unchanged.lr == 0.1
    seen = argparse.Namespace(**code, run=print)
    assert remote.connect(seen) is seen
    edited = {"lr": 0.7, "steps": 16, "sizes": [3], "flag": True, "name": "7", "none": None}
    assert vars(seen) == {**edited, "run": print}
    assert again(remote).get_parameters()["Args/lr"] == "0.7"


def test_T4_what_nobody_edited_stays_whatever_its_letters(begin: Begin) -> None:
    code = {"half": "\udc80", "zero": "a\0b", "both": ["\ud800", "x\0"], "key": {"\udcff": 1}, "lr": 0.1}
    task = begin()
    task.connect(dict(code))
    task.close()
    copy = Task.clone(task)
    copy.set_parameter("General/lr", "0.7")
    Task.debug_simulate_remote_task(copy.id)
    seen = dict(code)
    begin().connect(seen)
    assert seen == {**code, "lr": 0.7}


def test_T33_a_parameter_that_is_set_keeps_its_type_and_description(draft: Task) -> None:
    draft.set_parameters(
        {"k": 1.5, "pair": (1, 2), "list": [1, 2], "mixed": [1, "a"], "none": None, "d": [{}]}
    )
    draft.set_parameter("General/k", 1.5, description="why")
    draft.set_parameter("General/k", "2.5")
    draft.update_parameters({"pair": "[3, 4]"})
    items = again(draft).data.hyperparams["General"]
    assert {name: (item["value"], item["type"]) for name, item in items.items()} == {
        "k": ("2.5", "float"),
        "pair": ("[3, 4]", "tuple/int"),
        "list": ("[1, 2]", "list/int"),
        "mixed": ('[1, "a"]', "list"),
        "none": ("", ""),
        "d": ("[{}]", "list/dict"),
    }
    assert items["k"]["description"] == "why"
    assert draft.get_parameters(cast=True)["General/k"] == 2.5
    assert draft.get_parameters(cast=True)["General/pair"] == (3, 4)
    draft.set_parameters(draft.get_parameters())
    assert again(draft).data.hyperparams["General"] == items, "what is read can be set again"
