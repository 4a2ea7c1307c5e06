"""The three addresses of a server: what was not named follows from what was, as ClearML derives it."""

from urllib.parse import urlsplit

from trialbook.base.web_address import web_address
from trialbook.errors import ConfigurationError

_KINDS = ("api", "web", "files")


def address(given: str, source: str) -> str:
    """The address of a server in one spelling; empty stays so.

    Args:
        given: as somebody wrote it.
        source: where, for the message.

    Raises:
        ConfigurationError: it is not an address.
    """
    try:
        return web_address(given) if given.strip() else ""
    except ValueError:
        raise ConfigurationError(
            f"{given!r} in {source} is not an address of a server; write one such as http://localhost:8008"
        ) from None


def files_address(given: str, source: str) -> str:
    """As ``address``; where files go may be a bucket or a folder as well, which stays as it is."""
    given = given.strip()
    scheme = given.partition("://")[0].lower() if "://" in given else ""
    if scheme in ("http", "https") or (not scheme and not given.startswith(("/", "~", ".", "\\"))):
        return address(given, source)
    return given


def complete(api: str, web: str, files: str) -> tuple[str, str, str]:
    """Fill in the addresses that were not given, as ClearML does: by port, or by the first name of the host.

    Args:
        api, web, files: as ``address`` and ``files_address`` have them.
    """
    files = files.rstrip("/")
    for known, kind in ((api, "api"), (web, "web"), (files, "files")):
        if not known:
            continue
        found = {other: _derived(known, kind, other) for other in _KINDS}
        return api or found["api"], web or found["web"], files or found["files"]
    return "", "", ""


def _derived(known: str, kind: str, wanted: str) -> str:
    parts = urlsplit(known)
    host = parts.hostname or ""
    first = {"api": "api.", "web": "app.", "files": "files."}
    if host.startswith(first[kind]):
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{first[wanted]}{host[len(first[kind]) :]}{port}"
    if kind == "files" and parts.path.endswith("/files"):
        return f"{parts.scheme}://{parts.netloc}"
    # One Trialbook server has everything on one port; three hosts are only ever named one by one.
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{base}/files" if wanted == "files" else base
