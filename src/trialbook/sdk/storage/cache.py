"""Fetched files, shared by all processes of a host: one fetches, the others find the whole file.

``<cache>/downloads/<context>/<entry>/`` holds one file, what was known of it when it was fetched (``entry.json``),
and its unpacked content. The locks lie apart (``.locks/``) and stay, so that nobody locks a file that is being
deleted. An entry that a living process has been given is in use and is not evicted.
"""

import hashlib
import os
import shutil
import sys
from collections import OrderedDict
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path, PurePosixPath

from trialbook.base import process
from trialbook.base.files import read_json, write_json
from trialbook.blobs.store import BlobInfo
from trialbook.client.downloads import Progress
from trialbook.client.places import path_of
from trialbook.client.storage import Storage
from trialbook.errors import ConfigurationError, ConnectionFailed, FileMissing, ServerFault
from trialbook.journal.lock import FileLock

if sys.platform != "win32":
    import fcntl

_HELD = 512
"""Entries that one process keeps from being evicted."""


@dataclass(frozen=True)
class Limits:
    """How much is kept.

    Attributes:
        files: entries of one context.
        bytes: of all contexts; 0 is no limit.
        free: bytes that stay free on the disk.
    """

    files: int = 100
    bytes: int = 0
    free: int = 1 << 30


def origin(file: Path) -> str | None:
    """The address that a fetched file, or one unpacked from it, came from; None for any other file."""
    for folder in file.parents:
        # <cache>/downloads/<context>/<entry>/
        if len(folder.parts) > 2 and folder.parents[1].name == "downloads":
            known = read_json(folder / "entry.json")
            return str(known["url"]) if isinstance(known, dict) and known.get("url") else None
    return None


