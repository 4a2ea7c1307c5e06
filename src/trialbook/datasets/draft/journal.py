"""What a draft keeps on local disk, so that a killed writer goes on where it was."""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trialbook.base.files import read_json, write_atomic, write_json
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.manifest.roots import RangeRef, decode_range, encode_range
from trialbook.datasets.manifest.rows import LINK, NO_PACK, ROW, Array, Rows
from trialbook.datasets.manifest.table import Table, encode_table
from trialbook.datasets.sources.scan import FACTS
from trialbook.errors import DatasetDamaged, DatasetInUse

_FACTS = ("size", "mtime", "ctime", "ino", "mode")


@dataclass(frozen=True)
class Layer:
    """Rows that are stored, and the facts of the files they were read from."""

    rows: Rows
    facts: Array


class DraftJournal:
    """``<cache>/drafts/<version>/``; the format document names its files.

    Args:
        folder: of this draft.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = -1

    def acquire(self) -> None:
        """Become the only writer.

        Raises:
            DatasetInUse: another process, or another draft of this process, is.
        """
        self.spool.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise DatasetInUse(f"another writer has version {self._folder.name} open") from None
        self._lock = handle
        for left in self.spool.iterdir():
            left.unlink()

    def release(self) -> None:
        """Let another writer in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    @property
    def spool(self) -> Path:
        """Where packs are made when the storage has no place for that."""
        return self._folder / "spool"

    def read_head(self) -> dict[str, object] | None:
        """``draft.json``, or None for a new draft."""
        try:
            found = read_json(self._folder / "draft.json")
        except ValueError as error:
            raise DatasetDamaged(
                f"{self._folder / 'draft.json'} is damaged: delete {self._folder} and add the files again"
            ) from error
        return found if isinstance(found, dict) else None

    def write_head(self, head: dict[str, object]) -> None:
        """Write ``draft.json``."""
        write_json(self._folder / "draft.json", head, 0o600)

    def write_changes(self, sources: Sources, removed: Iterable[str], links: Rows) -> None:
        """Replace ``changes.tbt``."""
        columns: dict[str, list[str] | Array] = {"path": sources.paths, "file": sources.files}
        columns.update(_columns(sources.facts))
        columns["removed"] = sorted(removed)
        columns["l_path"] = links.paths
        columns["l_url"] = [links.links[path][0] for path in links.paths]
        columns["l_etag"] = [links.links[path][1] for path in links.paths]
        columns["l_size"], columns["l_sha256"] = links.data["size"].copy(), links.data["sha256"]
        write_atomic(self._folder / "changes.tbt", encode_table(columns), 0o600)

    def read_changes(self) -> tuple[Sources, list[str], Rows]:
        """Files, removed paths and links of ``changes.tbt``; nothing when there is none."""
        try:
            table = Table((self._folder / "changes.tbt").read_bytes(), "changes.tbt")
        except FileNotFoundError:
            return Sources([], [], np.zeros(0, FACTS)), [], Rows()
        sources = Sources(table.text("path"), table.text("file"), _facts(table))
        return sources, table.text("removed"), _links(table)

    def write_layer(self, layer: Layer, *packs: tuple[str, int, int]) -> None:
        """Note rows as stored; on disk before it returns.

        Args:
            layer: the rows.
            packs: key, bytes and members of the packs that brought them.
        """
        columns: dict[str, list[str] | Array] = {
            f"f_{name}": value for name, value in _columns(layer.facts).items()
        }
        if packs:
            columns["pack_key"] = [key for key, _, _ in packs]
            columns["pack_facts"] = np.array([pack[1:] for pack in packs], "<u8").reshape(-1)
        # Not by process: the first one of a container has the same number each time.
        own = packs[0][0].rpartition("/")[2] if len(packs) == 1 else uuid.uuid4().hex
        name = f"done-{own}.tbt"
        inner = encode_range(layer.rows)
        write_atomic(
            self._folder / name, len(inner).to_bytes(8, "little") + inner + encode_table(columns), 0o600
        )

    def read_layers(self) -> tuple[list[Layer], dict[str, tuple[int, int]]]:
        """Every layer, oldest first, and bytes and members of the packs that they name."""
        layers, packs = [], {}
        written: list[tuple[int, Path]] = []
        for file in self._folder.glob("done-*.tbt"):
            # Whoever reads beside the writer may see its end; whether it was that is for the caller to ask.
            with contextlib.suppress(FileNotFoundError):
                written.append((file.stat().st_mtime_ns, file))
        for _, file in sorted(written):
            try:
                layer, brought = _layer(file)
            except FileNotFoundError:
                continue
            except DatasetDamaged:
                # Its files count as not stored, and are read again.
                if self._lock >= 0:
                    file.unlink()
                continue
            layers.append(layer)
            packs.update(brought)
        return layers, packs

    def erase(self) -> None:
        """The draft is over."""
        self.release()
        shutil.rmtree(self._folder, ignore_errors=True)


def _layer(file: Path) -> tuple[Layer, dict[str, tuple[int, int]]]:
    data = file.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    inner, outer = Table(memoryview(data)[8:end], file.name), Table(memoryview(data)[end:], file.name)
    rows = decode_range(inner, RangeRef(file.name, "", "", inner.count("path"), 0))
    packs: dict[str, tuple[int, int]] = {}
    if "pack_key" in outer:
        numbers = outer.array("pack_facts").reshape(-1, 2).tolist()
        keys = outer.text("pack_key")
        packs = {key: (size, count) for key, (size, count) in zip(keys, numbers, strict=True)}
    return Layer(rows, _facts(outer, "f_")), packs


def _columns(facts: Array) -> dict[str, Array]:
    return {name: np.ascontiguousarray(facts[name]) for name in _FACTS}


def _facts(table: Table, prefix: str = "") -> Array:
    facts = np.zeros(table.count(f"{prefix}size"), FACTS)
    for name in _FACTS:
        facts[name] = table.array(f"{prefix}{name}")
    return facts


def _links(table: Table) -> Rows:
    paths = table.text("l_path")
    data = np.zeros(len(paths), ROW)
    data["kind"], data["pack"] = LINK, NO_PACK
    data["size"], data["sha256"] = table.array("l_size"), table.array("l_sha256")
    pairs = zip(table.text("l_url"), table.text("l_etag"), strict=True)
    return Rows(paths, data, (), ("",), dict(zip(paths, pairs, strict=True)))
