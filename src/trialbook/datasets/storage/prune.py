"""Deleting versions and what nobody references: a mark that can be undone, then a sweep that looks again."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from trialbook.base.ids import new_id
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.storage.folder import LocalBlobs, clear_spool
from trialbook.datasets.storage.objects import Objects, draft_key, pack_key, pointer_key, root_key
from trialbook.errors import DatasetInUse, DatasetMissing, FileMissing

GRACE = 24 * 3600.0
"""Seconds between a mark and its sweep: the time in which a deletion can be undone."""
_KINDS = ("packs", "ranges", "roots")


class Kept(msgspec.Struct, frozen=True):
    """A pack of a removed version that stays: who else uses it, and how many of its bytes nobody uses now."""

    key: str
    users: tuple[str, ...]
    dead_bytes: int


class Receipt(msgspec.Struct, frozen=True):
    """What a prune does.

    Attributes:
        id: names it for ``sweep`` and ``undo``.
        marked: when, seconds since the epoch.
        removed: versions and their root ids.
        doomed: keys that the sweep deletes, if they are still unreferenced then.
        freed: bytes of those.
        kept: what stays of the removed versions, and for whom.
        drafts: open drafts that protect objects.
        sweeping: True once objects may be gone.
    """

    id: str
    marked: float
    removed: tuple[tuple[str, str], ...]
    doomed: tuple[str, ...]
    freed: int
    kept: tuple[Kept, ...]
    drafts: tuple[str, ...]
    sweeping: bool = False


@dataclass(frozen=True)
class _References:
    """Everything that is in use, and by whom (packs only)."""

    keys: set[str]
    packs: dict[str, list[str]]
    drafts: tuple[str, ...]

    def covers(self, key: str) -> bool:
        return key in self.keys or key.split("/")[1] in self.drafts


def mark(objects: Objects, remove: Iterable[str], now: float, force: bool = False) -> Receipt:
    """Take versions away and write down what that frees; nothing else is deleted yet.

    Args:
        objects: the repository's.
        remove: versions; none at all looks for what crashed writers left.
        now: seconds since the epoch.
        force: remove versions that others name as a parent, too.

    Returns:
        The receipt, which is in the storage.

    Raises:
        DatasetMissing: a version is not there.
        DatasetInUse: a version or a draft descends from one of them.
    """
    gone = dict.fromkeys(remove)
    roots = {version: objects.pointer(version) for version in gone}
    sizes = {info.key: info.size for kind in _KINDS for info in objects.blobs.list(kind)}
    drafts, pointers = _open_drafts(objects)
    staying = {version: objects.root(version) for version in pointers if version not in gone}
    if not force:
        _refuse_parents(gone, staying.values(), drafts)
    references = _references(objects, drafts, staying)
    doomed = sorted(key for key in sizes if not references.covers(key))
    receipt = Receipt(
        new_id(), now, tuple(roots.items()), tuple(doomed), sum(sizes[key] for key in doomed),
        tuple(_kept(objects, roots, staying, references)), references.drafts,
    )  # fmt: skip
    _save(objects, receipt)
    for version in gone:
        objects.drop(pointer_key(version))
    return receipt


def _open_drafts(objects: Objects) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Open drafts and finished versions, listed in this order; what a killed writer left of a finished draft goes."""
    drafts, pointers = objects.drafts(), objects.versions()
    for version in drafts.keys() & set(pointers):
        objects.drop(draft_key(version))
        del drafts[version]
    return drafts, pointers


def _refuse_parents(
    gone: dict[str, None], staying: Iterable[Root], drafts: dict[str, dict[str, object]]
) -> None:
    for root in staying:
        for parent, _ in root.parents:
            if parent in gone:
                raise DatasetInUse(
                    f"version {parent} is a parent of {root.version}: delete that first, or force"
                )
    for draft, head in drafts.items():
        for parent, _ in _parents(head):
            if parent in gone:
                raise DatasetInUse(f"the open draft {draft} descends from version {parent}")


def _parents(head: dict[str, object]) -> list[tuple[str, str]]:
    return msgspec.convert(head.get("parents", []), list[tuple[str, str]])


