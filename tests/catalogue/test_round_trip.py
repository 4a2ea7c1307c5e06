"""Any value of the types that parameters have: recorded, shown, edited, and given back equal in type and value."""

import dataclasses
import os
from collections import namedtuple
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import attrs
import numpy as np
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalogue.conftest import Begin, again
from tests.catalogue.test_configuration_objects import Kind, same
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.client import settings as settings_module
from trialbook.sdk.task.inputs.parameters import override
from trialbook.sdk.values.casting import cast, text_of, type_of
from trialbook.sdk.values.structures import flatten

LONG = bool(os.environ.get("TRIALBOOK_TESTS") == "long")
TIMES = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


class Word(str, Enum):
    """Members whose values are names of each other."""

    LEFT = "RIGHT"
    RIGHT = "LEFT"


TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
FLOATS = st.floats()
INTEGERS = st.integers(-(2**80), 2**80)
PATHS = st.lists(st.text("ab .ü'\"", min_size=1, max_size=5), min_size=1, max_size=3).map(lambda p: Path(*p))
KEYS = st.one_of(st.integers(-9, 9), st.booleans(), st.text("abc", max_size=3))

# Kinds of values; each gives two of one type: the code's, and what it is edited to.
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": INTEGERS,
    "float": FLOATS,
    "str": TEXTS,
    "complex": st.complex_numbers(allow_nan=False),
    "bytes": st.binary(max_size=8),
    "path": PATHS,
    "enum": st.sampled_from(Kind),
    "word": st.sampled_from(Word),
    "datetime": st.datetimes(),
    "date": st.dates(),
    "time": st.times(),
    "timedelta": st.timedeltas(),
    "uuid": st.uuids(),
    "decimal": st.decimals(allow_nan=False),
    "fraction": st.fractions(),
    "int8": st.integers(-128, 127).map(np.int8),
    "float32": st.floats(width=32).map(np.float32),
    "float64": FLOATS.map(np.float64),
    "bool_": st.booleans().map(np.bool_),
}
SEQUENCES: dict[str, st.SearchStrategy[Any]] = {
    **{
        f"list of {name}": st.lists(kind, min_size=1, max_size=4)
        for name, kind in SCALARS.items()
        if name[-1] != "_"
    },
    "tuple": st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=3).map(tuple),
    "set": st.sets(INTEGERS, min_size=1, max_size=4),
    "frozenset": st.frozensets(TEXTS, min_size=1, max_size=4),
    "list of lists": st.lists(st.lists(INTEGERS, min_size=1, max_size=3), min_size=1, max_size=3),
    "array of int": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5).map(
        lambda v: np.array(v, np.int64)
    ),
    "array of float": st.lists(FLOATS, max_size=5).map(lambda v: np.array(v, np.float64)),
    "array of bool": st.lists(st.booleans(), max_size=5).map(lambda v: np.array(v, np.bool_)),
    "table": st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=3).map(
        lambda v: np.array(v, np.float64)
    ),
}
for _name in ("int8", "float32", "float64"):
    # Numbers of numpy within lists are written as Python's.
    SEQUENCES.pop(f"list of {_name}")
ALL = {**SCALARS, **SEQUENCES}
PAIRS = st.sampled_from(sorted(ALL)).flatmap(lambda name: st.tuples(ALL[name], ALL[name]))
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, FLOATS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=5000 if LONG else 150, **TIMES)
@given(PAIRS)
def test_T6_an_edited_value_comes_back_in_the_type_of_the_code(pair: tuple[Any, Any]) -> None:
    code, edited = pair
    item = {"value": text_of(edited), "type": type_of(code)}
    found = override(item, code)
    assert same(found, edited), (code, item, found)


@settings(max_examples=5000 if LONG else 50, **TIMES)
@given(st.lists(NESTED, max_size=4))
def test_T6_a_list_of_anything_is_read_as_it_was_written(values: list[Any]) -> None:
    assert same(cast(text_of(values), None, type_of(values)), values)


