"""What a finished version tells the server: references, artifacts, counters, texts for the page, in one transaction."""

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from trialbook.datasets.manifest.roots import Root
from trialbook.datasets.manifest.rows import LINK, Rows
from trialbook.datasets.storage.objects import root_key
from trialbook.sdk.dataset.foreign.state import encode_state
from trialbook.sdk.dataset.home import keep
from trialbook.sdk.dataset.versions.comparing import compare
from trialbook.sdk.dataset.versions.lineage import FIRST_CHUNK
from trialbook.sdk.dataset.versions.opened import Opened

if TYPE_CHECKING:
    from trialbook.client.api import Artifact, CommitDataset, Configuration, StoredObject

_LISTED = 10_000


def commit(version: Opened, root: Root, base: Rows | None = None) -> None:
    """Tell the server that a version is finished.

    Args:
        version: whose manifest is written.
        root: of the manifest.
        base: the parents' rows, when they are known.
    """
    _Commit(version).send(root, base)


class _Commit:
    def __init__(self, version: Opened) -> None:
        self._opened = version

    def send(self, root: Root, base: Rows | None) -> None:
        connection = self._opened.home.connection
        assert connection is not None
        rows = self._opened.version.rows
        parents = self._opened.parent_roots()
        chunks = introduced(root, parents)
        artifacts = [self._chunk_artifact(name, ref) for name, ref in chunks.items()]
        if not self._opened.policy.native:
            artifacts.append(
                self._state_artifact(root, rows, {ref.key: name for name, ref in chunks.items()})
            )
        artifacts.append(self._manifest_artifact(root))
        before = self._opened.parent_rows() if base is None else base
        runtime, changes = self._counters(root, before, rows, chunks)
        self._opened.calls.note("finalize")
        configuration = self._configuration(root, rows)
        info: CommitDataset = {
            "dataset": self._opened.id,
            "root": self._opened.uncommitted,
            "repository": self._opened.home.url,
            "places": self._opened.home.places,
            "objects": self._objects(root, parents),
            "files": root.files,
            "links": root.links,
            "bytes": root.bytes,
            "stored": sum(ref.bytes for ref in chunks.values()),
            "artifacts": artifacts,
            "runtime": runtime,
            "configuration": configuration,
            "keep_open": self._opened.keep_task_open,
            "script": self._opened.calls.taken(self._opened.task) or None,
        }
        # Reports to the version come before its end.
        self._opened.record.flush()
        reply = connection.session.api.datasets.commit(info)
        self._opened.silence()
        self._opened.info.update(
            root=self._opened.uncommitted,
            repository=self._opened.home.url,
            status=reply["dataset"]["status"],
            changes=changes,
        )
        configured = {**(self._opened.record.document.get("configuration") or {}), **configuration}
        self._opened.record.document = {**reply["dataset"], "configuration": configured}
        self._opened.uncommitted = ""
        self._opened.forget()
        keep(rows)

    def _objects(self, root: Root, parents: list[Root]) -> "list[StoredObject]":
        found = {f"packs/{ref.key}": ref.bytes for ref in root.packs}
        found[root_key(self._opened.id, self._opened.uncommitted).removesuffix(".json")] = 0
        for ref in root.ranges:
            found[f"ranges/{ref.key}"] = ref.bytes
        # The direct parents' manifests, so that what changed can be told when they are deleted.
        for one, (version, root_id) in zip(parents, root.parents, strict=True):
            found[root_key(version, root_id).removesuffix(".json")] = 0
            found.update({f"ranges/{ref.key}": ref.bytes for ref in one.ranges})
        suffix = {"packs": ".zip", "roots": ".json"}
        return [
            {"key": f"{key}{suffix.get(key.partition('/')[0], '')}", "bytes": size}
            for key, size in sorted(found.items())
        ]

    def _chunk_artifact(self, name: str, ref: Any) -> "Artifact":
        return {
            "key": name,
            "type": "custom",
            "mode": "output",
            "uri": self._opened.home.pack_url(ref.key),
            "content_size": ref.bytes,
            "timestamp": int(time.time()),
            "type_data": {"content_type": "application/zip", "preview": f"{ref.members} files"},
        }

    def _manifest_artifact(self, root: Root) -> "Artifact":
        return {
            "key": "manifest",
            "type": "custom",
            "mode": "output",
            "uri": f"{self._opened.home.url}/{root_key(self._opened.id, self._opened.uncommitted)}",
            "timestamp": int(time.time()),
            "type_data": {
                "content_type": "application/json",
                "preview": f"{root.files} files, {root.links} links, {root.bytes} bytes",
            },
            "display_data": [["root", self._opened.uncommitted]],
        }

    def _state_artifact(self, root: Root, rows: Rows, own: dict[str, str]) -> "Artifact":
        graph = {version: list(above) for version, above in root.graph.items()}
        names = self._opened.chunk_names if len(graph) > 1 else {}
        lookup: dict[str, int] = dict.fromkeys(graph, 0)
        lookup[self._opened.id] = len(own)
        for owner, _ in set(names.values()):
            if owner != self._opened.id and owner in lookup:
                lookup[owner] += 1

        def chunk_of(pack: str) -> tuple[str, str]:
            if pack in own:
                return self._opened.id, own[pack]
            owner, name = self._opened.chunk_of(pack)
            return owner, name or FIRST_CHUNK

        data = encode_state(self._opened.id, rows, chunk_of, graph, lookup)
        key = f"states/{self._opened.id}/state.json"
        self._opened.home.objects().blobs.put(key, [data])
        return {
            "key": "state",
            "type": "dict",
            "mode": "output",
            "uri": f"{self._opened.home.url}/{key}",
            "content_size": len(data),
            "timestamp": int(time.time()),
            "type_data": {
                "content_type": "application/json",
                "preview": f"Dataset state\nFiles added/modified: {root.files} - total size {root.bytes}\n"
                f"Current dependency graph: {json.dumps(graph)}\n",
            },
        }

    def _counters(
        self, root: Root, before: Rows, rows: Rows, chunks: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, int]]:
        difference = compare(before, rows, self._opened.content()[1])
        manual = self._opened.counted
        changes = {
            "added": len(difference.added),
            "modified": len(difference.modified),
            "removed": len(difference.removed),
        }
        counted = {
            "ds_change_add": changes["added"] + manual.get("ds_change_add", 0),
            "ds_change_modify": changes["modified"] + manual.get("ds_change_modify", 0),
            "ds_change_remove": changes["removed"] + manual.get("ds_change_remove", 0),
        }
        own = rows.data["origin"] == (
            rows.origins.index(self._opened.id) if self._opened.id in rows.origins else -1
        )
        sizes = rows.data["size"]
        return {
            **counted,
            "ds_file_count": root.files,
            "ds_link_count": root.links,
            "ds_total_size": root.bytes,
            "ds_total_size_compressed": sum(ref.bytes for ref in root.packs),
            "ds_change_size": int(sizes[own & (sizes > 0)].sum()),
        }, changes

    def _configuration(self, root: Root, rows: Rows) -> "dict[str, Configuration]":
        graph = self._opened.graph()
        numbers = {version: str(number) for number, version in enumerate(graph)}
        known = {version: self._shown(version) for version in graph if version != self._opened.id}
        known[self._opened.id] = {
            "status": "completed",
            "last_update": int(time.time()),
            "job_size": root.bytes,
            "name": self._opened.info.get("name", ""),
            "version": self._opened.info.get("version"),
        }
        struct = {
            numbers[version]: {
                "job_id": version,
                "parents": [numbers[above] for above in parents if above in numbers],
                **known[version],
            }
            for version, parents in graph.items()
        }
        return {
            "Dataset Struct": {
                "name": "Dataset Struct",
                "type": "json",
                "description": "Structure of the dataset",
                "value": json.dumps(struct),
            },
            "Dataset Content": {
                "name": "Dataset Content",
                "type": "CSV",
                "description": "Dataset content preview",
                "value": _listed(rows),
            },
        }

    def _shown(self, version: str) -> dict[str, Any]:
        """An ancestor in the structure."""
        task = self._opened.lineage.get(version, {})
        runtime = task.get("runtime") or {}
        return {
            "status": task.get("status", "deleted"),
            "last_update": None,
            "job_size": runtime.get("ds_total_size"),
            "name": task.get("name", ""),
            "version": runtime.get("version"),
        }


def _listed(rows: Rows) -> str:
    lines = ["File Name, File Size (bytes), Hash (SHA2)"]
    linked = (rows.data["kind"][:_LISTED] == LINK).tolist()
    sizes = rows.data["size"][:_LISTED].tolist()
    digests = np.ascontiguousarray(rows.data["sha256"][:_LISTED]).tobytes().hex()
    for place, path in enumerate(rows.paths[:_LISTED]):
        digest = "" if linked[place] else digests[64 * place : 64 * place + 64]
        lines.append(f"{path}, {sizes[place]}, {digest}")
    if len(rows) > _LISTED:
        lines.append(f"… {len(rows) - _LISTED} more, {len(rows)} in all")
    return "\n".join(lines)


def introduced(root: Root, parents: list[Root]) -> dict[str, Any]:
    """Packs that a version brings to its lineage, by the artifact name that each gets."""
    inherited = {ref.key for parent in parents for ref in parent.packs}
    fresh = [ref for ref in root.packs if ref.key not in inherited]
    return {FIRST_CHUNK if n == 0 else f"{FIRST_CHUNK}_{n:03d}": ref for n, ref in enumerate(fresh)}
