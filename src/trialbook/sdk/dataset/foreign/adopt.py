"""Versions that the clearml SDK wrote, as rows of ours: their zips stay where they are and are read in place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trialbook.base.files import read_json, write_json
from trialbook.client.places import from_unencoded
from trialbook.datasets.draft.commit import publish
from trialbook.datasets.manifest.rows import LINK, NO_PACK, ROW, Array, Rows, digest_words, settled
from trialbook.datasets.packs.foreign_zip import Member, members
from trialbook.datasets.paths import refusal
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.objects import Objects, pack_key
from trialbook.datasets.storage.places import RoutedBlobs
from trialbook.errors import DatasetDamaged, DatasetMissing, FileMissing
from trialbook.sdk.dataset.foreign.state import State, StateFile, decode_state
from trialbook.sdk.dataset.stores import UrlBlobs
from trialbook.sdk.servers.connection import Connection

if TYPE_CHECKING:
    from trialbook.client.api import GetAllTasks


@dataclass(frozen=True)
class Adopted:
    """A foreign version in a repository of this host.

    Attributes:
        repository: folder of the repository.
        root: id of the manifest that was made for it.
        places: address by ``<owner>/<artifact name>``.
    """

    repository: Path
    root: str
    places: dict[str, str]


def adopt(connection: Connection, document: Mapping[str, Any], cache: Path) -> Adopted:
    """Make a manifest for a finished version of the clearml SDK; the second call answers from the cache.

    Raises:
        DatasetMissing: its state or one of its zips is gone.
        DatasetDamaged: they cannot be read.
    """
    version = str(document["id"])
    folder = cache / "adopted"
    note = folder / "places" / f"{version}.json"
    known = read_json(note)
    if known:
        return Adopted(folder, str(known["root"]), known["places"])
    reader = _Reader(connection, document)
    objects = Objects(RoutedBlobs(FolderBlobs(folder), reader.elsewhere))
    objects.ensure()
    rows = reader.rows()
    graph = reader.states[version].dependency_graph or {version: []}
    _, root_id = publish(objects, rows, version, (), (), reader.sizes, 0.0, (), graph)
    write_json(note, {"root": root_id, "places": reader.places})
    return Adopted(folder, root_id, reader.places)


class _Reader:
    def __init__(self, connection: Connection, document: Mapping[str, Any]) -> None:
        self._connection = connection
        self._version = str(document["id"])
        kept = (document.get("runtime") or {}).get("ds_kept")
        # What it reads of versions that were deleted.
        self._artifacts: dict[str, dict[str, str]] = json.loads(kept) if kept else {}
        self._artifacts[self._version] = _artifacts(document)
        self.states: dict[str, State] = {}
        self.places: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self._members: dict[str, dict[str, Member]] = {}

    def elsewhere(self, key: str) -> UrlBlobs | None:
        """The zip behind a pack key."""
        url = self.places.get(key)
        return UrlBlobs(self._connection.files, url) if url else None

    def rows(self) -> Rows:
        state = self._state(self._version)
        self._read_artifacts({entry.parent_dataset_id for entry in state.dataset_file_entries})
        entries = {
            entry.relative_path: entry
            for entry in state.dataset_file_entries
            if refusal(entry.relative_path) is None
        }
        links = {
            entry.relative_path: entry
            for entry in state.dataset_link_entries
            if refusal(entry.relative_path) is None and entry.relative_path not in entries
        }
        paths = sorted({*entries, *links})
        data = np.zeros(len(paths), ROW)
        packs: dict[str, int] = {}
        origins: dict[str, int] = {}
        for place, path in enumerate(paths):
            row = data[place]
            entry = entries.get(path)
            if entry is not None:
                key, member = self._member(entry)
                self._fill(row, entry, member)
                row["pack"] = packs.setdefault(key, len(packs))
                row["origin"] = origins.setdefault(entry.parent_dataset_id, len(origins))
                continue
            link = links[path]
            row["kind"], row["pack"] = LINK, NO_PACK
            row["size"] = -1 if link.size is None else link.size
            row["origin"] = origins.setdefault(link.parent_dataset_id, len(origins))
            if link.hash and len(link.hash) == 64:
                row["sha256"] = digest_words(bytes.fromhex(link.hash))
        targets = {path: (from_unencoded(link.link), "") for path, link in links.items()}
        rows = Rows(paths, data, tuple(packs), tuple(origins), targets)
        return settled(rows, state.dependency_graph)

    @staticmethod
    def _fill(row: Array, entry: StateFile, member: Member | None) -> None:
        if not entry.hash or len(entry.hash) != 64:
            raise DatasetDamaged(f"{entry.relative_path!r} has no SHA-256 in the dataset's state")
        row["sha256"] = digest_words(bytes.fromhex(entry.hash))
        row["size"] = entry.size or 0
        if member is not None:
            row["size"] = member.size
            row["offset"], row["stored"], row["crc"] = member.offset, member.stored, member.crc
            row["method"] = member.method

    def _member(self, entry: StateFile) -> tuple[str, Member | None]:
        """Where the bytes of an entry are; the clearml SDK may name a chunk that has them under another path."""
        key = f"{entry.parent_dataset_id}/{entry.artifact_name or 'data'}"
        found = self._zip(key).get(entry.relative_path)
        if found is not None:
            return key, found
        for other in self._same_bytes(entry):
            key = f"{entry.parent_dataset_id}/{other.artifact_name or 'data'}"
            found = self._zip(key).get(other.relative_path)
            if found is not None:
                return key, found
        # It can be listed, but not read: reading it says that it is damaged.
        return key, None

    def _same_bytes(self, entry: StateFile) -> list[StateFile]:
        try:
            state = self._state(entry.parent_dataset_id)
        except DatasetMissing:
            return []
        return [
            other
            for other in state.dataset_file_entries
            if other.hash == entry.hash and other.parent_dataset_id == entry.parent_dataset_id
        ]

    def _zip(self, key: str) -> dict[str, Member]:
        if key not in self._members:
            owner, _, name = key.partition("/")
            url = self._artifacts.get(owner, {}).get(name)
            if url is None:
                raise DatasetMissing(
                    f"version {owner} has no artifact {name!r}: it was deleted, or never uploaded"
                )
            self.places[key] = url
            try:
                length, found = members(UrlBlobs(self._connection.files, url), pack_key(key))
            except FileMissing as error:
                raise DatasetMissing(str(error)) from error
            self._members[key] = found
            self.sizes[key] = (length, len(found))
        return self._members[key]

    def _state(self, version: str) -> State:
        if version not in self.states:
            self._read_artifacts({version})
            url = self._artifacts.get(version, {}).get("state")
            if url is None:
                raise DatasetMissing(f"version {version} has no state: it was deleted, or is not a dataset")
            try:
                data = b"".join(UrlBlobs(self._connection.files, url).read("state"))
            except FileMissing as error:
                raise DatasetMissing(str(error)) from error
            self.states[version] = decode_state(data)
        return self.states[version]

    def _read_artifacts(self, versions: set[str]) -> None:
        missing = sorted(versions - self._artifacts.keys())
        if missing:
            ask: GetAllTasks = {
                "id": missing,
                "only_fields": ["id", "execution.artifacts"],
                "search_hidden": True,
            }
            found = self._connection.session.api.tasks.get_all(ask).get("tasks") or []
            self._artifacts.update({str(task["id"]): _artifacts(task) for task in found})


def _artifacts(document: Mapping[str, Any]) -> dict[str, str]:
    entries = (document.get("execution") or {}).get("artifacts") or []
    return {str(entry["key"]): str(entry.get("uri") or "") for entry in entries}


__all__ = ["Adopted", "adopt"]
