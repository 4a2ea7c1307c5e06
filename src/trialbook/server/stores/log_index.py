"""Which trigrams a console block holds, so that a search unpacks only blocks that may have the text.

A block's index is a bit set of 32 768 bits, beside the compressed block: two bits for each trigram of its case-folded
text. It is the same on every database, goes with its block when that is merged or deleted, and takes some 2 KiB for
64 KiB of text, where a full-text index of the lines would take more than the compressed lines themselves. A text that
is in the block is never missed; a block without it is unpacked for nothing one time in twenty when the text has three
letters, and hardly ever when it has more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialbook.server.core.numeric import Ints, np
from trialbook.server.stores.codec import compress, decompress

_BITS = 32_768
# What a search that ignores case takes for the letter, and str.lower does not.
_ALIKE = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}


def fold(text: str) -> bytes:
    """The text as it is indexed, and looked for: whatever case it has."""
    if not text.isascii():
        text = text.translate(_ALIKE)
    return text.lower().encode("utf-8", "replace")


def index(texts: Sequence[str]) -> bytes:
    """The index of a block of texts."""
    bits = np.zeros(_BITS, np.bool_)
    folded = np.frombuffer(fold("\n".join(texts)), np.uint8)
    if len(folded) > 2:
        bits[_places(folded)] = True
    return compress(np.packbits(bits, bitorder="little").tobytes())


def needed(text: str) -> list[int]:
    """The bits that the index of every block with this text has. Empty when the text is too short to say.

    Only trigrams of ASCII count: what else a search that ignores case takes for equal has other bytes.
    """
    wanted: set[int] = set()
    folded = fold(text)
    for at in range(len(folded) - 2):
        part = folded[at : at + 3]
        if part.isascii():
            wanted.update(_places(np.frombuffer(part, np.uint8)).tolist())
    return sorted(wanted)


def may_hold(packed: bytes | None, wanted: Sequence[int]) -> bool:
    """False when the block has not the text that needs these bits; a block without an index may have anything."""
    if packed is None or not wanted:
        return True
    bits = decompress(packed)
    return all(bits[place >> 3] >> (place & 7) & 1 for place in wanted)


def _places(folded: Any) -> Ints:
    wide = folded.astype(np.uint64)
    trigram = wide[:-2] << np.uint64(16) | wide[1:-1] << np.uint64(8) | wide[2:]
    mixed = trigram * np.uint64(0x9E3779B97F4A7C15)
    high, low = mixed >> np.uint64(49), mixed >> np.uint64(34) & np.uint64(_BITS - 1)
    places: Ints = np.concatenate((high, low)).astype(np.int64)
    return places
