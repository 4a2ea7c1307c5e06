"""Tables: what goes in comes out; what is not whole is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.errors import DatasetDamaged

texts = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=50)


@given(texts, st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200), st.binary(max_size=320))
def test_round_trip(words: list[str], numbers: list[int], digests: bytes) -> None:
    hashes = np.frombuffer(digests[: len(digests) // 32 * 32], "<u8").reshape(-1, 4)
    data = encode_table({"words": words, "numbers": np.array(numbers, "<i8"), "hashes": hashes})
    table = Table(data)
    assert table.text("words") == words
    assert table.array("numbers").tolist() == numbers
    assert (table.array("hashes") == hashes).all()
    assert "other" not in table
    assert table.count("words") == len(words)


@given(st.data())
def test_every_cut_and_every_flipped_byte_of_the_frame_is_refused_or_read(data: st.DataObject) -> None:
    whole = encode_table({"n": np.arange(500, dtype="<u4"), "t": [f"path/{n}" for n in range(500)]})
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DatasetDamaged):
        Table(whole[:cut]).text("t")
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = bytearray(whole)
    broken[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        table = Table(bytes(broken))
        table.array("n")
        table.text("t")
    except DatasetDamaged:
        return
    assert len(table.text("t")) == 500


def test_a_forged_length_takes_no_memory() -> None:
    bomb = encode_table({"n": np.zeros(10_000_000, "u1")})
    forged = bytearray(bomb)
    forged[8 + 24 : 8 + 32] = (1000).to_bytes(8, "little")
    forged[8 + 32 : 8 + 40] = (1000).to_bytes(8, "little")
    with pytest.raises(DatasetDamaged, match="another length"):
        Table(bytes(forged)).array("n")
