"""The façade: versions over one ``BlobStore`` and one cache folder."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np

from trialbook.base.clock import Clock, now
from trialbook.base.ids import is_id
from trialbook.blobs.store import BlobStore
from trialbook.datasets.copies.materialise import materialise
from trialbook.datasets.copies.plan import Neighbour, plan
from trialbook.datasets.copies.verify import Problem, verify_storage
from trialbook.datasets.copies.views import FetchLinks, View, Views
from trialbook.datasets.draft.commit import publish
from trialbook.datasets.draft.draft import Draft
from trialbook.datasets.draft.journal import DraftJournal
from trialbook.datasets.draft.state import DraftState, Standing
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.diff import Difference, diff
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import Rows, merged
from trialbook.datasets.manifest.selection import Selection
from trialbook.datasets.sources.scan import FACTS
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.sources.stat_cache import StatCache
from trialbook.datasets.storage.objects import Objects, draft_key, pointer_key
from trialbook.datasets.storage.prune import Receipt, mark, sweep, undo
from trialbook.datasets.version import Version as Version
from trialbook.errors import DatasetDamaged, DatasetError, DatasetInUse, DatasetMissing, UsageError


class Repository:
    """Dataset versions in a store.

    Args:
        blobs: the storage; a ``FolderBlobs`` is read and written in place.
        cache: folder of this host for drafts, views and remembered digests; processes may share it.
        clock: seconds since the epoch.
        links: fetches the links of rows into a folder; without it copies have no links.
        known: this process has opened this storage before, so its format needs no look.
        where: the address, for messages.

    Nothing is written to the storage before a version is begun.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from trialbook.base.ids import new_id
        >>> from trialbook.datasets.storage.folder import FolderBlobs
        >>> top = Path(tempfile.mkdtemp())
        >>> _ = (top / "data").mkdir(), (top / "data" / "a.txt").write_text("hello")
        >>> repository = Repository(FolderBlobs(top / "store"), top / "cache")
        >>> draft = repository.begin(new_id())
        >>> draft.add_folder(top / "data").added, draft.upload()
        (1, 1)
        >>> version = repository.open(draft.finish().version)
        >>> version.paths(), version.read("a.txt")
        (['a.txt'], b'hello')
    """

    def __init__(
        self, blobs: BlobStore, cache: Path, clock: Clock = now, links: FetchLinks | None = None,
        known: bool = False, where: str = "",
    ) -> None:  # fmt: skip
        self._objects = Objects(blobs, where)
        self._links = links
        self._cache = cache
        self._clock = clock
        self._views = Views(cache)
        self.there = known or self._objects.check()
        """Whether there is a repository, by what is known."""

    def establish(self) -> None:
        """Make it a repository, when it is none yet: something is about to be written."""
        if not self.there:
            self._objects.establish()
            self.there = True

    def versions(self) -> list[str]:
        """Ids of all finished versions."""
        return self._objects.versions()

    @property
    def objects(self) -> Objects:
        """The objects by their meaning."""
        return self._objects

    def open(self, version: str, root_id: str | None = None) -> Version:
        """A finished version; ``root_id`` saves the look at its pointer, and at a root that this process knows.

        Raises:
            DatasetMissing: there is none of that id.
            DatasetDamaged: its root is not what its name says.
        """
        if root_id:
            return Version(self._objects, root_id, self._objects.recall(version, root_id))
        return self._read(version, self._objects.pointer(version))

    def _read(self, version: str, root_id: str) -> Version:
        return Version(self._objects, root_id, self._objects.root(version, root_id))

    def begin(
        self,
        version: str,
        parents: Sequence[str] | None = None,
        policy: Policy | None = None,
        roots: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Draft:
        """Start a version, or go on with one that a killed or closed writer left on this host.

        Args:
            version: its id, 32 hexadecimal characters; never one that was used before.
            parents: whose rows it starts from; at one path the later parent wins. None: those it was begun with.
            policy: how files are stored; None: as it was begun, or the default.
            roots: root ids of parents, as far as the caller knows them; each saves one look at a pointer.
            fresh: nobody can have used the id before; saves looks at what may be there of it.

        Raises:
            UsageError: the id has another form.
            DatasetInUse: it is finished, another writer has it open, or it was begun with other parents.
            DatasetMissing: a parent is not there.
        """
        if not is_id(version):
            raise UsageError(f"{version!r} is not a version id: 32 hexadecimal characters")
        journal = DraftJournal(self._cache / "drafts" / version)
        journal.acquire()
        if not fresh and self._objects.length(pointer_key(version)) is not None:
            # Its writer may have been killed between the pointer and its own tidying up.
            self._objects.drop(draft_key(version))
            journal.erase()
            raise DatasetInUse(f"version {version} is finished: begin a child of it")
        try:
            draft = self._begun(journal, version, parents, policy, roots or {})
        except BaseException:
            journal.release()
            raise
        draft.fresh = fresh and not draft.resumed
        return draft

    def _begun(
        self, journal: DraftJournal, version: str, parents: Sequence[str] | None, policy: Policy | None,
        known: Mapping[str, str],
    ) -> Draft:  # fmt: skip
        head = journal.read_head()
        if head is not None:
            self._same_place(version)
        if head is None:
            policy = policy or Policy()
            named = [(parent, known.get(parent) or self._objects.pointer(parent)) for parent in parents or ()]
        else:
            named = msgspec.convert(head["parents"], list[tuple[str, str]])
            policy = policy or msgspec.convert(head["policy"], Policy)
            if parents is not None and [parent for parent, _ in named] != list(parents):
                raise DatasetInUse(
                    f"version {version} was begun with other parents: {[name for name, _ in named]}"
                )
        self.establish()
        self._objects.put_json(draft_key(version), {"parents": named, "started": self._clock()})
        if head is None:
            self._still_there(version, named)
        roots = [self._objects.recall(parent, root_id) for parent, root_id in named]
        if head is None:
            journal.write_head({"parents": named, "policy": asdict(policy)})
        stats = StatCache(self._cache / "stat")
        draft = Draft(self._objects, journal, stats, self._clock, version, roots, named, policy)
        draft.resumed = head is not None
        return draft

    def peek(self, version: str, parents: Sequence[Version] = (), saved: str = "") -> Standing | None:
        """An open version as it stands now, beside the one who writes it: takes no lock and changes nothing.

        Args:
            version: its id.
            parents: whose rows it starts from, where this host has no notes of it.
            saved: the root that ``Draft.save`` made, where this host has no notes of it; empty when nothing was.

        Returns:
            What it holds; None when it has been finished.

        Raises:
            DatasetMissing: a parent, what was saved or the whole repository is not there.
        """
        journal = DraftJournal(self._cache / "drafts" / version)
        head = journal.read_head()
        if head is None:
            roots, named = [one.root for one in parents], [(one.id, one.root_id) for one in parents]
            base = merged(one.rows for one in parents)
        else:
            self._same_place(version)
            named = msgspec.convert(head["parents"], list[tuple[str, str]])
            roots = [self._objects.recall(parent, root_id) for parent, root_id in named]
        state = DraftState(
            self._objects, journal, StatCache(self._cache / "stat"), self._clock, version, roots, named, Policy()
        )  # fmt: skip
        # A writer erases its notes after its pointer is put: what was read before this look is whole, or not wanted.
        if self._objects.length(pointer_key(version)) is not None:
            return None
        if head is not None:
            return state.view()
        empty = Sources([], [], np.zeros(0, FACTS))
        if not saved:
            return Standing(base, empty, base, tuple(roots))
        return Standing(self._objects.rows(self._objects.root(version, saved)), empty, base, tuple(roots))

    def _same_place(self, version: str) -> None:
        """Make sure that the repository is still there, when a version was begun in it."""
        if not self.there and not self._objects.check():
            raise DatasetMissing(
                f"version {version} was begun at {self._objects.where or 'a place'}, where no repository is now: "
                "is it mounted, and the address right?"
            )

    def _still_there(self, version: str, parents: Sequence[tuple[str, str]]) -> None:
        """Look at the parents' pointers after the draft was put: from then on it protects them."""
        try:
            for parent, root_id in parents:
                if self._objects.pointer(parent) != root_id:
                    raise DatasetInUse(f"version {parent} was replaced at this moment: begin again")
        except DatasetError:
            # Nobody would finish it, and it would keep objects for ever.
            self._objects.drop(draft_key(version))
            raise

    def diff(self, first: str, second: str) -> Difference:
        """What turns one version into another; reads only ranges that are not in both."""
        one, other = self.open(first).root, self.open(second).root
        return diff(one.ranges, other.ranges, self._objects.range)

    def squash(self, version: str, sources: Sequence[str]) -> Root:
        """A version without parents that has the merged rows of others; no file is read or written.

        Args:
            version: id of the new one.
            sources: applied in order; at one path the later wins.
        """
        draft = self.begin(version, sources)
        rows = merged(self._objects.rows(root) for root in draft.parents)
        data = rows.data.copy()
        data["origin"] = 0
        alone = Rows(rows.paths, data, rows.packs, (version,), rows.links)
        try:
            root, _ = publish(self._objects, alone, version, draft.parents, (), {}, self._clock(), lineage=())
        except BaseException:
            draft.close()
            raise
        draft.abandon()
        return root

    def copy(
        self,
        version: str,
        patterns: str | Sequence[str] | None = None,
        selection: Selection | None = None,
        root_id: str | None = None,
        workers: int | None = None,
        soft: bool = False,
    ) -> Path:
        """A folder with the files of a version, read-only, shared by all who ask.

        Args:
            version: its id.
            patterns: a part of it, see ``patterns.matcher``; None is all.
            selection: the part, said in another way.
            root_id: saves the look at the version's pointer.
            workers: packs, and links, that are fetched at once; None lets their sizes decide.
            soft: a folder of soft links to the files of the shared one.

        Returns:
            The folder. The second call answers from the cache.

        Raises:
            DatasetMissing: the version or one of its packs is gone.
            DatasetDamaged: stored bytes are not those of the manifest; no folder is left.
        """
        known, root_id = root_id is not None, root_id or self._objects.pointer(version)
        chosen = selection or Selection.of(patterns)
        found = self._views.find(root_id, chosen.name)
        if found is not None and not self._views.intact(found):
            self._views.drop(root_id, chosen.name)
            found = None
        if found is None:
            opened = self.open(version, root_id) if known else self._read(version, root_id)
            rows = chosen.rows(opened.rows, opened.root)
            found = self._views.build(
                version,
                root_id,
                chosen.name,
                rows,
                self._objects.blobs,
                self._rows_of,
                self._clock,
                self._links,
                workers,
            )
        return self._views.linked(found) if soft else found.files

    def cached_copy(self, root_id: str) -> Path | None:
        """The folder of a complete copy, however its files are; None when there is none."""
        found = self._views.find(root_id)
        return found.files if found else None

    def fetch_links_with(self, links: FetchLinks) -> None:
        """Fetch links in another way from now on."""
        self._links = links

    def forget_copy(self, root_id: str, selection: Selection | None = None) -> None:
        """Drop a cached copy, so that the next ``copy`` makes it anew."""
        self._views.drop(root_id, (selection or Selection()).name)

    def mutable_copy(
        self,
        version: str,
        target: Path,
        patterns: str | Sequence[str] | None = None,
        selection: Selection | None = None,
        root_id: str | None = None,
        failed: list[str] | None = None,
        workers: int | None = None,
    ) -> Path:
        """A folder of the caller's own, whose files may be changed.

        Args:
            version: its id.
            target: new or empty.
            patterns: a part of it; None is all.
            selection: the part, said in another way.
            root_id: saves the look at the version's pointer.
            failed: takes what went wrong with single packs, which then does not raise.
            workers: see ``copy``.

        Raises:
            UsageError: the target has files.
            DatasetMissing, DatasetDamaged: see ``copy``; the target is left incomplete.
        """
        if target.exists() and any(target.iterdir()):
            raise UsageError(f"{str(target)!r} is not empty")
        opened = self.open(version, root_id)
        rows = (selection or Selection.of(patterns)).rows(opened.rows, opened.root)
        view = self._views.find(opened.root_id)
        near = [Neighbour(view.files, opened.rows, view.made)] if view else []
        materialise(
            plan(rows, near), self._objects.blobs, target, private=True, failed=failed, workers=workers
        )
        if self._links is not None and rows.links:
            self._links(rows, target, True, workers)
        return target

    def _rows_of(self, view: View) -> Rows | None:
        try:
            return self._objects.rows(self._objects.root(view.version, view.root))
        except (DatasetMissing, DatasetDamaged):
            return None

    def verify(self, version: str) -> list[Problem]:
        """Check every stored byte of a version; empty when all is well."""
        return verify_storage(self._objects, self.open(version).root)

    def delete(self, versions: Sequence[str], force: bool = False) -> Receipt:
        """Take versions away; their bytes go with ``sweep``. See ``prune.mark``."""
        return mark(self._objects, versions, self._clock(), force)

    def undelete(self, receipt_id: str) -> None:
        """Bring back what ``delete`` took away. See ``prune.undo``."""
        undo(self._objects, receipt_id)

    def sweep(self, receipt_id: str) -> int:
        """Free the bytes of a receipt, a day after it. See ``prune.sweep``."""
        return sweep(self._objects, receipt_id, self._clock())
