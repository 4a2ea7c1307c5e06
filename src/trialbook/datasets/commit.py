"""Making a version exist: ranges, root, a last look at the packs, then the pointer. The order is the promise."""

from collections.abc import Mapping, Sequence

from trialbook.datasets.lineage import graph_of
from trialbook.datasets.manifest import RangeRef, Root, encode_ranges, encode_root, pack_refs
from trialbook.datasets.objects import Objects, draft_key, pack_key, pointer_key, root_key
from trialbook.datasets.rows import LINK, Rows
from trialbook.errors import DatasetInUse, DatasetMissing


def publish(
    objects: Objects, rows: Rows, version: str, parents: Sequence[Root],
    parent_ids: Sequence[tuple[str, str]], own: Mapping[str, tuple[int, int]], created: float,
    lineage: Sequence[Root] | None = None,
) -> Root:  # fmt: skip
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

    Returns:
        The root.

    Raises:
        DatasetInUse: the version exists.
        DatasetMissing: a pack of this draft is gone from the storage.
    """
    sizes = {ref.key: (ref.bytes, ref.members) for root in parents for ref in root.packs} | dict(own)
    packs = pack_refs(rows, sizes.__getitem__)
    inherited = {ref.key.rpartition("/")[2]: ref.key for root in parents for ref in root.ranges}
    ranges = []
    for part in encode_ranges(rows):
        key = inherited.get(part.id)
        if key is None:
            key = f"{version}/{part.id}"
            objects.blobs.put(f"ranges/{key}", [part.data])
        ranges.append(RangeRef(key, part.first, part.last, part.rows, len(part.data)))
    links = int((rows.data["kind"] == LINK).sum())
    known_sizes = rows.data["size"][rows.data["size"] > 0]
    root = Root(
        version, created, len(rows) - links, links, int(known_sizes.sum()), tuple(parent_ids),
        graph_of(version, parents if lineage is None else lineage), tuple(ranges), packs,
    )  # fmt: skip
    root_id, data = encode_root(root)
    objects.blobs.put(root_key(version, root_id), [data])
    for ref in packs:
        if ref.key in own and objects.length(pack_key(ref.key)) != ref.bytes:
            raise DatasetMissing(f"pack {ref.key} is gone from the storage: add its files again")
    if objects.length(pointer_key(version)) is not None and objects.pointer(version) != root_id:
        raise DatasetInUse(f"version {version} exists already")
    objects.put_json(pointer_key(version), {"root": root_id})
    objects.drop(draft_key(version))
    return root
