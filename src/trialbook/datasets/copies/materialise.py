"""Making a folder of a plan: hard links, clones and copies of what is near, checked bytes of what is far."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from trialbook.blobs.store import BlobStore
from trialbook.datasets.copies.plan import Plan, by_pack
from trialbook.datasets.manifest.rows import Rows
from trialbook.datasets.packs.reader import PackReader, Wanted
from trialbook.datasets.storage.direct import STEP
from trialbook.errors import DatasetDamaged, DatasetMissing

_FICLONE = 0x40049409
_LARGE = 256 << 10
_NO_COPY = {
    errno.EXDEV,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.EPERM,
    errno.EBADF,
}
_NO_LINK = {
    errno.EXDEV,
    errno.EMLINK,
    errno.ENOENT,
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.EACCES,
}


def materialise(
    plan: Plan, blobs: BlobStore, target: Path, private: bool, failed: list[str] | None = None,
    workers: int | None = None,
) -> None:  # fmt: skip
    """Write every file of a plan below a new or empty folder.

    Args:
        plan: of the rows.
        blobs: where the packs lie.
        target: it is made; nobody else may write in it meanwhile.
        private: True writes files that the caller may change, and never links to those of others; False read-only files
            that may share their bytes with other views.
        failed: takes what went wrong with single packs and files, which then does not raise; None raises at the first.
        workers: packs that are read at once; None is up to four when the files are large, else one.

    Raises:
        DatasetMissing: a pack is gone.
        DatasetDamaged: bytes are not those of the manifest.
        OSError: the disk is full, or two paths are one on this file system.
    """
    rows = plan.rows
    _folders(rows, target)
    left = [
        place for place, near, made in plan.near if not _brought(rows, place, near, made, target, private)
    ]
    far = plan.far + by_pack(rows, left)

    def extract(key: str, wanted: list[Wanted]) -> None:
        try:
            _extract(rows, blobs, key, wanted, target, private)
        except DatasetMissing as error:
            if failed is None:
                raise
            failed.append(str(error))
        except DatasetDamaged:
            if failed is None:
                raise
            failed.extend(_extract_each(rows, blobs, key, wanted, target, private))

    count = sum(len(wanted) for _, wanted in far)
    large = count and sum(item.size for _, wanted in far for item in wanted) / count > _LARGE
    at_once = workers or (min(4, os.cpu_count() or 1) if large else 1)
    if at_once > 1 and len(far) > 1:
        with ThreadPoolExecutor(at_once, "dataset-write") as pool:
            for _ in pool.map(lambda group: extract(*group), far):
                pass
    else:
        for key, wanted in far:
            extract(key, wanted)


def _folders(rows: Rows, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for folder in sorted({path.rpartition("/")[0] for path in rows.paths}):
        if folder:
            (target / folder).mkdir(parents=True, exist_ok=True)


def _extract(
    rows: Rows, blobs: BlobStore, key: str, wanted: list[Wanted], target: Path, private: bool
) -> None:
    modes = rows.data["mode"]
    top = str(target)
    reader = PackReader(blobs, key)

    def fill(item: Wanted, write: Callable[[int], None]) -> None:
        _filled(f"{top}/{rows.paths[item.place]}", private, bool(modes[item.place]), write)

    rest = []
    for item in wanted:
        if reader.can_copy(item):
            fill(item, partial(reader.copy, item))
        else:
            rest.append(item)
    for item, parts in reader.members(rest):
        fill(item, partial(_write, parts))


def _extract_each(
    rows: Rows, blobs: BlobStore, key: str, wanted: list[Wanted], target: Path, private: bool
) -> Iterator[str]:
    """Write what a damaged pack still has and is not there yet; what is wrong with the rest."""
    for item in wanted:
        path = rows.paths[item.place]
        if not (target / path).exists():
            try:
                _extract(rows, blobs, key, [item], target, private)
            except (DatasetMissing, DatasetDamaged) as error:
                yield f"{path}: {error}"


def _filled(path: str, private: bool, executable: bool, write: Callable[[int], None]) -> None:
    """Make a file that stays when it was written as it should be."""
    # A shared copy gets its name as a whole. In a folder of the user's each file gets its own once it is whole, so that
    # what a killed process leaves is never taken for data.
    made = f"{path.rpartition('/')[0]}/.trialbook-{os.urandom(6).hex()}.part" if private else path
    mode = (0o644 if private else 0o444) | (0o111 if executable else 0)
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            write(handle)
        finally:
            os.close(handle)
        if private:
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            Path(made).rename(path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = error.filename or path
        # Whoever takes what can be had must not find bytes that are not those of the manifest.
        Path(made).unlink()
        raise


def _write(parts: Iterator[memoryview], handle: int) -> None:
    for part in parts:
        view = part
        while len(view):
            view = view[os.write(handle, view[:STEP]) :]


def _brought(rows: Rows, place: int, near: Path, made: float, target: Path, private: bool) -> bool:
    """Whether a near file could be used; when it cannot, nothing is left of the try."""
    goal = f"{target}/{rows.paths[place]}"
    try:
        facts = near.lstat()
        if facts.st_size != int(rows.data["size"][place]) or facts.st_mtime > made:
            return False
        if private:
            _copied(near, goal, facts.st_size, bool(rows.data["mode"][place]))
        else:
            os.link(near, goal, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def _copied(source: Path, goal: str, size: int, executable: bool) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)

    def write(writing: int) -> None:
        if not _cloned(reading, writing):
            _sent(reading, writing, size)

    try:
        _filled(goal, True, executable, write)
    finally:
        os.close(reading)


def _cloned(reading: int, writing: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError:
        return False
    return True


def _sent(reading: int, writing: int, size: int) -> None:
    place = 0
    while place < size:
        count = _in_kernel(reading, writing, size - place, place)
        if not count:
            part = os.pread(reading, min(STEP, size - place), place)
            if not part:
                raise OSError(errno.EIO, "a file of the cache became shorter while it was copied")
            count = os.pwrite(writing, part, place)
        place += count


def _in_kernel(reading: int, writing: int, size: int, place: int) -> int:
    """Bytes that the system copied without handing them out; 0 where it cannot."""
    if sys.platform != "linux":
        return 0
    try:
        return os.copy_file_range(reading, writing, size, place, place)
    except OSError as error:
        if error.errno in _NO_COPY:
            return 0
        raise
