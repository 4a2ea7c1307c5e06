"""What a version holds, and how it differs from others."""

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import PurePath
from typing import Any

import numpy as np

from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.diff import Difference
from trialbook.datasets.manifest.rows import LINK, Rows, digest_bytes, known, places_of, same_content
from trialbook.datasets.patterns import matcher
from trialbook.sdk.dataset.entries import FileEntry, LinkEntry, sha256_of
from trialbook.sdk.dataset.members.base import DatasetBase

FIRST_CHUNK = "data"


class ListingMixin(DatasetBase):
    """Members that list and compare."""

    @property
    def file_entries_dict(self) -> Mapping[str, FileEntry]:
        """Files by path; do not change it.

        Example:
            >>> list(data.file_entries_dict)
            ['labels.csv', 'train/a.jpg', 'train/b.jpg']
            >>> data.file_entries_dict["labels.csv"].size
            15
        """
        return self._entries[0]

    @property
    def link_entries_dict(self) -> Mapping[str, LinkEntry]:
        """Links by path; do not change it.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_external_files("images/labels.csv")
            >>> list(version.link_entries_dict)
            ['labels.csv']
        """
        return self._entries[1]

    @cached_property
    def _entries(self) -> tuple[dict[str, FileEntry], dict[str, LinkEntry]]:
        rows, pending = self._content()
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

    def _content(self) -> tuple[Rows, Sources]:
        standing = self._standing()
        if standing is None:
            return self._version.rows, Sources([], [], np.zeros(0, [("size", "<i8")]))
        return standing.rows, standing.pending

    def _chunk_of(self, pack: str) -> tuple[str, str | None]:
        """The version and the artifact that hold a pack for the reference SDK."""
        owner, _, identity = pack.partition("/")
        return self._chunk_names.get(pack) or (owner, None if len(identity) == 64 else identity)

    def _chunk_name(self, pack: str) -> str | None:
        return self._chunk_of(pack)[1]

    @cached_property
    def _lineage(self) -> dict[str, dict[str, Any]]:
        """What the server tells of the ancestors' tasks, and, when it is closed, of its own."""
        connection = self._home.connection
        wanted = [
            version for version in sorted(self._graph()) if version != self.id or self._info.get("root")
        ]
        if connection is None or not wanted:
            return {}
        ask = {
            "id": wanted,
            "only_fields": ["id", "name", "status", "runtime", "execution.artifacts"],
            "search_hidden": True,
        }
        found = connection.session.call("tasks.get_all", ask).get("tasks") or []
        return {str(task["id"]): task for task in found}

    @cached_property
    def _chunk_names(self) -> dict[str, tuple[str, str]]:
        """By pack: the version of the lineage that has it as an artifact, and that artifact's name."""
        found: dict[str, tuple[str, str]] = {}
        for task in self._lineage.values():
            for entry in (task.get("execution") or {}).get("artifacts") or []:
                name = str(entry.get("key"))
                if name != FIRST_CHUNK and not name.startswith(f"{FIRST_CHUNK}_"):
                    continue
                owner, _, last = str(entry.get("uri") or "").removesuffix(".zip").rpartition("/")
                found.setdefault(f"{owner.rpartition('/')[2]}/{last}", (str(task["id"]), name))
                found.setdefault(f"{task['id']}/{name}", (str(task["id"]), name))
        return found

    def list_files(
        self,
        dataset_path: str | PurePath | None = None,
        recursive: bool = True,
        dataset_id: str | None = None,
    ) -> list[str]:
        """Sorted paths of files and links.

        Args:
            dataset_path: a path, a folder or a wildcard as in ``add_files``; None is everything.
            recursive: whether a pattern reaches into folders.
            dataset_id: only what this version has brought or changed last; None is everything.

        Returns:
            Relative paths; empty when nothing matches.

        Example:
            >>> data.list_files("train")
            ['train/a.jpg', 'train/b.jpg']
        """
        rows, pending = self._content()
        paths = rows.paths
        if dataset_id is not None:
            origins = [origin == dataset_id for origin in rows.origins]
            paths = [
                path
                for path, origin in zip(paths, rows.data["origin"].tolist(), strict=True)
                if origins[origin]
            ]
        if dataset_id is None or dataset_id == self.id:
            paths = sorted([*paths, *pending.paths]) if pending.paths else paths
        wanted = matcher(dataset_path, recursive, [*rows.paths, *pending.paths] if dataset_path else ())
        return [path for path in paths if wanted(path)]

    def list_added_files(self, dataset_id: str | None = None) -> list[str]:
        """Sorted paths that another version does not have.

        Args:
            dataset_id: to compare with; None is the direct parents.

        Returns:
            Relative paths.

        Example:
            >>> version = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> _ = version.add_files("images/train/a.jpg", dataset_path="test")
            >>> version.list_added_files()
            ['test/a.jpg']
        """
        return self._difference(dataset_id).added

    def list_modified_files(self, dataset_id: str | None = None) -> list[str]:
        """Sorted paths that have another content in another version.

        Args:
            dataset_id: to compare with; None is the direct parents, where of several the later one counts.

        Returns:
            Relative paths.

        Example:
            >>> version = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> _ = pathlib.Path("images/labels.csv").write_text("changed")
            >>> _ = version.add_files("images/labels.csv")
            >>> version.list_modified_files()
            ['labels.csv']
        """
        return self._difference(dataset_id).modified

    def list_removed_files(self, dataset_id: str | None = None) -> list[str]:
        """Sorted paths that only another version has.

        Args:
            dataset_id: to compare with; None is the direct parents.

        Returns:
            Relative paths.

        Example:
            >>> version = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> _ = version.remove_files("labels.csv")
            >>> version.list_removed_files()
            ['labels.csv']
        """
        return self._difference(dataset_id).removed

    def _difference(self, dataset_id: str | None) -> Difference:
        rows, pending = self._content()
        base = self._parent_rows() if dataset_id is None else self._load(dataset_id)._rows()
        return compare(base, rows, pending)

    def get_dependency_graph(self) -> dict[str, list[str]]:
        """Where the version comes from.

        Returns:
            Direct parents of this version and of each of its ancestors, by id; the dict is the caller's own.

        Example:
            >>> child = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> child.get_dependency_graph() == {child.id: [data.id], data.id: []}
            True
        """
        return {version: list(parents) for version, parents in self._graph().items()}

    def get_num_chunks(self, include_parents: bool = True) -> int:
        """Number of packs that hold the bytes.

        Args:
            include_parents: count those that ancestors stored and this version uses; False counts its own only.

        Returns:
            The number; links and removals have none.

        Example:
            >>> data.get_num_chunks()
            1
        """
        if self._finished():
            keys = {ref.key for ref in self._version.root.packs}
        else:
            rows, _ = self._content()
            keys = {
                rows.packs[number] for number in set(rows.data["pack"][rows.data["kind"] != LINK].tolist())
            }
        if include_parents:
            return len(keys | {ref.key for root in self._roots() for ref in root.packs})
        return len(keys - {ref.key for root in self._roots() for ref in root.packs})

    def is_dirty(self) -> bool:
        """Whether files wait for ``upload``.

        Returns:
            False also when files were only removed or linked.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images")
            >>> version.is_dirty()
            True
        """
        standing = self._standing()
        return standing is not None and bool(standing.pending.paths)


