"""Reading a batch of small files: read, hash, compress, each with its header in front, ready to be written.

A process of its own may do it (``readers``): so this file, and what it imports, does without numpy.
"""

import hashlib
import mmap
import os
import pickle
import signal
import struct
from array import array
from typing import NamedTuple

from blake3 import blake3

from trialbook.datasets.crc import crc32
from trialbook.datasets.methods import STORED
from trialbook.datasets.packs.header import HEADER, local_header
from trialbook.datasets.sources.facts import facts_of
from trialbook.datasets.sources.sniff import Policy, method, pack

SMALL = 512 << 10
"""Files from this many bytes on are large: they are read in parts, by threads."""
BATCH_FILES, BATCH_BYTES = 512, 4 << 20
"""A batch ends with this many files, or with the one that makes it this large."""
ROOM = BATCH_BYTES + SMALL + BATCH_FILES * (4096 + HEADER) + 1
"""Bytes that the members of a batch may take."""
SLOT = ROOM + (1 << 20)
"""A room, and behind it what was found out."""
UNREAD = 254
"""Instead of a method: the file was not what it was said to be, or could not be read."""
_TOGETHER = 256
_ZERO = bytes(32)
_FACTS = struct.Struct("<qqqQI")
_READING = os.O_RDONLY | os.O_CLOEXEC
ORDER = struct.Struct("<IQ")
"""To a process: number of a slot, and length of the pickled ``Ask`` at its start."""
ANSWER = struct.Struct("<Q")
"""From it: length of the pickled ``Found`` behind the slot's room; 0 once, when it is ready for the first order."""


class Ask(NamedTuple):
    """Files to read.

    Attributes:
        files: on this machine.
        paths: in the dataset.
        facts: one ``FACTS`` for each, as bytes.
        policy: how they are stored.
    """

    files: list[str]
    paths: list[str]
    facts: bytes
    policy: Policy


class Found(NamedTuple):
    """What was read, one value per file, as bytes of arrays.

    Attributes:
        b3, sha256: 32 bytes each; zeros when it is not wanted or the file is ``UNREAD``.
        numbers: five ``u64`` each: CRC-32, size, where its data begins in the room, stored bytes, method. Members lie
            behind each other without a gap, each behind its header.
    """

    b3: bytes
    sha256: bytes
    numbers: bytes


def read_batch(ask: Ask, room: memoryview) -> Found:
    """Read files and put them into a room as members of a pack.

    A file that has changed, or that cannot be read, is ``UNREAD``: it takes no room.
    """
    b3: list[bytes] = []
    sha256: list[bytes] = []
    numbers = array("Q")
    expected = list(_FACTS.iter_unpack(ask.facts))
    at = 0
    for start in range(0, len(expected), _TOGETHER):
        # Opened together, so that a cold disk reads ahead.
        handles = [_opened(name) for name in ask.files[start : start + _TOGETHER]]
        try:
            # A hundred thousands of these calls are felt: the loop goes through as few functions as it can.
            for place, handle in enumerate(handles, start):
                path, size = ask.paths[place], expected[place][0]
                name = path.encode()
                begin = at + HEADER + len(name)
                if not _read(handle, room, begin, expected[place]):
                    b3.append(_ZERO)
                    sha256.append(_ZERO)
                    numbers.extend((0, 0, at, 0, UNREAD))
                    continue
                data = room[begin : begin + size]
                b3.append(blake3(data).digest())
                sha256.append(hashlib.sha256(data).digest() if ask.policy.sha256 else _ZERO)
                crc, stored, how = crc32(data), size, method(ask.policy, path, size, data)
                if how != STORED:
                    packed = pack(how, data)
                    if packed is None:
                        how = STORED
                    else:
                        stored = len(packed)
                        room[begin : begin + stored] = packed
                room[at:begin] = local_header(name, how, crc, size, stored)
                numbers.extend((crc, size, begin, stored, how))
                at = begin + stored
        finally:
            for handle in handles:
                if handle >= 0:
                    os.close(handle)
    return Found(b"".join(b3), b"".join(sha256), numbers.tobytes())


def _opened(name: str) -> int:
    try:
        handle = os.open(name, _READING)
    except OSError:
        return -1
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
    return handle


def _read(handle: int, room: memoryview, begin: int, expected: tuple[int, ...]) -> bool:
    """Whether a file is in the room now, and was all the time what it was said to be."""
    size = expected[0]
    if handle < 0 or size >= SMALL:
        return False
    try:
        # One byte more would show that it has grown.
        return (
            os.readv(handle, (room[begin : begin + size + 1],)) == size
            and facts_of(os.fstat(handle)) == expected
        )
    except OSError:
        return False


def serve(memory: int) -> None:
    """Do what another process orders, until it ends.

    Args:
        memory: number of an open file of whole slots that both map.
    """
    # Ctrl-C is for the process that orders; this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    whole = memoryview(mmap.mmap(memory, 0))
    os.write(1, ANSWER.pack(0))
    while len(order := os.read(0, ORDER.size)) == ORDER.size:
        number, length = ORDER.unpack(order)
        slot = whole[number * SLOT : (number + 1) * SLOT]
        found = pickle.dumps(read_batch(Ask(*pickle.loads(slot[:length])), slot[:ROOM]))
        slot[ROOM : ROOM + len(found)] = found
        os.write(1, ANSWER.pack(len(found)))
