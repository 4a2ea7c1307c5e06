"""Where things are kept on this host when nothing else is said, as its system wants it."""

import contextlib
import logging
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from trialbook.base.files import own_folder

_log = logging.getLogger("trialbook")
_looked_at: set[Path] = set()


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


def closed(above: Path, name: str) -> Path:
    """A folder of the SDK in one that may be open to others, closed to them.

    Args:
        above: the cache. One that others may write to is shared on purpose, and stays so below; ``/tmp``, where each
            keeps to its own, is not.
        name: of the folder in it.

    Returns:
        The folder. Where it cannot be made, whoever writes to it says so.
    """
    folder = above / name
    if folder in _looked_at:
        return folder
    _looked_at.add(folder)
    with contextlib.suppress(OSError):
        mode = above.stat().st_mode
        if not mode & 0o022 or mode & stat.S_ISVTX:
            own_folder(folder)
    return folder


def keep_private(folder: Path, named: bool) -> Path:
    """A folder of the SDK, made for its user alone. Whatever is in it has no readers, whatever the umask says.

    Args:
        folder: where the SDK keeps its own.
        named: the user named it. Then one that is there already may be meant for others, so that is said and not
            changed; the usual one is closed.

    Returns:
        The folder. Where it cannot be made, whoever writes to it says so.
    """
    if folder in _looked_at:
        return folder
    _looked_at.add(folder)
    with contextlib.suppress(OSError):
        if not named or not folder.exists():
            if own_folder(folder) and any(folder.iterdir()):
                _log.warning("other accounts could read %s until now; it is closed to them (0700)", folder)
        elif folder.stat().st_mode & 0o077:
            text = "other accounts can look into %s: `chmod 700` closes it, unless they are meant to"
            _log.info(text, folder)
    return folder
