"""zstd of what the series store keeps."""

try:
    from compression import zstd
except ImportError:
    from backports import zstd

from typing import Any

from trialbook.errors import ServerFault

_LEVEL = 1


def compress(data: Any) -> bytes:
    """zstd level 1: on points a higher level gains little and costs much."""
    packed: bytes = zstd.compress(data, _LEVEL)
    return packed


def decompress(data: bytes | memoryview) -> bytes:
    """The bytes that ``compress`` was given."""
    # Not zstd.decompress: that one copies everything once more, to join frames of which there is only one
    # here.
    machine = zstd.ZstdDecompressor()
    unpacked: bytes = machine.decompress(data)
    if not machine.eof:
        raise ServerFault(
            "a stored block ends too early: the database file is damaged, restore it from a backup"
        )
    return unpacked
