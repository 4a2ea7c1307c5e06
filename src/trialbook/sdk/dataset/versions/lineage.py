"""What the server tells of the ancestors of a version: their tasks, and the artifacts that name packs."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trialbook.sdk.servers.connection import Connection

if TYPE_CHECKING:
    from trialbook.client.api import GetAllTasks

FIRST_CHUNK = "data"


def tasks_of(connection: Connection, versions: list[str]) -> dict[str, dict[str, Any]]:
    """Name, status, runtime and artifacts of versions that are still there, by id."""
    ask: GetAllTasks = {
        "id": versions,
        "only_fields": ["id", "name", "status", "runtime", "execution.artifacts"],
        "search_hidden": True,
    }
    found = connection.session.api.tasks.get_all(ask).get("tasks") or []
    return {str(task["id"]): task for task in found}


def chunk_names(tasks: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """By pack: the version that has it as an artifact, and that artifact's name."""
    found: dict[str, tuple[str, str]] = {}
    for task in tasks:
        for entry in (task.get("execution") or {}).get("artifacts") or []:
            name = str(entry.get("key"))
            if name != FIRST_CHUNK and not name.startswith(f"{FIRST_CHUNK}_"):
                continue
            owner, _, last = str(entry.get("uri") or "").removesuffix(".zip").rpartition("/")
            found.setdefault(f"{owner.rpartition('/')[2]}/{last}", (str(task["id"]), name))
            found.setdefault(f"{task['id']}/{name}", (str(task["id"]), name))
    return found
