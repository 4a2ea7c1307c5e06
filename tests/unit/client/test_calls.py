"""Calls of the server are typed: what is misspelt is found by mypy, and never sent."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trialbook.client.calls import filled, kept, nouns, where

ROOT = Path(__file__).resolve().parents[3]
CLIENT = """
from trialbook.cli.own_server import OwnServer
from trialbook.client.api import EditTask
from trialbook.client.calls import kept
from trialbook.client.session import Session
from trialbook.sdk.record import Record


def right(session: Session, record: Record, server: OwnServer) -> int:
    ask: EditTask = {"task": "t"}
    ask["tags"] = ["new"]
    record.changes.tasks.edit(ask)
    record.later.tasks.completed({"task": "t", "publish": True})
    record.moves.tasks.started({"task": "t", "force": True})
    record.edit(comment="new")
    server.api.users.get_all()
    return session.api.tasks.move({"ids": ["t"], "project_name": "p"}, patience=1.0, repeat=False)["updated"]


def wrong(session: Session, record: Record, server: OwnServer) -> None:
    session.api.tasks.edit({"task": "t", "commnt": "x"})  # Extra key "commnt"
    session.api.tasks.edti({"task": "t"})  # no attribute "edti"
    session.api.task.edit({"task": "t"})  # no attribute "task"
    session.api.tasks.edit({"comment": "x"})  # Missing key "task"
    session.api.tasks.edit({"task": "t", "tags": "x"})  # type "str", TypedDict item "tags"
    session.api.tasks.edit()  # Too few arguments
    session.api.tasks.move({"ids": ["t"]})["project"]  # no key "project"
    session.api.tasks.edit({"task": "t", "hyperparams": {"Args": {"lr": {"valeu": "1"}}}})  # Extra key "valeu"
    session.fetching("text/csv").series.raw({"serie": {}})  # Extra key "serie"
    session.post("events.add_point", b"", "")  # "Literal['events.add_point']"
    record.changes.tasks.edit({"task": "t", "commnt": "x"})  # Extra key "commnt"
    record.changes.tasks.get_all({})  # no attribute "get_all"
    record.later.models.edit({"model": "m", "nmae": "x"})  # Extra key "nmae"
    record.moves.tasks.stoped({"task": "t"})  # no attribute "stoped"
    record.edit(commnt="x")  # Unexpected keyword argument "commnt"
    server.api.users.edit({"user": "u", "disable": True})  # Extra key "disable"
    kept(lambda changes: changes.tasks.edit({"task": "t", "commnt": "x"}))  # Extra key "commnt"
"""


def test_what_no_method_takes_or_answers_is_an_error_of_the_type_checker(tmp_path: Path) -> None:
    program = tmp_path / "client.py"
    program.write_text(CLIENT)
    # With the cache of the project, so that only these lines are looked at.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-codes", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[int, str] = {}
    for line, message in re.findall(r"client\.py:(\d+): error: (.*)", done.stdout):
        found[int(line)] = found.get(int(line), "") + message
    wanted = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(CLIENT.splitlines(), 1)
        if "  # " in line
    }
    assert found.keys() == wanted.keys(), done.stdout + done.stderr
    assert {number: text for number, text in wanted.items() if text not in found[number]} == {}, done.stdout


def test_a_method_is_called_by_its_name() -> None:
    seen: list[Any] = []

    def call(method: str, params: dict[str, Any], **how: Any) -> str:
        seen.append((method, params, how))
        return "answered"

    calls = nouns(call)
    assert calls.tasks.edit({"task": "t"}, patience=1.0) == "answered"
    assert calls.users.get_all() == "answered"
    assert seen == [("tasks.edit", {"task": "t"}, {"patience": 1.0}), ("users.get_all", {}, {})]


def test_what_is_kept_for_later_is_handed_over_as_it_is() -> None:
    ask: Any = {"task": "t", "artifacts": [{"key": "k"}]}
    call = kept(lambda changes: changes.tasks.add_or_update_artifacts(ask))
    ask["artifacts"][0]["hash"] = "known only now"
    assert call == {"method": "tasks.add_or_update_artifacts", "params": ask}


def test_what_has_no_value_is_not_asked() -> None:
    ask = {"name": None, "page": 0, "tags": [], "text": "", "archived": False}
    assert filled(ask) == {"page": 0, "tags": [], "text": "", "archived": False}


def test_only_paths_are_added_to_a_query() -> None:
    ask: dict[str, object] = {"page": 0}
    assert where(ask, {"metadata.stage.value": "x"}) == {"page": 0, "metadata.stage.value": "x"}
    assert ask == {"page": 0}
    with pytest.raises(ValueError, match="pgae: no path"):
        where(ask, {"pgae": 1, "a.b": 2})
