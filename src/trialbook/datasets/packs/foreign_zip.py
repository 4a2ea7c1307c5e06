"""Members of zip files that others wrote: where their bytes lie, found without reading the rest."""

import io
import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from trialbook.blobs.store import BlobStore
from trialbook.datasets.manifest.rows import DEFLATE, STORED, ZSTD
from trialbook.errors import DatasetDamaged

_READ = 256 << 10
_HEADER = 30


@dataclass(frozen=True)
class Member:
    """One member; ``offset`` is where its stored bytes begin."""

    offset: int
    stored: int
    size: int
    crc: int
    method: int


def members(blobs: BlobStore, key: str) -> tuple[int, dict[str, Member]]:
    """The length of a zip file and its members by name.

    Raises:
        FileMissing: there is no such file.
        DatasetDamaged: it is not a zip, or is packed in a way that is not read here.
    """
    length = blobs.head(key).size
    source = _Spans(blobs, key, length)
    try:
        with zipfile.ZipFile(source) as packed:
            entries = sorted(packed.infolist(), key=lambda entry: entry.header_offset)
            end = packed.start_dir
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DatasetDamaged(f"{key} is not a zip file: {error}") from error
    starts = [entry.header_offset for entry in entries]
    found = {}
    for entry in entries:
        if entry.is_dir():
            continue
        if entry.compress_type not in (STORED, DEFLATE, ZSTD) or entry.flag_bits & 1:
            raise DatasetDamaged(
                f"{entry.filename!r} in {key} is encrypted or packed in a way that is not read here"
            )
        place = bisect_right(starts, entry.header_offset)
        following = starts[place] if place < len(starts) else end
        found[entry.filename] = Member(
            _data_offset(source, entry, following),
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            entry.compress_type,
        )
    return length, found


def _data_offset(source: "_Spans", entry: zipfile.ZipInfo, following: int) -> int:
    expected = (
        entry.header_offset + _HEADER + len(entry.orig_filename.encode(_encoding(entry))) + len(entry.extra)
    )
    if expected + entry.compress_size == following:
        return expected
    # The local header may have other extra fields than the directory.
    source.seek(entry.header_offset)
    head = source.read(_HEADER)
    if head[:4] != b"PK\3\4":
        raise DatasetDamaged(f"{entry.filename!r} has no header at byte {entry.header_offset}")
    name, extra = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    return entry.header_offset + _HEADER + name + extra


def _encoding(entry: zipfile.ZipInfo) -> str:
    return "utf-8" if entry.flag_bits & 0x800 else "cp437"


class _Spans(io.RawIOBase):
    """A blob as a file that can be read at any place; reads come in blocks that are kept."""

    def __init__(self, blobs: BlobStore, key: str, length: int) -> None:
        super().__init__()
        self._blobs, self._key, self._length = blobs, key, length
        self._place = 0
        self._start, self._kept = 0, b""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        size = self._length - self._place if size < 0 else min(size, self._length - self._place)
        if size <= 0:
            return b""
        if not self._start <= self._place <= self._place + size <= self._start + len(self._kept):
            # Around the wanted bytes, for a directory is read from its end to its beginning and then onwards.
            start = max(0, min(self._place, self._length - _READ))
            end = min(self._length, max(self._place + size, start + _READ))
            self._start, self._kept = start, b"".join(self._parts(start, end))
        first = self._place - self._start
        data = self._kept[first : first + size]
        self._place += len(data)
        return data

    def _parts(self, start: int, end: int) -> Iterator[bytes]:
        return self._blobs.read(self._key, start, end)
