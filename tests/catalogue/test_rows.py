"""Every promise has a test, and every test that names one names one that is made."""

import ast

import pytest

from tests.catalogue.rows import ABSENT, ELSEWHERE, ROWS
from tests.datasets.rows import ROWS as DATASETS
from tests.support.promises import ROOT, covered


def test_every_promise_has_a_test() -> None:
    shown = {row for row, _ in covered()} | set(ELSEWHERE)
    assert set(ROWS) - shown == set()


def test_every_mark_names_a_promise() -> None:
    unknown = {(row, test) for row, test in covered() if row not in ROWS and row not in DATASETS}
    assert unknown == set()
    assert not set(ROWS) & set(ABSENT)


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_tests_elsewhere_are_there(place: str) -> None:
    path, _, name = place.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions if name else any(function.startswith("test_") for function in functions)
