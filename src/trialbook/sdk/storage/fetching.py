"""Fetching by address: the nearest copy of a file, unpacked when wished."""

import contextlib
import hashlib
import logging
import shutil
import tempfile
from pathlib import Path

from trialbook.client.places import existing_path, scheme_of
from trialbook.client.settings import load
from trialbook.client.storage import Storage
from trialbook.errors import ConnectionFailed, FileMissing, ServerFault
from trialbook.journal.lock import FileLock
from trialbook.sdk.accounts.nearer import nearer
from trialbook.sdk.accounts.storage_progress import Meter, report_every
from trialbook.sdk.accounts.storage_settings import accounts, storage_settings
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.storage.cache import Cache, Limits
from trialbook.sdk.storage.unpack import is_archive, unpack

_log = logging.getLogger("trialbook")
_limits: dict[str, int] = {}


def storage_of(url: str, patience: float = 30.0) -> Storage:
    """What reaches an address; a server is looked for only where one is needed."""
    if scheme_of(nearer(url)) in ("http", "https"):
        return connections.connect().storage
    return Storage(None, accounts, patience, nearer)


def fetch(
    url: str, extract: bool = True, force: bool = False, context: str = "files", name: str | None = None
) -> Path:
    """A path of this host with the content of an address; transferred when it is not here yet.

    Args:
        url: of a file anywhere.
        extract: unpack zip and tar.gz files; the path is then a folder.
        force: transfer again.
        context: a name that keeps caches apart.
        name: file name to use instead of the address's own.

    Raises:
        FileMissing: there is no such file.
        ConnectionFailed, ServerFault: the storage is away or fails.
        StorageRefused: the storage does not let this caller in.
        UsageError: an unknown scheme, or an archive that is not safe to unpack.
    """
    near = existing_path(nearer(url))
    if near is not None:
        if not near.exists():
            raise FileMissing(f"no file at {near}")
        return _unpacked(near, load().own_cache("unpacked"), force) if extract else near
    storage = storage_of(url)
    meter = Meter(f"downloading {url.rpartition('/')[2]}", 0, report_every["download"])
    target = _cache(context).fetch(storage, url, context, name, force, meter)
    return _unpacked(target, target.parent / "unpacked", force) if extract else target


def limit_files(limit: int, context: str) -> int:
    """Change how many files a context keeps, in this process; returns the limit."""
    _limits[context] = max(1, int(limit))
    _cache(context).evict(context)
    return _limits[context]


def check_writable(uri: str) -> None:
    """Make sure that a destination can be written to. A storage that is away is warned of: it may come back.

    Raises:
        UsageError: an unknown scheme, or a folder that cannot be made or written.
        StorageRefused: no such bucket, or no permission to write there.
    """
    try:
        Storage(None, accounts, 5.0, nearer).check_writable(uri)
    except (ConnectionFailed, ServerFault) as error:
        _log.warning("%s Files for %s are kept on this host and sent when it answers.", error, uri)


def _cache(context: str) -> Cache:
    said = storage_settings()
    files = _limits.get(context, said.cache_files)
    return Cache(load().own_cache("downloads").parent, Limits(files, said.cache_bytes, said.free_bytes))


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
            with contextlib.ExitStack() as undo:
                undo.callback(shutil.rmtree, temporary, ignore_errors=True)
                unpack(path, temporary)
                temporary.replace(target)
                undo.pop_all()
    return target
