"""Which uploaded files may be replaced and deleted: what a dataset repository consists of is written once.

Whatever the verb that brings it. The same bytes may come again, since a client repeats what it got no answer to.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from trialbook.base.ids import is_id
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.store import PART, BlobInfo, clean_key
from trialbook.errors import BadRequest, FileMissing, Forbidden
from trialbook.server.stores.database import Database
from trialbook.server.stores.datasets import DatasetStore, artifact_of, object_key

_SMALL = 1 << 16


class FileRules:
    """Puts uploads into place, and deletes.

    Args:
        blobs: the server's files.
        database: to ask what versions need.
        versions: of datasets.
    """

    def __init__(self, blobs: ObjectStoreBlobs, database: Database, versions: DatasetStore) -> None:
        self._blobs = blobs
        self._database = database
        self._versions = versions

    def place(self, key: str, part: Path, absent: bool = False) -> BlobInfo | None:
        """Make a finished upload the file of a key; the upload is gone from its place.

        Args:
            key: of the file, clean.
            part: what was uploaded.
            absent: only when there is no such file yet.

        Returns:
            The file; None when ``absent`` and it is there.

        Raises:
            Forbidden: it would replace a file of a dataset repository by other bytes.
            BadRequest: a folder is in the way, or it would be a pointer to nothing.
        """
        if absent:
            return self._blobs.adopt_if_absent(key, part)
        if not self._fixed(key):
            self._check_pointer(key, part)
            return self._blobs.adopt(key, part)
        info = self._blobs.adopt_if_absent(key, part)
        if info is None:
            if not self._same(key, part):
                raise Forbidden(
                    "this file belongs to a dataset's repository and is written once; other bytes need another name",
                    path=key,
                )
            part.unlink(missing_ok=True)
            info = self._blobs.head(key)
        return info

    def delete(self, path: str) -> None:
        """Delete a file.

        Raises:
            FileMissing: there is none.
            Forbidden: a version of a dataset needs it, or the repository itself does.
        """
        key = clean_key(path)
        if self.needed(key):
            raise Forbidden("a version of a dataset needs this file: delete the version instead", path=path)
        below, _, name = key.rpartition("/")
        if name == "format.json" and self._in_use(below):
            raise Forbidden(
                "this file makes its folder a dataset repository: delete the versions in it first", path=path
            )
        self._blobs.delete(path)

    def needed(self, key: str) -> bool:
        """Whether a version of a dataset needs a file: an object of a repository, its pointer, or an artifact.

        Args:
            key: of the file, clean.
        """
        named, artifact, pointed, told = object_key(key), artifact_of(key), _pointed(key), _told(key)
        if named is None and artifact is None and pointed is None and told is None:
            return False
        with self._database.read() as connection:
            if artifact is not None:
                return self._versions.is_needed(connection, *artifact)
            if pointed is not None:
                # Without it a repository looks unused, and its other files would be free to go.
                row = self._versions.get(connection, pointed)
                named = f"roots/{pointed}/{row.root}.json" if row is not None and row.root else None
            if told is not None:
                row = self._versions.get(connection, told)
                return row is not None and bool(row.root)
            return named is not None and self._versions.is_referenced(connection, named)

    def _fixed(self, key: str) -> bool:
        """Whether a file at this key may come once only."""
        if _told(key) is not None:
            # Written again and again until the version is closed.
            return self.needed(key)
        if object_key(key) is not None:
            below = key.rsplit("/", 3)[0] if key.count("/") > 2 else ""
            return bool(below) and (self._there(f"{below}/format.json") or self.needed(key))
        below, _, name = key.rpartition("/")
        return name == "format.json" and bool(below) and self._in_use(below)

    def _in_use(self, below: str) -> bool:
        return any(
            is_id(info.key.rpartition("/")[2].removesuffix(".json"))
            for kind in ("versions", "drafts")
            for info in self._listed(f"{below}/{kind}")
        )

    def _listed(self, prefix: str) -> Iterator[BlobInfo]:
        try:
            yield from self._blobs.list(prefix)
        except FileMissing:
            return

    def _there(self, key: str) -> bool:
        try:
            self._blobs.head(key)
        except FileMissing:
            return False
        return True

    def _check_pointer(self, key: str, part: Path) -> None:
        """A version's pointer is moved when its content is packed anew, but never to what is not there."""
        version = _pointed(key)
        if version is None:
            return
        below = key.rsplit("/", 2)[0]
        if not (self._there(key) and self._there(f"{below}/format.json")):
            return
        try:
            with part.open("rb") as file:
                root = msgspec.json.decode(file.read(_SMALL))["root"]
            found = "/" not in root and self._there(f"{below}/roots/{version}/{root}.json")
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, FileMissing):
            found = False
        if not found:
            raise BadRequest(
                "this file points to the content of a dataset version; it can be replaced only by "
                '{"root": ID} of a root that is in the repository',
                path=key,
            )

    def _same(self, key: str, part: Path) -> bool:
        if self._blobs.head(key).size != part.stat().st_size:
            return False
        with part.open("rb") as file:
            return all(file.read(len(some)) == some for some in self._blobs.read(key)) and not file.read(PART)


def _pointed(key: str) -> str | None:
    """The version whose pointer this file is; None for other files."""
    parts = key.rsplit("/", 2)
    if len(parts) < 3 or parts[1] != "versions" or not parts[2].endswith(".json"):
        return None
    version = parts[2].removesuffix(".json")
    return version if is_id(version) else None


def _told(key: str) -> str | None:
    """The version that this file describes for the clearml SDK; None for other files."""
    parts = key.rsplit("/", 3)[-3:]
    described = len(parts) == 3 and parts[0] == "states" and parts[2] == "state.json" and is_id(parts[1])
    return parts[1] if described else None
