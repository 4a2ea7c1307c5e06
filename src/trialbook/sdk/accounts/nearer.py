"""Addresses that this machine has nearer, as ``sdk.storage.path_substitution`` says: a mounted bucket, a mirror."""

from urllib.parse import unquote

from trialbook.client.places import child_address, local_path, scheme_of
from trialbook.sdk.accounts.storage_settings import storage_settings

_ENCODED = ("http", "https", "file")


def nearer(url: str, writing: bool = False) -> str:
    """The address to use on this machine for a registered one, which stays the one that is recorded.

    Args:
        url: of a file or a folder anywhere.
        writing: something may be made there. Then the folder that stands for the prefix must be there; for reading it
            is the file itself, so that what a mirror lacks is still found where it comes from.

    Returns:
        The address below the first prefix of the configuration that fits, or the same one.
    """
    for registered, local in storage_settings().substitutions:
        below = _below(url, registered)
        if below is None:
            continue
        found = child_address(local, below) if below else local.rstrip("/") or "/"
        top, path = local_path(local), local_path(found)
        if top is None or path is None or path.exists() or (writing and top.is_dir()):
            return found
    return url


def _below(url: str, prefix: str) -> str | None:
    """The path below a prefix, decoded; None when the address is not there. A prefix ends where a name ends."""
    prefix = prefix.rstrip("/")
    rest = url[len(prefix) :]
    if not url.startswith(prefix) or (rest and not rest.startswith("/") and not prefix.endswith(":")):
        return None
    rest = rest.lstrip("/")
    return unquote(rest) if scheme_of(url) in _ENCODED else rest
