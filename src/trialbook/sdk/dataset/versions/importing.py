"""Bringing a version from its session to the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trialbook.base.files import read_json, write_json
from trialbook.client import settings as settings_module
from trialbook.datasets.manifest.rows import Rows
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.objects import pack_key
from trialbook.errors import UsageError
from trialbook.sdk.dataset.given import cache_folder
from trialbook.sdk.dataset.versions.loading import load
from trialbook.sdk.dataset.versions.making import make
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.dataset.versions.sessions import NOTE, opened
from trialbook.sdk.offline.sessions import import_session
from trialbook.sdk.record import Record
from trialbook.sdk.servers.connection import Connection

if TYPE_CHECKING:
    from trialbook.client.api import CreateDataset


def _imports() -> Path:
    return cache_folder() / "imported.json"


def was_imported(session: str) -> bool:
    """Whether the version of a session, by its id, has been brought to a server from this host."""
    return session in dict(read_json(_imports()) or {})


def imported(connection: Connection, folder: Path, path: Path) -> Opened:
    """The open version on the server that takes a session."""
    notes = sorted(folder.glob(f"**/{NOTE}"))
    if len(notes) != 1:
        raise UsageError(f"{path} does not hold an offline session of one dataset ({NOTE})")
    return made_from(connection, folder, read_json(notes[0]))


def made_from(connection: Connection, folder: Path, note: Mapping[str, Any]) -> Opened:
    """The open version that takes a session, as its note describes it."""
    known = dict(read_json(_imports()) or {})
    parents = [known.get(parent, parent) for parent in note["parents"]]
    for before, after in zip(note["parents"], parents, strict=True):
        made_here = (
            before.startswith("offline-") or (settings_module.load().journals / before / NOTE).exists()
        )
        if before == after and made_here:
            raise UsageError(
                f"the parent {before} was made offline: import its session first, with finalize=True"
            )
    task = import_session(folder, connection)
    ask: CreateDataset = {
        "name": note["name"],
        "project": note["project"],
        "task": task,
        "tags": note["tags"],
        "parents": parents,
        "description": note["description"],
        "version": note["version"],
    }
    policy = msgspec.convert(note["policy"], Policy)
    made = make(ask, [load(parent) for parent in parents], policy)
    known[note["id"]] = made.id
    write_json(_imports(), known)
    return made


def bring(made: Opened, folder: Path) -> None:
    """Move what a session has stored into the version's repository, and take over what still waits."""
    (top,) = {note.parent for note in folder.glob(f"**/{NOTE}")}
    note = read_json(top / NOTE)
    settings = settings_module.load()
    record = Record({"id": note["id"], "status": "in_progress"}, None, settings, own=True)
    session = opened(top, note, record)
    rows, pending = session.content()
    before, after = str(note["id"]), made.id
    here, there = made.home.objects(), session.home.objects()
    mine = np.array([origin == before for origin in rows.origins], bool)
    own = rows.take(mine[rows.data["origin"]]) if len(rows) else rows
    sizes: dict[str, tuple[int, int]] = {}
    keys: list[str] = []
    for key in own.packs:
        owner, _, identity = key.partition("/")
        if owner != before:
            keys.append(key)
            continue
        renamed = f"{after}/{identity}"
        blob = pack_key(key)
        length = there.blobs.head(blob).size
        if here.length(pack_key(renamed)) != length:
            here.blobs.put(pack_key(renamed), there.blobs.read(blob))
        sizes[renamed] = (length, int((own.data["pack"] == len(keys)).sum()))
        keys.append(renamed)
    draft = made.draft("import")
    removed = set(draft.base.paths) - set(rows.paths) - set(pending.paths)
    draft.remove_paths(removed)
    if len(own):
        for parent in draft.parents:
            sizes.update({ref.key: (ref.bytes, ref.members) for ref in parent.packs if ref.key not in sizes})
        draft.adopt(Rows(own.paths, own.data, tuple(keys), own.origins, own.links), sizes)
    if pending.paths:
        draft.add_sources(pending)
    if session.open_draft is not None:
        session.open_draft.close()
