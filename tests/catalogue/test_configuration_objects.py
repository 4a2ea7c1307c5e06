"""Configuration objects of every kind: recorded in levels, edited on the task, given back in the types of the code."""

import argparse
import copy
import dataclasses
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import attrs
import numpy as np
import omegaconf
import pydantic
import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import Task


class Kind(Enum):
    """A choice."""

    ADAM = 1
    SGD = 2


class Flags(Flag):
    """A set of choices."""

    A = 1
    B = 2


@dataclass
class DataNet:
    depth: int = 3


@dataclass
class Data:
    lr: float = 0.1
    net: DataNet = field(default_factory=DataNet)
    limit: int | None = None


@dataclass(slots=True)
class SlotsNet:
    depth: int = 3


@dataclass(slots=True)
class Slots:
    lr: float = 0.1
    net: SlotsNet = field(default_factory=SlotsNet)
    limit: int | None = None


@dataclass(frozen=True)
class FrozenNet:
    depth: int = 3


@dataclass(frozen=True)
class Frozen:
    lr: float = 0.1
    net: FrozenNet = field(default_factory=FrozenNet)
    limit: int | None = None
    twice: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.lr)


@attrs.define
class AttrsNet:
    depth: int = 3


@attrs.define
class Attrs:
    lr: float = 0.1
    net: AttrsNet = attrs.field(factory=AttrsNet)
    limit: int | None = None


@attrs.frozen
class FrozenAttrsNet:
    depth: int = 3


@attrs.frozen
class FrozenAttrs:
    lr: float = 0.1
    net: FrozenAttrsNet = attrs.field(factory=FrozenAttrsNet)
    limit: int | None = None


class ModelNet(pydantic.BaseModel):
    depth: int = 3


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_assignment=True)
    lr: float = 0.1
    net: ModelNet = ModelNet()
    limit: int | None = None


class FrozenModelNet(pydantic.BaseModel, frozen=True):
    depth: int = 3


class FrozenModel(pydantic.BaseModel, frozen=True):
    lr: float = 0.1
    net: FrozenModelNet = FrozenModelNet()
    limit: int | None = None


class TupleNet(NamedTuple):
    depth: int = 3


class Tuple(NamedTuple):
    lr: float = 0.1
    net: TupleNet = TupleNet()
    limit: int | None = None


