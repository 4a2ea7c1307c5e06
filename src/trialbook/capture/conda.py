"""The packages of a conda environment, as conda's own notes in it tell them; conda itself is not run."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

# Whose channels go by their names alone.
_HOSTS = frozenset({"conda.anaconda.org", "repo.anaconda.com", "repo.continuum.io"})


def installed(prefix: Path | None) -> str | None:
    """The list of a conda environment.

    Args:
        prefix: the active environment; None, or one that this Python does not belong to, has no list.

    Returns:
        A line ``name==version`` for each package, which agents read, then the exact builds with their channels in
        comments; None outside of a conda environment.
    """
    if prefix is None or not _is_ours(prefix):
        return None
    lines, builds = [], []
    for note in sorted((prefix / "conda-meta").glob("*.json")):
        package = json.loads(note.read_bytes())
        name, version = package.get("name"), package.get("version")
        if not name or not version:
            continue
        lines.append(f"{name}=={version}")
        channel = _channel(str(package.get("channel") or ""))
        builds.append(f"# {channel + '::' if channel else ''}{name}={version}={package.get('build') or ''}")
    if not lines:
        return None
    return "\n".join(["# Conda packages", *lines, "", "# Exact builds", *builds]) + "\n"


def _is_ours(prefix: Path) -> bool:
    """An environment may be active in the shell while another Python runs: one of a virtual environment, say."""
    folders = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    return (prefix / "conda-meta").is_dir() and prefix.resolve() in folders


def _channel(address: str) -> str:
    """The channel of a package's address, without the platform and without tokens and passwords."""
    parts = urlsplit(address)
    if not parts.scheme:
        return address
    path = [part for part in parts.path.split("/") if part]
    if path[:1] == ["t"]:
        # /t/<token>/channel
        path = path[2:]
    if path and ("-" in path[-1] or path[-1] == "noarch"):
        path.pop()
    name = "/".join(path)
    return name if parts.hostname in _HOSTS else f"{parts.scheme}://{parts.hostname}/{name}"
