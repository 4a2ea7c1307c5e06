"""What a deletion gave back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Freed:
    """Things that were erased.

    Attributes:
        points: scalars.
        reports: console reports.
        events: plots, images, vectors.
        bytes: what they took in the database, packed, without its own overhead.
        files: files of this server that will be deleted.
    """

    points: int = 0
    reports: int = 0
    events: int = 0
    bytes: int = 0
    files: int = 0

    def __add__(self, other: "Freed") -> "Freed":
        return Freed(
            self.points + other.points,
            self.reports + other.reports,
            self.events + other.events,
            self.bytes + other.bytes,
            self.files + other.files,
        )
