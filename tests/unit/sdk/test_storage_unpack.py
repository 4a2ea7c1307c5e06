"""Archives that nobody has reason to trust."""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from trialbook.errors import UsageError
from trialbook.sdk.storage import unpack


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for member, data in members:
            member.size = len(data) if member.isfile() else 0
            packed.addfile(member, io.BytesIO(data))
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = link
    return member


def zipped(path: Path, name: str, data: bytes = b"x", mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(entry, data)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def refused(archive: Path, target: Path, why: str) -> None:
    before = sorted(path for path in target.parent.rglob("*") if path.is_file())
    with pytest.raises(UsageError, match=why):
        unpack(archive, target)
    assert sorted(path for path in target.parent.rglob("*") if path.is_file()) == before


def test_what_is_fine(tmp_path: Path, target: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a/b.txt", "b")
        packed.writestr("empty/", "")
        packed.writestr("run.sh", "#!/bin/sh")
        packed.getinfo("run.sh").external_attr = 0o100755 << 16
    unpack(tmp_path / "a.zip", target)
    assert (target / "a" / "b.txt").read_text() == "b" and (target / "empty").is_dir()
    assert os.access(target / "run.sh", os.X_OK) and not os.access(target / "a" / "b.txt", os.X_OK)
    folder = special("./d", tarfile.DIRTYPE)
    other = tmp_path / "other"
    other.mkdir()
    unpack(tarred(tmp_path / "b.tgz", (folder, b""), (tarfile.TarInfo("./d/x"), b"data")), other)
    assert (other / "d" / "x").read_bytes() == b"data"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a/../x", "\\x", "C:/x", "..\\x"])
def test_names_that_lead_out(tmp_path: Path, target: Path, name: str) -> None:
    refused(zipped(tmp_path / "a.zip", name), target, "outside of itself")
    refused(tarred(tmp_path / "a.tar.gz", (tarfile.TarInfo(name), b"x")), target, "outside of itself")


def test_links_and_devices(tmp_path: Path, target: Path) -> None:
    refused(zipped(tmp_path / "l.zip", "l", b"/etc", stat.S_IFLNK | 0o777), target, "a link")
    refused(zipped(tmp_path / "d.zip", "d", b"", stat.S_IFCHR | 0o600), target, "a device")
    for kind, word in (
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device"),
    ):
        refused(tarred(tmp_path / "s.tgz", (special("s", kind, "../.."), b"")), target, word)


def test_a_bomb(tmp_path: Path, target: Path) -> None:
    # 1.5 GiB of zeros in 1.5 MB, told honestly.
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(3):
            with packed.open(str(number), "w", force_zip64=True) as file:
                for _ in range(512):
                    file.write(bytes(1 << 20))
    refused(tmp_path / "bomb.zip", target, "looks like a bomb")


def test_a_member_that_lies_about_its_size(tmp_path: Path, target: Path) -> None:
    path = zipped(tmp_path / "a.zip", "x", bytes(100_000))
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    assert struct.unpack_from("<I", data, place + 24)[0] == 100_000
    struct.pack_into("<I", data, place + 24, 10)
    path.write_bytes(data)
    with pytest.raises(UsageError):
        unpack(path, target)
    assert sum(found.stat().st_size for found in target.rglob("*") if found.is_file()) <= 10


def test_damaged_archives(tmp_path: Path, target: Path) -> None:
    whole = zipped(tmp_path / "a.zip", "x", os.urandom(10_000)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:5000])
    refused(tmp_path / "cut.zip", target, "damaged")
    (tmp_path / "no.tgz").write_bytes(gzip.compress(b"no archive" * 100))
    refused(tmp_path / "no.tgz", target, "damaged")
    (tmp_path / "text.tar.gz").write_text("hello")
    refused(tmp_path / "text.tar.gz", target, "damaged")


def test_a_file_where_a_folder_should_be(tmp_path: Path, target: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a", "file")
        packed.writestr("a/b", "below")
    with pytest.raises(UsageError, match="a file and a folder of one name"):
        unpack(tmp_path / "a.zip", target)
