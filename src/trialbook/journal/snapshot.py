"""The bytes of a file as they are now, without making the caller wait for a copy.

A small file is copied on the spot. Of a large one the file system makes a clone where it can (reflink). Elsewhere
another process copies it while a *lease* of the kernel protects it: whoever opens the file for writing, this program
included, waits in ``open`` until the copy is complete; deleting or replacing it hurts nobody, because the copying
process has it open. Another process and not a thread, because a program that waits in ``open`` may hold the
interpreter's lock. Where there is no lease (not Linux, another user's file, somebody has it open for writing), the
caller waits for the copy: the bytes of the moment of the call are what was asked for.

``<target>.origin`` says where the bytes come from until ``<target>`` is there, for a process that goes on for this one.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from trialbook.base.files import read_json
from trialbook.errors import SourceChanged

if sys.platform != "win32":
    import fcntl

AT_ONCE = 8 << 20
"""Bytes up to which a copy costs a few milliseconds."""
_FICLONE = 0x40049409
_SHELL = "/bin/sh"
_COPY = 'cp -- /dev/stdin "$1.part" && mv -- "$1.part" "$1" || rm -f -- "$1.part"'
_BREAK = Path("/proc/sys/fs/lease-break-time")
_SILENT_SECONDS = 10.0
"""After this time without a byte another process's copy is taken for dead."""


@dataclass(frozen=True)
class _Origin:
    path: str
    size: int
    mtime_ns: int
    inode: int
    started: float
    protected: float
    """Seconds that the lease holds against a writer who waits."""

    def unchanged(self) -> bool:
        try:
            facts = Path(self.path).stat()
        except OSError:
            return False
        return (facts.st_size, facts.st_mtime_ns, facts.st_ino) == (self.size, self.mtime_ns, self.inode)

    def written(self) -> bool:
        """Whether the very file, and not another of its name, was written to."""
        try:
            facts = Path(self.path).stat()
        except OSError:
            return False
        return facts.st_ino == self.inode and facts.st_mtime_ns != self.mtime_ns


_copying: dict[Path, int] = {}


def keep(source: Path, target: Path) -> None:
    """Have the present bytes of a file in ``target``, soon: ``settle`` waits for them.

    Args:
        source: any file; may be overwritten or deleted from now on.
        target: a new file of ours.

    Raises:
        OSError: the source cannot be read, or a copy on the spot not written.
    """
    facts = source.stat()
    if facts.st_size >= AT_ONCE:
        if _cloned(source, target):
            return
        protected = _protection()
        origin = _Origin(
            str(source.absolute()), facts.st_size, facts.st_mtime_ns, facts.st_ino, time.time(), protected
        )
        if protected and _copied_aside(source, target, origin):
            return
    shutil.copyfile(source, target)


def size_of(target: Path) -> int:
    """Bytes that ``target`` has, or will have."""
    origin = _origin(target)
    return origin.size if origin is not None else target.stat().st_size


def settle(target: Path) -> Path:
    """Wait until the bytes are there.

    Returns:
        The file that has them: ``target``, or the original when it is as it was and there is no room for a copy.

    Raises:
        SourceChanged: the copying process was killed, and the original is another one by now.
    """
    origin = _origin(target)
    if origin is None:
        return target
    _wait(target)
    if target.is_file():
        late = target.stat().st_ctime - origin.started > origin.protected
        if late and origin.written():
            raise SourceChanged(
                f"{origin.path} was changed while it was copied, which took longer than the system protects it; it "
                "was not stored"
            )
        return target
    if not origin.unchanged():
        raise SourceChanged(f"{origin.path} was changed before it could be copied; it was not stored")
    return Path(origin.path)


def unchanged(target: Path, used: Path) -> bool:
    """Whether an original that ``settle`` answered is still as it was."""
    origin = _origin(target)
    return used == target or origin is None or origin.unchanged()


def forget(target: Path) -> None:
    """Delete what is left of a copy, and end one that nobody waits for any more."""
    pid = _copying.pop(target, None)
    if pid is not None:
        # No longer a child of ours when the program has asked for the end of any child: then it is over.
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    for path in (target, _beside(target, "origin"), _beside(target, "part")):
        path.unlink(missing_ok=True)


def _cloned(source: Path, target: Path) -> bool:
    if sys.platform != "linux":
        return False
    try:
        with source.open("rb") as there, target.open("wb") as here:
            fcntl.ioctl(here.fileno(), _FICLONE, there.fileno())
        return True
    except OSError:
        target.unlink(missing_ok=True)
        return False


def _protection() -> float:
    """Seconds that a lease holds; 0 where there are none."""
    try:
        return float(_BREAK.read_text()) if sys.platform == "linux" and Path(_SHELL).exists() else 0.0
    except (OSError, ValueError):
        return 0.0


def _copied_aside(source: Path, target: Path, origin: _Origin) -> bool:
    """Whether a process copies the file, protected from writers."""
    if sys.platform != "linux":
        return False
    handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Without this a writer's arrival would send a signal that ends the program; this one is ignored by default.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        # Not synced to the disk: a killed process loses nothing by that, and the caller waits.
        _beside(target, "origin").write_text(json.dumps(asdict(origin)), "utf-8")
        _copying[target] = os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _COPY, "trialbook-copy", str(target)],
            {"PATH": os.defpath},
            # The lease goes with the last handle: the copying process has it now.
            file_actions=[(os.POSIX_SPAWN_DUP2, handle, 0)],
            # An interrupt at the terminal ends the program, not the copy.
            setsid=True,
        )
        return True
    except (OSError, NotImplementedError):
        _beside(target, "origin").unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)


def _wait(target: Path) -> None:
    pid = _copying.pop(target, None)
    if pid is not None:
        try:
            os.waitpid(pid, 0)
            return
        except ChildProcessError:
            # The program has asked for the end of any child, and got this one's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                pid = None
            if pid is not None:
                return
    # Another process started it, or somebody else has asked for its end: it is over when it stops to grow.
    part = _beside(target, "part")
    moved, seen = time.monotonic(), -1
    while not target.is_file() and time.monotonic() - moved < _SILENT_SECONDS:
        try:
            size = part.stat().st_size
        except FileNotFoundError:
            size = -2
        if size != seen:
            moved, seen = time.monotonic(), size
        time.sleep(0.05)


def _origin(target: Path) -> _Origin | None:
    found = read_json(_beside(target, "origin"))
    return _Origin(**found) if isinstance(found, dict) else None


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f"{target.name}.{suffix}")
