"""Addresses of files on this machine."""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trialbook.base.files import new_beside
from trialbook.blobs.buckets import SCHEMES
from trialbook.errors import UsageError


def scheme_of(url: str) -> str:
    """The scheme of an address in lower case; empty for a path."""
    scheme, mark, _ = url.partition("://")
    return scheme.lower() if mark and scheme.replace("+", "").replace("-", "").isalnum() else ""


def local_path(url: str) -> Path | None:
    """The path that an address on this machine names; None for an address elsewhere.

    Raises:
        UsageError: an unknown scheme.
    """
    scheme = scheme_of(url)
    if scheme in ("http", "https") or scheme in SCHEMES:
        return None
    if scheme == "file":
        return Path(unquote(urlsplit(url.replace("#", "%23").replace("?", "%3F")).path))
    if scheme == "":
        return Path(url).expanduser()
    raise UsageError(
        f"{scheme}:// is not supported; use s3://, gs://, azure://, http(s)://, file:// or a folder ({url})"
    )


def copy_atomic(source: Path, target: Path) -> None:
    """Copy a file so that ``target`` is the old or the new one, never a part."""
    handle, part = new_beside(target)
    os.close(handle)
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
