"""zstd of what the series store keeps."""

try:
    from compression import zstd
except ImportError:
    from backports import zstd

from typing import Any

from trialbook.errors import StorageDamaged

DAMAGED = (
    "what this call asks for is damaged in the server's database. Its administrator finds in docs/howto/recovery.md how"
    " to restore it"
)
_OPTIONS = {
    # On points a higher level gains little and costs much.
    zstd.CompressionParameter.compression_level: 1,
    # The database would hand out a page that its disk changed, and of some changes zstd makes other points.
    zstd.CompressionParameter.checksum_flag: 1,
}


def compress(data: Any) -> bytes:
    """zstd with a checksum."""
    packed: bytes = zstd.compress(data, options=_OPTIONS)
    return packed


def decompress(data: bytes | memoryview) -> bytes:
    """The bytes that ``compress`` was given.

    Raises:
        StorageDamaged: the disk gave others back than were stored.
    """
    # Not zstd.decompress: that one copies everything once more, to join frames of which there is only one
    # here.
    machine = zstd.ZstdDecompressor()
    try:
        unpacked: bytes = machine.decompress(data)
    except zstd.ZstdError:
        raise StorageDamaged(DAMAGED) from None
    if not machine.eof:
        raise StorageDamaged(DAMAGED)
    return unpacked
