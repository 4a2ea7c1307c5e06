"""Buckets for a forked child: the storage driver's threads stay with the parent, so a fresh process does the work.

The process lives as long as the child. Both ends are ours and speak pickles over two pipes: a request is
``(method, arguments, more)``, an answer ``(error, value)``.
"""

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from trialbook.base.guard import guard
from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.errors import ConnectionFailed, ServerFault, TrialbookError

_SPAN = 8 << 20
_METHODS = frozenset({"head", "part", "read_spans", "put", "put_if_absent", "delete", "list"})


class RelayBlobs:
    """A ``BlobStore`` whose calls are made in a process of its own.

    Args:
        address: of the bucket, for messages.
        opens: opens the bucket there; it is pickled.
    """

    def __init__(self, address: str, opens: Callable[[], BlobStore]) -> None:
        self._address = address
        self._opens = opens
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        found: BlobInfo = self._ask("head", key)
        return found

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        size = self.head(key).size
        stop = size if end is None else min(end, size)
        while start < stop:
            part: bytes = self._ask("part", key, start, min(start + _SPAN, stop))
            start += len(part)
            yield part
            if not part:
                return

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """See ``BlobStore``."""
        found: list[bytes] = self._ask("read_spans", key, list(spans))
        return found

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``ObjectStoreBlobs``."""
        found: BlobInfo = self._ask("put", key, source=source, size=size)
        return found

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``."""
        found: BlobInfo | None = self._ask("put_if_absent", key, source=source)
        return found

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        self._ask("delete", key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        yield from self._ask("list", prefix)

    def close(self) -> None:
        """End the process; a later call starts another."""
        with self._lock:
            self._end()

    def _ask(self, method: str, *arguments: Any, source: Iterable[bytes] | None = None, **more: Any) -> Any:
        with self._lock:
            self._send((method, arguments, more))
            try:
                for part in source or ():
                    if part:
                        self._send(bytes(part))
            except BaseException:
                # The other process sees the end of its input and stores nothing.
                self._end()
                raise
            if source is not None:
                self._send(None)
            error, value = self._answer()
        if error is not None:
            raise error
        return value

    def _send(self, value: Any) -> None:
        try:
            pickle.dump(value, self._pipes()[0])
        except OSError as error:
            raise self._gone() from error

    def _answer(self) -> tuple[Exception | None, Any]:
        try:
            writing, reading = self._pipes()
            writing.flush()
            found: tuple[Exception | None, Any] = pickle.load(reading)
            return found
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._gone() from error

    def _gone(self) -> ConnectionFailed:
        self._end()
        return ConnectionFailed(f"the process that serves {self._address} ended")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trialbook.blobs.relay"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert self._process.stdin is not None
            pickle.dump(self._opens, self._process.stdin)
        assert self._process.stdin is not None and self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class _Broken(Exception):
    """The asking process went away in the middle of a source."""


def serve(reading: IO[bytes], writing: IO[bytes]) -> None:
    """Answer requests until the asking process goes away."""
    blobs: BlobStore = pickle.load(reading)()
    while True:
        try:
            method, arguments, more = pickle.load(reading)
        except EOFError:
            return
        assert method in _METHODS
        source = _source(reading) if method.startswith("put") else iter(())
        answer: tuple[Exception | None, Any] = (ServerFault("the storage's driver failed"), None)
        try:
            with guard("storage.relay"):
                answer = _answered(blobs, method, arguments, more, source)
            # What was not taken from the source would be read as the next request.
            for _ in source:
                pass
        except _Broken:
            return
        pickle.dump(answer, writing)
        writing.flush()


def _answered(
    blobs: BlobStore,
    method: str,
    arguments: tuple[Any, ...],
    more: dict[str, Any],
    source: Iterator[bytes],
) -> tuple[Exception | None, Any]:
    try:
        if method.startswith("put"):
            return None, getattr(blobs, method)(*arguments, source, **more)
        if method == "part":
            return None, b"".join(blobs.read(*arguments))
        found = getattr(blobs, method)(*arguments)
        return None, list(found) if method == "list" else found
    except (TrialbookError, OSError) as error:
        return error, None


def _source(reading: IO[bytes]) -> Iterator[bytes]:
    while True:
        try:
            part = pickle.load(reading)
        except EOFError:
            raise _Broken from None
        if part is None:
            return
        yield part


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
