"""The server's files as a ``BlobStore``."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from trialbook.blobs.store import BlobInfo, clean_key
from trialbook.client.files import FileClient, check
from trialbook.errors import ConnectionFailed, FileMissing

_SPAN = 8 << 20
_GAP = 64 << 10
"""Spans that lie closer are fetched as one."""


class ServerBlobs:
    """A folder of our files endpoint as blobs.

    Args:
        files: the way there.
        url: of the folder, such as ``http://127.0.0.1:8008/files/datasets``.
    """

    def __init__(self, files: FileClient, url: str) -> None:
        self._files = files
        self._url = url.rstrip("/")
        self._below = unquote(self._url[len(files.host) :]).strip("/")
        self._url = quote(unquote(self._url), safe=":/")

    def head(self, key: str) -> BlobInfo:
        """See ``BlobStore``."""
        found = self._files.facts(self._address(key))
        if found is None:
            raise FileMissing(f"there is no file at {key!r}", path=key)
        return replace(found, key=clean_key(key))

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See ``BlobStore``."""
        size = self.head(key).size
        stop = size if end is None else min(end, size)
        yield from self._pieces(key, start, stop)

    def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """See ``BlobStore``."""
        size = self.head(key).size
        cut = [(min(start, size), min(max(start, end), size)) for start, end in spans]
        runs: list[list[int]] = []
        for start, end in sorted(span for span in cut if span[0] < span[1]):
            if runs and start - runs[-1][1] <= _GAP and end - runs[-1][0] <= _SPAN:
                runs[-1][1] = max(runs[-1][1], end)
            else:
                runs.append([start, end])
        fetched = [(first, last, b"".join(self._pieces(key, first, last))) for first, last in runs]
        return [_taken(fetched, start, end) for start, end in cut]

    def put(self, key: str, source: Iterable[bytes], size: int = 0) -> BlobInfo:
        """See ``BlobStore``."""
        url = self._address(key)
        with tempfile.TemporaryDirectory(prefix="trialbook-") as folder:
            # A request that breaks is sent again, so its bytes must still be there.
            path = Path(folder, "part")
            with path.open("wb") as file:
                file.writelines(source)
            self._files.upload(path, url)
        return self.head(key)

    def put_if_absent(self, key: str, source: Iterable[bytes]) -> BlobInfo | None:
        """See ``BlobStore``. Not repeated when the answer is lost: nobody could tell then whose bytes are there."""
        url = self._address(key)
        with tempfile.TemporaryFile(prefix="trialbook-") as file:
            file.writelines(source)
            size = file.tell()
            headers = {"Content-Length": str(size), "If-None-Match": "*", **self._files.bearer(url)}
            reply = self._files.session.request(
                "PUT", url, headers, file, repeat=False, timeout=max(60.0, size / 50_000)
            )
        if reply.status == 412:
            return None
        check(reply.status, url)
        return self.head(key)

    def delete(self, key: str) -> None:
        """See ``BlobStore``."""
        if not self._files.delete(self._address(key)):
            raise FileMissing(f"there is no file at {key!r}", path=key)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """See ``BlobStore``."""
        url = f"{self._address(prefix) if prefix else self._url}?list"
        reply = self._files.session.request("GET", url, self._files.bearer(self._url))
        check(reply.status, url)
        skip = len(self._below) + 1 if self._below else 0
        for found in reply.json():
            yield BlobInfo(found["key"][skip:], found["size"], found["etag"], found["modified"])

    def _address(self, key: str) -> str:
        return f"{self._url}/{quote(clean_key(key), safe='/')}"

    def _pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            part = self._part(key, start, min(start + _SPAN, end))
            start += len(part)
            yield part

    def _part(self, key: str, start: int, end: int) -> bytes:
        url = self._address(key)
        headers = {"Range": f"bytes={start}-{end - 1}", **self._files.bearer(url)}
        reply = self._files.session.request("GET", url, headers)
        check(reply.status, url)
        data = bytes(reply.data)
        data = data if reply.status == 206 else data[start:end]
        if len(data) != end - start:
            raise ConnectionFailed(f"{url} gave {len(data)} bytes of {end - start}; it was changed meanwhile")
        return data


def _taken(fetched: Sequence[tuple[int, int, bytes]], start: int, end: int) -> bytes:
    for first, last, data in fetched:
        if first <= start and end <= last:
            return data[start - first : end - first]
    return b""
