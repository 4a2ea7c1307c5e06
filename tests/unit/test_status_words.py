"""A status has one word for people, on the page and in commands."""

import re
from pathlib import Path

from trialbook.wire.states import MOVES, SHOWN

PAGE = Path(__file__).parents[2] / "web" / "src" / "widgets" / "Status.tsx"


def test_T18_a_status_is_called_by_one_word() -> None:
    shown = dict(re.findall(r'^  (\w+): \{ word: "([^"]+)"', PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown.keys() >= MOVES.keys() - {"unknown"}
    assert {status: SHOWN.get(status, status) for status in shown} == shown
