"""Which tests hold which fault away: ``python -m tests.rows``.

A fault that was found once has a row (S: the server, T: a run, D: data, W: the page); the tests that keep it away
bear its name: ``test_S1_…`` in Python, ``W1: …`` as the title of a test of the page. This lists them, names rows that
have none, and exits with status 1 when there are such rows and ``--strict`` is given.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
COUNTS = {"S": 15, "T": 46, "D": 24, "W": 12}
_PYTHON = re.compile(r"^\s*(?:async )?def (test_((?:[STDW]\d+_)+)\w*)", re.MULTILINE)
_PAGE = re.compile(r"""\b(?:it|test)(?:\.\w+)?(?:\([^()]*\))?\(\s*(["'`])(([STDW]\d+)\b.*?)\1""")


def rows() -> list[str]:
    """All rows in order."""
    return [f"{part}{number}" for part, count in COUNTS.items() for number in range(1, count + 1)]


def found(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Each row with a test of it, as a pair of its name and the test's address."""
    for file in sorted((root / "tests").rglob("test_*.py")):
        if "node_modules" in file.parts:
            continue
        for match in _PYTHON.finditer(file.read_text(encoding="utf-8")):
            for row in match[2].rstrip("_").split("_"):
                yield row, f"{file.relative_to(root)}::{match[1]}"
    for kind in ("*.test.ts", "*.test.tsx"):
        for file in sorted((root / "web" / "test").rglob(kind)):
            for match in _PAGE.finditer(file.read_text(encoding="utf-8")):
                yield match[3], f"{file.relative_to(root)} {match[2]!r}"


def main(arguments: list[str]) -> int:
    """Print the list."""
    tests: dict[str, list[str]] = {row: [] for row in rows()}
    for row, test in found():
        tests.setdefault(row, []).append(test)
    for row, those in tests.items():
        for number, test in enumerate(those):
            print(f"{row if number == 0 else '':4} {test}")
    bare = [row for row, those in tests.items() if not those]
    print(f"{len(tests) - len(bare)} of {len(tests)} rows have a test." + (" None: " if bare else ""), *bare)
    return 1 if bare and "--strict" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
