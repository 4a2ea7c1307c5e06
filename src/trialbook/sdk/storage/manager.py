"""``StorageManager``: files anywhere, as ClearML names the calls."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trialbook.base import globs
from trialbook.client.files import insist
from trialbook.client.places import path_of, scheme_of
from trialbook.client.settings import load
from trialbook.errors import FileMissing, TrialbookError, UsageError
from trialbook.sdk.accounts.storage_progress import Meter, report_every
from trialbook.sdk.console import say
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.storage import fetching
from trialbook.sdk.storage.fetching import fetch, storage_of
from trialbook.sdk.values.argument_types import checked

_MIB = 1 << 20
_WORKERS = 8
_PER_TRY = 10.0


@checked
class StorageManager:
    """Fetches and stores files by address: ``s3://``, ``gs://``, ``azure://``, ``http(s)://``, ``file://``, paths.

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
        """A path of this host with the content of an address; transferred once.

        Args:
            remote_url: of a file anywhere.
            cache_context: a name that keeps caches apart.
            extract_archive: unpack zip and tar.gz files; the path is then a folder.
            name: file name to use instead of the address's own.
            force_download: fetch even when it is in the cache.

        Returns:
            The path, or None (and a line that says why) when it cannot be fetched.

        Example:
            >>> StorageManager.get_local_copy("/no/such/file")
        """
        try:
            _required(remote_url=remote_url)
            return str(fetch(remote_url, extract_archive, force_download, cache_context or "files", name))
        except (TrialbookError, OSError) as error:
            say(f"Trialbook: {remote_url} was not fetched: {error}")
            return None

    @classmethod
    def upload_file(
        cls, local_file: str, remote_url: str, wait_for_upload: bool = True, retries: int = 3
    ) -> str:
        """Store a file and return its address.

        Args:
            local_file: a path.
            remote_url: where to; an address that ends with a slash gets the file's name.
            wait_for_upload: accepted for compatibility: the file is stored when this returns.
            retries: how often to try again while the storage is away or busy.

        Returns:
            The address that it is stored at.

        Raises:
            TrialbookError: it could not be stored.
            OSError: it could not be read.

        Example:
            >>> address = StorageManager.upload_file("images/labels.csv", "store/labels.csv")
            >>> StorageManager.exists_file(address)
            True
        """
        _required(local_file=local_file, remote_url=remote_url)
        source = Path(local_file).expanduser()
        if not source.is_file():
            raise UsageError(f"there is no file {local_file}")
        if remote_url.endswith("/"):
            remote_url = storage_of(remote_url).child(remote_url, source.name)
        _store(source, remote_url, retries)
        return remote_url

    @classmethod
    def upload_folder(
        cls, local_folder: str, remote_url: str, match_wildcard: str | None = None, retries: int = 3
    ) -> str | None:
        """Store the files of a folder below an address.

        Args:
            local_folder: a path.
            remote_url: of the folder there.
            match_wildcard: only files whose path in the folder, or whose name, matches.
            retries: see ``upload_file``.

        Returns:
            The address; None when a file could not be stored.

        Raises:
            UsageError: no such folder, or an empty address.

        Example:
            >>> address = StorageManager.upload_folder("images", "store", match_wildcard="*.jpg")
            >>> StorageManager.list(address)
            ['train/a.jpg', 'train/b.jpg']
        """
        _required(local_folder=local_folder, remote_url=remote_url)
        folder = Path(local_folder).expanduser()
        if not folder.is_dir():
            raise UsageError(f"there is no folder {local_folder}")
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        storage = storage_of(remote_url)

        def store(name: str) -> None:
            _store(folder / name, storage.child(remote_url, name), retries)

        chosen = [name for name in names if _matches(name, match_wildcard)]
        return remote_url if _all(store, chosen, _WORKERS, f"stored below {remote_url}") else None

    @classmethod
    def download_file(
        cls,
        remote_url: str,
        local_folder: str | None = None,
        overwrite: bool = False,
        skip_zero_size_check: bool = False,
        silence_errors: bool = False,
    ) -> str | None:
        """Fetch a file into a folder, where it keeps its path below its host or bucket.

        Args:
            remote_url: of the file.
            local_folder: None is the cache.
            overwrite: also when there is such a file already.
            skip_zero_size_check: take an empty file as well.
            silence_errors: say nothing when it cannot be fetched.

        Returns:
            The path, or None when it cannot be fetched.

        Example:
            >>> address = StorageManager.get_files_server() + "/examples/labels.csv"
            >>> _ = StorageManager.upload_file("images/labels.csv", address)
            >>> StorageManager.download_file(address, local_folder="copies")
            'copies/.../examples/labels.csv'
        """
        try:
            if local_folder is None:
                return str(fetch(remote_url, False, overwrite))
            return _download(remote_url, Path(local_folder), overwrite, skip_zero_size_check)
        except (TrialbookError, OSError) as error:
            if not silence_errors:
                say(f"Trialbook: {remote_url} was not fetched: {error}")
            return None

    @classmethod
    def download_folder(
        cls,
        remote_url: str,
        local_folder: str | None = None,
        match_wildcard: str | None = None,
        overwrite: bool = False,
        skip_zero_size_check: bool = False,
        silence_errors: bool = False,
        max_workers: int | None = None,
    ) -> str | None:
        """Fetch all files below an address into a folder; see ``download_file``.

        Args:
            remote_url: of the folder there.
            local_folder: None is a folder of the cache.
            match_wildcard: only files whose path below the address, or whose name, matches.
            overwrite: also files that are there already.
            skip_zero_size_check: take empty files as well.
            silence_errors: say nothing about what cannot be fetched.
            max_workers: transfers at a time; None is 8.

        Returns:
            ``local_folder``, or None when it cannot be listed or a file cannot be fetched.

        Example:
            >>> address = StorageManager.get_files_server() + "/examples/folder"
            >>> _ = StorageManager.upload_folder("images", address)
            >>> StorageManager.download_folder(address, local_folder="copies", match_wildcard="*.csv")
            'copies'
        """
        target = Path(local_folder) if local_folder else load().own_cache("folders")
        storage = storage_of(remote_url)
        try:
            _required(remote_url=remote_url)
            names = [name for name, _ in storage.list(remote_url) if _matches(name, match_wildcard)]
        except (TrialbookError, OSError) as error:
            if not silence_errors:
                say(f"Trialbook: {remote_url} was not fetched: {error}")
            return None

        def bring(name: str) -> None:
            _download(storage.child(remote_url, name), target, overwrite, True)

        told = "" if silence_errors else f"fetched from {remote_url}"
        return str(target) if _all(bring, names, max_workers or _WORKERS, told) else None

    @classmethod
    def list(
        cls, remote_url: str, return_full_path: bool = False, with_metadata: bool = False
    ) -> "Sequence[str | dict[str, Any]] | None":
        """The files below an address.

        Args:
            remote_url: of a folder; an HTTP server that is not ours cannot be listed.
            return_full_path: whole addresses instead of paths below it.
            with_metadata: dicts with ``name``, ``size``, ``last_modified`` (seconds since the epoch) and ``etag``.

        Returns:
            In order; None when it cannot be listed.

        Example:
            >>> StorageManager.list("images")
            ['labels.csv', 'train/a.jpg', 'train/b.jpg']
        """
        storage = storage_of(remote_url)
        try:
            _required(remote_url=remote_url)
            found = list(storage.list(remote_url))
        except (TrialbookError, OSError) as error:
            say(f"Trialbook: {remote_url} was not listed: {error}")
            return None
        return [
            (
                {"name": shown, "size": info.size, "last_modified": info.modified, "etag": info.etag}
                if with_metadata
                else shown
            )
            for name, info in found
            for shown in [storage.child(remote_url, name) if return_full_path else name]
        ]

    @classmethod
    def exists_file(cls, remote_url: str) -> bool:
        """Whether there is a file at the address.

        Args:
            remote_url: of the file.

        Returns:
            True when there is; False also when nobody can tell.

        Example:
            >>> StorageManager.exists_file("images/labels.csv"), StorageManager.exists_file("images/no.csv")
            (True, False)
        """
        return cls.get_metadata(remote_url) is not None

    @classmethod
    def get_file_size_bytes(cls, remote_url: str, silence_errors: bool = True) -> int | None:
        """Bytes of the file at the address.

        Args:
            remote_url: of the file.
            silence_errors: say nothing when the storage cannot be asked.

        Returns:
            The size; None when there is no file, or its size is not told.

        Example:
            >>> _ = pathlib.Path("ten.bin").write_bytes(bytes(10))
            >>> StorageManager.get_file_size_bytes("ten.bin")
            10
        """
        found = cls._facts(remote_url, silence_errors)
        return found.size if found is not None and found.size >= 0 else None

    @classmethod
    def get_metadata(cls, remote_url: str, return_full_path: bool = False) -> dict[str, Any] | None:
        """What the storage knows of a file.

        Args:
            remote_url: of the file.
            return_full_path: the whole address as ``name``.

        Returns:
            ``name``, ``size``, ``last_modified`` and ``etag``; None when there is no file.

        Example:
            >>> StorageManager.get_metadata("images/train/a.jpg")["name"]
            'a.jpg'
        """
        found = cls._facts(remote_url, True)
        if found is None:
            return None
        name = remote_url if return_full_path else remote_url.rstrip("/").rpartition("/")[2]
        return {"name": name, "size": found.size, "last_modified": found.modified, "etag": found.etag}

    @classmethod
    def set_cache_file_limit(cls, cache_file_limit: int, cache_context: str | None = None) -> int:
        """How many files the cache keeps; what a living process was given stays.

        Args:
            cache_file_limit: files, at least 1.
            cache_context: of this context.

        Returns:
            The limit.

        Example:
            >>> StorageManager.set_cache_file_limit(500)
            500
        """
        return fetching.limit_files(cache_file_limit, cache_context or "files")

    @classmethod
    def get_files_server(cls) -> str:
        """Address of the files server.

        Returns:
            What names it in settings, without a slash at the end.

        Example:
            >>> StorageManager.get_files_server()
            'http...'
        """
        return connections.connect().settings.files_host

    @classmethod
    def set_report_upload_chunk_size(cls, chunk_size_mb: int | float) -> None:
        """How often a long upload says how far it is.

        Args:
            chunk_size_mb: MiB between two lines; 0 says nothing.

        Example:
            >>> StorageManager.set_report_upload_chunk_size(100)
        """
        report_every["upload"] = int(chunk_size_mb * _MIB)

    @classmethod
    def set_report_download_chunk_size(cls, chunk_size_mb: int | float) -> None:
        """How often a long download says how far it is.

        Args:
            chunk_size_mb: MiB between two lines; 0 says nothing.

        Example:
            >>> StorageManager.set_report_download_chunk_size(100)
        """
        report_every["download"] = int(chunk_size_mb * _MIB)

    @classmethod
    def _facts(cls, url: str, silent: bool) -> Any:
        try:
            return storage_of(url).facts(url)
        except (TrialbookError, OSError) as error:
            if not silent:
                say(f"Trialbook: {url} cannot be asked for: {error}")
            return None


