"""Artifacts: ``upload_artifact`` and ``artifacts``."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trialbook.base.unicode import storable
from trialbook.client.calls import kept
from trialbook.errors import UsageError, WireError
from trialbook.journal import snapshot
from trialbook.journal.frames import Kind
from trialbook.journal.spool import HASH_LATER, Pending, Upload
from trialbook.sdk.artifacts import Artifact, Artifacts
from trialbook.sdk.artifacts.pack import How, Packed, digest, pack
from trialbook.sdk.artifacts.registered import RegisteredArtifacts
from trialbook.sdk.console import say
from trialbook.sdk.full_disk import spared
from trialbook.sdk.names import checked, join, safe, task_folder
from trialbook.sdk.record import of_this_process
from trialbook.sdk.task.base import TaskBase

if TYPE_CHECKING:
    from trialbook.client.api import AddArtifacts
    from trialbook.client.api import Artifact as ArtifactEntry

_PREVIEW = 65_536
_UPLOAD_SECONDS = 24 * 3600.0


class ArtifactsMixin(TaskBase):
    """Members about artifacts."""

    _registered: RegisteredArtifacts | None = None

    @property
    def artifacts(self) -> Artifacts:
        """The task's artifacts by name, registered ones included; read-only.

        Example:
            >>> task.artifacts
            {}
        """
        entries = (self._document().get("execution") or {}).get("artifacts") or []
        found = {str(entry["key"]): Artifact(entry, self._artifact_ready) for entry in entries}
        for record in of_this_process(self.id):
            if record is not self._record:
                storing = list(record.storing.items())
                found |= {name: Artifact(entry, self._artifact_ready) for name, entry in storing}
        return Artifacts(found)

    def upload_artifact(
        self,
        name: str,
        artifact_object: Any,
        metadata: Mapping[str, Any] | None = None,
        delete_after_upload: bool = False,
        auto_pickle: bool = True,
        preview: Any = None,
        wait_on_upload: bool = False,
        extension_name: str | None = None,
        serialization_function: Callable[[Any], bytes] | None = None,
        retries: int = 0,
        sort_keys: bool = True,
    ) -> bool:
        """Keep an object with the task; it is stored in the background.

        Args:
            name: of the artifact; one of the same name is replaced.
            artifact_object: a path of a file, folder or wildcard (a folder becomes a zip), an address (kept as it is),
                a dict (.json), a DataFrame (.csv.gz, with its types), an ndarray (.npz), a PIL image (.png), a text
                (.txt), or anything else (.pkl).
            metadata: shown with it; values are kept as strings.
            delete_after_upload: delete the given file after it arrived.
            auto_pickle: pickle what has no format of its own.
            preview: text for the web UI instead of the default one.
            wait_on_upload: return when it has arrived.
            extension_name: another format by the ending of its file: .yaml for a dict; .parquet, .feather or .pickle
                for a DataFrame; .csv.gz for an ndarray; those of PIL for an image; .pkl for anything. One that the type
                does not have, or whose package is not installed, is said, and the usual one taken.
            serialization_function: makes the bytes of the file; ``Artifact.get`` reads it by its
                ``deserialization_function``.
            retries: accepted for compatibility: an upload is tried until it has arrived.
            sort_keys: of a dict, in the file.

        Returns:
            True when it was accepted, or with ``wait_on_upload`` when it has arrived.

        Raises:
            UsageError: a ``Path`` that does not exist, an object that cannot be kept, or the task is published.

        Example:
            >>> task.upload_artifact("settings", {"rate": 0.1}, metadata={"source": "search"})
            True
        """
        checked("an artifact", storable(str(name or "")))
        self._record.require_unpublished("The artifacts")
        if self._registered is not None and name in self._registered.objects():
            raise UsageError(f"{name!r} is registered and stored by itself; unregister_artifact it first")
        return self._keep(
            name, artifact_object, metadata, delete_after_upload, auto_pickle, preview, wait_on_upload,
            how=How(extension_name, serialization_function, sort_keys),
        )  # fmt: skip

    def register_artifact(
        self,
        name: str,
        artifact: Any,
        metadata: Mapping[str, Any] | None = None,
        uniqueness_columns: bool | Sequence[str] = True,
    ) -> None:
        """Follow a table: it is stored now, and again whenever the program has changed it.

        Changes are noticed within ten seconds, at ``flush`` and at the end of the run; an unchanged table is not
        stored again.

        Args:
            name: of the artifact; a table registered under it before is followed no longer.
            artifact: a pandas DataFrame.
            metadata: shown with it.
            uniqueness_columns: columns by which the preview counts unique rows; True is all.

        Raises:
            UsageError: not a DataFrame, columns that it does not have, or the task is published.

        Example:
            >>> import pandas
            >>> table = pandas.DataFrame({"id": [1, 2], "loss": [0.5, 0.4]})
            >>> task.register_artifact("losses", table)
            >>> table.loc[2] = [3, 0.3]
        """
        checked("an artifact", storable(str(name or "")))
        self._record.require_unpublished("The artifacts")
        if self._registered is None:
            self._registered = RegisteredArtifacts(
                lambda name, frame, metadata, preview: self._keep_quietly(name, frame, metadata, preview)
            )
        self._registered.add(str(name), artifact, metadata, uniqueness_columns)

    def unregister_artifact(self, name: str) -> None:
        """Store the last state of a registered table and follow it no longer; the artifact stays on the task.

        Args:
            name: of the table; an unknown one is said, and nothing happens.

        Example:
            >>> import pandas
            >>> task.register_artifact("errors", pandas.DataFrame({"epoch": [1]}))
            >>> task.unregister_artifact("errors")
            >>> task.get_registered_artifacts(), list(task.artifacts)
            ({}, ['errors'])
        """
        if self._registered is None or not self._registered.remove(name):
            say(f"Trialbook: no artifact {name!r} is registered")

    def get_registered_artifacts(self) -> dict[str, Any]:
        """The registered tables.

        Returns:
            Names to the program's own objects, which may be changed.

        Example:
            >>> import pandas
            >>> task.register_artifact("errors", pandas.DataFrame({"epoch": [1]}))
            >>> list(task.get_registered_artifacts())
            ['errors']
        """
        return self._registered.objects() if self._registered is not None else {}

    def set_artifacts(self, artifacts_list: Sequence[Any] | None = None) -> list[Artifact] | None:
        """Update the record of artifacts: those of the list are added, or replace the ones of their name.

        Others stay; ``delete_artifacts`` removes them. Files are neither stored nor deleted.

        Args:
            artifacts_list: ``Artifact`` objects or dicts with the fields of the wire (``key``, ``type``, ``uri`` …).
                None and an empty list change nothing.

        Returns:
            All artifacts now; None when the server refused.

        Raises:
            UsageError: no list, an entry without a key, or the task is published.

        Example:
            >>> task.set_artifacts([{"key": "table", "type": "custom", "uri": "https://example.com/table.csv"}])
            [<Artifact 'table' custom 0 bytes>]
            >>> len(task.set_artifacts())
            1
        """
        entries = _entries(artifacts_list)
        if not entries:
            return list(self.artifacts.values())
        self._record.require_unpublished("The artifacts")
        try:
            self._record.changes.tasks.add_or_update_artifacts(
                {"task": self.id, "force": True, "artifacts": entries}
            )
        except WireError as error:
            say(f"Trialbook: the artifacts were not updated: {error}")
            return None
        for entry in entries:
            self._note_artifact(entry)
        return list(self.artifacts.values())

    # -- inside ---

    def _sync_artifacts(self, end: bool = False) -> None:
        if self._registered is not None:
            if end:
                self._registered.stop()
            else:
                self._registered.sync()

    def _keep_quietly(self, name: str, frame: Any, metadata: Mapping[str, Any] | None, preview: str) -> None:
        self._keep(name, frame, metadata, False, True, preview, False, kind="data-audit-table")

    @spared("file", False)
    def _keep(
        self,
        name: str,
        artifact_object: Any,
        metadata: Mapping[str, Any] | None,
        delete_after_upload: bool,
        auto_pickle: bool,
        preview: Any,
        wait_on_upload: bool,
        kind: str | None = None,
        how: How | None = None,
    ) -> bool:
        journal = self._record.journal
        name = storable(str(name))
        packed = pack(name, artifact_object, journal.spool.reserve, auto_pickle, how)
        entry, type_data = self._entry(name, packed, metadata, preview)
        entry["type"] = kind if kind and packed.type == "pandas" else packed.type
        self._note_artifact(entry)
        ask: AddArtifacts = {"task": self.id, "artifacts": [entry], "force": True}
        if packed.path is None:
            self._record.later.tasks.add_or_update_artifacts(ask)
            return not wait_on_upload or self._record.flush()
        own = _file(artifact_object) if delete_after_upload else None

        def told(digest: str) -> None:
            entry["hash"] = type_data["data_hash"] = digest

        call = kept(lambda changes: changes.tasks.add_or_update_artifacts(ask))
        pending = journal.upload(
            Upload(packed.path, str(entry["uri"]), True, ((Kind.CALL, call),), own, told)
        )
        return self._after_upload(pending, entry, wait_on_upload)

    def _after_upload(self, pending: Pending | None, entry: "ArtifactEntry", wait: bool) -> bool:
        if pending is None:
            return False
        if not wait:
            return True
        if self._record.connection is None:
            return False
        if not pending.wait(_UPLOAD_SECONDS):
            self._forget_artifact(entry)
            say(f"Trialbook: the artifact {entry['key']!r} was not stored: {pending.error}")
            return False
        return self._record.flush()

    def _entry(
        self, name: str, packed: Packed, metadata: Mapping[str, Any] | None, preview: Any
    ) -> "tuple[ArtifactEntry, dict[str, Any]]":
        type_data: dict[str, Any] = {
            "preview": (packed.preview if preview is None else str(preview))[:_PREVIEW],
            "content_type": packed.content_type,
        }
        entry: ArtifactEntry = {
            "key": name,
            "type": packed.type,
            "mode": "output",
            "uri": packed.url,
            "timestamp": int(time.time()),
            "type_data": type_data,
            "display_data": [[str(key), str(value)] for key, value in (metadata or {}).items()],
        }
        if packed.path is not None:
            size = snapshot.size_of(packed.path)
            # Hashing a gigabyte takes most of a second, which the sending thread has.
            hashed = HASH_LATER if size >= snapshot.AT_ONCE else digest(packed.path)[0]
            entry["hash"], entry["content_size"] = hashed, size
            type_data["data_hash"] = hashed
            entry["uri"] = self._artifact_url(name, packed.file_name)
        return entry, type_data

    def _artifact_url(self, name: str, file_name: str) -> str:
        base, project, task_name = self._record.place()
        destination = getattr(self, "output_uri", None) or base
        return join(
            destination, task_folder(project, task_name, self.id), "artifacts", safe(name), safe(file_name)
        )

    def _note_artifact(self, entry: "ArtifactEntry") -> None:
        with self._record.lock:
            execution = self._document().setdefault("execution", {}) or {}
            others = [item for item in execution.get("artifacts") or [] if item.get("key") != entry["key"]]
            execution["artifacts"] = [*others, entry]
            self._document()["execution"] = execution
            self._record.storing[entry["key"]] = entry

    def _forget_artifact(self, entry: "ArtifactEntry") -> None:
        with self._record.lock:
            execution = self._document().get("execution") or {}
            execution["artifacts"] = [item for item in execution.get("artifacts") or [] if item is not entry]
            self._record.storing.pop(entry["key"], None)

    def _artifact_ready(self) -> None:
        """What this process is still storing must arrive before it can be fetched."""
        for record in {self._record, *of_this_process(self.id)}:
            if record.has_journal and record.journal.has_uploads:
                record.journal.flush(_UPLOAD_SECONDS, uploads=True)


def _entries(given: Sequence[Any] | None) -> "list[ArtifactEntry]":
    wanted = "artifacts_list takes a list of Artifact objects or dicts with a key"
    if given is not None and not isinstance(given, (list, tuple)):
        raise UsageError(f"{wanted}, not {given!r}")
    entries: list[ArtifactEntry] = []
    for item in given or ():
        if isinstance(item, Artifact):
            _ = item.hash
            entry = dict(item.entry)
        elif isinstance(item, Mapping):
            entry = dict(item)
        else:
            raise UsageError(f"{wanted}, not of {item!r}")
        if not isinstance(entry.get("key"), str) or not entry["key"]:
            raise UsageError(f"{wanted}; {entry!r} has none")
        entries.append(cast("ArtifactEntry", {"mode": "output", "type": "custom", **entry}))
    return entries


def _file(value: Any) -> Path | None:
    if not isinstance(value, (str, Path)):
        return None
    path = Path(value).expanduser()
    return path.resolve() if path.is_file() else None
