"""Checking every byte of a version, in the storage or in a folder."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.datasets.copies.plan import by_pack
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import FILE, Rows, digest_bytes
from trialbook.datasets.packs.header import header_bytes, local_header
from trialbook.datasets.packs.layout import TAIL_BYTES, Members, closing, find_index
from trialbook.datasets.packs.reader import PackReader, Wanted
from trialbook.datasets.sources.digest import stream
from trialbook.datasets.storage.objects import Objects, pack_key
from trialbook.errors import DatasetDamaged, DatasetMissing, SourceChanged

_OURS = 64
"""Characters of a pack id; the zips of other writers have other names, and only their members can be checked."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: the object's key or the file's path, and what."""

    name: str
    what: str


def verify_storage(objects: Objects, root: Root) -> list[Problem]:
    """Read all that a version needs from the storage.

    Returns:
        What is damaged or gone, with the paths that suffer; empty when all is well.
    """
    problems: list[Problem] = []
    try:
        rows = objects.rows(root, anew=True)
    except (DatasetMissing, DatasetDamaged) as error:
        return [Problem(root.version, str(error))]
    files = np.flatnonzero(rows.data["kind"] == FILE).tolist()
    shown = set(rows.packs)
    for ref in root.packs:
        # Packs that only recipes use.
        if ref.key not in shown and len(ref.key.rpartition("/")[2]) == _OURS:
            problems += _frame(objects, ref.key)
    for key, wanted in by_pack(rows, files):
        if len(key.rpartition("/")[2]) == _OURS:
            problems += _frame(objects, key)
        reader = PackReader(objects.blobs, key)
        found = ((rows.paths[item.place], _member(reader, item)) for item in wanted)
        problems += [Problem(path, what) for path, what in found if what]
    return problems


def _member(reader: PackReader, item: Wanted) -> str | None:
    try:
        for _, parts in reader.members([item]):
            for _ in parts:
                pass
    except (DatasetMissing, DatasetDamaged) as error:
        return str(error)
    return None


def _frame(objects: Objects, key: str) -> list[Problem]:
    """What is wrong with a pack besides its members' data."""
    try:
        members = PackReader(objects.blobs, key).index()
        return [Problem(key, what) for what in _headers(objects, key, members)]
    except (DatasetMissing, DatasetDamaged) as error:
        return [Problem(key, str(error))]


def _headers(objects: Objects, key: str, members: Members) -> Iterator[str]:
    blob = pack_key(key)
    columns = (members.crc, members.size, members.stored, members.offset, members.method)
    end = 0
    for path, crc, size, stored, offset, method in zip(
        members.paths, *(column.tolist() for column in columns), strict=True
    ):
        head = local_header(path.encode(), method, crc, size, stored)
        start = offset - header_bytes(path.encode(), size)
        if b"".join(objects.blobs.read(blob, start, offset)) != head:
            yield f"the zip header of {path!r} is damaged"
        end = max(end, offset + stored)
    rest = b"".join(objects.blobs.read(blob, end))
    start, stop = find_index(rest[-TAIL_BYTES:], end + len(rest), key)
    # The index block itself is known to be whole: its b3 is the pack's name. Encoding it anew could give other bytes
    # with another version of zstd.
    if start != end or rest[stop - end :] != closing(members, end, rest[: stop - end]):
        yield "its zip directory is damaged"


def verify_folder(rows: Rows, folder: Path, content: bool = True) -> list[Problem]:
    """Compare a copy with what it should be.

    Args:
        rows: of the version; links are left out.
        folder: the copy.
        content: False compares sizes only.

    Returns:
        What differs or is missing, by path; files that are too many are not looked for.
    """
    problems = []
    for place in np.flatnonzero(rows.data["kind"] == FILE).tolist():
        what = _file(rows, place, f"{folder}/{rows.paths[place]}", content)
        if what:
            problems.append(Problem(rows.paths[place], what))
    return problems


def _file(rows: Rows, place: int, file: str, content: bool) -> str | None:
    row = rows.data[place]
    try:
        facts = Path(file).lstat()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a regular file"
    if facts.st_size != int(row["size"]):
        return f"it has {facts.st_size} bytes instead of {int(row['size'])}"
    if not content:
        return None
    by_b3 = bool(row["b3"].any())
    try:
        digests, _ = stream(file, facts.st_size, not by_b3)
    except SourceChanged as error:
        return str(error)
    same = digests.b3 == digest_bytes(row["b3"]) if by_b3 else digests.sha256 == digest_bytes(row["sha256"])
    return None if same else "it has other bytes"
