"""A version's repository, with what it needs from other places."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

from trialbook.base.files import read_json, write_json
from trialbook.blobs.store import BlobStore
from trialbook.client.storage import Storage
from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import Rows
from trialbook.datasets.repository import Repository
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.objects import Objects, pointer_key, root_key
from trialbook.datasets.storage.places import RoutedBlobs
from trialbook.errors import UsageError
from trialbook.sdk.accounts.nearer import nearer
from trialbook.sdk.dataset.links import fetcher
from trialbook.sdk.dataset.stores import UrlBlobs, open_blobs
from trialbook.sdk.servers.connection import Connection, local_path

_opened: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
"""Repositories on servers and in buckets whose format was seen. A folder's is looked at each time: it costs nothing."""

_SHORT = 100_000
_last: list[Rows] = []


def keep(rows: Rows) -> None:
    """Keep the rows of the version that was made last: the next one begins with them, or a copy is wanted.

    Those of more than a hundred thousand paths (some 25 MB) are read again instead.
    """
    _last[:] = [rows] if len(rows) <= _SHORT else []


class Home:
    """One repository as seen from one version.

    Args:
        connection: None when this process works offline.
        url: of the repository.
        cache: of this host.
        places: address by owner (of its repository) or by ``<owner>/<pack>`` (of the pack), for packs elsewhere.
    """

    def __init__(
        self, connection: Connection | None, url: str, cache: Path, places: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self.connection = connection
        self.cache = cache
        self.places = dict(places or {})
        self._opened: dict[str, BlobStore] = {}
        self._base = self._open(url)
        # Only when it must, since a plain folder is written and read in place.
        blobs: BlobStore = self._base
        if self.places:
            blobs = RoutedBlobs(self._base, self._elsewhere)
        seen = _opened.setdefault(connection, set()) if connection is not None else set()
        self.repository = Repository(blobs, cache, links=fetcher(connection), known=url in seen, where=url)
        self.note_seen()

    def note_seen(self) -> None:
        """The repository is there: the next to open it in this process need not look."""
        if (
            self.connection is not None
            and self.repository.there
            and local_path(nearer(self.url, writing=True)) is None
        ):
            _opened.setdefault(self.connection, set()).add(self.url)

    def _open(self, url: str) -> BlobStore:
        if self.connection is not None:
            return open_blobs(self.connection, url)
        path = local_path(nearer(url, writing=True))
        if path is None:
            raise UsageError(f"{url} cannot be reached while this process works offline")
        return FolderBlobs(path)

    def at(self, url: str) -> bool:
        """Whether another address is the one of this repository, by whatever name."""
        storage = self.connection.storage if self.connection is not None else Storage(None, nearer=nearer)
        return storage.same(self.url, url)

    def with_places(self, places: Mapping[str, str]) -> "Home":
        """The same repository that knows more places."""
        if not places.keys() - self.places.keys():
            return self
        return Home(self.connection, self.url, self.cache, {**self.places, **places})

    def _elsewhere(self, key: str) -> BlobStore | None:
        owner = key.partition("/")[0]
        url = self.places.get(key)
        if url is not None:
            return self._kept(key, url, single=True)
        url = self.places.get(owner)
        return self._kept(owner, url, single=False) if url and not self.at(url) else None

    def _kept(self, name: str, url: str, single: bool) -> BlobStore:
        if name not in self._opened:
            if single:
                if self.connection is None:
                    raise UsageError(f"{url} cannot be reached while this process works offline")
                self._opened[name] = UrlBlobs(self.connection.files, url)
            else:
                self._opened[name] = self._open(url)
        return self._opened[name]

    def pack_url(self, key: str) -> str:
        """Address of a pack."""
        owner = key.partition("/")[0]
        return self.places.get(key) or f"{self.places.get(owner, self.url)}/packs/{key}.zip"

    def objects(self) -> Objects:
        """Its objects."""
        return self.repository.objects


def places_for(child: Home, parents: Iterable[tuple[Home, Root]]) -> dict[str, str]:
    """Where the packs of parents are, as seen from another repository."""
    found: dict[str, str] = {}
    for home, root in parents:
        found.update(home.places)
        if not child.at(home.url):
            # Packs that have an address of their own do not need their owner's.
            owners = {ref.key.partition("/")[0] for ref in root.packs if ref.key not in home.places}
            found.update({owner: home.url for owner in owners if owner not in home.places})
    return {name: url for name, url in found.items() if not child.at(url)}


def bring_manifest(source: Home, target: Home, version: str, root_id: str) -> None:
    """Copy a version's manifest, not its packs, into another repository, so that a child can be made there."""
    if target.at(source.url):
        return
    there, here = source.objects(), target.objects()
    if here.length(pointer_key(version)) is not None:
        return
    root = there.root(version, root_id)
    target.repository.establish()
    target.note_seen()
    for ref in root.ranges:
        key = f"ranges/{ref.key}"
        if here.length(key) != ref.bytes:
            here.blobs.put(key, [there.whole(key)])
    name = root_key(version, root_id)
    here.blobs.put(name, [there.whole(name)])
    here.put_json(pointer_key(version), {"root": root_id})


def remembered_places(cache: Path, version: str) -> dict[str, str]:
    """Places of packs of an open version that this host has noted."""
    return dict(read_json(cache / "places" / f"{version}.json") or {})


def remember_places(cache: Path, version: str, places: Mapping[str, str]) -> None:
    """Note places of packs of an open version."""
    write_json(cache / "places" / f"{version}.json", dict(places), 0o600)
