"""Versions without a server: each in a session, a folder of this host."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import msgspec

from trialbook.base import versions
from trialbook.base.files import read_json, write_json
from trialbook.base.ids import is_id, new_id
from trialbook.client import settings as settings_module
from trialbook.datasets.sources.sniff import Policy
from trialbook.errors import UsageError
from trialbook.sdk.console import advice
from trialbook.sdk.dataset.home import Home
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.record import Record
from trialbook.sdk.servers.nowhere import DATASET_NOTE
from trialbook.sdk.task import Task

if TYPE_CHECKING:
    from trialbook.client.api import CreateTask

NOTE = DATASET_NOTE
_CLOSING = 10.0
"""Seconds for a journal to be written to the disk."""
_living: WeakSet[Opened] = WeakSet()
"""Versions of sessions that this process has made or opened, and may hold the locks of."""


def create(
    name: str, project: str, tags: list[str], parents: Sequence[Opened], version: str | None,
    description: str, policy: Policy,
) -> Opened:  # fmt: skip
    """A version in a session of its own."""
    settings = settings_module.load()
    task = new_id()
    text = version or _next(parents, name)
    fields: CreateTask = {
        "name": name,
        "type": "data_processing",
        "project_name": f"{project.strip('/')}/.datasets/{name}",
        "system_tags": ["dataset", "development"],
        "tags": tags,
        "comment": description,
        "runtime": {"orig_dataset_name": name, "orig_dataset_id": task, "version": text},
    }
    record = Record({"id": task, "status": "in_progress", **fields}, None, settings, own=True)
    record.later.tasks.create({"id": task, **fields})
    record.later.tasks.started({"task": task})
    folder = record.journal.folder.parent
    note = {
        "id": task,
        "name": name,
        "project": project.strip("/"),
        "version": text,
        "tags": tags,
        "description": description,
        "parents": [parent.id for parent in parents],
        "parent_roots": {parent.id: [parent.home.url, parent.root_id] for parent in parents},
        "policy": asdict(policy),
    }
    write_json(folder / NOTE, note)
    made = opened(folder, note, record)
    made.adopt_parents(parents)
    made.begin()
    return made


def _next(parents: Sequence[Opened], name: str) -> str:
    known = [str(parent.number) for parent in parents if parent.name == name and parent.number]
    best = max(known, key=versions.order, default=None)
    return (versions.successor(best) if best else None) or versions.FIRST


def opened(folder: Path, note: Mapping[str, Any], record: Record) -> Opened:
    """The version of a session.

    Args:
        folder: of the session.
        note: what it says of the version.
        record: of its task.
    """
    info = {name: note[name] for name in ("id", "name", "project", "version")}
    info["status"] = "in_progress"
    policy = msgspec.convert(note["policy"], Policy)
    home = Home(None, str(folder / "repository"), folder / "dataset")
    made = Opened(info, note["parents"], policy, home, load_session, Task._wrap(record), folder)
    _living.add(made)
    return made


def load_offline(dataset_id: str) -> Opened | None:
    """A version that was made offline on this host; None when it was not, or when it has been imported."""
    return load_session(dataset_id) if settings_module.load().offline else None


def load_session(dataset_id: str) -> Opened | None:
    """A version from its session on this host, whether this process works offline or not."""
    settings = settings_module.load()
    folder = settings.journals / dataset_id
    if not is_id(dataset_id):
        return None
    note = read_json(folder / NOTE)
    if not note:
        return None
    document = {"id": dataset_id, "name": note["name"], "status": "in_progress", "tags": note["tags"]}
    return opened(folder, note, Record(document, None, settings, own=True))


def seal(parent: Opened) -> bool:
    """Close an offline version for good on this host, because a child begins; False for versions with a server."""
    if parent.session is None:
        return False
    if not parent.finished():
        draft = parent.draft("finalize")
        if draft.pending:
            first = advice("call its upload()", f"`trialbook data upload --id {parent.id}`")
            raise UsageError(f"{draft.pending} files of the parent {parent.id} wait: {first} first")
        draft.finish()
        parent.sealed(draft.root_id)
    return True


def let_go(folder: Path) -> None:
    """Close what this process itself has open of a session: whoever imports it has done with it."""
    for made in list(_living):
        session = made.session
        if session is None or folder.resolve() not in (session.resolve(), *session.resolve().parents):
            continue
        if made.open_draft is not None:
            made.open_draft.close()
            made.open_draft = None
        made.record.close(_CLOSING)
