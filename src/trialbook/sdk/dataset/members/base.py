"""What every concern of ``Dataset`` may use: one version, open or finished."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from trialbook.base.versions import is_version
from trialbook.datasets.draft.draft import Draft
from trialbook.datasets.draft.state import Standing
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import Rows, merged
from trialbook.datasets.repository import Version
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.objects import pointer_key
from trialbook.errors import DatasetError, DatasetInUse, UsageError
from trialbook.sdk import connection as connections
from trialbook.sdk import settings as settings_module
from trialbook.sdk.connection import Connection
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset import replay
from trialbook.sdk.dataset.foreign.adopt import adopt
from trialbook.sdk.dataset.home import Home, bring_manifest, places_for, remembered_places
from trialbook.sdk.dataset.pinger import Pinger
from trialbook.sdk.dataset.stores import repository_url
from trialbook.sdk.task import Task
from trialbook.wire.states import ENDED, FINISHED

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset

_REOPENED = frozenset({"in_progress", *ENDED.difference(FINISHED)})
SAVED = "ds_saved"
"""Key of the runtime: the manifest of what an open version has stored so far."""


def cache_folder() -> Path:
    """Folder of this host for drafts, views and remembered digests."""
    return settings_module.load().own_cache("datasets")


def threads(max_workers: int | None) -> int | None:
    """A number of threads that a caller wishes for.

    Raises:
        UsageError: it is below 1.
    """
    if max_workers is not None and max_workers < 1:
        raise UsageError(f"max_workers is a number from 1 on, or None, not {max_workers}")
    return max_workers


def required(method: str, argument: str, value: str | PurePath, option: str = "") -> str:
    """A path or an address as text.

    Args:
        method: that takes it.
        argument: its name there.
        value: what was given.
        option: its name on the command line; empty is the same.

    Raises:
        UsageError: it is empty: an unset variable, and not "all" or "here".
    """
    if not str(value):
        named = advice(f"{method}: {argument}", option or argument)
        raise UsageError(f"{named} is {str(value)!r}; name a path, '.' for the working directory")
    return str(value)


def both_named() -> UsageError:
    """An id and a name at once, which may be of two versions."""
    given = advice("dataset_id, or dataset_project and dataset_name", "--id, or --project and --name")
    return UsageError(f"give {given}, not both")


def online(what: str) -> Connection:
    """The connection.

    Raises:
        UsageError: this process works offline.
    """
    if settings_module.load().offline:
        how = advice("Dataset.set_offline", "TRIALBOOK_OFFLINE_MODE, or CLEARML_OFFLINE_MODE")
        raise UsageError(
            f"{advice(what, 'this command')} needs the server, and this process works offline ({how})"
        )
    return connections.connect()


class DatasetBase:
    """One version; the mixins of the sibling files add the public members."""

    _opened_task: Task | None = None
    _home: Home
    _info: dict[str, Any]
    _policy: Policy
    _parent_ids: list[str]
    _open_draft: Draft | None = None
    _uncommitted = ""
    _keep_task_open = False
    _calls: list[str]
    _session: Path | None = None
    _pinger: Pinger | None = None

    @property
    def id(self) -> str:
        """The version's id: 32 hexadecimal characters; also the id of its task.

        Example:
            >>> Dataset.get(data.id).id == data.id
            True
        """
        return str(self._info["id"])

    @property
    def _task(self) -> Task:
        """Its task, read when it is needed: a parent's, for one, is not."""
        if self._opened_task is None:
            self._opened_task = Task._open(self.id)
        return self._opened_task

    @_task.setter
    def _task(self, task: Task) -> None:
        self._opened_task = task

    def is_final(self) -> bool:
        """Whether the version was finalized and cannot change any more.

        Returns:
            False from ``create`` to ``finalize``; a failed or aborted version is not final.

        Example:
            >>> data.is_final(), Dataset.create("digits", "Vision").is_final()
            (True, False)
        """
        return bool(self._info.get("root")) or self._info.get("status") in FINISHED

    @property
    def _root_id(self) -> str:
        return str(self._info.get("root") or self._uncommitted)

    def _draft(self, what: str) -> Draft:
        """The draft of an open version.

        Raises:
            UsageError: the version is finished.
            DatasetInUse: another process writes it, or it waits for ``finalize`` only.
        """
        if self._info.get("root") or self._info.get("status") in FINISHED:
            child = advice(
                "Dataset.create(parent_datasets=[...]) or Dataset.get(..., writable_copy=True)",
                f"`trialbook data create --name NAME --parents {self.id}`",
            )
            raise UsageError(
                f"{advice(f'{what}: ', '')}dataset {self.id} is final and cannot change; make a child with {child}"
            )
        if self._open_draft is None and not self._uncommitted:
            self._begin()
        if self._open_draft is None:
            close = advice("call finalize() to close it", f"`trialbook data close --id {self.id}` closes it")
            raise DatasetInUse(f"dataset {self.id} was written as a whole before its process ended: {close}")
        return self._open_draft

    def _begin(self, parents: "Sequence[DatasetBase] | None" = None, fresh: bool = False) -> None:
        """Open the draft, with what an earlier process left of it on this host.

        Args:
            parents: as they are now; None reads them.
            fresh: the version was made at this moment.

        Raises:
            UsageError: the reference SDK is writing it.
        """
        if self._info.get("native") is False:
            raise self._elsewhere_written()
        parents = self._parents() if parents is None else parents
        self._adopt_parents(parents)
        roots = {one.id: one._root_id for one in parents if self._home.at(one._home.url) and one._root_id}
        if self._session is None and self._info.get("status") in ("stopped", "failed"):
            say(f"Trialbook: dataset {self.id} was {self._info['status']}; it is written again")
            self._task.mark_started(force=True)
            self._info["status"] = "in_progress"
        try:
            self._open_draft = self._home.repository.begin(
                self.id, self._parent_ids, self._policy, roots, fresh
            )
            self._home.note_seen()
        except DatasetInUse:
            # Its process may have been killed between the manifest and the server's answer.
            objects = self._home.objects()
            if objects.length(pointer_key(self.id)) is None:
                raise
            self._uncommitted = objects.pointer(self.id)
            return
        saved = self._saved()
        if saved and not self._open_draft.resumed:
            # Begun on another host, or this one has lost its notes: what was stored is known to the storage.
            self._open_draft.restore(saved)
        if self._session is None and not self._keep_task_open and self._pinger is None:
            self._pinger = Pinger(self._task)

    def _first_close(self) -> str:
        return advice("call finalize() first", f"`trialbook data close --id {self.id}` closes it")

    def _require_closed(self, what: str) -> None:
        if not self.is_final():
            raise UsageError(
                f"{advice(f'{what}: ', '')}dataset {self.id}{self._called()} is open; {self._first_close()}"
            )

    def _called(self) -> str:
        """Its name and version, as far as they are known, to tell it from others in a message."""
        name, version = self._info.get("name"), self._info.get("version")
        return f" ({name} {version})" if name and version else ""

    def _elsewhere_written(self) -> UsageError:
        return UsageError(f"dataset {self.id} is being written by the clearml SDK: finalize it there first")

    def _saved(self) -> str:
        """The manifest of what an open version has stored so far; empty when nothing was."""
        return str((self._task.data.get("runtime") or {}).get(SAVED) or "")

    def _standing(self) -> Standing | None:
        """An open version as it stands now, whoever writes it; None when there is a manifest.

        Raises:
            UsageError: the reference SDK is writing it.
        """
        if self._root_id:
            return None
        if self._open_draft is not None:
            return self._open_draft.view()
        if self._info.get("native") is False:
            raise self._elsewhere_written()
        parents = self._parents()
        pairs = [(parent._home, parent._version.root) for parent in parents if parent._finished()]
        self._home = self._home.with_places(places_for(self._home, pairs))
        versions = [parent._version for parent in parents]
        found = self._home.repository.peek(self.id, versions, self._saved())
        if found is None:
            # Finished, but the server does not know it yet: its process was killed, or is about to tell.
            self._uncommitted = self._home.objects().pointer(self.id)
        return found

    def _parents(self) -> "list[Dataset]":
        if self._session is None:
            return [self._load(parent) for parent in self._parent_ids]
        from trialbook.sdk.dataset.members.offline import load_session

        # A session that came from another host has its parents' manifests with it.
        found = [load_session(parent) for parent in self._parent_ids]
        return [parent for parent in found if parent is not None]

    def _adopt_parents(self, parents: "Sequence[DatasetBase]") -> None:
        # An offline parent is closed on this host only: looking at it finds its manifest.
        pairs = [(parent._home, parent._version.root) for parent in parents if parent._finished()]
        self._home = self._home.with_places(places_for(self._home, pairs))
        for parent in parents:
            bring_manifest(parent._home, self._home, parent.id, parent._root_id)

    @cached_property
    def _version(self) -> Version:
        """The finished version.

        Raises:
            DatasetError: it is open.
        """
        if not self._root_id:
            raise DatasetError(f"dataset {self.id} is open: {self._first_close()}")
        return self._home.repository.open(self.id, self._root_id)

    def _rows(self) -> Rows:
        """Everything that is stored: of the finished version, or of the draft."""
        standing = self._standing()
        return self._version.rows if standing is None else standing.rows

    def _parent_rows(self) -> Rows:
        """The direct parents' rows, the later ones winning."""
        standing = self._standing()
        if standing is not None:
            return standing.base
        if self._foreign_parents():
            return merged(self._load(parent)._rows() for parent in self._foreign_parents())
        objects = self._home.objects()
        return merged(
            objects.rows(objects.recall(parent, root_id)) for parent, root_id in self._version.root.parents
        )

    def _foreign_parents(self) -> tuple[str, ...]:
        """Parents of a version of the reference SDK, whose manifest was made without theirs."""
        root = self._version.root
        return () if root.parents else root.graph.get(self.id, ())

    def _finished(self) -> bool:
        """Whether there is a manifest."""
        return bool(self._root_id) or (self._open_draft is None and self._standing() is None)

    def _graph(self) -> dict[str, tuple[str, ...]]:
        standing = self._standing()
        if standing is None:
            return dict(self._version.root.graph)
        graph: dict[str, tuple[str, ...]] = {self.id: tuple(self._parent_ids)}
        for root in standing.parents:
            for name, above in root.graph.items():
                graph.setdefault(name, above)
        return graph

    def _roots(self) -> list[Root]:
        """Roots of the direct parents."""
        standing = self._standing()
        if standing is not None:
            return list(standing.parents)
        if self._foreign_parents():
            return [self._load(parent)._version.root for parent in self._foreign_parents()]
        objects = self._home.objects()
        return [objects.recall(parent, root_id) for parent, root_id in self._version.root.parents]

    def _note_call(self, name: str, **arguments: Any) -> None:
        """Remember a call for the script of the version; it is written with the next upload or finalize."""
        self.__dict__.setdefault("_calls", []).append(replay.call(name, arguments))

    def _noted_calls(self) -> dict[str, Any]:
        """Parts of the task's script that change by the calls since the last time."""
        calls = self.__dict__.pop("_calls", [])
        known = self._task.get_script()
        # The code of a task that became a version stays that of the task.
        if not calls or known["entry_point"] != replay.ENTRY:
            return {}
        return {"diff": replay.continued(known["diff"], calls)}

    def _note_runtime(self, **values: Any) -> None:
        """Tell the server values of the runtime, and the calls so far, at once."""
        record = self._task._record
        with record.lock:
            document, script = record.document, self._noted_calls()
            fields: dict[str, Any] = {"runtime": {**(document.get("runtime") or {}), **values}}
            document.update(fields)
            if script:
                document["script"] = {**(document.get("script") or {}), **script}
                fields["script"] = script
            record.change("tasks.edit", {"force": True, **fields})

    def _forget(self) -> None:
        """What was read before the version was finished is stale."""
        for name in ("_version", "_lineage", "_chunk_names", "_entries"):
            self.__dict__.pop(name, None)

    @classmethod
    def _load(cls, dataset_id: str) -> "Dataset":
        """A version by id.

        Raises:
            UsageError: there is none, or this process works offline and has not made it.
        """
        from trialbook.sdk.dataset.members.offline import load_offline

        session = load_offline(dataset_id)
        if session is not None:
            return session
        connection = online("Dataset.get")
        found = connection.session.call("datasets.get_all", {"ids": [dataset_id], "archived": True})[
            "versions"
        ]
        if not found:
            raise UsageError(f"there is no dataset {dataset_id!r}")
        return cls._of(found[0], connection)

    @classmethod
    def _of(cls, info: dict[str, Any], connection: Connection) -> "Dataset":
        from trialbook.sdk.dataset import Dataset

        made = Dataset.__new__(Dataset)
        made._info = dict(info)
        made._parent_ids = list(info.get("parents") or [])
        made._policy = Policy(aliases=False)
        cache = cache_folder()
        if info.get("root"):
            made._home = Home(connection, str(info["repository"]), cache, info.get("places"))
        elif info["status"] in FINISHED:
            adopted = adopt(connection, made._task.data, cache)
            made._info["root"] = adopted.root
            made._home = Home(connection, str(adopted.repository), cache, adopted.places)
        else:
            destination = made._task.output_uri or connection.settings.files_host
            noted = (made._task.data.get("runtime") or {}).get("ds_saved_places")
            places = {**(json.loads(noted) if noted else {}), **remembered_places(cache, made.id)}
            made._home = Home(connection, repository_url(destination), cache, places)
        return made

    @staticmethod
    def _check_version(text: str) -> str:
        if not is_version(text):
            say(
                f"Trialbook: {text!r} is no version like 1.2.3; it is kept, but has no place in the order of versions"
            )
        return text
