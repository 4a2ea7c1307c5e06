"""The order of version texts, and the next one."""

import random

import pytest

from trialbook.base.versions import is_version, order, successor


def test_order() -> None:
    ordered = [
        "draft",
        "0.9",
        "1.0.dev1",
        "1.0a1",
        "1.0b2",
        "1.0rc1",
        "1.0rc2",
        "1.0",
        "1.0.post1",
        "1.0.9",
        "1.0.10",
        "1.10",
        "2",
        "1!0.1",
    ]
    assert sorted(random.Random(1).sample(ordered, len(ordered)), key=order) == ordered
    assert order("1.0") == order("1.0.0") == order("v1")


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("1.0.0", "1.0.1"),
        ("1.2", "1.3"),
        ("10", "11"),
        ("1.0.9", "1.0.10"),
        ("2.0rc1", "2.0rc2"),
        ("v3", "v4"),
        ("1.0+local7", "1.1"),
        ("latest", None),
        ("", None),
    ],
)
def test_successor(text: str, following: str | None) -> None:
    assert successor(text) == following
    assert is_version(text) == (following is not None)
