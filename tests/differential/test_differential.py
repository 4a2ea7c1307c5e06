"""The same scripts by the released SDK and by ours leave the same records, but for what ``wanted.py`` names."""

from fnmatch import fnmatchcase

import pytest

from tests.differential.conftest import SCRIPTS, Played
from tests.differential.records import differences
from tests.differential.wanted import WANTED

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]


def test_the_records_are_the_same(played: Played) -> None:
    # One test, since tests of one module may run in several workers, and each would play the whole corpus.
    found = {
        f"{script}:{path}": both
        for script in SCRIPTS
        for path, both in differences(played.theirs[script], played.ours[script]).items()
    }
    unwanted = {place: both for place, both in found.items() if not any(_names(key, place) for key in WANTED)}
    shown = "\n".join(
        f"{place}\n    released {theirs!r:.400}\n    ours     {ours!r:.400}"
        for place, (theirs, ours) in unwanted.items()
    )
    assert not unwanted, f"{len(unwanted)} unwanted differences:\n{shown}"
    played_keys = [key for key in WANTED if key.partition(":")[0] in (*SCRIPTS, "*")]
    unused = [key for key in played_keys if not any(_names(key, place) for place in found)]
    assert not unused, f"wanted.py names differences that are gone: {unused}"


def _names(key: str, place: str) -> bool:
    # A bracket in a path is itself.
    return fnmatchcase(place, key.replace("[", "[[]"))
