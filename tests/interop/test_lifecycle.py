"""The released SDK's life-cycle calls against our server, and the same script through the drop-in import."""

from typing import Any

import pytest

from tests.interop.conftest import Run

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]


def check(answer: dict[str, Any]) -> None:
    assert answer["reused"]
    assert answer["after_reuse"] == [[3], [2.0]], "a reused task starts without the old points"
    assert answer["continued"]
    assert answer["after_continue"] == [[3, 4], [2.0, 3.0]], (
        "iteration 0 of a continued run follows the last one"
    )
    assert answer["forced_new"]
    assert answer["new_after_artifact"]
    assert answer["clone"] == {
        "status": "created",
        "parameters": {"General/x": "5"},
        "scalars": {},
        "parent": True,
        "same_id": False,
    }
    assert answer["published"] == "published"
    assert answer["archived"] is True
    assert answer["archived_hidden"]
    assert answer["deleted"] is True
    assert answer["gone"]
    assert answer["by_name"]


def test_released_sdk(run_clearml: Run) -> None:
    check(run_clearml("lifecycle.py", timeout=300))


def test_drop_in(run_trialbook: Run) -> None:
    check(run_trialbook("lifecycle.py"))