class Cache:
    """The fetched files of this host.

    Args:
        top: the cache folder.
        limits: see ``Limits``.
    """

    def __init__(self, top: Path, limits: Limits) -> None:
        self._top = top / "downloads"
        self._limits = limits

    def fetch(
        self,
        storage: Storage,
        url: str,
        context: str,
        name: str | None,
        force: bool,
        progress: Progress,
    ) -> Path:
        """The file at an address; transferred only when it is not here, or is another one by now.

        Raises:
            FileMissing: there is none.
            ConnectionFailed, ServerFault: the storage is away, and the file is not here.
            ConfigurationError: the disk of the cache is full.
        """
        id = hashlib.sha256(f"{url}\0{name or ''}".encode()).hexdigest()[:24]
        entry = self._top / context / id
        target = entry / (name or PurePosixPath(path_of(url)).name or "file")[-200:]
        with self._lock(context, id):
            if force or not self._fresh(storage, url, entry, target):
                self._transfer(storage, url, entry, target, progress)
            _hold(self._used(context, id))
        self.evict(context)
        return target

    def evict(self, context: str) -> None:
        """Delete the entries that were not used for longest, until the limits hold; those in use stay."""
        found = self._entries(context)
        for path in found[: max(0, len(found) - self._limits.files)]:
            self._drop(path)
        if not self._limits.bytes and not self._short(0):
            return
        held = 0
        sizes = {path: _size(path) for path in self._entries()}
        held = sum(sizes.values())
        for path, size in sizes.items():
            over = self._limits.bytes and held > self._limits.bytes
            if not over and not self._short(0):
                return
            if self._drop(path):
                held -= size

    def _fresh(self, storage: Storage, url: str, entry: Path, target: Path) -> bool:
        known = read_json(entry / "entry.json")
        if not isinstance(known, dict) or not target.is_file() or target.stat().st_size != known["size"]:
            return False
        try:
            facts = storage.facts(url)
        except (ConnectionFailed, ServerFault):
            # What is here is better than nothing while nobody can tell.
            return True
        if facts is None:
            raise FileMissing(f"there is no file at {url} any more")
        if facts.etag and known["etag"]:
            return bool(facts.etag == known["etag"])
        return facts.size in (-1, known["size"]) and facts.modified == known["modified"]

    def _transfer(self, storage: Storage, url: str, entry: Path, target: Path, progress: Progress) -> None:
        facts = storage.facts(url)
        if facts is None:
            raise FileMissing(f"there is no file at {url}")
        shutil.rmtree(entry, ignore_errors=True)
        if self._short(max(0, facts.size)):
            self._make_room(max(0, facts.size))
        for last in (False, True):
            try:
                storage.download(url, target, progress)
                break
            except OSError as error:
                shutil.rmtree(entry, ignore_errors=True)
                if error.errno not in (ENOSPC, EDQUOT):
                    raise
                if last or not self._make_room(max(0, facts.size)):
                    raise ConfigurationError(
                        f"the disk of the cache {self._top} is full: {url} needs {max(0, facts.size) >> 20} MiB. Make "
                        "room, or name another folder (TRIALBOOK_CACHE_DIR, sdk.storage.cache.default_base_dir)."
                    ) from None
        size = target.stat().st_size
        write_json(entry / "entry.json", {"url": url, "size": size, **_known(facts)})

    def _short(self, coming: int) -> bool:
        try:
            return shutil.disk_usage(_existing(self._top)).free < coming + self._limits.free
        except OSError:
            return False

    def _make_room(self, wanted: int) -> bool:
        """Whether something was deleted."""
        done = False
        for path in self._entries():
            if not self._short(wanted):
                break
            done = self._drop(path) or done
        return done

    def _entries(self, context: str | None = None) -> list[Path]:
        """Entries, the one that was not used for longest first."""
        contexts = [self._top / context] if context else _folders(self._top)
        found = [entry for folder in contexts for entry in _folders(folder) if entry.name != ".locks"]
        return sorted(found, key=lambda entry: _moment(self._used(entry.parent.name, entry.name)))

    def _drop(self, entry: Path) -> bool:
        """Delete an entry, unless a process has it."""
        used = self._used(entry.parent.name, entry.name)
        with _Claim(used) as free:
            if not free:
                return False
            lock = self._lock(entry.parent.name, entry.name)
            if not lock.acquire():
                return False
            try:
                # Renamed first: nobody finds half an entry.
                gone = entry.parent / f".locks/{entry.name}.gone"
                shutil.rmtree(gone, ignore_errors=True)
                try:
                    entry.rename(gone)
                except OSError:
                    return False
                shutil.rmtree(gone, ignore_errors=True)
                return True
            finally:
                lock.release()

    def _lock(self, context: str, id: str) -> FileLock:
        folder = self._top / context / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{id}.lock")

    def _used(self, context: str, id: str) -> Path:
        return self._top / context / ".locks" / f"{id}.used"


_held: "OrderedDict[Path, int]" = OrderedDict()
_held_lock = process.Lock()


def _hold(used: Path) -> None:
    """Mark an entry as used by this process for as long as it lives."""
    with _held_lock:
        handle = _held.pop(used, None)
        if handle is None:
            handle = os.open(used, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_SH)
        os.utime(used)
        _held[used] = handle
        while len(_held) > _HELD:
            os.close(_held.popitem(last=False)[1])


class _Claim:
    """Whether nobody uses an entry, and nobody begins to while the block runs."""

    def __init__(self, used: Path) -> None:
        self._used = used
        self._handle = -1

    def __enter__(self) -> bool:
        with _held_lock:
            if self._used in _held:
                return False
        try:
            self._handle = os.open(self._used, os.O_RDWR)
        except FileNotFoundError:
            return True
        if sys.platform == "win32":
            return True
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def _known(facts: BlobInfo) -> dict[str, object]:
    return {"etag": facts.etag, "modified": facts.modified}


def _folders(path: Path) -> list[Path]:
    try:
        return [found for found in path.iterdir() if found.is_dir()]
    except FileNotFoundError:
        return []


def _moment(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(entry: Path) -> int:
    found = (Path(folder, name) for folder, _, names in os.walk(entry) for name in names)
    # A file may go while it is counted.
    return sum(path.lstat().st_size for path in found if path.is_file())


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
