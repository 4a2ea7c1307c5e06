"""Objects elsewhere that a dataset names instead of holding them: finding them, and bringing them into a copy."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath

from trialbook.blobs.store import BlobStore
from trialbook.client.blobs import entity, http_read
from trialbook.client.files import FileClient
from trialbook.client.places import child_address, path_of
from trialbook.datasets.manifest.rows import Rows, digest_bytes
from trialbook.datasets.paths import joined
from trialbook.datasets.patterns import Patterns, matcher
from trialbook.datasets.sources.digest import stream
from trialbook.datasets.sources.scan import scan_folder
from trialbook.errors import DatasetMissing, FileMissing, SourceChanged, TrialbookError, UsageError
from trialbook.sdk.accounts.nearer import nearer
from trialbook.sdk.dataset.stamps import other_file, stamp_of, stamper, untouched
from trialbook.sdk.dataset.stores import bucket_blobs
from trialbook.sdk.servers.connection import Connection, local_path

_log = logging.getLogger("trialbook")
_PATIENCE = 5.0
_MODE = 0o444


@dataclass(frozen=True)
class Found:
    """An object behind a source address.

    Attributes:
        path: relative to the source; the name for a single object.
        url: its own address.
        size: bytes, −1 when unknown.
        etag: what must still be so when it is downloaded; empty when nothing is known.
    """

    path: str
    url: str
    size: int
    etag: str


def find(connection: Connection | None, source: str, wildcard: Patterns, recursive: bool) -> list[Found]:
    """The objects behind an address.

    Args:
        connection: for HTTP addresses.
        source: ``http(s)://`` (one object); ``s3://``, ``gs://``, ``azure://``, ``file://`` or a path (one, or all
            in a folder).
        wildcard: takes only what matches.
        recursive: False stays in the top folder.

    Raises:
        FileMissing: there is none.
        ConnectionFailed: nobody answers.
        UsageError: a scheme that is not supported, or HTTP without a server.
    """
    near = nearer(source)
    if near != source:
        # Other machines fetch it from the registered address, where its etag is another one.
        return [replace(one, etag="") for one in _at(connection, source, near, wildcard, recursive)]
    return _at(connection, source, near, wildcard, recursive)


def _at(
    connection: Connection | None, source: str, near: str, wildcard: Patterns, recursive: bool
) -> list[Found]:
    bucket = bucket_blobs(near)
    if bucket is not None:
        return _in_bucket(source, *bucket, wildcard, recursive)
    path = local_path(near)
    if path is not None:
        return _local(source, path, wildcard, recursive)
    if connection is None:
        raise UsageError(f"{source} cannot be looked at while this process works offline")
    name = PurePosixPath(path_of(source)).name
    if not name:
        raise UsageError(f"{source} does not name a file; over HTTP single files can be linked, not folders")
    if not matcher(wildcard, recursive, [name])(name):
        return []
    size, etag = _remote_facts(connection.files, near)
    return [Found(name, source, size, etag)]


def _in_bucket(source: str, blobs: BlobStore, key: str, wildcard: Patterns, recursive: bool) -> list[Found]:
    """One object, or every object below a folder of a bucket."""
    if key and not source.endswith("/"):
        try:
            info = blobs.head(key)
        except FileMissing:
            pass
        else:
            name = PurePosixPath(key).name
            taken = matcher(wildcard, recursive, [name])(name)
            return [Found(name, source, info.size, info.etag)] if taken else []
    prefix = f"{key}/" if key else ""
    listed = [(info.key[len(prefix) :], info) for info in blobs.list(key)]
    if not listed:
        raise FileMissing(f"there is nothing at {source}", path=source)
    wanted = matcher(wildcard, recursive, [name for name, _ in listed])
    return [
        Found(name, child_address(source, name), info.size, info.etag)
        for name, info in listed
        if wanted(name)
    ]


def _local(source: str, path: Path, wildcard: Patterns, recursive: bool) -> list[Found]:
    if path.is_file():
        if not matcher(wildcard, recursive, [path.name])(path.name):
            return []
        return [Found(path.name, source, path.stat().st_size, stamp_of(path, path.stat()))]
    try:
        scan = scan_folder(path, recursive)
    except DatasetMissing as error:
        raise FileMissing(str(error), path=source) from None
    for item in scan.skipped:
        _log.warning("%s: %s was left out: %s", source, item.path, item.why)
    wanted = matcher(wildcard, recursive, scan.paths)
    stamp = stamper()
    numbers = zip(*(scan.facts[name].tolist() for name in ("size", "mtime", "ctime")), strict=True)
    return [
        Found(name, child_address(source, name), size, stamp(path / name, size, mtime, ctime))
        for name, (size, mtime, ctime) in zip(scan.paths, numbers, strict=True)
        if wanted(name)
    ]


def _remote_facts(files: FileClient, url: str) -> tuple[int, str]:
    found = files.asked(url, patience=_PATIENCE)
    if found is None:
        raise FileMissing(f"there is no file at {url}", path=url)
    headers, size = found
    return size, entity(headers)


def find_many(
    connection: Connection | None, sources: Sequence[str], wildcard: Patterns,
    recursive: bool, workers: int | None,
) -> list[list[Found]]:  # fmt: skip
    """``find`` for several addresses at once; one that fails is logged and gives nothing."""

    def one(source: str) -> list[Found]:
        try:
            return find(connection, source, wildcard, recursive)
        except (TrialbookError, OSError) as error:
            _log.warning("the external files of %s were not added: %s", source, error)
            return []

    if len(sources) == 1:
        return [one(sources[0])]
    with ThreadPoolExecutor(workers or min(16, os.cpu_count() or 1), "dataset-links") as pool:
        return list(pool.map(one, sources))


def fetcher(
    connection: Connection | None, failed: list[str] | None = None
) -> Callable[[Rows, Path, bool, int | None], None]:
    """Brings links into a folder.

    Args:
        connection: for HTTP addresses.
        failed: takes what went wrong, which then does not raise.
    """

    def fetch(rows: Rows, target: Path, private: bool, workers: int | None) -> None:
        numbers = {path: place for place, path in enumerate(rows.paths) if path in rows.links}

        def one(path: str) -> None:
            url, etag = rows.links[path]
            row = rows.data[numbers[path]]
            sha256 = digest_bytes(row["sha256"]) if row["sha256"].any() else b""
            try:
                download(connection, url, etag, int(row["size"]), sha256, target / path)
                if not private:
                    (target / path).chmod(_MODE)
            except (TrialbookError, OSError) as error:
                if failed is None:
                    raise
                failed.append(f"{path}: {error}")

        with ThreadPoolExecutor(workers or min(8, max(1, len(numbers))), "dataset-links") as pool:
            list(pool.map(one, numbers))

    return fetch


def download(
    connection: Connection | None, url: str, etag: str, size: int, sha256: bytes, target: Path
) -> None:
    """One object behind a link, as it was when it was added.

    Raises:
        FileMissing: it is gone.
        SourceChanged: it is another one than was added.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    url, etag = _near(url, etag)
    bucket = bucket_blobs(url)
    path = None if bucket is not None else local_path(url)
    if bucket is not None:
        blobs, key = bucket
        info = blobs.head(key)
        _require(url, etag, info.etag, size, info.size)
        with target.open("wb") as file:
            for part in blobs.read(key):
                file.write(part)
    elif path is not None:
        if not path.is_file():
            raise FileMissing(f"{url} is gone{_unmounted(path)}", path=url)
        facts = path.stat()
        if etag and other_file(etag, facts):
            raise _changed(url)
        _require(url, "", "", size, facts.st_size)
        shutil.copyfile(path, target)
    else:
        if connection is None:
            raise UsageError(f"{url} cannot be fetched while this process works offline")
        now_size, now = _remote_facts(connection.files, url)
        _require(url, etag, now, size, now_size)
        with target.open("wb") as file:
            for part in http_read(connection.files, url):
                file.write(part)
    written = target.stat().st_size
    if size >= 0 and written != size:
        raise SourceChanged(f"{url} has {written} bytes, {size} were added")
    if sha256:
        digests, _ = stream(str(target), written, True)
        if digests.sha256 != sha256:
            raise SourceChanged(f"{url} does not have the bytes that were added")


