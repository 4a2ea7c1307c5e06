"""Where and when to kill: points drawn from a seed, so that a failing one can be run again alone."""

import random
from dataclasses import dataclass
from typing import Literal

Victim = Literal["trainer", "server", "both"]
Recovery = Literal["sync", "next run", "killed sync"]


@dataclass(frozen=True)
class Point:
    """One fault.

    Attributes:
        number: its place in the draw.
        victim: who is killed.
        after: seconds from the start of the trainer, or from its first report.
        from_start: count from the start of the process, so that ``Task.init`` itself is hit.
        gap: seconds between the two kills, or until the server comes back.
        recovery: who brings what is left to the server.
        cut: seconds until the recovery is killed as well.
    """

    number: int
    victim: Victim
    after: float
    from_start: bool
    gap: float
    recovery: Recovery
    cut: float

    def __str__(self) -> str:
        return f"{self.number}-{self.victim}"


def draw(count: int, seed: int = 20261120) -> list[Point]:
    """Points of all three kinds in turn."""
    source = random.Random(seed)
    victims: tuple[Victim, ...] = ("trainer", "server", "both")
    recoveries: tuple[Recovery, ...] = ("sync", "next run", "killed sync")
    points = []
    for number in range(count):
        victim = victims[number % 3]
        from_start = victim != "server" and source.random() < 0.25
        points.append(
            Point(
                number,
                victim,
                source.uniform(0.2, 1.2) if from_start else source.uniform(0.0, 2.0),
                from_start,
                source.uniform(0.0, 1.5),
                recoveries[number // 3 % 3],
                source.uniform(0.2, 1.0),
            )
        )
    return points
