"""The bytes in front of a member of a pack."""

import struct

_LOCAL = struct.Struct("<4s5HLLLHH")
_MAGIC = b"PK\x03\x04"
FULL = 0xFFFFFFFF
"""A number of 32 bits with this value stands elsewhere, in 64 bits."""
FLAGS, DATE = 0x0800, 0x0021
HEADER = _LOCAL.size


def header_bytes(name: bytes, size: int) -> int:
    """Length of a local header, known before the stored size is (which is never above ``size``)."""
    return HEADER + len(name) + (20 if size >= FULL else 0)


def local_header(name: bytes, method: int, crc: int, size: int, stored: int) -> bytes:
    """The header in front of a member's data."""
    if size < FULL:
        return _LOCAL.pack(_MAGIC, 20, FLAGS, method, 0, DATE, crc, stored, size, len(name), 0) + name
    extra = struct.pack("<HHQQ", 1, 16, size, stored)
    head = _LOCAL.pack(_MAGIC, 45, FLAGS, method, 0, DATE, crc, FULL, FULL, len(name), len(extra))
    return head + name + extra