def _required(**given: str) -> None:
    """Refuse empty paths and addresses.

    Raises:
        UsageError: one is empty: an unset variable, and neither the working directory nor the root.
    """
    for name, value in given.items():
        if not value:
            raise UsageError(f"{name} is empty; name a path or an address, '.' for the working directory")


def _store(source: Path, url: str, retries: int) -> None:
    storage = storage_of(url)
    meter = Meter(f"uploading {source.name}", source.stat().st_size, report_every["upload"])
    insist(lambda: storage.upload(source, url, meter), max(0, retries) * _PER_TRY)


def _download(url: str, folder: Path, overwrite: bool, empty: bool) -> str:
    target = folder / _sub_path(url)
    if target.is_file() and not overwrite:
        return str(target)
    storage = storage_of(url)
    facts = storage.facts(url)
    if facts is None:
        raise FileMissing(f"there is no file at {url}")
    if facts.size == 0 and not empty:
        raise FileMissing(f"{url} is empty (skip_zero_size_check takes it)")
    storage.download(url, target, Meter(f"downloading {target.name}", facts.size, report_every["download"]))
    return str(target)


def _sub_path(url: str) -> str:
    """The path of a file below its host, bucket, or root."""
    path = str(Path(path_of(url)).absolute()) if scheme_of(url) == "" else path_of(url)
    # A backslash is a letter of names like others, but where it parts the names of a path.
    parts = [part for part in path.replace(os.sep, "/").split("/") if part]
    if not parts or any(part in (".", "..") or "\0" in part for part in parts):
        raise UsageError(f"{url} does not name a file that could have a place in a folder")
    return "/".join(parts)


def _matches(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    return globs.fits(name, pattern) or globs.fits(name.rpartition("/")[2], pattern)


def _all(work: Callable[[str], None], names: Sequence[str], workers: int, told: str) -> bool:
    """Whether all were done; what went wrong is said when ``told`` names the work."""

    def one(name: str) -> bool:
        try:
            work(name)
            return True
        except (TrialbookError, OSError) as error:
            if told:
                say(f"Trialbook: {name} was not {told}: {error}")
            return False

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="trialbook-transfer") as pool:
        return all(list(pool.map(one, names)))