PAIRS_OF_ALL: dict[str, list[tuple[Any, Any]]] = {
    "bool": [(True, False), (False, True)],
    "int": [(0, -1), (2**63, 2**80)],
    "float": [(0.1, float("nan")), (1.0, float("inf")), (-0.0, 5e-324), (1e22, 0.1 + 0.2)],
    "str": [
        ("", " a "),
        ("1", "true"),
        ("None", ""),
        ("a\nb", "\t\u2028\U0001f9ea"),
        ("x", "[1, 2]"),
        ("'", '"\\'),
    ],
    "complex": [(1 + 2j, -0.5j)],
    "bytes": [(b"", b"\xff\0")],
    "path": [(Path("a/b"), Path("c d/'e'"))],
    "enum": [tuple(Kind)[:2]],
    "word": [(Word.LEFT, Word.RIGHT)],
    "datetime": [(datetime(2024, 2, 29, 1, 2, 3, 4), datetime(1, 1, 1))],
    "date": [(date(2024, 2, 29), date(9999, 12, 31))],
    "time": [(time(0), time(23, 59, 59, 999999))],
    "timedelta": [(timedelta(0), timedelta(days=-1, microseconds=1))],
    "uuid": [(UUID(int=0), UUID(int=2**128 - 1))],
    "decimal": [(Decimal("0.10"), Decimal("-1E+30"))],
    "fraction": [(Fraction(1, 3), Fraction(-7, 2))],
    "numpy": [
        (np.int8(1), np.int8(-128)),
        (np.float32(0.1), np.float32(3e38)),
        (np.bool_(True), np.bool_(False)),
    ],
    "list": [([1, 2], [3]), ([0.5], [float("-inf"), 1.0]), (["a"], ["b, c", ""]), ([[1], [2, 3]], [[4]])],
    "tuple": [((1.0, 2.0), (3.0,)), (((1, 2),), ((3, 4), (5, 6)))],
    "set": [({1, 2}, {3}), (frozenset("a"), frozenset({"b", ""}))],
    "array": [
        (np.arange(3), np.array([-(2**63), 2**63 - 1])),
        (np.zeros((2, 2)), np.array([[0.1, float("nan")]])),
        (np.array([True]), np.array([False, True])),
    ],
}
"""By type: what the code says, and what somebody edits it to."""
OBJECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": dict,
    "dataclass": lambda values: dataclasses.make_dataclass("D", list(values))(**values),
    "frozen": lambda values: dataclasses.make_dataclass("D", list(values), frozen=True)(**values),
    "attrs": lambda values: attrs.make_class("A", list(values), slots=True)(**values),
    "pydantic": lambda values: pydantic.create_model("P", **dict.fromkeys(values, (Any, ...)))(**values),
    "named tuple": lambda values: namedtuple("N", list(values))(**values),
    "namespace": lambda values: SimpleNamespace(**values),
}


def test_T6_values_go_by_the_server_and_come_back(
    begin: Begin, sdk: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = {
        f"{kind}_{number}": pair
        for kind, listed in PAIRS_OF_ALL.items()
        for number, pair in enumerate(listed)
    }
    code = {name: old for name, (old, _) in pairs.items()}
    edited = {name: new for name, (_, new) in pairs.items()}

    def run(wanted: dict[str, Any]) -> Task:
        running = begin(reuse_last_task_id=False)
        for kind, make in OBJECTS.items():
            seen = running.connect(make(code), name=kind)
            found = dict(flatten(seen if kind == "dict" else {"o": seen}))
            for name, value in wanted.items():
                got = found[name if kind == "dict" else f"o/{name}"]
                assert same(got, value), (kind, name, code[name], value, got)
        return running

    def shown(task: Task) -> dict[str, dict[str, Any]]:
        """As the wire and the page have them: texts with a type."""
        document = sdk.call("tasks.get_by_id", task=task.id)["task"]["hyperparams"]
        return {kind: {name: item["value"] for name, item in document[kind].items()} for kind in OBJECTS}

    first = again(run(code))
    assert shown(first) == {kind: {name: text_of(value) for name, value in code.items()} for kind in OBJECTS}
    Task.current_task().close()  # type: ignore[union-attr]
    copies = [Task.clone(first), Task.clone(first)]
    items = [
        {"section": kind, "name": name, "value": text_of(value), "type": type_of(code[name])}
        for kind in OBJECTS
        for name, value in edited.items()
    ]
    sdk.call("tasks.edit_hyper_params", task=copies[1].id, hyperparams=items, replace_hyperparams="none")
    for copy, wanted in zip(copies, (code, edited), strict=True):
        monkeypatch.setattr(settings_module.table._simulated, "value", "")
        Task.debug_simulate_remote_task(copy.id)
        remote = run(wanted)
        assert remote.id == copy.id
        remote.close()
        assert shown(copy) == {
            kind: {name: text_of(value) for name, value in wanted.items()} for kind in OBJECTS
        }
