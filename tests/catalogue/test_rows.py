"""Every promise has a test, and every test that names one names one that is made."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogue.rows import ABSENT, ELSEWHERE, ROWS

ROOT = Path(__file__).parents[2]


def covered() -> Iterator[tuple[str, str]]:
    """Promise and test, for each ``covers`` mark below ``tests``."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.covers":
                    yield from (
                        (str(ast.literal_eval(row)), f"{path.name}::{node.name}") for row in mark.args
                    )


def test_every_promise_has_a_test() -> None:
    shown = {row for row, _ in covered()} | set(ELSEWHERE)
    assert set(ROWS) - shown == set()


def test_every_mark_names_a_promise() -> None:
    unknown = {(row, test) for row, test in covered() if row not in ROWS}
    assert unknown == set()
    assert not set(ROWS) & set(ABSENT)


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_tests_elsewhere_are_there(place: str) -> None:
    path, _, name = place.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions if name else any(function.startswith("test_") for function in functions)
