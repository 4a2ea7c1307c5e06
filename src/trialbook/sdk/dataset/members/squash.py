"""Several versions as one: ``squash``. Stored bytes are named anew, not moved."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trialbook.datasets.manifest.rows import LINK, ZSTD, Array, Rows, known, merged
from trialbook.datasets.packs.reader import PackReader
from trialbook.datasets.sources.sniff import Policy
from trialbook.errors import UsageError
from trialbook.sdk.dataset.members.base import opened_of, version_of
from trialbook.sdk.dataset.members.copies import CopiesMixin
from trialbook.sdk.dataset.members.creation import MakingMixin
from trialbook.sdk.dataset.members.lifecycle import ClosingMixin
from trialbook.sdk.dataset.versions.loading import load
from trialbook.sdk.dataset.versions.making import make
from trialbook.sdk.dataset.versions.opened import Opened

if TYPE_CHECKING:
    from typing_extensions import Self

_OURS = 64
"""Characters of a pack id of ours."""


class SquashMixin(MakingMixin, ClosingMixin, CopiesMixin):
    """The member that joins versions."""

    @classmethod
    def squash(
        cls,
        dataset_name: str,
        dataset_ids: "Sequence[str | Self] | None" = None,
        dataset_project_name_pairs: Sequence[tuple[str, str]] | None = None,
        output_url: str | Path | None = None,
    ) -> "Self":
        """One version with the content of several.

        A single version becomes one without parents that holds everything. Of several, each one's own changes are
        applied from the first to the last; the parents that all of them share stay the parents of the result.

        Args:
            dataset_name: of the new dataset, in the project of the first.
            dataset_ids: versions or their ids, in order.
            dataset_project_name_pairs: project and name of datasets, whose highest versions are taken, in order.
            output_url: destination of the new version; None is the files server.

        Returns:
            The new version, finalized.

        Raises:
            UsageError: neither or both of ids and pairs, or a version that is not final.

        Example:
            >>> child = Dataset.create("digits", "Vision", parent_datasets=[data])
            >>> _ = child.remove_files("labels.csv"), child.finalize()
            >>> Dataset.squash("digits in one", dataset_ids=[data, child]).list_files()
            ['train/a.jpg', 'train/b.jpg']
        """
        if bool(dataset_ids) == bool(dataset_project_name_pairs):
            raise UsageError("squash takes dataset_ids or dataset_project_name_pairs, exactly one of them")
        sources = [version_of(one) for one in dataset_ids or ()]
        sources += [
            opened_of(cls.get(dataset_project=project, dataset_name=name))
            for project, name in dataset_project_name_pairs or ()
        ]
        for source in sources:
            source.require_closed()
        common = _common_parents(sources) if len(sources) > 1 else []
        made = make(
            {
                "name": dataset_name,
                "project": sources[0].project,
                "parents": common,
                "pins": [source.id for source in sources],
                "output_dest": str(output_url) if output_url else None,
            },
            [load(parent) for parent in common],
            sources[0].policy,
        )
        made.adopt_parents(sources)
        made.begin_again()
        result = cls._over(made)
        draft = made.draft("squash")
        sizes = {ref.key: (ref.bytes, ref.members) for source in sources for ref in source.version.root.packs}
        if len(sources) == 1:
            draft.adopt(sources[0].rows(), sizes)
        for source in sources if len(sources) > 1 else ():
            draft.remove_paths(source.difference().removed)
            draft.adopt(_own(source), sizes)
        result.finalize()
        return result

    @classmethod
    def export_clearml(cls, dataset_id: str, dataset_name: str | None = None) -> "Self":
        """A version that the clearml SDK reads, with the content of one that it does not.

        Args:
            dataset_id: of a finished version.
            dataset_name: of the new dataset; None is the same one, as its next version.

        Returns:
            The new version, without parents and finalized. Files that are stored in ClearML's way already are
            named, not copied.

        Raises:
            UsageError: there is no such version, or it is open.

        Example:
            >>> native = Dataset.create("digits", "Vision", native=True)
            >>> _ = native.add_files("images"), native.finalize(auto_upload=True)
            >>> Dataset.export_clearml(native.id).list_files() == native.list_files()
            True
        """
        source = load(dataset_id)
        source.require_closed()
        made = make(
            {"name": dataset_name or source.name, "project": source.project, "pins": [source.id]},
            [],
            Policy(aliases=False),
        )
        made.adopt_parents([source])
        made.begin_again()
        result = cls._over(made)
        draft = made.draft("export")
        rows = source.rows()
        readable = _readable(source, rows)
        sizes = {ref.key: (ref.bytes, ref.members) for ref in source.version.root.packs}
        draft.adopt(rows.take(readable), sizes)
        others = rows.take(~readable)
        if len(others):
            folder = cls._over(source).get_local_copy(files=others.paths)
            for path in others.paths:
                place = path.rpartition("/")[0]
                draft.add_file(Path(folder) / path, place)
            result.upload(show_progress=False, preview=False)
        result.finalize()
        return result


def _readable(source: Opened, rows: Rows) -> Array:
    """Which rows the clearml SDK could read where they are: with SHA-256, in a zip that it unpacks, by their path."""
    files = rows.data["kind"] != LINK
    usable = known(rows.data["sha256"]) & (rows.data["method"] != ZSTD)
    for number, key in enumerate(rows.packs):
        mine = np.flatnonzero(files & (rows.data["pack"] == number))
        if len(key.rpartition("/")[2]) != _OURS:
            continue
        names = set(PackReader(source.home.objects().blobs, key).index().paths)
        usable[mine] &= np.array([rows.paths[place] in names for place in mine.tolist()], bool)
    result: Array = usable | ~files
    return result


def _common_parents(sources: Sequence[Opened]) -> list[str]:
    parents = [[parent for parent, _ in source.version.root.parents] for source in sources]
    return [one for one in parents[0] if all(one in others for others in parents[1:])]


def _own(source: Opened) -> Rows:
    """What a version itself brought or changed."""
    rows = source.rows()
    mine = np.array([origin == source.id for origin in rows.origins], bool)
    return rows.take(mine[rows.data["origin"]]) if len(rows) else merged([])
