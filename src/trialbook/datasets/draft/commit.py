"""Making a version exist: ranges, root, a last look at the packs, then the pointer. The order is the promise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trialbook.datasets.manifest.lineage import graph_of
from trialbook.datasets.manifest.roots import (
    FORMAT,
    PIECED,
    PackRef,
    RangeRef,
    Root,
    encode_ranges,
    encode_root,
    pack_refs,
)
from trialbook.datasets.manifest.rows import LINK, PIECES, Rows
from trialbook.datasets.packs.reader import PackReader, wanted_of
from trialbook.datasets.storage.objects import Objects, draft_key, pack_key, pointer_key, remember, root_key
from trialbook.errors import DatasetInUse, DatasetMissing


@dataclass
class Written:
    """What one writer of a version has put already.

    Attributes:
        keys: of ranges.
        rows: those of the last manifest; the same rows are cut and encoded once.
        ranges: of that manifest.
    """

    keys: set[str] = field(default_factory=set)
    rows: Rows | None = None
    ranges: tuple[RangeRef, ...] = ()


def publish(
    objects: Objects, rows: Rows, version: str, parents: Sequence[Root],
    parent_ids: Sequence[tuple[str, str]], own: Mapping[str, tuple[int, int]], created: float,
    lineage: Sequence[Root] | None = None, graph: Mapping[str, Sequence[str]] | None = None,
    written: Written | None = None,
) -> tuple[Root, str]:  # fmt: skip
    """Write a version's manifest and, last, its pointer.

    Args:
        objects: the repository's.
        rows: the whole version.
        version: its id.
        parents: roots whose ranges and packs it may name.
        parent_ids: version and root id of each parent.
        own: bytes and members of the packs that this draft stored, by key.
        created: seconds since the epoch.
        lineage: the roots that it descends from; None: ``parents``. Squashing has other sources than parents.
        graph: its ancestors and itself with their parents, when they are known otherwise than by roots.
        written: what this writer has put; it gets what is put now.

    Returns:
        The root and its id.

    Raises:
        DatasetInUse: the version exists.
        DatasetMissing: a pack of this draft is gone from the storage.
    """
    root, root_id = write_manifest(
        objects, rows, version, parents, parent_ids, own, created, lineage, graph, written
    )
    for ref in root.packs:
        if ref.key in own and objects.length(pack_key(ref.key)) != ref.bytes:
            raise DatasetMissing(f"pack {ref.key} is gone from the storage: add its files again")
    if objects.length(pointer_key(version)) is not None and objects.pointer(version) != root_id:
        raise DatasetInUse(f"version {version} exists already")
    objects.put_json(pointer_key(version), {"root": root_id})
    objects.drop(draft_key(version))
    remember(root_id, root)
    return root, root_id


def write_manifest(
    objects: Objects, rows: Rows, version: str, parents: Sequence[Root],
    parent_ids: Sequence[tuple[str, str]], own: Mapping[str, tuple[int, int]], created: float,
    lineage: Sequence[Root] | None = None, graph: Mapping[str, Sequence[str]] | None = None,
    written: Written | None = None,
) -> tuple[Root, str]:  # fmt: skip
    """Ranges and root of a version, without a pointer: see ``publish``. The root and its id."""
    sizes = {ref.key: (ref.bytes, ref.members) for root in parents for ref in root.packs} | dict(own)
    recipes = _recipes(objects, rows, parents)

    def sizes_of(key: str) -> tuple[int, int]:
        if key not in sizes:
            sizes[key] = (objects.length(pack_key(key)) or 0, len(PackReader(objects.blobs, key).index()))
        return sizes[key]

    packs = _with_pieces(pack_refs(rows, sizes_of), recipes, sizes_of)
    ranges = _ranges(objects, rows, version, parents, written or Written())
    links = int((rows.data["kind"] == LINK).sum())
    known_sizes = rows.data["size"][rows.data["size"] > 0]
    known = graph_of(version, parents if lineage is None else lineage)
    if graph is not None:
        known = {name: tuple(above) for name, above in graph.items()}
    root = Root(
        version, created, len(rows) - links, links, int(known_sizes.sum()), tuple(parent_ids),
        known, ranges, packs, PIECED if recipes else FORMAT, recipes,
    )  # fmt: skip
    root_id, data = encode_root(root)
    objects.blobs.put(root_key(version, root_id), [data])
    return root, root_id


def _ranges(
    objects: Objects, rows: Rows, version: str, parents: Sequence[Root], written: Written
) -> tuple[RangeRef, ...]:
    if written.rows is rows:
        return written.ranges
    inherited = {ref.key.rpartition("/")[2]: ref.key for root in parents for ref in root.ranges}
    ranges = []
    for part in encode_ranges(rows):
        key = inherited.get(part.id)
        if key is None:
            key = f"{version}/{part.id}"
            if key not in written.keys:
                objects.blobs.put(f"ranges/{key}", [part.data])
                written.keys.add(key)
        ranges.append(RangeRef(key, part.first, part.last, part.rows, len(part.data)))
    written.rows, written.ranges = rows, tuple(ranges)
    return written.ranges


Recipes = dict[str, tuple[tuple[str, int], ...]]


def _recipes(objects: Objects, rows: Rows, parents: Sequence[Root]) -> Recipes:
    """What the recipes of a version use; only those that no parent has are read."""
    inherited = {name: uses for root in parents for name, uses in root.recipes.items()}
    found: Recipes = {}
    for place in np.flatnonzero(rows.data["method"] == PIECES).tolist():
        key = rows.pack_of(place)
        name = f"{key}@{int(rows.data['offset'][place])}"
        if name in inherited:
            found[name] = inherited[name]
        elif name not in found:
            (wanted,) = wanted_of(np.array([place]), rows.data)
            found[name] = PackReader(objects.blobs, key).recipe(wanted).uses(key)
    return found


def _with_pieces(
    refs: Sequence[PackRef], recipes: Recipes, sizes: Callable[[str], tuple[int, int]]
) -> tuple[PackRef, ...]:
    """The packs of a version with what its recipes use; the same piece of two files counts twice, up to the pack."""
    live = {ref.key: ref.live for ref in refs}
    for uses in recipes.values():
        for key, stored in uses:
            live[key] = live.get(key, 0) + stored
    return tuple(PackRef(key, *sizes(key), min(live[key], sizes(key)[0])) for key in sorted(live))
