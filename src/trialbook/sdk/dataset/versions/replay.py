"""The calls that made a version, as a script that makes it again; its task has them as its code."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from trialbook.sdk.task import Task

ENTRY = "register_dataset.py"
_MOST = 200
"""Calls that are written down; a program that adds files one by one would fill pages."""


class Calls:
    """Calls that are not in the script yet; they are written with the next upload or finalize."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def note(self, name: str, **arguments: Any) -> None:
        """Remember a call."""
        self._waiting.append(call(name, arguments))

    def taken(self, task: Task) -> dict[str, Any]:
        """Parts of the task's script that change by the calls since the last time."""
        calls, self._waiting = self._waiting, []
        known = task.get_script()
        # The code of a task that became a version stays that of the task.
        if not calls or known["entry_point"] != ENTRY:
            return {}
        return {"diff": continued(known["diff"], calls)}


def script() -> dict[str, Any]:
    """The code of a new version's task."""
    return {"binary": "python", "entry_point": ENTRY, "working_dir": ".", "diff": ""}


def begun(**arguments: Any) -> str:
    """The beginning of the script."""
    return f"from trialbook import Dataset\n\ndata = Dataset.create({_written(arguments)})\n"


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """One call, without the arguments that have no value.

    Example:
        >>> call("add_files", {"path": "images", "wildcard": None})
        "data.add_files(path='images')"
    """
    return f"data.{name}({_written(arguments)})"


def continued(text: str, calls: list[str]) -> str:
    """A script with more calls at its end; from some number on they are only counted."""
    mark = "# more calls: "
    head, found, rest = text.partition(mark)
    lines = head.splitlines()
    room = max(0, _MOST - len(lines))
    left = len(calls[room:]) + (int(rest) if found and rest.strip().isdigit() else 0)
    lines += calls[:room]
    return "\n".join([*lines, *([f"{mark}{left}"] if left else []), ""])


def _written(arguments: Mapping[str, Any]) -> str:
    given = {name: value for name, value in arguments.items() if value not in (None, [], (), "")}
    return ", ".join(f"{name}={_plain(value)!r}" for name, value in given.items())


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
