"""zstd of what the series store keeps."""

try:
    from compression import zstd
except ImportError:
    from backports import zstd

from typing import Any

_LEVEL = 1


def compress(data: Any) -> bytes:
    """zstd level 1: on points a higher level gains little and costs much."""
    packed: bytes = zstd.compress(data, _LEVEL)
    return packed


def decompress(data: bytes) -> bytes:
    """The bytes that ``compress`` was given."""
    unpacked: bytes = zstd.decompress(data)
    return unpacked
