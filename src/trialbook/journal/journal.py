"""What a process reports on a task: safe on this host when the call returns, on the server soon after."""

import errno
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from trialbook.base import process
from trialbook.base.files import own_folder, write_json
from trialbook.base.guard import guard
from trialbook.base.ids import new_id
from trialbook.errors import TrialbookError, UsageError
from trialbook.journal import replay, snapshot
from trialbook.journal.delivery import Delivery, Identity, Transport
from trialbook.journal.frames import Kind
from trialbook.journal.lock import FileLock
from trialbook.journal.losses import Losses
from trialbook.journal.patience import Patience
from trialbook.journal.reports import Reports
from trialbook.journal.shipper import PERIOD, Shipper
from trialbook.journal.spool import Pending, Spool, Upload
from trialbook.journal.sync import for_good
from trialbook.journal.uploads import Uploader
from trialbook.journal.writer import FULL, Writer

_log = logging.getLogger("trialbook")
_live: "weakref.WeakSet[Journal]" = weakref.WeakSet()
_ADOPT_EVERY = 5.0
_RETRY_SECONDS = 1.0
_BODY_SECONDS, _LOST_SECONDS = 0.5, 0.05


class Journal(Reports):
    """One per process and task. All methods may be called from any thread and after a fork.

    Args:
        root: the journal folder of this host; the journal gets ``<root>/<task>/<host>-<pid>-<journal id>/``.
        identity: who writes; ``pid`` and ``journal`` are filled anew in a forked child.
        transport: the way to the server; None keeps everything on this host (offline).
        budget: bytes that may wait on this host before console text and images are left out. Points never
            are.
        spare: a folder on another disk, for when ``root`` cannot be written to.

    Raises:
        OSError: neither of them can be written to.

    Example:
        >>> from tempfile import mkdtemp
        >>> journal = Journal(Path(mkdtemp()), Identity("j" * 32, "t" * 32, "host", 1, 0.0), None)
        >>> journal.scalar("loss", "train", 0, 0.5)
        >>> journal.close(0.0)
        False
    """

    def __init__(
        self,
        root: Path,
        identity: Identity,
        transport: Transport | None,
        budget: int = 4 << 30,
        spare: Path | None = None,
    ) -> None:
        self.identity = identity
        self._root = root
        self._spare = spare
        self._retry_at = 0.0
        self._transport = transport
        self._budget = budget
        self._lock = threading.RLock()
        self._forget()
        self._losses = Losses()
        self._forked = False
        self._adopted_at = 0.0
        self._adopting = threading.Lock()
        self._closing = False
        self._closed = False
        self._stale = False
        self._gave_up = False
        self.kept: str | None = None
        """Which files stay on this host although everything else was sent, and why; known once it is closed."""
        self._period = PERIOD
        self._open()
        _live.add(self)

    # -- files ---

    def upload(self, upload: Upload, kind: str = "file") -> Pending | None:
        """Store a file, then append the frames that make it visible.

        Args:
            upload: what and where to; its source must stay until it arrived, unless it lies in the spool.
            kind: "image" may be left out when the disk budget is reached.

        Returns:
            A handle to wait on, or None when it was left out. Offline, the handle never gets done.
        """
        if not self._fresh():
            return None
        if kind == "image" and not self._affordable("image", 1):
            if upload.delete_source:
                upload.source.unlink(missing_ok=True)
            return None
        if self._uploader is None:
            # Whoever takes this journal elsewhere takes whole files.
            snapshot.settle(upload.source)
            self.spool.add(upload)
            return Pending()
        return self._uploader.add(upload)

    def withdraw(self, url: str, then: Callable[[], None]) -> bool:
        """Give up the uploads to an address; none of their frames is written after this.

        Args:
            url: where they go.
            then: called once an upload that is under way has ended, in its thread.

        Returns:
            True when one is under way: ``then`` will be called.
        """
        if not self._fresh():
            return False
        if self._uploader is None:
            self.spool.withdraw(url)
            return False
        return self._uploader.withdraw(url, then)

    def left_out(self, kind: str, error: OSError) -> None:
        """Count a file that the disk had no room for, and tell it.

        Args:
            kind: "image" or "file".
            error: what the system said.
        """
        first = self._drop(kind, FULL, 1)
        _log.warning("%s (%s): a report of kind %s was left out", FULL, error.strerror, kind)
        if first:
            self._note_losses(at_once=True)

    # -- life ---

    def flush(self, timeout: float, uploads: bool = False, patient: bool = True) -> bool:
        """Wait until everything reported before this call is on the server.

        Args:
            timeout: seconds.
            uploads: wait for files as well.
            patient: False stops waiting as soon as the server, or the storage of the files, turns out to be away; True
                waits for the storage a minute longer.

        Returns:
            True when it is; False when time ran out or the journal is offline.
        """
        if not self._fresh() or self._shipper is None or self._uploader is None:
            return False
        patience = Patience(self._shipper, self._transport, timeout, patient, self._gave_up)
        stuck = False
        while uploads and not stuck and not self._uploader.wait(min(1.0, patience.next)):
            stuck = self._uploader.stuck(patient)
            if patience.is_over(self.acked):
                self._gave_up = patience.gave_up
                return False
        end = self._writer.end
        while not self._shipper.wait(end, patience.next):
            if self._shipper.refused or patience.is_over(self.acked):
                self._gave_up = patience.gave_up
                return False
        return not stuck

    def wake(self) -> None:
        """Send now what was reported, without waiting for it."""
        self._shipper_wake()

    def close(self, timeout: float) -> bool:
        """Send the rest and end the journal.

        Args:
            timeout: seconds to wait for the server.

        Returns:
            True when everything arrived and the folder is gone; False when something stays on this host.
        """
        with self._lock:
            if self._closing:
                return True
            self._closing = True
        _live.discard(self)
        if self._stale:
            self._closed = True
            return True
        end = time.monotonic() + timeout
        self._note_losses(at_once=True)
        sent = self.flush(timeout, uploads=True, patient=False)
        left = self.spool.entries()
        complete = sent and not left
        if sent and all(upload.refused for _, upload in left):
            self.kept = replay.set_aside(self.folder, self.spool)
        if complete or not self.away:
            complete = self._adopt(end) and complete
        # From here on a report is refused with a message; before, it would still have been sent.
        with self._lock:
            self._closed = True
        self._forget()
        if self._uploader is not None:
            self._uploader.stop()
        if self._shipper is not None:
            # A body that is under way is not cut short: its acknowledgement makes the folder removable. One that goes
            # to a server that says nothing is not waited for.
            under_way = _LOST_SECONDS if self._gave_up else _BODY_SECONDS
            self._shipper.stop(max(_BODY_SECONDS, end - time.monotonic()) if complete else under_way)
        self._writer.close()
        self._process_lock.release()
        if complete:
            replay.remove(self.folder)
        return complete

    @property
    def refused(self) -> str | None:
        """Why the server will never take the rest, once it said so."""
        return self._shipper.refused if self._shipper is not None else None

    @property
    def online(self) -> bool:
        """Whether there is a server to send to."""
        return self._transport is not None

    @property
    def away(self) -> bool:
        """True while there is a server to send to that does not answer."""
        return self._shipper is not None and self._shipper.failing

    def presume_away(self) -> None:
        """Begin as if the first send had found no server: the caller just did, and has told the user."""
        if self._shipper is not None:
            self._shipper.presume_failing()

    @property
    def period(self) -> float:
        """Seconds that a report waits for others at most, before they are sent together."""
        return self._period

    @period.setter
    def period(self, seconds: float) -> None:
        self._period = seconds
        if self._shipper is not None:
            self._shipper.period = seconds
            self._shipper.wake()

    @property
    def latest(self) -> int | None:
        """The iteration that this process reported last, as a point or in a later event; None before the first."""
        return self._writer.latest

    @property
    def has_uploads(self) -> bool:
        """Whether files are on their way."""
        return self._uploader is not None and not self._uploader.wait(0.0)

    @property
    def acked(self) -> int:
        """The offset up to which the server has everything."""
        return self._delivery.acked if self._delivery is not None else 0

    @property
    def backlog(self) -> int:
        """Bytes of frames that the server does not have yet."""
        return self._writer.end - self.acked

    # -- inside ---

    def _open(self) -> None:
        try:
            self._open_below(self._root)
        except OSError as error:
            if self._spare is None:
                raise
            _claim(self._spare.parent)
            self._open_below(self._spare)
            text = "reports cannot be kept in %s (%s); they are kept in %s until they are sent"
            _log.warning(text, self._root, error.strerror, self._spare)

    def _open_below(self, root: Path) -> None:
        identity = self.identity
        self.folder = root / identity.task / f"{_plain(identity.host)}-{identity.pid}-{identity.journal}"
        if own_folder(root) and any(root.iterdir()):
            _log.warning("other accounts could read %s until now; it is closed to them (0700)", root)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process_lock = FileLock(self.folder / "lock")
        try:
            self._process_lock.acquire()
            identity.save(self.folder)
            writer = Writer(self.folder, self._shipper_wake)
        except OSError:
            self._process_lock.release()
            replay.remove(self.folder)
            raise
        self.spool = Spool(self.folder / "spool")
        self._shipper: Shipper | None = None
        self._uploader: Uploader | None = None
        self._delivery: Delivery | None = None
        self._writer = writer
        if self._transport is not None:
            self._delivery = Delivery(identity, self._writer, self._transport, self.folder)
            self._shipper = Shipper(self._delivery, self._chores, identity.task)
            self._shipper.period = self._period
            self._uploader = Uploader(self.spool, self._transport, self._stored)
        self._stale = False

    def _fresh(self) -> bool:
        """In a forked child, open a journal of its own before the first write; False when there is no room for one."""
        if self._closed:
            raise UsageError(
                "this task is closed; report before Task.close(), or start a new one with Task.init()"
            )
        if self._stale:
            with self._lock:
                if self._stale and time.monotonic() >= self._retry_at:
                    self.identity = replace(
                        self.identity, journal=new_id(), pid=os.getpid(), created=time.time(), main=False
                    )
                    try:
                        self._open()
                    except OSError as error:
                        self._retry_at = time.monotonic() + _RETRY_SECONDS
                        _log.warning("%s: this process cannot keep its reports: %s", FULL, error)
                if self._stale:
                    self._drop("frame", FULL, 1)
                    return False
        return True

    def _stored(self, kind: Kind, value: dict[str, Any]) -> bool:
        """Append what a stored file makes visible; False when the journal has ended meanwhile."""
        with self._lock:
            if self._closed:
                return False
            self._frame(kind, value)
            return True

    def _shipper_wake(self) -> None:
        if self._shipper is not None:
            self._shipper.wake()

    def _chores(self) -> None:
        with guard("journal.chores"):
            self._writer.prepare()
            self._note_losses()
            if self._forked and time.monotonic() - self._adopted_at > _ADOPT_EVERY:
                self._adopted_at = time.monotonic()
                self._adopt(time.monotonic() + 2.0)

    def _adopt(self, deadline: float) -> bool:
        """Send the journals that dead children of this task left; True when none is left."""
        if self._transport is None:
            return True
        complete = True
        # Whoever comes second would find them locked, and take them for somebody else's.
        with self._adopting:
            for orphan in replay.orphans(self._root, self.identity.task, refused=False):
                with orphan:
                    try:
                        complete = orphan.ship(self._transport, deadline) and complete
                    except TrialbookError as error:
                        _log.warning("%s was not sent: %s", orphan.folder, error)
                        if for_good(error):
                            # Said once: the next look at the children passes it by.
                            write_json(
                                orphan.folder / replay.REFUSED, {"error": str(error), "time": time.time()}
                            )
                        complete = False
        return complete

    def _affordable(self, kind: str, count: int) -> bool:
        if self._writer.bytes_on_disk() < self._budget // 2:
            return True
        if self._writer.bytes_on_disk() + self.spool.size() < self._budget:
            return True
        why = f"the journal's disk budget of {_size(self._budget)} was used up"
        # Counted before the warning: a captured console brings the warning back here.
        if self._drop(kind, why, count):
            _log.warning("%s: console text and images are left out until there is room", why)
            # At once: a process that is killed meanwhile must not look complete.
            self._note_losses(at_once=True)
        return False

    def _drop(self, kind: str, why: str, count: int) -> bool:
        """Count what is left out; True when it is the first for some time."""
        with self._lock:
            return self._losses.add(kind, why, count, self._writer.latest)

    def _note_losses(self, at_once: bool = False) -> None:
        with self._lock:
            self._losses.merge("frame", FULL, self._writer.take_lost())
            # The notice of the loss is not a loss of its own; it waits for room.
            self._losses.tell(lambda frame: self._writer.append(frame, counted=False) is not None, at_once)

    def _after_fork_in_child(self) -> None:
        # The parent's threads do not exist here and its locks may be held by them: start from nothing.
        self._lock = threading.RLock()
        self._forget()
        self._losses = Losses()
        self._shipper = None
        self._uploader = None
        self._delivery = None
        self._writer.abandon()
        self._process_lock.forget()
        self._adopting = threading.Lock()
        self._forked = False
        self._stale = True

    def _after_fork_in_parent(self) -> None:
        self._forked = True


def _claim(folder: Path) -> None:
    """Make a folder among everybody's temporary files that nobody else has made, and nobody else can read.

    Raises:
        OSError: it belongs to somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "the folder belongs to another user", str(folder))


def _size(count: int) -> str:
    return f"{count / (1 << 20):,.0f} MiB"


def _plain(host: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in host)[:64] or "host"


def _in_child() -> None:
    for journal in list(_live):
        journal._after_fork_in_child()


def _in_parent() -> None:
    for journal in list(_live):
        journal._after_fork_in_parent()


process.after_fork(_in_child, _in_parent)
