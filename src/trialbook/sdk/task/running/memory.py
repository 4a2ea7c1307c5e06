"""What this host remembers of earlier runs: the last task for a project, name and type."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialbook.base.files import read_json, write_json
from trialbook.base.guard import guard, guarded
from trialbook.journal.lock import FileLock
from trialbook.sdk.task.running.decide import Wish

_KEPT = 2000


@dataclass(frozen=True)
class Remembered:
    """An earlier run.

    Attributes:
        task: its id.
        project: id of its project.
        time: when it began, seconds since the epoch.
    """

    task: str
    project: str
    time: float


class Memory:
    """A file in the cache folder, shared by all processes of this host.

    Args:
        folder: the cache folder.
        server: identity of the server, or its address when it has none; each has its own entries.
        user: id of who is logged in: on an account that several people share, nobody takes over another's run.
    """

    def __init__(self, folder: Path, server: str, user: str = "") -> None:
        self._folder = folder
        self._path = folder / "tasks.json"
        self._server = server
        self._user = user

    def find(self, wish: Wish) -> Remembered | None:
        """The last run with the same project, name and type."""
        with guard("memory.find"):
            entry = self._load().get(self._key(wish))
            if isinstance(entry, dict):
                return Remembered(str(entry["task"]), str(entry["project"]), float(entry["time"]))
        return None

    @guarded("memory.note", None)
    def note(self, wish: Wish, task: str, project: str) -> None:
        """Remember a run."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / "tasks.lock"):
            entries = self._load()
            entries[self._key(wish)] = {"task": task, "project": project, "time": time.time()}
            if len(entries) > _KEPT:
                newest = sorted(entries, key=lambda key: float(entries[key]["time"]))[-_KEPT:]
                entries = {key: entries[key] for key in newest}
            write_json(self._path, entries)

    def _load(self) -> dict[str, Any]:
        try:
            found = read_json(self._path)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _key(self, wish: Wish) -> str:
        text = "\0".join((self._server, self._user, wish.project, wish.name, wish.type))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
