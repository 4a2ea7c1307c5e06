"""Tables: the container of rows. The format document has the layout; this file is its only coder."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trialbook.errors import DatasetDamaged

try:
    from compression import zstd
except ImportError:
    from backports import zstd

Array = npt.NDArray[Any]

MAGIC = b"TBT1"
_COUNT = struct.Struct("<4sI")
_COLUMN = struct.Struct("<16sBB6xQQQ")
_TEXT, _DIGEST = 1, 6
_TYPES: dict[int, np.dtype[Any]] = {
    2: np.dtype("<u1"),
    3: np.dtype("<u4"),
    4: np.dtype("<u8"),
    5: np.dtype("<i8"),
}
_RAW, _ZSTD = 0, 1
_MOST_COLUMNS = 256
_LONGEST = 1 << 33
"""Bytes that one unpacked column may have: a bound on what a forged descriptor can ask for."""


def encode_table(columns: Mapping[str, list[str] | Array]) -> bytes:
    """The bytes of a table.

    Args:
        columns: by name (at most 16 ASCII characters): a list of texts without NUL, or an array of u8, u32, u64,
            i64, or of shape (n, 4) u64 for digests.

    Returns:
        The container; equal columns give equal bytes with one version of zstd.
    """
    heads, bodies = [], []
    for name, values in columns.items():
        code, raw = _raw(values)
        coding, stored = _RAW, raw
        if code != _DIGEST and len(raw) > 64:
            packed = zstd.compress(raw, 1)
            if len(packed) < len(raw):
                coding, stored = _ZSTD, packed
        heads.append(_COLUMN.pack(name.encode("ascii"), code, coding, len(values), len(raw), len(stored)))
        bodies.append(stored)
    return b"".join([_COUNT.pack(MAGIC, len(heads)), *heads, *bodies])


def _raw(values: list[str] | Array) -> tuple[int, bytes]:
    if isinstance(values, list):
        return _TEXT, "\0".join(values).encode()
    if values.ndim == 2:
        return _DIGEST, np.ascontiguousarray(values, "<u8").tobytes()
    for code, kind in _TYPES.items():
        if values.dtype == kind:
            return code, np.ascontiguousarray(values).tobytes()
    raise TypeError(f"a table holds no {values.dtype}")


class Table:
    """A table that was read; a column is unpacked when it is asked for.

    Args:
        data: the whole container.
        name: what to call it in errors.

    Raises:
        DatasetDamaged: the frame is not that of a table.
    """

    def __init__(self, data: bytes | memoryview, name: str = "table") -> None:
        self._data = memoryview(data)
        self._name = name
        self._columns: dict[str, tuple[int, int, int, int, int, int]] = {}
        if len(self._data) < _COUNT.size:
            raise self._damaged("is too short")
        magic, count = _COUNT.unpack_from(self._data)
        if magic != MAGIC or count > _MOST_COLUMNS:
            raise self._damaged("does not begin like a table")
        place = _COUNT.size + count * _COLUMN.size
        if place > len(self._data):
            raise self._damaged("is cut")
        for number in range(count):
            packed, code, coding, values, raw, stored = _COLUMN.unpack_from(
                self._data, _COUNT.size + number * _COLUMN.size
            )
            self._columns[packed.rstrip(b"\0").decode("ascii", "replace")] = (
                code, coding, values, raw, place, place + stored,
            )  # fmt: skip
            place += stored
        if place != len(self._data):
            raise self._damaged("has another length than its columns")

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def count(self, name: str) -> int:
        """Number of values of a column; 0 when there is no such column."""
        return self._columns[name][2] if name in self._columns else 0

    def text(self, name: str) -> list[str]:
        """A column of texts.

        Raises:
            DatasetDamaged: no such column, another type, or not what its descriptor says.
        """
        code, values, raw = self._unpacked(name)
        if code != _TEXT:
            raise self._damaged(f"has no strings in {name}")
        if not values:
            return []
        try:
            texts = raw.decode().split("\0")
        except UnicodeDecodeError:
            raise self._damaged(f"has invalid UTF-8 in {name}") from None
        if len(texts) != values:
            raise self._damaged(f"has {len(texts)} values instead of {values} in {name}")
        return texts

    def raw_text(self, name: str) -> bytes:
        """The joined bytes of a column of texts: equal bytes, equal texts.

        Raises:
            DatasetDamaged: see ``text``.
        """
        code, values, raw = self._unpacked(name)
        if code != _TEXT or (values and raw.count(0) != values - 1):
            raise self._damaged(f"has another number of texts than it says in {name}")
        return raw

    def array(self, name: str) -> Array:
        """A column of numbers, or of digests with the shape (n, 4).

        Raises:
            DatasetDamaged: see ``text``.
        """
        code, values, raw = self._unpacked(name)
        if code == _DIGEST:
            width, kind = 32, _TYPES[4]
        elif code in _TYPES:
            kind = _TYPES[code]
            width = kind.itemsize
        else:
            raise self._damaged(f"has no numbers in {name}")
        if len(raw) != values * width:
            raise self._damaged(f"has {len(raw)} bytes for {values} values in {name}")
        found = np.frombuffer(raw, kind)
        return found.reshape(-1, 4) if code == _DIGEST else found

    def _unpacked(self, name: str) -> tuple[int, int, bytes]:
        if name not in self._columns:
            raise self._damaged(f"has no column {name}")
        code, coding, values, length, start, end = self._columns[name]
        stored = self._data[start:end]
        if length > _LONGEST or coding not in (_RAW, _ZSTD):
            raise self._damaged(f"has an impossible column {name}")
        raw = bytes(stored) if coding == _RAW else self._inflated(name, stored, length)
        if len(raw) != length:
            raise self._damaged(f"has another length than it says in {name}")
        return code, values, raw

    def _inflated(self, name: str, stored: memoryview, length: int) -> bytes:
        reader = zstd.ZstdDecompressor()
        try:
            raw = bytes(reader.decompress(stored, max_length=length + 1))
        except zstd.ZstdError as error:
            raise self._damaged(f"cannot be unpacked in {name}: {error}") from None
        if not reader.eof or reader.unused_data:
            raise self._damaged(f"has another length than it says in {name}")
        return raw

    def _damaged(self, what: str) -> DatasetDamaged:
        return DatasetDamaged(f"{self._name} {what}")
