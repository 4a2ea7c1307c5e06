"""Unpacking archives that nobody has reason to trust."""

import os
import shutil
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trialbook.errors import UsageError

if TYPE_CHECKING:
    from zipfile import ZipFile

_ARCHIVES = (".zip", ".tgz", ".tar.gz")
_BLOCK = 1 << 20
_GROWTH = 200
_ALWAYS = 1 << 30
"""Content up to this many bytes is unpacked whatever the archive's size; beyond, up to 200 times the archive."""
_MEMBERS = 5_000_000


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    folder: bool
    executable: bool
    refused: str
    """What it is, when it is neither a file nor a folder."""


def is_archive(path: Path) -> bool:
    """Whether the name says that it is an archive we unpack."""
    return path.name.lower().endswith(_ARCHIVES)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar.gz into an empty folder.

    Refused are: names that are absolute or lead out of the folder, links, devices and pipes, content of more than
    1 GiB that is more than 200 times the archive (a bomb), and more than the disk has room for.

    Raises:
        UsageError: the archive holds such an entry, is damaged, encrypted or none.
        OSError: the target cannot be written.
    """
    import tarfile
    import zipfile

    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as packed:
                _unpack_zip(packed, archive, target)
        else:
            _unpack_tar(archive, target)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise UsageError(f"{archive} is damaged or cut short, and cannot be unpacked: {error}") from None
    except (RuntimeError, NotImplementedError) as error:
        raise UsageError(f"{archive} cannot be unpacked: {error}") from None


def _unpack_tar(archive: Path, target: Path) -> None:
    import tarfile

    # A stream is read once, so what it holds is checked entry by entry.
    budget = _Budget(archive, target)
    with tarfile.open(archive, "r|gz") as packed:
        for entry in packed:
            refused = (
                ""
                if entry.isfile() or entry.isdir()
                else "a link"
                if entry.issym() or entry.islnk()
                else "a device"
            )
            member = _Member(entry.name, entry.size, entry.isdir(), bool(entry.mode & 0o100), refused)
            budget.take(member)
            content = None if entry.isdir() else packed.extractfile(entry)
            _place(member, content, target, archive)


def _unpack_zip(packed: "ZipFile", archive: Path, target: Path) -> None:
    members = []
    budget = _Budget(archive, target)
    for entry in packed.infolist():
        mode = entry.external_attr >> 16
        kind = stat.S_IFMT(mode)
        refused = (
            ""
            if kind in (0, stat.S_IFREG, stat.S_IFDIR)
            else "a link"
            if kind == stat.S_IFLNK
            else "a device"
        )
        # ``orig_filename``: the library cuts a name at a NUL.
        member = _Member(entry.orig_filename, entry.file_size, entry.is_dir(), bool(mode & 0o100), refused)
        # All are checked before the first is written.
        budget.take(member)
        members.append((member, entry))
    for member, entry in members:
        if member.folder:
            _place(member, None, target, archive)
        else:
            with packed.open(entry) as content:
                _place(member, content, target, archive)


class _Budget:
    """What an archive may hold."""

    def __init__(self, archive: Path, target: Path) -> None:
        self._archive = archive
        size = archive.stat().st_size
        self._bytes = max(_ALWAYS, size * _GROWTH)
        self._free = shutil.disk_usage(target).free
        self._total = 0
        self._count = 0

    def take(self, member: _Member) -> None:
        """Count an entry.

        Raises:
            UsageError: it may not be unpacked, or it is too much.
        """
        if member.refused:
            raise UsageError(f"{self._archive} holds {member.refused} ({member.name}); it was not unpacked")
        parts = member.name.replace("\\", "/").split("/")
        rooted = member.name.startswith(("/", "\\")) or (len(parts[0]) == 2 and parts[0][1] == ":")
        if rooted or ".." in parts or "\0" in member.name or not member.name.strip("/."):
            if member.folder and member.name.strip("/") in ("", "."):
                return
            raise UsageError(
                f"{self._archive} holds an entry outside of itself ({member.name!r}); it was not unpacked"
            )
        self._total += member.size
        self._count += 1
        if self._total > self._bytes or self._count > _MEMBERS:
            raise UsageError(
                f"{self._archive} would unpack to more than {self._bytes >> 20} MiB, over {_GROWTH} times its size: "
                "it looks like a bomb and was not unpacked. Unpack it by hand if you trust it "
                "(extract_archive=False gives the file)."
            )
        if self._total > self._free:
            raise UsageError(
                f"{self._archive} needs {self._total >> 20} MiB and the disk of the cache has {self._free >> 20} MiB; "
                "make room, or set another cache folder (TRIALBOOK_CACHE_DIR)"
            )


def _place(member: _Member, content: IO[bytes] | None, target: Path, archive: Path) -> None:
    place = Path(os.path.normpath(target / member.name))
    try:
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        left = member.size
        with place.open("wb") as file:
            while block := content.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise UsageError(
                        f"{archive} holds more than it says ({member.name}); it was not unpacked"
                    )
                file.write(block)
        if member.executable:
            place.chmod(0o755)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise UsageError(f"{archive} holds a file and a folder of one name ({member.name})") from None
