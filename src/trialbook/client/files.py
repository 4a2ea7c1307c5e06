"""Files over HTTP: streamed in both directions, whole or not there."""

import os
import tempfile
from pathlib import Path

from trialbook.client.session import Session
from trialbook.errors import ConnectionFailed, FileMissing, ServerFault, WireError

_BLOCK = 1 << 20


class FileClient:
    """The files endpoint of the server, and plain downloads from anywhere.

    Args:
        session: the caller's token goes with requests to ``host`` and to nobody else.
        host: address of the files, such as ``http://127.0.0.1:8008/files``.
    """

    def __init__(self, session: Session, host: str) -> None:
        self._session = session
        self.host = host.rstrip("/")

    def owns(self, url: str) -> bool:
        """Whether the address lies on this files host."""
        return url == self.host or url.startswith(self.host + "/")

    def upload(self, source: Path, url: str) -> None:
        """Store a file.

        Raises:
            ConnectionFailed: the server is away.
            WireError: the server refused it.
            OSError: the source cannot be read.
        """
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
            reply = self._session.request(
                "PUT", url, {**headers, **self._bearer(url)}, file, timeout=max(60.0, size / 50_000)
            )
        self._check(reply.status, url)

    def download(self, url: str, target: Path) -> None:
        """Fetch a file; ``target`` is whole when this returns and untouched when it raises.

        Raises:
            FileMissing: there is none.
            ConnectionFailed: the server is away, or broke off.
        """
        from urllib3.exceptions import HTTPError

        reply = self._session.request("GET", url, self._bearer(url), preload=False)
        try:
            self._check(reply.status, url)
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    for block in reply.stream(_BLOCK):
                        file.write(block)
                Path(name).replace(target)
            except HTTPError as error:
                raise ConnectionFailed(f"the download of {url} broke off: {error}") from error
            finally:
                Path(name).unlink(missing_ok=True)
        finally:
            reply.release_conn()

    def delete(self, url: str) -> bool:
        """Remove a file; False when there was none."""
        reply = self._session.request("DELETE", url, self._bearer(url))
        if reply.status == 404:
            return False
        self._check(reply.status, url)
        return True

    def size(self, url: str) -> int | None:
        """Bytes of a file, or None when there is none or its size is not told."""
        reply = self._session.request("HEAD", url, self._bearer(url))
        if reply.status == 404:
            return None
        self._check(reply.status, url)
        length = reply.headers.get("Content-Length")
        return int(length) if length is not None else None

    def _bearer(self, url: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._session.token()}"} if self.owns(url) else {}

    @staticmethod
    def _check(status: int, url: str) -> None:
        if status in (200, 201, 204):
            return
        if status == 404:
            raise FileMissing(f"no file at {url}")
        if status >= 500:
            raise ServerFault(f"{url} answered HTTP {status}")
        raise WireError(f"{url} answered HTTP {status}")
