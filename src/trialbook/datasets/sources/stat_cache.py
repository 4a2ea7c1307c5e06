"""Digests of files that have not changed since they were read, one file of them per scanned folder."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from blake3 import blake3

from trialbook.base.files import write_atomic
from trialbook.base.guard import guard
from trialbook.datasets.manifest.rows import Array, known, places_of
from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.datasets.sources.scan import FACTS, Scan
from trialbook.errors import DatasetDamaged

GRAIN = 2_000_000_000
"""A file written less than this many nanoseconds before it was read may be written again without a new mtime."""
_SAME = ("size", "mtime", "ctime", "ino")


@dataclass(frozen=True)
class Remembered:
    """Digests by path; zeros where nothing is known."""

    b3: Array
    sha256: Array


class StatCache:
    """Digests by path and facts.

    Args:
        folder: of the cache; damaged files in it count as empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, scan: Scan) -> Remembered:
        """What is known about the files of a scan."""
        nothing = np.zeros((len(scan.paths), 4), "<u8")
        try:
            table = Table(self._file(scan.root).read_bytes())
            paths, facts = table.text("path"), _facts(table)
            b3, sha256 = table.array("b3"), table.array("sha256")
        except (OSError, DatasetDamaged):
            return Remembered(nothing, nothing.copy())
        if len(paths) == len(facts) == len(b3) == len(sha256):
            return _recalled(scan, paths, facts, b3, sha256)
        return Remembered(nothing, nothing.copy())

    def remember(self, scan: Scan, b3: Array, sha256: Array, read_at: float | None = None) -> None:
        """Keep digests that were computed from the files as the scan saw them.

        Args:
            scan: the files.
            b3: digests, zeros where unknown.
            sha256: the same.
            read_at: when the first of them was read, seconds since the epoch; None: now.
        """
        limit = int((time.time() if read_at is None else read_at) * 1e9) - GRAIN
        keep = known(b3) & (scan.facts["mtime"] < limit)
        chosen = np.flatnonzero(keep).tolist()
        columns: dict[str, list[str] | Array] = {"path": [scan.paths[place] for place in chosen]}
        columns.update({name: np.ascontiguousarray(scan.facts[name][keep]) for name in _SAME})
        columns["b3"], columns["sha256"] = b3[keep], sha256[keep]
        with guard("datasets.stat_cache"):
            write_atomic(self._file(scan.root), encode_table(columns), 0o600)

    def _file(self, root: str) -> Path:
        return self._folder / f"{blake3(root.encode(errors='surrogateescape')).hexdigest()[:32]}.tbt"


def _facts(table: Table) -> Array:
    facts = np.zeros(table.count("path"), FACTS)
    for name in _SAME:
        column = table.array(name)
        if len(column) == len(facts):
            facts[name] = column
    return facts


def same_facts(first: Array, second: Array) -> Array:
    """Which files look untouched."""
    same = np.ones(len(first), bool)
    for name in _SAME:
        same &= first[name] == second[name]
    return same


def _recalled(scan: Scan, paths: list[str], facts: Array, b3: Array, sha256: Array) -> Remembered:
    where = places_of(scan.paths, paths)
    found = where >= 0
    result = Remembered(np.zeros((len(where), 4), "<u8"), np.zeros((len(where), 4), "<u8"))
    if not len(paths):
        return result
    safe = np.where(found, where, 0)
    found &= same_facts(scan.facts, facts[safe])
    result.b3[found], result.sha256[found] = b3[safe[found]], sha256[safe[found]]
    return result
