"""``state.json``: a version as the clearml SDK writes it down."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from trialbook.client.places import local_path, scheme_of, unencoded
from trialbook.datasets.manifest.rows import LINK, Rows, known
from trialbook.errors import DatasetDamaged


class StateFile(msgspec.Struct, frozen=True):
    """A file; the field names are the clearml SDK's, which takes no others."""

    artifact_name: str | None
    hash: str | None
    parent_dataset_id: str
    relative_path: str
    size: int | None


class StateLink(msgspec.Struct, frozen=True):
    """A link."""

    hash: str | None
    link: str
    parent_dataset_id: str
    relative_path: str
    size: int | None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A whole version, inherited entries included."""

    dataset_file_entries: list[StateFile] = []
    dataset_link_entries: list[StateLink] = []
    dependency_chunk_lookup: dict[str, int] | None = None
    dependency_graph: dict[str, list[str]] = {}
    dirty: bool = False
    file_count: int = 0
    id: str = ""
    total_size: int = 0


def encode_state(
    version: str,
    rows: Rows,
    chunk_of: Callable[[str], tuple[str, str]],
    graph: Mapping[str, Sequence[str]],
    chunks: Mapping[str, int],
) -> bytes:
    """The bytes of a finished version's state.

    Args:
        version: its id.
        rows: all of it.
        chunk_of: version and artifact name that a pack has for the clearml SDK.
        graph: parents by version.
        chunks: number of chunks by version.
    """
    places = [chunk_of(key) for key in rows.packs]
    hashes = _hashes(rows)
    linked = (rows.data["kind"] == LINK).tolist()
    sizes, packs, origins = (rows.data[name].tolist() for name in ("size", "pack", "origin"))
    files: list[StateFile] = []
    links: list[StateLink] = []
    for path, digest, is_link, size, pack, origin in zip(
        rows.paths, hashes, linked, sizes, packs, origins, strict=True
    ):
        if is_link:
            url = _theirs(rows.links[path][0])
            links.append(StateLink(digest, url, rows.origins[origin], path, None if size < 0 else size))
        else:
            owner, name = places[pack]
            files.append(StateFile(name, digest, owner, path, size))
    state = State(
        dataset_file_entries=files,
        dataset_link_entries=links,
        dependency_chunk_lookup=dict(chunks),
        dependency_graph={name: list(above) for name, above in graph.items()},
        file_count=len(rows),
        id=version,
        total_size=int(rows.data["size"][rows.data["size"] > 0].sum()),
    )
    return msgspec.json.encode(state)


def _theirs(url: str) -> str:
    """A link as the clearml SDK reads it."""
    path = local_path(url) if scheme_of(url) == "file" else None
    try:
        return url if path is None else unencoded(path).encode().decode()
    except UnicodeEncodeError:
        # It has no words for such a name.
        return url


def _hashes(rows: Rows) -> list[str | None]:
    raw = np.ascontiguousarray(rows.data["sha256"]).tobytes().hex()
    there = known(rows.data["sha256"]).tolist()
    return [raw[64 * n : 64 * n + 64] if there[n] else None for n in range(len(rows))]


def decode_state(data: bytes) -> State:
    """A state that any writer left.

    Raises:
        DatasetDamaged: it is none.
    """
    try:
        raw: Any = msgspec.json.decode(data)
        wanted = {
            name: value
            for name, value in raw.items()
            if name in State.__struct_fields__ and value is not None
        }
        return msgspec.convert(wanted, State)
    except (msgspec.DecodeError, msgspec.ValidationError, AttributeError) as error:
        raise DatasetDamaged(f"the dataset's state cannot be read: {error}") from error
