"""Where members of other writers' zips lie."""

import os
import zipfile
from pathlib import Path

import pytest

from trialbook.datasets.packs.foreign_zip import members
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.errors import DatasetDamaged, FileMissing


def test_members(tmp_path: Path) -> None:
    noise = os.urandom(400_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("stored ü", noise)
        packed.writestr("sub/", b"")
        packed.writestr("sub/text", b"words " * 9999, zipfile.ZIP_DEFLATED)
        # A stream cannot go back to its header: sizes follow the data.
        with packed.open("large", "w", force_zip64=True) as file:
            file.write(noise)
    length, found = members(FolderBlobs(tmp_path), "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    assert length == len(data) and set(found) == {"stored ü", "sub/text", "large"}
    for name in ("stored ü", "large"):
        assert data[found[name].offset :][: found[name].stored] == noise
    import zlib

    text = found["sub/text"]
    assert zlib.decompress(data[text.offset :][: text.stored], -15) == b"words " * 9999


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "none.zip").write_bytes(b"no zip at all")
    with pytest.raises(DatasetDamaged, match="not a zip"):
        members(FolderBlobs(tmp_path), "none.zip")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("x", b"1" * 999)
    with pytest.raises(DatasetDamaged, match="packed in a way"):
        members(FolderBlobs(tmp_path), "packed.zip")
    with pytest.raises(FileMissing):
        members(FolderBlobs(tmp_path), "missing.zip")
