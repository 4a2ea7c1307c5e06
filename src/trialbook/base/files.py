"""Files that are either the old bytes or the new bytes, never a part."""

import json
import os
import stat
from pathlib import Path
from typing import Any


def own_folder(path: Path) -> bool:
    """Make a folder that only its owner can look into; one that is there already is tightened.

    Args:
        path: the folder. Those above it that are missing are made for the owner alone as well.

    Returns:
        True when others could read it until now. A folder that everybody writes to, as ``/tmp``, stays as it is.

    Raises:
        OSError: it cannot be made, or belongs to somebody else.
    """
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    mode = path.stat().st_mode
    if not mode & 0o077 or mode & stat.S_ISVTX:
        return False
    path.chmod(0o700)
    return True


def own_file(path: Path) -> bool:
    """Leave a file that is there to its owner alone.

    Args:
        path: the file; nothing happens when it is missing.

    Returns:
        True when others could read or write it until now.

    Raises:
        OSError: it belongs to somebody else.
    """
    if not path.exists() or not path.stat().st_mode & 0o077:
        return False
    path.chmod(0o600)
    return True


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data`` in one step; a crash leaves the old file.

    Args:
        path: the file; its folder is created.
        data: the whole content.
        mode: permission bits of the new file.
    """
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def new_beside(target: Path) -> tuple[int, Path]:
    """A new file in the folder of ``target``, to be written and then renamed; its mode is what the umask leaves.

    ``mkstemp`` gives 0600 whatever the umask says, which is wrong for a file that somebody asked for by its path, and a
    fixed 0644 is wrong for one who wants no reader.

    Args:
        target: the file that it will be; its folder is created.

    Returns:
        The open descriptor and the path.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), path


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """``write_atomic`` of indented JSON."""
    write_atomic(path, json.dumps(value, indent=2, sort_keys=True).encode(), mode)


def read_json(path: Path) -> Any:
    """The JSON value in ``path``, or None when there is no such file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
