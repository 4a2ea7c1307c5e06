"""Every promise about datasets has a test, and every test that names one names one that is made."""

from tests.catalogue.rows import ROWS as TASKS
from tests.datasets.rows import ROWS
from tests.support.promises import covered


def test_every_promise_has_a_test() -> None:
    assert set(ROWS) - {row for row, _ in covered()} == set()


def test_every_mark_names_a_promise() -> None:
    assert {(row, test) for row, test in covered() if row not in ROWS and row not in TASKS} == set()
    assert not set(ROWS) & set(TASKS)