class Attributes(dict[str, Any]):
    """A dict whose items are attributes, as libraries have them."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__  # type: ignore[assignment]


class Plain:
    """An object of no library."""

    lr: float = 0.1
    limit: int | None = None

    def __init__(self) -> None:
        self.net = DataNet()


def _omegaconf(**flags: bool) -> Any:
    made = omegaconf.OmegaConf.create({"lr": 0.1, "net": {"depth": 3}, "limit": 0})
    omegaconf.OmegaConf.set_readonly(made, flags.get("readonly", False))
    return made


MADE: dict[str, Callable[[], Any]] = {
    "dataclass": Data,
    "slots": Slots,
    "frozen": Frozen,
    "attrs": Attrs,
    "frozen attrs": FrozenAttrs,
    "pydantic": Model,
    "frozen pydantic": FrozenModel,
    "named tuple": Tuple,
    "namespace": lambda: argparse.Namespace(lr=0.1, net=argparse.Namespace(depth=3), limit=0),
    "simple namespace": lambda: SimpleNamespace(lr=0.1, net=SimpleNamespace(depth=3), limit=0),
    "attribute dict": lambda: Attributes(lr=0.1, net=Attributes(depth=3), limit=0),
    "omegaconf": _omegaconf,
    "omegaconf, read only": lambda: _omegaconf(readonly=True),
    "omegaconf of a dataclass": lambda: omegaconf.OmegaConf.structured(Data),
    "plain": Plain,
}
UNCHANGEABLE = {"frozen", "frozen attrs", "frozen pydantic", "named tuple", "omegaconf, read only"}


def test_T5_every_kind_of_configuration_object(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    task = begin()
    for name, make in MADE.items():
        given = make()
        assert task.connect(given, name=name) is given
    recorded = again(task).get_parameters()
    task.close()
    copy = Task.clone(task)
    for name in MADE:
        assert recorded[f"{name}/lr"] == "0.1" and recorded[f"{name}/net/depth"] == "3", name
        copy.update_parameters({f"{name}/lr": "0.7", f"{name}/net/depth": "5", f"{name}/limit": "9"})
    assert not [key for key in recorded if "model_" in key or "/__" in key]
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    for name, make in MADE.items():
        given = make()
        inner = type(given.net)
        seen = remote.connect(given, name=name)
        assert (seen.lr, seen.net.depth, seen.limit) == (0.7, 5, 9), name
        assert [type(seen), type(seen.net)] == [type(given), inner], name
        assert [type(value) for value in (seen.lr, seen.net.depth, seen.limit)] == [float, int, int], name
        assert (seen is given) is (name not in UNCHANGEABLE), name
        if name == "frozen":
            assert seen.twice == 1.4, "what it derives follows"
    again_recorded = again(remote).get_parameters()
    assert all(again_recorded[f"{name}/net/depth"] == "5" for name in MADE)
    assert not [record for record in caplog.records if "connect" in record.message]


def test_T5_references_and_lists_of_omegaconf(begin: Begin) -> None:
    def make() -> Any:
        return omegaconf.OmegaConf.create(
            {"a": 1, "b": "${a}", "missing": "???", "broken": "${none}", "list": [7], "deep": {"c": "${a}"}}
        )

    task = begin()
    task.connect(make(), name="C")
    task.connect_configuration(make(), name="whole")
    recorded = again(task).get_parameters()
    assert recorded == {
        "C/a": "1",
        "C/b": "${a}",
        "C/missing": "???",
        "C/broken": "${none}",
        "C/list": "[7]",
        "C/deep/c": "${a}",
    }
    task.close()
    copy = Task.clone(task)
    copy.update_parameters({"C/a": "2", "C/missing": "5", "C/list": "[8, 9]", "C/deep/c": "6"})
    Task.debug_simulate_remote_task(copy.id)
    seen = begin().connect(make(), name="C")
    assert (seen.a, seen.b, seen.missing, seen.list, seen.deep.c) == (2, 2, 5, [8, 9], 6)
    assert omegaconf.OmegaConf.is_interpolation(seen, "b")


class Stubborn:
    """Nothing about it works."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Refusing(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_assignment=True)
    share: float = pydantic.Field(0.5, le=1)


