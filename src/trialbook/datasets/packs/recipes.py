"""Recipes: a file that is put together from pieces, most of which other versions have stored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trialbook.datasets.manifest.rows import STORED, ZSTD, Array
from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.datasets.packs.chunks import FEWEST_BITS, MOST_BITS
from trialbook.errors import DatasetDamaged

OWN = 0xFFFFFFFF
"""Instead of the number of a pack: the pack that holds the recipe."""
_LARGEST = 4 << MOST_BITS
_MOST_BYTES = 1 << 30
_NUMBERS = ("pack", "offset", "stored", "size", "method")


@dataclass(frozen=True)
class Recipe:
    """Pieces in the order of the file, one value per piece in each column.

    Attributes:
        packs: keys, by the numbers in ``pack``.
        pack, offset, stored, size, method, b3: where a piece is, and what it is.
        bits: how the file was cut; see ``chunks``.
    """

    packs: tuple[str, ...]
    pack: Array
    offset: Array
    stored: Array
    size: Array
    method: Array
    b3: Array
    bits: int

    def key(self, number: int, own: str) -> str:
        """The pack of a piece; ``own`` is the one that holds the recipe."""
        pack = int(self.pack[number])
        return own if pack == OWN else self.packs[pack]

    def uses(self, own: str) -> tuple[tuple[str, int], ...]:
        """Every pack with the distinct bytes of it that the file needs, by key."""
        found: dict[str, int] = {}
        for pack, _, stored in {
            *zip(self.pack.tolist(), self.offset.tolist(), self.stored.tolist(), strict=True)
        }:
            key = own if pack == OWN else self.packs[pack]
            found[key] = found.get(key, 0) + stored
        return tuple(sorted(found.items()))

    def runs(self, most: int) -> Iterator[tuple[int, int]]:
        """First piece and end of pieces that lie behind each other in one pack, ``most`` stored bytes at a time."""
        ends = self.offset + self.stored
        start = 0
        while start < len(self.size):
            end = start + 1
            while (
                end < len(self.size)
                and self.pack[end] == self.pack[start]
                and self.offset[end] == ends[end - 1]
                and int(ends[end]) - int(self.offset[start]) <= most
            ):
                end += 1
            yield start, end
            start = end


def encode_recipe(recipe: Recipe) -> bytes:
    """The bytes of a recipe."""
    return encode_table(
        {
            "packs": list(recipe.packs),
            "pack": recipe.pack.astype("<u4"),
            "offset": recipe.offset.astype("<u8"),
            "stored": recipe.stored.astype("<u4"),
            "size": recipe.size.astype("<u4"),
            "method": recipe.method.astype("u1"),
            "b3": recipe.b3,
            "bits": np.array([recipe.bits], "u1"),
        }
    )


def recipe_length(length: int, place: str) -> int:
    """The length of a recipe, if it is one that may be read.

    Raises:
        DatasetDamaged: nobody writes one so large.
    """
    if length > _MOST_BYTES:
        raise DatasetDamaged(f"{place} has an impossible length")
    return length


def decode_recipe(data: bytes, size: int, place: str) -> Recipe:
    """A recipe from its bytes.

    Args:
        data: as stored.
        size: bytes that the file must have.
        place: for messages.

    Raises:
        DatasetDamaged: it is none, or makes another file.
    """
    table = Table(data, place)
    columns = {name: table.array(name).astype(np.int64) for name in _NUMBERS}
    b3, bits, packs = table.array("b3"), table.array("bits"), tuple(table.text("packs"))
    count = len(columns["size"])
    wrong = (
        any(len(column) != count for column in (*columns.values(), b3))
        or len(bits) != 1
        or not FEWEST_BITS <= int(bits[0]) <= MOST_BITS
        or int(columns["size"].sum()) != size
        or bool((columns["size"] > _LARGEST).any() or (columns["stored"] > columns["size"]).any())
        or bool(((columns["pack"] >= len(packs)) & (columns["pack"] != OWN)).any())
        or not np.isin(columns["method"], (STORED, ZSTD)).all()
        or bool(((columns["method"] == STORED) & (columns["stored"] != columns["size"])).any())
    )
    if wrong:
        raise DatasetDamaged(f"{place} contradicts itself")
    return Recipe(packs, b3=b3, bits=int(bits[0]), **columns)
