"""Files anywhere: the files server, HTTP addresses and local folders, with a cache of what was fetched."""

import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trialbook.errors import FileMissing, TrialbookError, UsageError
from trialbook.journal.lock import FileLock
from trialbook.sdk import connection as connections
from trialbook.sdk.connection import copy_atomic, local_path
from trialbook.sdk.settings import load

_ARCHIVES = (".zip", ".tgz", ".tar.gz")


class StorageManager:
    """Fetches and stores files by address.

    Example:
        >>> StorageManager.get_local_copy("/etc/hostname")
        '/etc/hostname'
    """

    @classmethod
    def get_local_copy(
        cls,
        remote_url: str,
        cache_context: str | None = None,
        extract_archive: bool = True,
        name: str | None = None,
        force_download: bool = False,
    ) -> str | None:
        """A path of this host with the content of an address; fetched once.

        Args:
            remote_url: ``http(s)://``, ``file://`` or a path.
            cache_context: a name that keeps caches apart.
            extract_archive: unpack zip and tar.gz files; the path is then a folder.
            name: file name to use instead of the address's own.
            force_download: fetch even when it is in the cache.

        Returns:
            The path, or None when it cannot be fetched.
        """
        try:
            return str(fetch(remote_url, extract_archive, force_download, cache_context or "files", name))
        except (TrialbookError, OSError):
            return None

    @classmethod
    def upload_file(
        cls, local_file: str, remote_url: str, wait_for_upload: bool = True, retries: int = 3
    ) -> str:
        """Store a file and return its address.

        Raises:
            TrialbookError: it could not be stored.
        """
        source = Path(local_file)
        target = local_path(remote_url)
        if target is not None:
            copy_atomic(source, target)
        else:
            connections.connect().files.upload(source, remote_url)
        return remote_url

    @classmethod
    def exists_file(cls, remote_url: str) -> bool:
        """Whether there is a file at the address."""
        return cls.get_file_size_bytes(remote_url) is not None

    @classmethod
    def get_file_size_bytes(cls, remote_url: str, silence_errors: bool = True) -> int | None:
        """Bytes of the file at the address; None when there is none."""
        path = local_path(remote_url)
        if path is not None:
            return path.stat().st_size if path.is_file() else None
        return connections.connect().files.size(remote_url)

    @classmethod
    def get_files_server(cls) -> str:
        """Address of the files server."""
        return connections.connect().settings.files_host


def fetch(
    url: str, extract: bool = True, force: bool = False, context: str = "files", name: str | None = None
) -> Path:
    """``StorageManager.get_local_copy`` that raises instead of answering None.

    Raises:
        FileMissing: there is no such file.
        ConnectionFailed: the server is away.
    """
    local = local_path(url)
    if local is not None:
        if not local.exists():
            raise FileMissing(f"no file at {local}")
        return _unpacked(local, load().cache_dir / "unpacked", force) if extract else local
    cache = load().cache_dir / "downloads" / context
    folder = cache / hashlib.sha256(url.encode()).hexdigest()[:24]
    file_name = name or Path(unquote(urlsplit(url).path)).name or "file"
    target = folder / file_name[-200:]
    folder.mkdir(parents=True, exist_ok=True)
    # One process fetches, the others find the whole file.
    with FileLock(folder / ".lock"):
        if force or not target.is_file():
            connections.connect().files.download(url, target)
    return _unpacked(target, folder / "unpacked", force) if extract else target


def is_archive(path: Path) -> bool:
    """Whether the name says that it is an archive we unpack."""
    return path.name.lower().endswith(_ARCHIVES)


def _unpacked(path: Path, folder: Path, force: bool) -> Path:
    """The folder with an archive's content; the path itself when it is none."""
    if not is_archive(path) or path.is_dir():
        return path
    stamp = f"{path.stat().st_mtime_ns}-{path.stat().st_size}-{path}"
    target = folder / hashlib.sha256(stamp.encode()).hexdigest()[:24]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if force and target.exists():
            shutil.rmtree(target)
        if not target.exists():
            temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".unpack-"))
            try:
                unpack(path, temporary)
                temporary.replace(target)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack safely: no absolute names, no ``..``, no links, no devices.

    Raises:
        UsageError: the archive holds such an entry, or is none.
    """
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                if (entry.external_attr >> 28) == 0xA:
                    raise UsageError(f"{archive} holds a link ({entry.filename}); it was not unpacked")
                _inside(target, entry.filename, archive)
            packed.extractall(target)
        return
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        for member in members:
            if not (member.isfile() or member.isdir()):
                raise UsageError(f"{archive} holds a link or a device ({member.name}); it was not unpacked")
            _inside(target, member.name, archive)
        tar.extractall(target, members=members)


def _inside(target: Path, name: str, archive: Path) -> None:
    place = Path(os.path.normpath(target / name))
    if place != target and target not in place.parents:
        raise UsageError(f"{archive} holds an entry outside of itself ({name}); it was not unpacked")


def check_writable(uri: str) -> None:
    """Make sure that a destination can be written to.

    Raises:
        UsageError: a scheme that this version cannot write, or a folder that cannot be made or written.
    """
    path = local_path(uri)
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the destination {uri} cannot be used: {error}") from error
    if not os.access(path, os.W_OK):
        raise UsageError(f"the destination {uri} cannot be used: no permission to write there")
