"""The bytes of a pack behind its members: index block, directory, end. The format document has the layout."""

import struct
from dataclasses import dataclass

import numpy as np
from blake3 import blake3

from trialbook.datasets.manifest.rows import Array
from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.datasets.packs.header import DATE, FLAGS, FULL, HEADER, header_bytes
from trialbook.errors import DatasetDamaged

COMMENT_BYTES = 115
TAIL_BYTES = 22 + COMMENT_BYTES
_CENTRAL = struct.Struct("<4s6HLLL5HLL")
_END = struct.Struct("<4s4HLLH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_PREFIX = b"trialbook-pack 1 "


@dataclass(frozen=True)
class Members:
    """The index of a pack: one value per member in each column, in file order; ``sha256`` may have none."""

    paths: list[str]
    b3: Array
    sha256: Array
    crc: Array
    size: Array
    stored: Array
    offset: Array
    method: Array

    def __len__(self) -> int:
        return len(self.paths)


def ending(members: Members, place: int) -> tuple[str, bytes]:
    """Everything behind the last member.

    Args:
        members: of the pack.
        place: where the index block begins: the end of the last member.

    Returns:
        The pack id and the bytes.
    """
    index = encode_index(members)
    return blake3(index).hexdigest(), index + closing(members, place, index)


def closing(members: Members, place: int, index: bytes) -> bytes:
    """Everything behind the index block, which begins at ``place``: directory and end."""
    identity = blake3(index).hexdigest()
    directory = b"".join(_directory(members))
    start = place + len(index)
    comment = _PREFIX + f"{place:016x} {len(index):016x} {identity}".encode()
    count = len(members)
    tail = b""
    if start + len(directory) >= FULL or count >= 0xFFFF:
        tail = _END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), start)
        tail += _LOCATOR.pack(b"PK\x06\x07", 0, start + len(directory), 1)
    end = _END.pack(
        b"PK\x05\x06", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF),
        min(len(directory), FULL), min(start, FULL), len(comment),
    )  # fmt: skip
    return directory + tail + end + comment


def encode_index(members: Members) -> bytes:
    """The index block."""
    return encode_table(
        {
            "path": members.paths,
            "b3": members.b3,
            "sha256": members.sha256,
            "crc": members.crc.astype("<u4"),
            "size": members.size.astype("<u8"),
            "stored": members.stored.astype("<u8"),
            "offset": members.offset.astype("<u8"),
            "method": members.method.astype("u1"),
        }
    )


def find_index(tail: bytes, length: int, key: str) -> tuple[int, int]:
    """Where the index block lies.

    Args:
        tail: the last ``TAIL_BYTES`` of the pack.
        length: bytes of the whole pack.
        key: ``<owner>/<pack id>``.

    Returns:
        Start and end.

    Raises:
        DatasetDamaged: no pack ends like that, or it is another pack.
    """
    comment = tail[22:]
    if len(tail) != TAIL_BYTES or not tail.startswith(b"PK\x05\x06") or not comment.startswith(_PREFIX):
        raise DatasetDamaged(f"pack {key} does not end like a pack")
    try:
        start, size = int(comment[17:33], 16), int(comment[34:50], 16)
    except ValueError:
        raise DatasetDamaged(f"pack {key} does not end like a pack") from None
    if comment[51:] != key.rpartition("/")[2].encode() or start + size > length:
        raise DatasetDamaged(f"pack {key} holds another pack")
    return start, start + size


def decode_index(data: bytes, key: str) -> Members:
    """The members of a pack from its index block, checked against its name."""
    if blake3(data).hexdigest() != key.rpartition("/")[2]:
        raise DatasetDamaged(f"the index of pack {key} does not have the bytes that its name says")
    table = Table(data, f"the index of pack {key}")
    paths = table.text("path")
    columns = {name: table.array(name) for name in ("b3", "crc", "size", "stored", "offset", "method")}
    if any(len(column) != len(paths) for column in columns.values()):
        raise DatasetDamaged(f"the index of pack {key} has columns of different lengths")
    sha256 = table.array("sha256")
    if len(sha256) not in (0, len(paths)):
        raise DatasetDamaged(f"the index of pack {key} has columns of different lengths")
    return Members(paths, sha256=sha256, **columns)


_RECORD = np.dtype(
    [("magic", "<u4"), ("words", "<u2", (6,)), ("crc", "<u4"), ("stored", "<u4"), ("size", "<u4"),
     ("lengths", "<u2", (5,)), ("attributes", "<u4"), ("place", "<u4")]
)  # fmt: skip


def _directory(members: Members) -> list[bytes]:
    names = list(map(str.encode, members.paths))
    lengths = np.fromiter(map(len, names), np.int64, len(names))
    size, stored = members.size.astype(np.int64), members.stored.astype(np.int64)
    place = members.offset.astype(np.int64) - HEADER - lengths - np.where(size >= FULL, 20, 0)
    if len(names) and max(int(size.max()), int(stored.max()), int(place.max())) >= FULL:
        return _wide_directory(members, names)
    heads = np.zeros(len(names), _RECORD)
    heads["magic"] = 0x02014B50
    heads["words"] = (0x031E, 20, FLAGS, 0, 0, DATE)
    heads["words"][:, 3] = members.method
    heads["crc"], heads["stored"], heads["size"] = members.crc, stored, size
    heads["lengths"][:, 0] = lengths
    heads["attributes"], heads["place"] = 0o100644 << 16, place
    fixed, step = heads.tobytes(), _RECORD.itemsize
    return [fixed[step * number : step * number + step] + name for number, name in enumerate(names)]


def _wide_directory(members: Members, names: list[bytes]) -> list[bytes]:
    """The records of a pack that has numbers of more than 32 bits."""
    records = []
    columns = (members.crc, members.size, members.stored, members.offset, members.method)
    values = zip(names, *(column.tolist() for column in columns), strict=True)
    for name, crc, size, stored, offset, method in values:
        place = offset - header_bytes(name, size)
        wide = [value for value in (size, stored, place) if value >= FULL]
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        head = _CENTRAL.pack(
            b"PK\x01\x02", 0x031E, 45 if extra or size >= FULL else 20, FLAGS, method, 0, DATE, crc,
            min(stored, FULL), min(size, FULL), len(name), len(extra), 0, 0, 0, 0o100644 << 16, min(place, FULL),
        )  # fmt: skip
        records.append(head + name + extra)
    return records
