"""Telling untouched files from changed ones, reading only those for which size and memory do not settle it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from blake3 import blake3

from trialbook.datasets.manifest.rows import FILE, Array, Rows, digest_bytes, known
from trialbook.datasets.sources.digest import read_whole, stream

_SMALL = 512 << 10


def unchanged(
    files: list[str], facts: Array, base: Rows, here: Array, remembered: Array, workers: int | None = None
) -> Array:
    """Which files have the bytes that the dataset has at their path.

    Args:
        files: on this machine.
        facts: ``FACTS`` of each.
        base: rows to compare with.
        here: the row of each file's path, −1 when there is none.
        remembered: BLAKE3 from the stat cache, zeros where unknown.
        workers: threads that read files of more than 512 KB; None is a few.

    Returns:
        A mask.

    Raises:
        SourceChanged: a file that had to be read is gone or keeps changing.
    """
    same = np.zeros(len(files), bool)
    if not len(base):
        return same
    rows = base.data[np.where(here < 0, 0, here)]
    likely = (here >= 0) & (rows["kind"] == FILE) & (rows["size"] == facts["size"])
    settled = likely & known(remembered) & known(rows["b3"])
    same[settled] = (remembered[settled] == rows["b3"][settled]).all(axis=1)
    unsure = np.flatnonzero(likely & ~settled)
    small = [place for place in unsure.tolist() if facts["size"][place] < _SMALL]
    large = [place for place in unsure.tolist() if facts["size"][place] >= _SMALL]

    def equal(place: int) -> bool:
        row = rows[place]
        by_b3 = bool(row["b3"].any())
        digests, _ = stream(files[place], int(facts["size"][place]), not by_b3)
        return digest_bytes(row["b3"] if by_b3 else row["sha256"]) == (
            digests.b3 if by_b3 else digests.sha256
        )

    by_b3 = known(rows["b3"])
    for place in small:
        data, _ = read_whole(files[place])
        if by_b3[place]:
            same[place] = blake3(data).digest() == rows["b3"][place].tobytes()
        else:
            same[place] = hashlib.sha256(data).digest() == rows["sha256"][place].tobytes()
    if large:
        with ThreadPoolExecutor(workers, "dataset-compare") as pool:
            for place, found in zip(large, pool.map(equal, large), strict=True):
                same[place] = found
    return same
