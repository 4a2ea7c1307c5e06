"""Files by address: folders, HTTP, our files endpoint and object storages behind one door."""

from collections.abc import Callable, Iterator
from pathlib import Path

from trialbook.blobs.accounts import Accounts
from trialbook.blobs.schemes import SCHEMES
from trialbook.blobs.store import BlobInfo, BlobStore
from trialbook.client.downloads import Progress, silent
from trialbook.client.drivers.buckets import Buckets
from trialbook.client.drivers.driver import Driver
from trialbook.client.drivers.folders import Folders
from trialbook.client.drivers.web import Web
from trialbook.client.files import FileClient
from trialbook.client.places import child_address, scheme_of, unknown_scheme


def _as_it_is(url: str, writing: bool) -> str:
    return url


class Storage:
    """Every file that has an address. What each method raises is said in ``client/drivers/driver.py``.

    Args:
        files: for HTTP; None for a process without a server.
        accounts: what opens the object storages; asked at the first use.
        patience: seconds that a request to an object storage is repeated.
        nearer: the address to use on this machine for another, and whether to write there.
    """

    def __init__(
        self,
        files: FileClient | None,
        accounts: Callable[[], Accounts] = Accounts,
        patience: float = 30.0,
        nearer: Callable[[str, bool], str] = _as_it_is,
    ) -> None:
        self._nearer = nearer
        folders, web = Folders(), Web(files)
        self._drivers: dict[str, Driver] = {
            "": folders,
            "file": folders,
            "http": web,
            "https": web,
            **dict.fromkeys(SCHEMES, Buckets(accounts, patience)),
        }

    def _reached(self, url: str, writing: bool) -> tuple[Driver, str]:
        near = self._nearer(url, writing)
        scheme = scheme_of(near)
        driver = self._drivers.get(scheme)
        if driver is None:
            raise unknown_scheme(near, scheme)
        return driver, near

    def upload(self, source: Path, url: str, progress: Progress = silent) -> None:
        """Store a file at an address; it is there as a whole, or not at all."""
        driver, url = self._reached(url, True)
        driver.upload(source, url, progress)

    def download(self, url: str, target: Path, progress: Progress = silent) -> None:
        """Fetch a file; ``target`` is whole when this returns and untouched when it raises."""
        driver, url = self._reached(url, False)
        driver.download(url, target, progress)

    def facts(self, url: str) -> BlobInfo | None:
        """Size, etag and time of a file; None when there is none."""
        driver, url = self._reached(url, False)
        return driver.facts(url)

    def delete(self, url: str) -> bool:
        """Remove a file; False when there was none."""
        driver, url = self._reached(url, False)
        return driver.delete(url)

    def list(self, url: str) -> Iterator[tuple[str, BlobInfo]]:
        """Every file below an address: its path below it, and its facts; in order."""
        driver, url = self._reached(url, False)
        return driver.list(url)

    def blobs(self, url: str) -> tuple[BlobStore, str]:
        """A storage as a ``BlobStore``, and the prefix of its keys that the address names."""
        driver, url = self._reached(url, True)
        return driver.blobs(url)

    def same(self, one: str, other: str) -> bool:
        """Whether two addresses lead to one file or folder: by other names of our server, of a folder or of a path."""
        if one.rstrip("/") == other.rstrip("/"):
            return True
        (driver, one), (another, other) = self._reached(one, True), self._reached(other, True)
        return one.rstrip("/") == other.rstrip("/") or (driver is another and driver.same(one, other))

    def child(self, url: str, name: str) -> str:
        """The address of a file below another; names are encoded where the scheme wants it."""
        return child_address(url, name)

    def check_writable(self, url: str) -> None:
        """Find out whether a destination can be written, as far as that can be told."""
        driver, url = self._reached(url, True)
        driver.check_writable(url)
