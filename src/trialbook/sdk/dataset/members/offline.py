"""Datasets without a server: a session in a folder of this host, and bringing it to a server later."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import msgspec
import numpy as np

from trialbook.base import versions
from trialbook.base.files import read_json, write_json
from trialbook.base.ids import is_id, new_id
from trialbook.datasets.manifest.rows import Rows
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.objects import pack_key
from trialbook.errors import UsageError
from trialbook.sdk import connection as connections
from trialbook.sdk import settings as settings_module
from trialbook.sdk.connection import Connection
from trialbook.sdk.console import advice
from trialbook.sdk.dataset.foreign import session as foreign_offline
from trialbook.sdk.dataset.home import Home
from trialbook.sdk.dataset.members.base import DatasetBase, cache_folder
from trialbook.sdk.offline import import_session
from trialbook.sdk.record import Record
from trialbook.sdk.storage import unpack
from trialbook.sdk.task import Task

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset

_NOTE = "dataset.json"
_CLOSING = 10.0
"""Seconds for a journal to be written to the disk."""
_living: "WeakSet[Dataset]" = WeakSet()
"""Versions of sessions that this process has made or opened, and may hold the locks of."""


class OfflineMixin(DatasetBase):
    """Members about working without a server."""

    @classmethod
    def set_offline(cls, offline_mode: bool = False) -> None:
        """Work without a server from now on, or with one again.

        Args:
            offline_mode: True keeps versions that are made from now on in a folder of this host, for
                ``import_offline_session``; False, the default, goes back to the server.

        Example:
            >>> Dataset.set_offline(True)
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images"), version.finalize(auto_upload=True)
            >>> Dataset.set_offline(False)
            >>> Dataset.get(Dataset.import_offline_session(version.get_offline_mode_folder())).name
            'digits'
        """
        Task.set_offline(offline_mode)

    @classmethod
    def is_offline(cls) -> bool:
        """Whether this process works without a server.

        Returns:
            The same as ``Task.is_offline``.

        Example:
            >>> Dataset.is_offline()
            False
        """
        return Task.is_offline()

    def get_offline_mode_folder(self) -> Path | None:
        """Where a version that was made offline is kept.

        Returns:
            The folder with its session; None when it was made with a server.

        Example:
            >>> data.get_offline_mode_folder() is None
            True
        """
        return self._session

    @classmethod
    def import_offline_session(
        cls, session_folder_zip: str | Path, upload: bool = True, finalize: bool = False
    ) -> str:
        """Bring a version that was made offline to the server. Sessions of parents come before those of children.

        Args:
            session_folder_zip: folder of the session, or a zip of it; also one that the released clearml SDK left.
            upload: store its data, also files that were only added; these must still be on this host.
            finalize: close it.

        Returns:
            Id of the version on the server.

        Raises:
            UsageError: there is no session of a dataset, a parent has not been imported on this host, or a file that
                the clearml SDK noted is gone or has changed.
            ConnectionFailed: the server went away.

        Example:
            >>> Dataset.set_offline(True)
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images")
            >>> folder = version.get_offline_mode_folder()
            >>> Dataset.set_offline(False)
            >>> imported = Dataset.import_offline_session(folder, upload=True, finalize=True)
            >>> Dataset.get(imported).is_final()
            True
        """
        connection = connections.connect()
        if connection.settings.offline:
            raise UsageError("an offline session is imported with a server: Dataset.set_offline(False) first")
        path = Path(session_folder_zip).expanduser()
        with tempfile.TemporaryDirectory(prefix="trialbook-dataset-") as name:
            folder = path
            if path.is_file():
                folder = Path(name) / "session"
                folder.mkdir()
                unpack(path, folder)
            foreign = None if list(folder.glob(f"**/{_NOTE}")) else foreign_offline.read(folder, path)
            if foreign is None:
                _let_go(folder)
                made = _imported(connection, folder, path)
            else:
                # Before the first call: a session whose files have gone leaves nothing on the server.
                sources = foreign.sources() if upload else None
                session = foreign.copy_without_state(Path(name) / "foreign")
                made = _made(connection, session, {"policy": asdict(Policy(aliases=False)), **foreign.note()})
                # It was imported as a run that has ended.
                made._task.mark_started(force=True)
            if upload:
                if foreign is None or sources is None:
                    _bring(made, folder)
                else:
                    foreign.bring(made._draft("import"), sources)
                made.upload(show_progress=False)
            if finalize:
                made.finalize()
            else:
                made._draft("import").close()
            return made.id


def create(
    name: str, project: str, tags: list[str], parents: "Sequence[Dataset]", version: str | None,
    description: str, policy: Policy,
) -> "Dataset":  # fmt: skip
    """A version in a session of its own."""
    settings = settings_module.load()
    task = new_id()
    text = version or _next(parents, name)
    fields: dict[str, Any] = {
        "name": name,
        "type": "data_processing",
        "project_name": f"{project.strip('/')}/.datasets/{name}",
        "system_tags": ["dataset", "development"],
        "tags": tags,
        "comment": description,
        "runtime": {"orig_dataset_name": name, "orig_dataset_id": task, "version": text},
    }
    record = Record({"id": task, "status": "in_progress", **fields}, None, settings, own=True)
    record.journal.call("tasks.create", {"id": task, **fields})
    record.journal.call("tasks.started", {"task": task})
    folder = record.journal.folder.parent
    note = {
        "id": task,
        "name": name,
        "project": project.strip("/"),
        "version": text,
        "tags": tags,
        "description": description,
        "parents": [parent.id for parent in parents],
        "parent_roots": {parent.id: [parent._home.url, parent._root_id] for parent in parents},
        "policy": asdict(policy),
    }
    write_json(folder / _NOTE, note)
    made = _opened(folder, note, record)
    made._adopt_parents(parents)
    made._begin()
    return made


def _next(parents: "Sequence[Dataset]", name: str) -> str:
    known = [str(parent.version) for parent in parents if parent.name == name and parent.version]
    best = max(known, key=versions.order, default=None)
    return (versions.successor(best) if best else None) or versions.FIRST


def _opened(folder: Path, note: Mapping[str, Any], record: Record) -> "Dataset":
    from trialbook.sdk.dataset import Dataset

    task = Task.__new__(Task)
    task._record = record
    made = Dataset.__new__(Dataset)
    made._task = task
    made._info = {name: note[name] for name in ("id", "name", "project", "version")}
    made._info["status"] = "in_progress"
    made._parent_ids = list(note["parents"])
    made._policy = msgspec.convert(note["policy"], Policy)
    made._session = folder
    _living.add(made)
    made._home = Home(None, str(folder / "repository"), folder / "dataset")
    return made


def load_offline(dataset_id: str) -> "Dataset | None":
    """A version that was made offline on this host; None when it was not, or when it has been imported."""
    return load_session(dataset_id) if settings_module.load().offline else None


def load_session(dataset_id: str) -> "Dataset | None":
    """A version from its session on this host, whether this process works offline or not."""
    settings = settings_module.load()
    folder = settings.journals / dataset_id
    if not is_id(dataset_id):
        return None
    note = read_json(folder / _NOTE)
    if not note:
        return None
    document = {"id": dataset_id, "name": note["name"], "status": "in_progress", "tags": note["tags"]}
    return _opened(folder, note, Record(document, None, settings, own=True))


def seal(parent: "Dataset") -> bool:
    """Close an offline version for good on this host, because a child begins; False for versions with a server."""
    if parent._session is None:
        return False
    if not parent._finished():
        draft = parent._draft("finalize")
        if draft.pending:
            first = advice("call its upload()", f"`trialbook data upload --id {parent.id}`")
            raise UsageError(f"{draft.pending} files of the parent {parent.id} wait: {first} first")
        draft.finish()
        parent._open_draft = None
        parent._uncommitted = draft.root_id
        parent._forget()
    return True


def _let_go(folder: Path) -> None:
    """Close what this process itself has open of a session: whoever imports it has done with it."""
    for made in list(_living):
        session = made._session
        if session is None or folder.resolve() not in (session.resolve(), *session.resolve().parents):
            continue
        if made._open_draft is not None:
            made._open_draft.close()
            made._open_draft = None
        made._task._record.close(_CLOSING)


def _imports() -> Path:
    return cache_folder() / "imported.json"


def _imported(connection: Connection, folder: Path, path: Path) -> "Dataset":
    """The open version on the server that takes a session."""
    notes = sorted(folder.glob(f"**/{_NOTE}"))
    if len(notes) != 1:
        raise UsageError(f"{path} holds no offline session of one dataset ({_NOTE})")
    return _made(connection, folder, read_json(notes[0]))


def _made(connection: Connection, folder: Path, note: Mapping[str, Any]) -> "Dataset":
    from trialbook.sdk.dataset import Dataset

    known = dict(read_json(_imports()) or {})
    parents = [known.get(parent, parent) for parent in note["parents"]]
    for before, after in zip(note["parents"], parents, strict=True):
        made_here = (
            before.startswith("offline-") or (settings_module.load().journals / before / _NOTE).exists()
        )
        if before == after and made_here:
            raise UsageError(
                f"the parent {before} was made offline: import its session first, with finalize=True"
            )
    task = import_session(folder, connection)
    ask = {
        "name": note["name"],
        "project": note["project"],
        "task": task,
        "tags": note["tags"],
        "parents": parents,
        "description": note["description"],
        "version": note["version"],
    }
    policy = msgspec.convert(note["policy"], Policy)
    made = Dataset._make(ask, [Dataset._load(parent) for parent in parents], policy)
    known[note["id"]] = made.id
    write_json(_imports(), known)
    return made


def _bring(made: "Dataset", folder: Path) -> None:
    """Move what a session has stored into the version's repository, and take over what still waits."""
    (top,) = {note.parent for note in folder.glob(f"**/{_NOTE}")}
    note = read_json(top / _NOTE)
    settings = settings_module.load()
    record = Record({"id": note["id"], "status": "in_progress"}, None, settings, own=True)
    session = _opened(top, note, record)
    rows, pending = session._content()
    before, after = str(note["id"]), made.id
    here, there = made._home.objects(), session._home.objects()
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
    draft = made._draft("import")
    removed = set(draft.base.paths) - set(rows.paths) - set(pending.paths)
    draft.remove_paths(removed)
    if len(own):
        for parent in draft.parents:
            sizes.update({ref.key: (ref.bytes, ref.members) for ref in parent.packs if ref.key not in sizes})
        draft.adopt(Rows(own.paths, own.data, tuple(keys), own.origins, own.links), sizes)
    if pending.paths:
        draft.add_sources(pending)
    if session._open_draft is not None:
        session._open_draft.close()
