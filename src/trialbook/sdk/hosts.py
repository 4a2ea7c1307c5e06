"""The three addresses of a server: what was not named follows from what was, as the reference derives it."""

from urllib.parse import urlsplit

_KINDS = ("api", "web", "files")


def complete(api: str, web: str, files: str) -> tuple[str, str, str]:
    """Fill in the addresses that were not given, as the reference does: by port, or by the first name of the host."""
    api, web, files = (text.rstrip("/") for text in (api, web, files))
    for known, kind in ((api, "api"), (web, "web"), (files, "files")):
        if not known:
            continue
        found = {other: _derived(known, kind, other) for other in _KINDS}
        return api or found["api"], web or found["web"], files or found["files"]
    return "", "", ""


def _derived(known: str, kind: str, wanted: str) -> str:
    parts = urlsplit(known if "://" in known else f"http://{known}")
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