def _references(
    objects: Objects, drafts: dict[str, dict[str, object]], roots: dict[str, Root]
) -> _References:
    keys: set[str] = set()
    packs: dict[str, list[str]] = {}
    for root in roots.values():
        keys.add(root_key(root.version, objects.pointer(root.version)))
        _add(root, keys, packs, root.version)
    for draft, head in drafts.items():
        for parent, root_id in _parents(head):
            keys.add(root_key(parent, root_id))
            _add(objects.root(parent, root_id), keys, packs, draft)
    return _References(keys, packs, tuple(drafts))


def _add(root: Root, keys: set[str], packs: dict[str, list[str]], user: str) -> None:
    keys.update(f"ranges/{ref.key}" for ref in root.ranges)
    for ref in root.packs:
        keys.add(pack_key(ref.key))
        packs.setdefault(pack_key(ref.key), []).append(user)


def _kept(
    objects: Objects, removed: dict[str, str], staying: dict[str, Root], references: _References
) -> Iterable[Kept]:
    seen: set[str] = set()
    live: dict[str, int] = {}
    for root in staying.values():
        for ref in root.packs:
            live[ref.key] = max(live.get(ref.key, 0), ref.live)
    for version, root_id in removed.items():
        for ref in objects.root(version, root_id).packs:
            users = references.packs.get(pack_key(ref.key))
            if users and ref.key not in seen:
                seen.add(ref.key)
                yield Kept(ref.key, tuple(sorted(users)), max(0, ref.live - live.get(ref.key, 0)))


def receipts(objects: Objects) -> list[Receipt]:
    """Every prune that is not swept, the oldest first."""
    names = [info.key.rpartition("/")[2].removesuffix(".json") for info in objects.blobs.list("receipts")]
    return sorted((_load(objects, name) for name in names), key=lambda receipt: receipt.marked)


def sweep(objects: Objects, receipt_id: str, now: float, grace: float = GRACE) -> int:
    """Delete what a receipt names, except what is referenced by now; a sweep that was cut is run again.

    Args:
        objects: the repository's.
        receipt_id: of ``mark``.
        now: seconds since the epoch.
        grace: seconds that must have passed since the mark.

    Returns:
        Number of objects that were deleted.

    Raises:
        DatasetMissing: there is no such receipt, or it is swept.
        DatasetInUse: it is too early.
    """
    receipt = _load(objects, receipt_id)
    if now < receipt.marked + grace:
        raise DatasetInUse(f"receipt {receipt_id} can be swept in {receipt.marked + grace - now:.0f} s")
    _save(objects, msgspec.structs.replace(receipt, sweeping=True))
    if isinstance(objects.blobs, LocalBlobs):
        clear_spool(objects.blobs.spool(), now - grace)
    drafts, pointers = _open_drafts(objects)
    staying = {version: objects.root(version) for version in pointers}
    references = _references(objects, drafts, staying)
    doomed = [key for key in receipt.doomed if not references.covers(key)]
    deleted = 0
    for kind in _KINDS:
        for key in doomed:
            if key.startswith(f"{kind}/") and objects.length(key) is not None:
                objects.drop(key)
                deleted += 1
    objects.drop(_receipt_key(receipt_id))
    return deleted


def undo(objects: Objects, receipt_id: str) -> None:
    """Bring the versions of a receipt back.

    Raises:
        DatasetMissing: there is no such receipt.
        DatasetInUse: its sweep has begun.
    """
    receipt = _load(objects, receipt_id)
    if receipt.sweeping:
        raise DatasetInUse(f"receipt {receipt_id} is being swept: its versions are gone")
    for version, root_id in receipt.removed:
        objects.put_json(pointer_key(version), {"root": root_id})
    objects.drop(_receipt_key(receipt_id))


def abandon_draft(objects: Objects, version: str) -> None:
    """Stop protecting what a draft that nobody will finish has stored."""
    objects.drop(draft_key(version))


def _load(objects: Objects, receipt_id: str) -> Receipt:
    try:
        return msgspec.json.decode(objects.whole(_receipt_key(receipt_id)), type=Receipt)
    except FileMissing:
        raise DatasetMissing(f"there is no receipt {receipt_id}") from None


def _save(objects: Objects, receipt: Receipt) -> None:
    objects.put_json(_receipt_key(receipt.id), receipt)


def _receipt_key(receipt_id: str) -> str:
    return f"receipts/{receipt_id}.json"
