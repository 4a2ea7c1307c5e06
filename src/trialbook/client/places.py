"""Addresses of files on this machine."""

import os
import shutil
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from trialbook.base.files import new_beside
from trialbook.blobs.schemes import SCHEMES
from trialbook.errors import UsageError


def scheme_of(url: str) -> str:
    """The scheme of an address in lower case; empty for a path."""
    scheme, mark, _ = url.partition("://")
    return scheme.lower() if mark and scheme.replace("+", "").replace("-", "").isalnum() else ""


def local_path(url: str) -> Path | None:
    """The path that an address on this machine names; None for an address elsewhere.

    Raises:
        UsageError: an unknown scheme, or no path: nothing behind ``file://``, or a NUL in it.
    """
    scheme = scheme_of(url)
    if scheme in ("http", "https") or scheme in SCHEMES:
        return None
    if scheme == "file":
        # The path as it is written, decoded once; no query, no fragment: these letters belong to names.
        # A byte that is not UTF-8 is what Python's file functions make of it.
        _, slash, path = url.partition("://")[2].partition("/")
        if not slash:
            raise UsageError(f"{url} does not name a path: write file:///folder/file")
        found = Path(unquote("/" + path, errors="surrogateescape"))
    elif scheme == "":
        found = Path(url).expanduser()
    else:
        raise unknown_scheme(url, scheme)
    if "\0" in str(found):
        raise UsageError(f"{url!r} does not name a path: there is a NUL in it")
    return found


def unknown_scheme(url: str, scheme: str) -> UsageError:
    """What an address of a scheme that nobody knows is told."""
    return UsageError(
        f"{scheme}:// is not supported; use s3://, gs://, azure://, http(s)://, file:// or a folder ({url})"
    )


def unencoded(path: Path) -> str:
    """The ``file://`` address of a path as the clearml SDK writes it, which encodes nothing.

    Example:
        >>> unencoded(Path("/data/g h%20.txt"))
        'file:///data/g h%20.txt'
    """
    return f"file://{path}"


def from_unencoded(url: str) -> str:
    """An address that the clearml SDK wrote, as one of ours; other schemes it writes as we do.

    Example:
        >>> from_unencoded("file:///data/g h%20.txt"), from_unencoded("s3://bucket/g h%20.txt")
        ('file:///data/g%20h%2520.txt', 's3://bucket/g h%20.txt')
    """
    if scheme_of(url) != "file":
        return url
    return f"file://{quote(os.fsencode(url.partition('://')[2]), safe='/')}"


def existing_path(url: str) -> Path | None:
    """As ``local_path``, for reading: what the clearml SDK registered without encoding it is found as well.

    Raises:
        UsageError: see ``local_path``.
    """
    path = local_path(url)
    if path is not None and scheme_of(url) == "file" and "%" in url and not path.exists():
        written = Path(url.partition("://")[2])
        if written.is_absolute() and written.exists():
            return written
    return path


def child_address(url: str, name: str) -> str:
    """The address of a file below another.

    Args:
        url: of the folder.
        name: path below it, as it is; encoded where the addresses of the scheme are.

    Raises:
        UsageError: the name is not UTF-8, and the folder is not on this machine.

    Example:
        >>> child_address("file:///data", "g%20h #1"), child_address("s3://bucket/data", "g%20h #1")
        ('file:///data/g%2520h%20%231', 's3://bucket/data/g%20h #1')
    """
    scheme = scheme_of(url)
    try:
        if scheme in ("", "file"):
            return f"{url.rstrip('/')}/{quote(os.fsencode(name), safe='/') if scheme else name}"
        encoded = quote(name, safe="/")
    except UnicodeEncodeError:
        raise UsageError(
            f"{name!r} is not UTF-8, which is what the names at {url} have to be: rename the file"
        ) from None
    return f"{url.rstrip('/')}/{encoded if scheme in ('http', 'https') else name}"


def path_of(url: str) -> str:
    """The path behind host or bucket, decoded where the addresses of the scheme are encoded.

    Example:
        >>> path_of("https://host/a%20b?v=1#top"), path_of("s3://bucket/a%20b#1")
        ('/a b', '/a%20b#1')
    """
    scheme = scheme_of(url)
    if scheme in ("http", "https"):
        return unquote(urlsplit(url).path)
    if scheme in ("", "file"):
        return (local_path(url) or Path(url)).as_posix()
    return "/" + url.partition("://")[2].partition("/")[2]


def copy_atomic(source: Path, target: Path) -> None:
    """Copy a file so that ``target`` is the old or the new one, never a part."""
    handle, part = new_beside(target)
    os.close(handle)
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
