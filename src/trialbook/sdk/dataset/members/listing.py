"""What a version holds, and how it differs from others."""

from collections.abc import Mapping
from pathlib import PurePath

from trialbook.datasets.manifest.diff import Difference
from trialbook.datasets.manifest.rows import LINK
from trialbook.datasets.patterns import matcher
from trialbook.sdk.dataset.entries import FileEntry, LinkEntry
from trialbook.sdk.dataset.members.base import DatasetBase
from trialbook.sdk.dataset.versions.loading import load


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
        return self._opened.entries[0]

    @property
    def link_entries_dict(self) -> Mapping[str, LinkEntry]:
        """Links by path; do not change it.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_external_files("images/labels.csv")
            >>> list(version.link_entries_dict)
            ['labels.csv']
        """
        return self._opened.entries[1]

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
        rows, pending = self._opened.content()
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
        return self._opened.difference(None if dataset_id is None else load(dataset_id).rows())

    def get_dependency_graph(self) -> dict[str, list[str]]:
        """Where the version comes from.

        Returns:
            Direct parents of this version and of each of its ancestors, by id; the dict is the caller's own.

        Example:
            >>> child = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> child.get_dependency_graph() == {child.id: [data.id], data.id: []}
            True
        """
        return {version: list(parents) for version, parents in self._opened.graph().items()}

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
        if self._opened.finished():
            keys = {ref.key for ref in self._opened.version.root.packs}
        else:
            rows, _ = self._opened.content()
            keys = {
                rows.packs[number] for number in set(rows.data["pack"][rows.data["kind"] != LINK].tolist())
            }
        if include_parents:
            return len(keys | {ref.key for root in self._opened.parent_roots() for ref in root.packs})
        return len(keys - {ref.key for root in self._opened.parent_roots() for ref in root.packs})

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
        standing = self._opened.standing()
        return standing is not None and bool(standing.pending.paths)
