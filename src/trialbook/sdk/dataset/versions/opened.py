"""One version as a program holds it, open or finished. ``Dataset`` is its public face; here is what it stands on."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trialbook.datasets.draft.draft import Draft
from trialbook.datasets.draft.state import Standing
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.diff import Difference
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import LINK, Rows, known, merged
from trialbook.datasets.repository import Version
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.objects import pointer_key
from trialbook.errors import DatasetError, DatasetInUse, UsageError
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.entries import FileEntry, LinkEntry
from trialbook.sdk.dataset.home import Home, bring_manifest, places_for
from trialbook.sdk.dataset.versions.comparing import compare
from trialbook.sdk.dataset.versions.lineage import chunk_names, tasks_of
from trialbook.sdk.dataset.versions.pinger import Pinger
from trialbook.sdk.dataset.versions.replay import Calls
from trialbook.sdk.record import Record, record_of
from trialbook.sdk.task import Task
from trialbook.wire.states import FINISHED

if TYPE_CHECKING:
    from trialbook.client.api import EditTaskFields

SAVED = "ds_saved"
"""Key of the runtime: the manifest of what an open version has stored so far."""


class Opened:
    """One version: what is known of it, where it lies, and the draft while this process writes it.

    Args:
        info: what the server, or a session, says of it; ``id`` at least.
        parent_ids: of the direct parents.
        policy: how it stores files.
        home: its repository.
        load: gives a parent by its id; None where a session has not brought it along.
        task: its task; None reads it when it is needed: a parent's, for one, is not.
        session: folder of a version that was made offline.
    """

    def __init__(
        self,
        info: dict[str, Any],
        parent_ids: Iterable[str],
        policy: Policy,
        home: Home,
        load: "Callable[[str], Opened | None]",
        task: Task | None = None,
        session: Path | None = None,
    ) -> None:
        self.info = info
        self.parent_ids = list(parent_ids)
        self.policy = policy
        self.home = home
        self.session = session
        self.open_draft: Draft | None = None
        self.uncommitted = ""
        """Root of what is written as a whole, while the server does not know it."""
        self.keep_task_open = False
        self.pinger: Pinger | None = None
        self.counted: dict[str, int] = {}
        """What the program itself adds to the counters of changes."""
        self.calls = Calls()
        self._load = load
        self._task = task

    @property
    def id(self) -> str:
        """Its id, also that of its task."""
        return str(self.info["id"])

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self.info.get("name") or "")

    @property
    def project(self) -> str:
        """Path of its project, without the hidden part."""
        return str(self.info.get("project") or "")

    @property
    def number(self) -> str | None:
        """The version, such as "1.0.0"."""
        return self.info.get("version")

    @property
    def task(self) -> Task:
        """Its task."""
        if self._task is None:
            self._task = Task._open(self.id)
        return self._task

    @property
    def record(self) -> Record:
        """The record of its task."""
        return record_of(self.task)

    @property
    def root_id(self) -> str:
        """Id of its manifest; empty while there is none."""
        return str(self.info.get("root") or self.uncommitted)

    def is_final(self) -> bool:
        """Whether it cannot change any more."""
        return bool(self.info.get("root")) or self.info.get("status") in FINISHED

    def draft(self, what: str) -> Draft:
        """The draft of an open version.

        Raises:
            UsageError: the version is finished.
            DatasetInUse: another process writes it, or it waits for ``finalize`` only.
        """
        if self.is_final():
            child = advice(
                "Dataset.create(parent_datasets=[...]) or Dataset.get(..., writable_copy=True)",
                f"`trialbook data create --name NAME --parents {self.id}`",
            )
            raise UsageError(
                f"{advice(f'{what}: ', '')}dataset {self.id} is final and cannot change; make a child with {child}"
            )
        if self.open_draft is None and not self.uncommitted:
            self.begin()
        if self.open_draft is None:
            close = advice("call finalize() to close it", f"`trialbook data close --id {self.id}` closes it")
            raise DatasetInUse(f"dataset {self.id} was written as a whole before its process ended: {close}")
        return self.open_draft

    def begin(self, parents: "Sequence[Opened] | None" = None, fresh: bool = False) -> None:
        """Open the draft, with what an earlier process left of it on this host.

        Args:
            parents: as they are now; None reads them.
            fresh: the version was made at this moment.

        Raises:
            UsageError: the clearml SDK is writing it.
        """
        if self.info.get("native") is False:
            raise self._elsewhere_written()
        parents = self._parents() if parents is None else parents
        self.adopt_parents(parents)
        roots = {one.id: one.root_id for one in parents if self.home.at(one.home.url) and one.root_id}
        if self.session is None and self.info.get("status") in ("stopped", "failed"):
            say(f"Trialbook: dataset {self.id} was {self.info['status']}; it is written again")
            self.task.mark_started(force=True)
            self.info["status"] = "in_progress"
        try:
            self.open_draft = self.home.repository.begin(self.id, self.parent_ids, self.policy, roots, fresh)
            self.home.note_seen()
        except DatasetInUse:
            # Its process may have been killed between the manifest and the server's answer.
            objects = self.home.objects()
            if objects.length(pointer_key(self.id)) is None:
                raise
            self.uncommitted = objects.pointer(self.id)
            return
        saved = self._saved()
        if saved and not self.open_draft.resumed:
            # Begun on another host, or this one has lost its notes: what was stored is known to the storage.
            self.open_draft.restore(saved)
        if self.session is None and not self.keep_task_open and self.pinger is None:
            self.pinger = Pinger(self.task, self.record)

    def begin_again(self) -> None:
        """Let the draft go and open it once more, because places or parents were added."""
        if self.open_draft is not None:
            self.open_draft.close()
            self.open_draft = None
        self.begin()

    def sealed(self, root_id: str) -> None:
        """There is a manifest: the draft is gone, and the server is to be told."""
        self.open_draft = None
        self.uncommitted = root_id
        self.forget()

    def silence(self) -> None:
        """No more signs of life."""
        if self.pinger is not None:
            self.pinger.stop()
            self.pinger = None

    def require_closed(self, what: str = "") -> None:
        """Raise unless it is final.

        Raises:
            UsageError: names the version, and how it is closed.
        """
        if not self.is_final():
            before = advice(f"{what}: ", "") if what else ""
            raise UsageError(f"{before}dataset {self.id}{self.called()} is open: {self.first_close()}")

    def first_close(self) -> str:
        """What to do with an open version before others may use it."""
        return advice("call finalize() first", f"`trialbook data close --id {self.id}` closes it")

    def called(self) -> str:
        """Its name and version, as far as they are known, to tell it from others in a message."""
        name, version = self.info.get("name"), self.info.get("version")
        return f" ({name} {version})" if name and version else ""

    def _elsewhere_written(self) -> UsageError:
        return UsageError(f"dataset {self.id} is being written by the clearml SDK: finalize it there first")

    def _saved(self) -> str:
        """The manifest of what an open version has stored so far; empty when nothing was."""
        return str((self.task.data.get("runtime") or {}).get(SAVED) or "")

    def standing(self) -> Standing | None:
        """An open version as it stands now, whoever writes it; None when there is a manifest.

        Raises:
            UsageError: the clearml SDK is writing it.
        """
        if self.root_id:
            return None
        if self.open_draft is not None:
            return self.open_draft.view()
        if self.info.get("native") is False:
            raise self._elsewhere_written()
        parents = self._parents()
        pairs = [(parent.home, parent.version.root) for parent in parents if parent.finished()]
        self.home = self.home.with_places(places_for(self.home, pairs))
        versions = [parent.version for parent in parents]
        found = self.home.repository.peek(self.id, versions, self._saved())
        if found is None:
            # Finished, but the server does not know it yet: its process was killed, or is about to tell.
            self.uncommitted = self.home.objects().pointer(self.id)
        return found

    def _parents(self) -> "list[Opened]":
        return self._loaded(self.parent_ids)

    def _loaded(self, ids: Iterable[str]) -> "list[Opened]":
        # A session that came from another host has its parents' manifests with it.
        found = [self._load(one) for one in ids]
        return [one for one in found if one is not None]

    def adopt_parents(self, parents: "Sequence[Opened]") -> None:
        """Know where the packs of others lie, and have their manifests here."""
        # An offline parent is closed on this host only: looking at it finds its manifest.
        pairs = [(parent.home, parent.version.root) for parent in parents if parent.finished()]
        self.home = self.home.with_places(places_for(self.home, pairs))
        for parent in parents:
            bring_manifest(parent.home, self.home, parent.id, parent.root_id)

    @cached_property
    def version(self) -> Version:
        """The finished version.

        Raises:
            DatasetError: it is open.
        """
        if not self.root_id:
            raise DatasetError(f"dataset {self.id} is open: {self.first_close()}")
        return self.home.repository.open(self.id, self.root_id)

    def rows(self) -> Rows:
        """Everything that is stored: of the finished version, or of the draft."""
        standing = self.standing()
        return self.version.rows if standing is None else standing.rows

    def content(self) -> tuple[Rows, Sources]:
        """What is stored, and what waits for ``upload``."""
        standing = self.standing()
        if standing is None:
            return self.version.rows, Sources([], [], np.zeros(0, [("size", "<i8")]))
        return standing.rows, standing.pending

    def parent_rows(self) -> Rows:
        """The direct parents' rows, the later ones winning."""
        standing = self.standing()
        if standing is not None:
            return standing.base
        if self._foreign_parents():
            return merged(parent.rows() for parent in self._loaded(self._foreign_parents()))
        objects = self.home.objects()
        return merged(
            objects.rows(objects.recall(parent, root_id)) for parent, root_id in self.version.root.parents
        )

    def difference(self, base: Rows | None = None) -> Difference:
        """What turns other rows, by default the parents', into these."""
        rows, pending = self.content()
        return compare(self.parent_rows() if base is None else base, rows, pending)

    def _foreign_parents(self) -> tuple[str, ...]:
        """Parents of a version of the clearml SDK, whose manifest was made without theirs."""
        root = self.version.root
        return () if root.parents else root.graph.get(self.id, ())

    def finished(self) -> bool:
        """Whether there is a manifest."""
        return bool(self.root_id) or (self.open_draft is None and self.standing() is None)

    def graph(self) -> dict[str, tuple[str, ...]]:
        """Direct parents of it and of each of its ancestors, by id."""
        standing = self.standing()
        if standing is None:
            return dict(self.version.root.graph)
        graph: dict[str, tuple[str, ...]] = {self.id: tuple(self.parent_ids)}
        for root in standing.parents:
            for name, above in root.graph.items():
                graph.setdefault(name, above)
        return graph

    def parent_roots(self) -> list[Root]:
        """Roots of the direct parents."""
        standing = self.standing()
        if standing is not None:
            return list(standing.parents)
        if self._foreign_parents():
            return [parent.version.root for parent in self._loaded(self._foreign_parents())]
        objects = self.home.objects()
        return [objects.recall(parent, root_id) for parent, root_id in self.version.root.parents]

    @cached_property
    def entries(self) -> tuple[dict[str, FileEntry], dict[str, LinkEntry]]:
        """Files and links by path, as programs see them."""
        rows, pending = self.content()
        files: dict[str, FileEntry] = {}
        links: dict[str, LinkEntry] = {}
        raw = np.ascontiguousarray(rows.data["sha256"]).tobytes().hex()
        there = known(rows.data["sha256"]).tolist()
        kinds, sizes, packs, origins = (
            rows.data[name].tolist() for name in ("kind", "size", "pack", "origin")
        )
        for n, path in enumerate(rows.paths):
            digest = raw[64 * n : 64 * n + 64] if there[n] else ""
            origin, size = rows.origins[origins[n]], sizes[n]
            if kinds[n] == LINK:
                url = rows.links[path][0]
                links[path] = LinkEntry(url, path, origin, None if size < 0 else size, digest or None)
            else:
                pack = rows.packs[packs[n]]
                files[path] = FileEntry(path, origin, size, None, digest, partial(self._chunk_name, pack))
        for path, file, size in zip(
            pending.paths, pending.files, pending.facts["size"].tolist(), strict=True
        ):
            files[path] = FileEntry(path, self.id, size, file, "", lambda: None)
        return dict(sorted(files.items())), links

    def chunk_of(self, pack: str) -> tuple[str, str | None]:
        """The version and the artifact that hold a pack for the clearml SDK."""
        owner, _, identity = pack.partition("/")
        return self.chunk_names.get(pack) or (owner, None if len(identity) == 64 else identity)

    def _chunk_name(self, pack: str) -> str | None:
        return self.chunk_of(pack)[1]

    @cached_property
    def lineage(self) -> dict[str, dict[str, Any]]:
        """What the server tells of the ancestors' tasks, and, when it is closed, of its own."""
        connection = self.home.connection
        wanted = [version for version in sorted(self.graph()) if version != self.id or self.info.get("root")]
        return tasks_of(connection, wanted) if connection is not None and wanted else {}

    @cached_property
    def chunk_names(self) -> dict[str, tuple[str, str]]:
        """By pack: the version of the lineage that has it as an artifact, and that artifact's name."""
        return chunk_names(self.lineage.values())

    def note_runtime(self, **values: Any) -> None:
        """Tell the server values of the runtime, and the calls so far, at once."""
        record = self.record
        with record.lock:
            document, script = record.document, self.calls.taken(self.task)
            fields: EditTaskFields = {"runtime": {**(document.get("runtime") or {}), **values}}
            document.update(fields)
            if script:
                document["script"] = {**(document.get("script") or {}), **script}
                fields["script"] = script
            record.changes.tasks.edit({"task": record.id, "force": True, **fields})

    def forget(self) -> None:
        """What was read of the content before is stale."""
        for name in ("version", "lineage", "chunk_names", "entries"):
            self.__dict__.pop(name, None)