def _near(url: str, etag: str) -> tuple[str, str]:
    """Where this machine has an object, and the etag that it must have there: a copy has one of its own."""
    near = nearer(url)
    return near, etag if near == url else ""


def _unmounted(path: Path) -> str:
    """What is asked where a folder has nothing at all: a share that is not mounted looks so."""
    folder = path.parent
    try:
        empty = not any(folder.iterdir())
    except OSError:
        empty = True
    return f": there is nothing in {folder}; is it mounted?" if empty else ""


def _require(url: str, etag: str, now: str, size: int, now_size: int) -> None:
    if etag and now and etag != now:
        raise _changed(url)
    if size >= 0 and now_size >= 0 and size != now_size:
        raise SourceChanged(f"{url} has {now_size} bytes, {size} were added; add it again, in a new version")


def _changed(url: str) -> SourceChanged:
    return SourceChanged(f"{url} has changed since it was added; add it again, in a new version")


def same_as_link(connection: Connection | None, url: str, etag: str, sha256: bytes, file: str) -> bool:
    """Whether a file of this host, as long as the object behind a link was, has its bytes.

    Args:
        connection: for HTTP addresses.
        url: of the object.
        etag: that it had when it was added; an object that has changed since is no longer the same.
        sha256: of its content; empty when unknown, then the object is read.
        file: of this host.
    """
    mine = stream(file, Path(file).stat().st_size, True)[0].sha256
    if sha256:
        return mine == sha256
    url, etag = _near(url, etag)
    bucket = bucket_blobs(url)
    path = None if bucket is not None else local_path(url)
    theirs = hashlib.sha256()
    try:
        if bucket is not None:
            if etag and bucket[0].head(bucket[1]).etag != etag:
                return False
            parts = bucket[0].read(bucket[1])
        elif path is not None:
            facts = path.stat()
            if etag and other_file(etag, facts):
                return False
            if path.samefile(file):
                return not etag or untouched(etag, stamp_of(path, facts))
            return stream(str(path), path.stat().st_size, True)[0].sha256 == mine
        elif connection is None:
            return False
        else:
            now = _remote_facts(connection.files, url)[1]
            if etag and now and now != etag:
                return False
            parts = http_read(connection.files, url)
        for part in parts:
            theirs.update(part)
    except (TrialbookError, OSError) as error:
        _log.warning("%s cannot be compared with %s, which takes its place: %s", url, file, error)
        return False
    return theirs.digest() == mine


def place_of(dataset_path: str | PurePath | None, found: Found) -> str:
    """Where a linked object lands in the dataset."""
    return joined(dataset_path, found.path)
