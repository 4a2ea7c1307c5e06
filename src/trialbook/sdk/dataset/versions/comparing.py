"""How what a version holds differs from what another does, while some of its files are not stored yet."""

from typing import Any

import numpy as np

from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.diff import Difference
from trialbook.datasets.manifest.rows import LINK, Rows, digest_bytes, places_of, same_content
from trialbook.sdk.dataset.entries import sha256_of


def compare(base: Rows, rows: Rows, pending: Sources) -> Difference:
    """What turns one content into another, whose last files may not be stored yet."""
    where = places_of(rows.paths, base.paths)
    there = {path: place for place, path in enumerate(base.paths)} if pending.paths else {}
    both = np.flatnonzero(where >= 0)
    differ = np.zeros(len(rows), bool)
    differ[both] = ~same_content(rows.data[both], base.data[where[both]])
    if rows.links:
        for place in both.tolist():
            path = rows.paths[place]
            differ[place] |= rows.links.get(path) != base.links.get(path)
    added = [rows.paths[place] for place in np.flatnonzero(where < 0).tolist()]
    modified = [rows.paths[place] for place in np.flatnonzero(differ).tolist()]
    for path, file, facts in zip(pending.paths, pending.files, pending.facts, strict=True):
        number = there.get(path)
        if number is None:
            added.append(path)
        elif not _same_file(base, number, file, facts):
            modified.append(path)
    removed: list[str] = []
    if len(both) < len(base):
        here = {*rows.paths, *pending.paths}
        removed = [path for path in base.paths if path not in here]
    return Difference(sorted(added), sorted(modified), removed)


def _same_file(base: Rows, place: int, file: str, facts: Any) -> bool:
    row = base.data[place]
    if row["kind"] == LINK or int(row["size"]) != int(facts["size"]) or not row["sha256"].any():
        return False
    return sha256_of(file) == digest_bytes(row["sha256"]).hex()
