"""The seed that a run gives to the generators of random numbers, so that it can be repeated."""

import random
import sys

from trialbook.base.guard import guard
from trialbook.base.process import Kept

_seed: "Kept[int | None]" = Kept(1337)


def choose(seed: int | None) -> None:
    """For the next ``Task.init``; None leaves all generators alone."""
    _seed.value = seed


def sow() -> None:
    """Seed the generators of this process, those of libraries only where the program has imported them."""
    if _seed.value is None:
        return
    random.seed(_seed.value)
    for module, path in (
        ("numpy", "random.seed"),
        ("torch", "manual_seed"),
        ("tensorflow", "random.set_seed"),
    ):
        library = sys.modules.get(module)
        if library is not None:
            with guard(f"seeds.{module}"):
                function = library
                for part in path.split("."):
                    function = getattr(function, part)
                # NumPy takes 32 bits.
                function(_seed.value % (1 << 32))  # type: ignore[operator]
