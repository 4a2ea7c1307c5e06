"""From pending files to a finished version: ``upload``, ``finalize``, ``publish``."""

import json
import time
from dataclasses import replace
from typing import Any

from trialbook.datasets.draft import Draft
from trialbook.datasets.manifest import Root
from trialbook.datasets.objects import pack_key, root_key
from trialbook.datasets.rows import LINK, Rows
from trialbook.datasets.sniff import Policy
from trialbook.errors import (
    ConnectionFailed,
    SourceChanged,
    TrialbookError,
    UsageError,
    WireError,
)
from trialbook.sdk.console import say
from trialbook.sdk.dataset.base import SAVED, DatasetBase
from trialbook.sdk.dataset.home import Home, remember_places
from trialbook.sdk.dataset.listing import FIRST_CHUNK, ListingMixin, compare
from trialbook.sdk.dataset.previews import report_previews
from trialbook.sdk.dataset.progress import Progress
from trialbook.sdk.dataset.query import sweep
from trialbook.sdk.dataset.state import encode_state
from trialbook.sdk.dataset.stores import repository_url
from trialbook.sdk.storage import check_writable

_MB = 1 << 20
_STORED = 0
_UNBOUNDED = 1 << 62
_LISTED = 10_000


class ClosingMixin(ListingMixin, DatasetBase):
    """Members that bring a version to its end."""

    def upload(
        self,
        show_progress: bool = True,
        verbose: bool = False,
        output_url: str | None = None,
        compression: int | None = None,
        chunk_size: int | None = None,
        max_workers: int | None = None,
        retries: int = 3,
        preview: bool = True,
    ) -> None:
        """Store the bytes of every pending file; what is stored already is not sent again.

        A process that is killed meanwhile, or interrupted, loses nothing: calling ``upload`` again, also from another
        process on this host, goes on with the files that are left.

        Args:
            show_progress: a bar, where standard error is a terminal.
            verbose: print what was stored.
            output_url: a folder or an address that takes these files, instead of the version's own destination.
            compression: ``zipfile.ZIP_STORED`` never compresses; None and others let a sample of each file decide.
            chunk_size: size of a pack in MB, 64 by default; -1 makes one pack of all.
            max_workers: accepted for compatibility.
            retries: how often to try again when storing fails.
            preview: show some tables and pictures on the version's page.

        Raises:
            UsageError: storing failed in the end, a file is gone or keeps changing, or the version is final.
        """
        draft = self._draft("upload")
        if output_url:
            check_writable(output_url)
        _, pending = draft.standing()
        if not pending.paths:
            return
        total = int(pending.facts["size"].sum())
        target = self._elsewhere(output_url)
        policy = _policy(draft.policy, compression, chunk_size)
        progress = Progress("upload", len(pending.paths), total, show_progress)
        try:
            self._upload(draft, target, policy, progress, max(0, int(retries)))
        finally:
            progress.end()
        if verbose:
            say(
                f"{len(pending.paths)} files, {total} bytes stored in {target.url if target else self._home.url}"
            )
        self._forget()
        self._save()
        if preview and self._home.connection is not None:
            report_previews(self._task.get_logger(), pending)

    def _save(self) -> None:
        """Let another host go on from here."""
        if self._home.connection is not None:
            saved = self._draft("upload").save()
            self._task._set_runtime(**{SAVED: saved, "ds_saved_places": json.dumps(self._home.places)})

    def _elsewhere(self, output_url: str | None) -> Home | None:
        if not output_url:
            return None
        url = repository_url(str(output_url))
        return None if url == self._home.url else Home(self._home.connection, url, self._home.cache)

    def _upload(
        self, draft: Draft, target: Home | None, policy: Policy, progress: Progress, retries: int
    ) -> None:
        places = dict(self._home.places)

        def noted(key: str) -> None:
            if target is not None:
                places[key] = f"{target.url}/{pack_key(key)}"
                remember_places(self._home.cache, self.id, places)

        elsewhere = target.objects() if target is not None else None
        for attempt in range(retries + 1):
            try:
                draft.upload(progress.add, policy, elsewhere, noted)
                break
            except SourceChanged as error:
                raise UsageError(f"the upload stopped: {error}. What was stored stays stored.") from error
            except (ConnectionFailed, WireError, OSError) as error:
                if attempt == retries:
                    raise UsageError(
                        f"the upload failed: {error}. What was stored stays stored; upload() goes on with the rest."
                    ) from error
                time.sleep(min(5.0, 0.2 * 2**attempt))
        if places.keys() - self._home.places.keys():
            self._home = self._home.with_places(places)
            self._reopen(draft)

    def _reopen(self, draft: Draft) -> None:
        draft.close()
        self._open_draft = None
        self._begin()

    def finalize(self, verbose: bool = False, raise_on_error: bool = True, auto_upload: bool = False) -> bool:
        """Close the version: from now on it cannot change, and others can read it.

        The manifest, the references to every stored object and the status change together, or nothing does. The status
        becomes completed; ``publish`` is a step of its own.

        Args:
            verbose: print numbers.
            raise_on_error: False answers False instead of raising when it cannot be done.
            auto_upload: upload pending files first.

        Returns:
            True when it is closed.

        Raises:
            UsageError: files wait for ``upload``, or it is neither draft nor open.
        """
        if self._session is not None:
            say("Trialbook: a dataset is finalized when its offline session is imported")
            return False
        try:
            return self._finalized(verbose, auto_upload)
        except (TrialbookError, OSError) as error:
            if raise_on_error:
                raise
            say(f"Trialbook: dataset {self.id} was not finalized: {error}")
            return False

    def _finalized(self, verbose: bool, auto_upload: bool) -> bool:
        if self.is_final():
            raise UsageError(f"dataset {self.id} is {self._info.get('status')}: it is final already")
        if self._finished():
            self._commit(self._version.root)
            return True
        draft = self._draft("finalize")
        if draft.pending and auto_upload:
            self.upload(show_progress=verbose, verbose=verbose)
            draft = self._draft("finalize")
        if draft.pending:
            raise UsageError(
                f"{draft.pending} files of dataset {self.id} wait: call upload() first, or finalize(auto_upload=True)"
            )
        root = draft.finish(whole_packs=not self._policy.native)
        self._uncommitted = self._home.objects().pointer(self.id)
        self._open_draft = None
        self._forget()
        self._commit(root)
        if verbose:
            say(f"dataset {self.id}: {root.files} files, {root.links} links, {root.bytes} bytes")
        return True

    def _commit(self, root: Root) -> None:
        connection = self._home.connection
        assert connection is not None
        rows = self._version.rows
        parents = self._roots()
        chunks = introduced(root, parents)
        artifacts = [self._chunk_artifact(name, ref) for name, ref in chunks.items()]
        if not self._policy.native:
            artifacts.append(
                self._state_artifact(root, rows, {ref.key: name for name, ref in chunks.items()})
            )
        artifacts.append(self._manifest_artifact(root))
        runtime, changes = self._counters(root, rows, chunks)
        info = {
            "dataset": self.id,
            "root": self._uncommitted,
            "repository": self._home.url,
            "places": self._home.places,
            "objects": self._objects(root, parents),
            "files": root.files,
            "links": root.links,
            "bytes": root.bytes,
            "stored": sum(ref.bytes for ref in chunks.values()),
            "artifacts": artifacts,
            "runtime": runtime,
            "configuration": self._configuration(rows),
            "keep_open": self._keep_task_open,
        }
        # Reports to the version come before its end.
        self._task._record.flush()
        reply = connection.session.call("datasets.commit", info)
        if self._pinger is not None:
            self._pinger.stop()
            self._pinger = None
        self._info.update(
            root=self._uncommitted,
            repository=self._home.url,
            status=reply["dataset"]["status"],
            changes=changes,
        )
        self._task._record.document = reply["dataset"]
        self._uncommitted = ""
        self._forget()

    def _objects(self, root: Root, parents: list[Root]) -> list[dict[str, Any]]:
        found = {f"packs/{ref.key}": ref.bytes for ref in root.packs}
        found[root_key(self.id, self._uncommitted).removesuffix(".json")] = 0
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

    def _chunk_artifact(self, name: str, ref: Any) -> dict[str, Any]:
        return {
            "key": name,
            "type": "custom",
            "mode": "output",
            "uri": self._home.pack_url(ref.key),
            "content_size": ref.bytes,
            "timestamp": int(time.time()),
            "type_data": {"content_type": "application/zip", "preview": f"{ref.members} files"},
        }

    def _manifest_artifact(self, root: Root) -> dict[str, Any]:
        return {
            "key": "manifest",
            "type": "custom",
            "mode": "output",
            "uri": f"{self._home.url}/{root_key(self.id, self._uncommitted)}",
            "timestamp": int(time.time()),
            "type_data": {
                "content_type": "application/json",
                "preview": f"{root.files} files, {root.links} links, {root.bytes} bytes",
            },
            "display_data": [["root", self._uncommitted]],
        }

    def _state_artifact(self, root: Root, rows: Rows, own: dict[str, str]) -> dict[str, Any]:
        graph = {version: list(above) for version, above in root.graph.items()}
        names = self._chunk_names if len(graph) > 1 else {}
        lookup: dict[str, int] = dict.fromkeys(graph, 0)
        lookup[self.id] = len(own)
        for owner, _ in set(names.values()):
            if owner != self.id and owner in lookup:
                lookup[owner] += 1

        def chunk_of(pack: str) -> tuple[str, str]:
            if pack in own:
                return self.id, own[pack]
            owner, name = self._chunk_of(pack)
            return owner, name or FIRST_CHUNK

        data = encode_state(self.id, rows, chunk_of, graph, lookup)
        key = f"states/{self.id}/state.json"
        self._home.objects().blobs.put(key, [data])
        return {
            "key": "state",
            "type": "dict",
            "mode": "output",
            "uri": f"{self._home.url}/{key}",
            "content_size": len(data),
            "timestamp": int(time.time()),
            "type_data": {
                "content_type": "application/json",
                "preview": f"Dataset state\nFiles added/modified: {root.files} - total size {root.bytes}\n"
                f"Current dependency graph: {json.dumps(graph)}\n",
            },
        }

    def _counters(
        self, root: Root, rows: Rows, chunks: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, int]]:
        difference = compare(self._parent_rows(), rows, self._content()[1])
        manual = getattr(self, "_counted", {})
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
        own = rows.data["origin"] == (rows.origins.index(self.id) if self.id in rows.origins else -1)
        sizes = rows.data["size"]
        return {
            **counted,
            "ds_file_count": root.files,
            "ds_link_count": root.links,
            "ds_total_size": root.bytes,
            "ds_total_size_compressed": sum(ref.bytes for ref in root.packs),
            "ds_change_size": int(sizes[own & (sizes > 0)].sum()),
        }, changes

    def _configuration(self, rows: Rows) -> dict[str, Any]:
        graph = self._graph()
        numbers = {version: str(number) for number, version in enumerate(graph)}
        found = self._home.connection.session.call(  # type: ignore[union-attr]
            "datasets.get_all", {"ids": list(graph), "archived": True}
        )["versions"]
        known = {one["id"]: one for one in found}
        struct = {
            numbers[version]: {
                "job_id": version,
                "status": "completed"
                if version == self.id
                else known.get(version, {}).get("status", "deleted"),
                "last_update": int(time.time()) if version == self.id else None,
                "parents": [numbers[above] for above in parents if above in numbers],
                "job_size": known.get(version, {}).get("bytes"),
                "name": known.get(version, {}).get("name", ""),
                "version": known.get(version, {}).get("version"),
            }
            for version, parents in graph.items()
        }
        lines = ["File Name, File Size (bytes), Hash (SHA2)"]
        linked = (rows.data["kind"] == LINK).tolist()
        sizes = rows.data["size"].tolist()
        for place, path in enumerate(rows.paths[:_LISTED]):
            digest = "" if linked[place] else rows.data["sha256"][place].tobytes().hex()
            lines.append(f"{path}, {sizes[place]}, {digest}")
        if len(rows) > _LISTED:
            lines.append(f"… {len(rows) - _LISTED} more, {len(rows)} in all")
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
                "value": "\n".join(lines),
            },
        }

    def discard(self) -> None:
        """Give an open version up: it is deleted with everything that it stored.

        Raises:
            UsageError: it is final; ``Dataset.delete`` deletes such ones.
        """
        draft = self._draft("discard")
        if self._pinger is not None:
            self._pinger.stop()
        draft.abandon()
        self._open_draft = None
        if self._home.connection is not None:
            receipt = self._home.connection.session.call(
                "datasets.delete", {"dataset": self.id, "force": True}
            )
            sweep(self._home.connection, receipt)

    def publish(self, raise_on_error: bool = True) -> bool:
        """Make a finished version permanent.

        Args:
            raise_on_error: False answers False when the server refuses.

        Returns:
            True when it is published.

        Raises:
            UsageError: the version is not final.
        """
        if not self.is_final():
            raise UsageError(f"dataset {self.id} is not final: call finalize() before publish()")
        try:
            self._task.publish(ignore_errors=False)
        except (TrialbookError, OSError) as error:
            if raise_on_error:
                raise
            say(f"Trialbook: dataset {self.id} was not published: {error}")
            return False
        self._info["status"] = "published"
        return True


def introduced(root: Root, parents: list[Root]) -> dict[str, Any]:
    """Packs that a version brings to its lineage, by the artifact name that each gets."""
    inherited = {ref.key for parent in parents for ref in parent.packs}
    fresh = [ref for ref in root.packs if ref.key not in inherited]
    return {FIRST_CHUNK if n == 0 else f"{FIRST_CHUNK}_{n:03d}": ref for n, ref in enumerate(fresh)}


def _policy(policy: Policy, compression: int | None, chunk_size: int | None) -> Policy:
    if compression == _STORED and compression is not None:
        policy = replace(policy, compression="none")
    if chunk_size is not None:
        if chunk_size == 0 or chunk_size < -1:
            raise UsageError(f"chunk_size is a number of MB, or -1 for one pack, not {chunk_size}")
        policy = replace(
            policy,
            pack_bytes=_UNBOUNDED if chunk_size == -1 else int(chunk_size * _MB),
            pack_members=_UNBOUNDED if chunk_size == -1 else policy.pack_members,
        )
    return policy
