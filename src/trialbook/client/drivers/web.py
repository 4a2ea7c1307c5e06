"""Files over HTTP: our own files server, and any other address of the web."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.blobs import ServerBlobs
from trialbook.client.downloads import Progress
from trialbook.client.files import FileClient
from trialbook.errors import UsageError


class Web:
    """See ``Driver``.

    Args:
        files: makes the requests; None for a process without a server.
    """

    def __init__(self, files: FileClient | None) -> None:
        self._files = files

    def upload(self, source: Path, url: str, progress: Progress) -> None:
        """See ``Driver``."""
        self._client(url).upload(source, url, progress)

    def download(self, url: str, target: Path, progress: Progress) -> None:
        """See ``Driver``."""
        self._client(url).download(url, target, progress)

    def facts(self, url: str) -> BlobInfo | None:
        """See ``Driver``."""
        return self._client(url).facts(url)

    def delete(self, url: str) -> bool:
        """See ``Driver``."""
        return self._client(url).delete(url)

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """See ``Driver``."""
        blobs, prefix = self.blobs(url)
        for info in blobs.list(prefix):
            yield info.key[len(prefix) :].lstrip("/"), info

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """See ``Driver``."""
        files = self._client(url)
        if not files.owns(url):
            raise UsageError(
                f"{url} cannot be listed: only object storages, our files server and folders can"
            )
        return ServerBlobs(files, files.host), unquote(files.here(url)[len(files.host) :]).strip("/")

    def same(self, one: str, other: str) -> bool:
        """See ``Driver``."""
        return self._files is not None and self._files.same(one, other)

    def check_writable(self, url: str) -> None:
        """See ``Driver``: the first upload tells."""

    def _client(self, url: str) -> FileClient:
        if self._files is None:
            raise UsageError(f"{url} needs a connection, and this process has none")
        return self._files
