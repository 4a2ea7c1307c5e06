"""Where things are kept on this host when nothing else is said, as its system wants it."""

import sys
from collections.abc import Mapping
from pathlib import Path


def cache(env: Mapping[str, str], home: Path) -> Path:
    """Journals, downloads, memory of earlier runs."""
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "trialbook" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "trialbook"
    return Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "trialbook"


def data(env: Mapping[str, str], home: Path) -> Path:
    """The private server's."""
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "trialbook"
