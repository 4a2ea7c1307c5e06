"""Any value of the types that parameters have: recorded, shown, edited, and given back equal in type and value."""

import os
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalogue.test_configuration_objects import Kind, same
from trialbook.sdk.casting import cast, text_of, type_of
from trialbook.sdk.task.parameters import override

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
