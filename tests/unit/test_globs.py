"""Wildcards: the meaning of ``fnmatch``, in bounded time."""

import fnmatch
import random
import re

import pytest

from trialbook.base import globs
from trialbook.datasets.patterns import matcher


def test_S1_wildcards_mean_what_fnmatch_says() -> None:
    random.seed(2)
    for _ in range(20_000):
        pattern = "".join(random.choice("ab*?[]!-./\\") for _ in range(random.randint(0, 7)))
        name = "".join(random.choice("ab-./]\\") for _ in range(random.randint(0, 6)))
        assert globs.fits(name, pattern) is fnmatch.fnmatchcase(name, pattern), (pattern, name)


@pytest.mark.parametrize("recursive", [True, False])
def test_S1_many_stars_cost_no_more_than_their_number(recursive: bool) -> None:
    """Tried in all combinations, these would outlive everyone."""
    wanted = matcher(
        ["*a" * 30 + "b", "x/" + "*a?" * 30 + "/b", "*" * 40 + "b", "y/" + "**/*a/" * 20 + "b"], recursive
    )
    assert not wanted("a" * 2_000)
    assert not wanted("y/" + "a/" * 300 + "c")
    assert wanted("y/" + "a/" * 20 + "b")
    assert not wanted("x/" + "a" * 2_000 + "/c")
    assert wanted("a" * 60 + "b")
    assert not globs.fits("a" * 2_000, "*a" * 30 + "b")


@pytest.mark.parametrize("recursive", [True, False])
def test_S1_folders_between_mean_what_the_plain_expression_says(recursive: bool) -> None:
    random.seed(3)
    star = "(?s:.*)" if recursive else "[^/]*"
    for _ in range(5_000):
        names = [random.choice(["**", "a", "*", "b*", "a"]) for _ in range(random.randint(1, 4))] + ["b*"]
        path = "/".join(random.choice("ab") * random.randint(1, 2) for _ in range(random.randint(1, 5)))
        plain = ""
        for number, name in enumerate(names):
            last = number == len(names) - 1
            if name == "**":
                plain += "(?s:.*)" if last else "(?s:.*/)?"
            else:
                plain += name.replace("*", star) + ("" if last else "/")
        wanted = re.fullmatch(plain, path) is not None
        assert matcher("/".join(names), recursive)(path) is wanted, (names, path)