def test_T5_what_cannot_be_taken_never_stops_a_run(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    circle: dict[str, Any] = {"x": 1}
    circle["self"] = circle
    around = Data()
    around.net = around  # type: ignore[assignment]
    handle = object()
    given = {"odd": Stubborn(), "handle": handle, "type": np.float32, "call": print, "circle": circle}
    task = begin()
    task.connect(dict(given), name="T")
    task.connect(around, name="around")
    task.connect(handle, name="handle")
    task.connect(Refusing(), name="Refusing")
    recorded = again(task).get_parameters()
    assert recorded["T/odd"] == "<Stubborn>" and recorded["T/circle/x"] == "1"
    task.close()
    copy = Task.clone(task)
    copy.update_parameters(
        {"T/odd": "edited", "T/handle": "edited", "T/type": "edited", "Refusing/share": "7"}
    )
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    seen = remote.connect(dict(given), name="T")
    assert seen["odd"] is given["odd"] and seen["handle"] is handle and seen["type"] is np.float32
    assert remote.connect(Refusing(), name="Refusing").share == 0.5
    assert any(
        "does not take the stored value of 'share'" in record.getMessage() for record in caplog.records
    )


def test_T5_objects_within_a_dict_and_dicts_of_other_kinds(begin: Begin) -> None:
    pair = namedtuple("pair", "x y")

    def make() -> dict[str, Any]:
        return {
            "net": Frozen(),
            "pair": pair(1, 2.0),
            "pairs": [pair(1, 2)],
            "attributes": Attributes(a=1),
            "counts": defaultdict(int, a=1),
            "ordered": OrderedDict(a=1),
        }

    task = begin()
    task.connect(make(), name="T")
    recorded = again(task).get_parameters()
    assert recorded["T/net/net/depth"] == "3" and recorded["T/pair/y"] == "2.0"
    task.close()
    copy = Task.clone(task)
    edits = {"net/net/depth": "4", "pair/x": "5", "pairs": "[[7, 8]]", "attributes/a": "2", "counts/a": "2"}
    copy.update_parameters({f"T/{name}": text for name, text in edits.items()})
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    seen = remote.connect(make(), name="T")
    assert seen["net"] == dataclasses.replace(Frozen(), net=FrozenNet(4))
    assert seen["pair"] == pair(5, 2.0) and seen["pairs"] == [pair(7, 8)] and type(seen["pairs"][0]) is pair
    assert seen["attributes"].a == 2 and seen["ordered"] == {"a": 1}
    seen["counts"]["new"] += 3
    assert seen["counts"] == {"a": 2, "new": 3}
    assert again(remote).get_parameters()["T/counts/new"] == "3"


ONE_NAME: list[tuple[dict[Any, Any], dict[str, str], dict[Any, Any]]] = [
    ({"a/b": 1, "a": {"b": 2}}, {}, {"a/b": 1, "a": {"b": 2}}),
    ({"a/b": 1, "a": {"b": 2}}, {"a/b": "3"}, {"a/b": 1, "a": {"b": 3}}),
    ({"a": {"b": 2}, "a/b": "x"}, {"a/b": "y"}, {"a": {"b": 2}, "a/b": "y"}),
    ({1: "one", "1": 1.5}, {"1": "2.5"}, {1: "one", "1": 2.5}),
    (
        {"a/b": {"c": 1}, "a": {"b": {"c": True}, "b/c": None}},
        {},
        {"a/b": {"c": 1}, "a": {"b": {"c": True}, "b/c": None}},
    ),
    ({"n/depth": 1, "n": FrozenNet(3)}, {"n/depth": "4"}, {"n/depth": 1, "n": FrozenNet(4)}),
    ({"n/x": 1, "n": SimpleNamespace(x=2)}, {}, {"n/x": 1, "n": SimpleNamespace(x=2)}),
    # No two of one name: a level is not given what belongs to a name with a slash.
    (
        {"a/b": 1, "a": {"c": 2}, "a/": {"d": 3}},
        {"a/b": "5", "a/new": "6"},
        {"a/b": 5, "a": {"c": 2, "new": "6"}, "a/": {"d": 3}},
    ),
]


def test_T5_two_values_of_one_name_are_kept_apart_and_said(
    begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    task = begin()
    for number, (values, _, _) in enumerate(ONE_NAME):
        caplog.clear()
        task.connect(copy.deepcopy(values), name=f"T{number}")
        assert ("rename them" in caplog.text) == (number < len(ONE_NAME) - 1)
    task.close()
    draft = Task.clone(task)
    edits = {
        f"T{number}/{name}": text
        for number, (_, edits, _) in enumerate(ONE_NAME)
        for name, text in edits.items()
    }
    draft.update_parameters(edits)
    Task.debug_simulate_remote_task(draft.id)
    remote = begin()
    for number, (values, _, seen) in enumerate(ONE_NAME):
        found = remote.connect(copy.deepcopy(values), name=f"T{number}")
        assert repr(found) == repr(seen)


VALUES: dict[str, tuple[Any, str, Any]] = {
    "array": (np.arange(3), "[4, 5]", np.array([4, 5])),
    "fractions": (np.arange(3), "[0.5]", np.array([0.5])),
    "single": (np.arange(3, dtype=np.int8), "7", np.array([7], np.int8)),
    "floats": (np.array([0.5, np.inf], np.float32), "[1, NaN]", np.array([1, np.nan], np.float32)),
    "table": (np.zeros((2, 2)), "[[1, 2], [3, 4]]", np.array([[1.0, 2], [3, 4]])),
    "names": (np.array(["a", "b"]), '["longer"]', np.array(["longer"])),
    "days": (np.array(["2024-01-01"], "M8[D]"), '["2025-02-03"]', np.array(["2025-02-03"], "M8[D]")),
    "ragged": (np.arange(3), "[[1], [2, 3]]", np.arange(3)),
    "too large": (np.zeros(1, np.int8), "[300]", np.zeros(1, np.int8)),
    "np.int64": (np.int64(3), "4", np.int64(4)),
    "np.int64 cut": (np.int64(3), "0.5", np.float64(0.5)),
    "np.float32": (np.float32(0.5), "1e-3", np.float32(1e-3)),
    "np.bool": (np.bool_(True), "False", np.bool_(False)),
    "np.str": (np.str_("a"), "b", np.str_("b")),
    "np.datetime": (np.datetime64("2024-01-01"), "2025-02-03", np.datetime64("2025-02-03")),
    "dtype": (np.dtype("float32"), "int8", np.dtype("int8")),
    "path": (Path("a/b"), "c d/e", Path("c d/e")),
    "paths": ([Path("a")], '["b", "c"]', [Path("b"), Path("c")]),
    "frozenset": (frozenset({1, 2}), "frozenset({3})", frozenset({3})),
    "frozenset of a list": (frozenset({1, 2}), "[3, 4]", frozenset({3, 4})),
    "set": ({"a", "b"}, "{'c'}", {"c"}),
    "no set": ({1}, "set()", set()),
    "inf": (0.5, "-inf", float("-inf")),
    "nan": (0.5, "nan", float("nan")),
    "list with inf": ([0.5, float("inf")], "[inf, -inf, nan]", [float("inf"), float("-inf"), float("nan")]),
    "complex": (1 + 2j, "(3-1j)", 3 - 1j),
    "bytes": (b"\x00a", "b'\\xff'", b"\xff"),
    "range": (range(3), "range(1, 9, 2)", range(1, 9, 2)),
    "decimal": (Decimal("1.10"), "2.50", Decimal("2.50")),
    "flags": (Flags.A, "A|B", Flags.A | Flags.B),
    "members": ([Kind.ADAM], '["SGD", "ADAM"]', [Kind.SGD, Kind.ADAM]),
    "nested": ([(1, 2)], "[[3, 4], [5, 6]]", [(3, 4), (5, 6)]),
    "whole floats": ([0.5, 1.5], "[1, 2]", [1.0, 2.0]),
    "texts": (["a", "b"], "[1, 2]", ["1", "2"]),
    "one text": (["a", "b"], "c", ["c"]),
    "dicts": ([{"a": 1}], '[{"a": 2}]', [{"a": 2}]),
    "keys": ([{1: (2,)}], "[{3: (4,)}]", [{3: (4,)}]),
}


def same(found: Any, expected: Any) -> bool:
    """Equal in type and value; nan is nan."""
    if type(found) is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        if found.dtype.kind != "U" and found.dtype != expected.dtype:
            return False
        return found.shape == expected.shape and all(map(same, found.tolist(), expected.tolist()))
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    return bool(found == expected or (found != found and expected != expected))


def test_T6_edited_values_of_every_type(begin: Begin) -> None:
    task = begin()
    code = {name: value for name, (value, _, _) in VALUES.items()}
    task.connect(dict(code), name="T")
    task.close()
    copy = Task.clone(task)
    Task.debug_simulate_remote_task(copy.id)
    unchanged = begin().connect(dict(code), name="T")
    assert all(unchanged[name] is value for name, value in code.items()), "what nobody edited stays as it is"
    other = Task.clone(copy)
    other.update_parameters({f"T/{name}": text for name, (_, text, _) in VALUES.items()})
    Task.current_task().close()  # type: ignore[union-attr]
    Task.debug_simulate_remote_task(other.id)
    seen = begin().connect(dict(code), name="T")
    for name, (value, text, expected) in VALUES.items():
        assert same(seen[name], expected), (name, value, text, seen[name])
