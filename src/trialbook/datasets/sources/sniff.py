"""Choosing how a file is stored: a sample tells whether compressing it is worth the time."""

import threading
import zlib
from dataclasses import dataclass

from trialbook.datasets.methods import DEFLATE, STORED, ZSTD

try:
    from compression import zstd
except ImportError:
    from backports import zstd

SAMPLE = 64 << 10
_SEVERAL = 8 << 20
_SMALLEST = 512
_SAMPLE_LEVEL = -3
_WORTH = 0.95
_LONGEST_ENDING = 8
_PACKED_ALREADY = frozenset((
    "jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "mp4", "mkv", "webm", "mov", "avi", "mp3", "ogg", "opus",
    "flac", "aac", "m4a", "zip", "gz", "tgz", "bz2", "xz", "zst", "lz4", "br", "7z", "rar", "parquet", "npz", "whl",
    "jar", "docx", "xlsx", "pptx",
))  # fmt: skip
_own = threading.local()


@dataclass(frozen=True)
class Policy:
    """How a draft stores files.

    Attributes:
        compression: "auto" samples each file, "none" stores all.
        native: True packs with zstd, which readers other than Trialbook may not know; False with deflate.
        sha256: record SHA-256 beside BLAKE3, as ClearML names content.
        aliases: equal bytes are stored once, whatever their path; False stores them again under each new path.
        pack_bytes: a pack is sealed at this many bytes.
        pack_members: or at this many members.
        durable: wait until the disk has each object.
        pieces: a large file that differs from the parents' at its path is stored as what is new in it (native only).
        workers: threads that read, hash and compress large files; None is one per processor, 8 at most.
    """

    compression: str = "auto"
    native: bool = False
    sha256: bool = True
    aliases: bool = True
    pack_bytes: int = 64 << 20
    pack_members: int = 65000
    durable: bool = True
    pieces: bool = True
    workers: int | None = None


def places(size: int) -> tuple[int, ...]:
    """Where samples of a file begin."""
    return (0,) if size <= _SEVERAL else (0, size // 2, size - SAMPLE)


def method(policy: Policy, path: str, size: int, sample: bytes | memoryview) -> int:
    """STORED, or what the policy compresses with when the sample shrinks.

    Args:
        policy: of the draft.
        path: its extension may settle it.
        size: bytes of the file.
        sample: bytes of it from ``places``; more than the first ``SAMPLE`` of a small file count for nothing.
    """
    if policy.compression == "none" or size < _SMALLEST:
        return STORED
    dot = path.rfind(".", -_LONGEST_ENDING)
    if dot >= 0 and path[dot + 1 :].lower() in _PACKED_ALREADY:
        return STORED
    data = sample if len(sample) <= 3 * SAMPLE else sample[:SAMPLE]
    if not hasattr(_own, "sampler"):
        _own.sampler = zstd.ZstdCompressor(_SAMPLE_LEVEL)
    if len(_own.sampler.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)) > _WORTH * len(data):
        return STORED
    return ZSTD if policy.native else DEFLATE


def pack(how: int, data: bytes | memoryview) -> bytes | None:
    """The compressed bytes; None when they are no fewer."""
    if how == DEFLATE:
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
    else:
        packed = zstd.compress(data, 3)
    return packed if len(packed) < len(data) else None
