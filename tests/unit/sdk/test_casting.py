"""Stored text in the type of the code (behaviour table CT)."""

from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.sdk.values.casting import cast, text_of, type_of
from trialbook.sdk.values.structures import flatten


class Colour(Enum):
    red = 1
    blue = 2


@pytest.mark.parametrize(
    ("example", "text", "expected"),
    [
        (True, "False", False),
        (True, "0", False),
        (False, "true", True),
        (False, "2", True),
        (8, "16", 16),
        (8, "0.5", 0.5),
        (8, "1e3", 1000),
        (0.1, "1e-3", 0.001),
        ("adam", "123", "123"),
        ("adam", "", ""),
        ([1, 2], "[3, 4]", [3, 4]),
        ((1, 2), "(3, 4)", (3, 4)),
        ((1, 2), "[3, 4]", (3, 4)),
        (None, "5", "5"),
        (8, "", None),
        (Colour.red, "blue", Colour.blue),
        (8, "abc", 8),
        ({"a": 1}, "{'b': 2}", {"b": 2}),
    ],
)
def test_cast(example: Any, text: str, expected: Any) -> None:
    found = cast(text, example)
    assert found == expected and type(found) is type(expected)


def test_without_an_example_the_stored_type_counts() -> None:
    assert cast("5", None, "int") == 5
    assert cast("[1]", None, "list") == [1]


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=4),
    st.tuples(st.integers(), st.text(max_size=3)),
)


@given(VALUES)
def test_what_is_stored_comes_back(value: Any) -> None:
    assert cast(text_of(value), value, type_of(value)) == value


def test_flatten() -> None:
    assert dict(flatten({"a": 1, "b": {"c": 2, "d": {}}})) == {"a": 1, "b/c": 2, "b/d": {}}
