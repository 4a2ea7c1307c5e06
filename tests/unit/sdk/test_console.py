"""What the SDK says, on any terminal."""

import io
import os
import sys

import pytest

from trialbook.sdk import console


@pytest.mark.parametrize("code", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_N3_any_name_can_be_said_on_any_terminal(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, code, errors="strict", newline="\n"))
    for name in (os.fsdecode(b"n\xff"), "\u65e5\u2026\u2588", "\ud800", "a\x1b[2Jb\x07\x9b31m\0"):
        console.say(f"Trialbook: {name} was stored")
    console.say("two\n\tlines")
    console.put(sys.stdout, "three\n\tlines\n")
    said = raw.getvalue().decode(code)
    assert said.count("Trialbook: ") == said.count(" was stored") == 4
    assert "n\\udcff" in said and "\\ud800" in said and "a\\x1b[2Jb\\x07\\x9b31m\\x00 was" in said
    assert said.endswith("two\\n\\tlines\nthree\n\tlines\n")
    if code == "utf-8":
        assert "\u65e5\u2026\u2588" in said


def test_N3_a_process_without_a_terminal_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    console.say("nobody hears it")