def compare(base: Rows, rows: Rows, pending: Sources) -> Difference:
    """What turns one content into another, whose last files may not be stored yet."""
    where = places_of(rows.paths, base.paths)
    there = {path: place for place, path in enumerate(base.paths)} if pending.paths else {}
    both = np.flatnonzero(where >= 0)
    differ = np.zeros(len(rows), bool)
    differ[both] = ~same_content(rows.data[both], base.data[where[both]])
    if rows.links:
        for place in both.tolist():
            path = rows.paths[place]
            differ[place] |= rows.links.get(path) != base.links.get(path)
    added = [rows.paths[place] for place in np.flatnonzero(where < 0).tolist()]
    modified = [rows.paths[place] for place in np.flatnonzero(differ).tolist()]
    for path, file, facts in zip(pending.paths, pending.files, pending.facts, strict=True):
        number = there.get(path)
        if number is None:
            added.append(path)
        elif not _same_file(base, number, file, facts):
            modified.append(path)
    removed: list[str] = []
    if len(both) < len(base):
        here = {*rows.paths, *pending.paths}
        removed = [path for path in base.paths if path not in here]
    return Difference(sorted(added), sorted(modified), removed)


def _same_file(base: Rows, place: int, file: str, facts: Any) -> bool:
    row = base.data[place]
    if row["kind"] == LINK or int(row["size"]) != int(facts["size"]) or not row["sha256"].any():
        return False
    return sha256_of(file) == digest_bytes(row["sha256"]).hex()
