"""An artifact of a task: what is known of it, and its content."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from trialbook.base.unicode import storable
from trialbook.client.places import path_of
from trialbook.client.settings import load
from trialbook.errors import ConfigurationError, TrialbookError, UsageError
from trialbook.journal.spool import HASH_LATER
from trialbook.sdk.artifacts import formats
from trialbook.sdk.artifacts.pack import digest

_log = logging.getLogger("trialbook")


class Artifact:
    """One entry of ``task.artifacts``. Reading its attributes downloads nothing.

    Args:
        entry: as in the task's document.
        ready: waits until an upload of this process has arrived.

    Example:
        >>> _ = task.upload_artifact("scores", {"a": 1}, metadata={"fold": 2}, wait_on_upload=True)
        >>> artifact = task.artifacts["scores"]
        >>> artifact.name, artifact.type, artifact.metadata
        ('scores', 'dict', {'fold': '2'})
    """

    def __init__(self, entry: Mapping[str, Any], ready: Callable[[], None] | None = None) -> None:
        self._given = entry
        self.entry = dict(entry)
        self._ready = ready
        self._object: Any = None
        self._loaded = False

    @property
    def name(self) -> str:
        """The artifact's name.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1})
            >>> task.artifacts["scores"].name
            'scores'
        """
        return str(self.entry.get("key") or "")

    @property
    def url(self) -> str:
        """Where the file is.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1})
            >>> task.artifacts["scores"].url.rsplit("/", 1)[-1]
            'scores.json'
        """
        return str(self.entry.get("uri") or "")

    @property
    def size(self) -> int:
        """Bytes of the file.

        Example:
            >>> _ = task.upload_artifact("labels", "images/labels.csv", wait_on_upload=True)
            >>> task.artifacts["labels"].size == pathlib.Path("images/labels.csv").stat().st_size
            True
        """
        return int(self.entry.get("content_size") or 0)

    @property
    def type(self) -> str:
        """What it is: numpy, pandas, data-audit-table (a registered table), image, dict, string, pickle, archive or
        custom.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1})
            >>> task.artifacts["scores"].type
            'dict'
        """
        return str(self.entry.get("type") or "")

    @property
    def mode(self) -> str:
        """``output`` or ``input``.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1})
            >>> task.artifacts["scores"].mode
            'output'
        """
        return str(self.entry.get("mode") or "output")

    @property
    def hash(self) -> str | None:
        """SHA-256 of the file in hexadecimal. Of a large file that this process still sends: waits for it.

        Example:
            >>> import hashlib
            >>> _ = task.upload_artifact("labels", "images/labels.csv", wait_on_upload=True)
            >>> content = pathlib.Path("images/labels.csv").read_bytes()
            >>> task.artifacts["labels"].hash == hashlib.sha256(content).hexdigest()
            True
        """
        if self.entry.get("hash") == HASH_LATER:
            if self._ready is not None:
                self._ready()
            self.entry["hash"] = self._given.get("hash")
        value = self.entry.get("hash")
        return None if value == HASH_LATER else value

    @property
    def timestamp(self) -> datetime:
        """When it was stored.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1})
            >>> task.artifacts["scores"].timestamp.tzinfo
            datetime.timezone.utc
        """
        return datetime.fromtimestamp(float(self.entry.get("timestamp") or 0), timezone.utc)

    @property
    def metadata(self) -> dict[str, str]:
        """What was given with it, as strings.

        Example:
            >>> _ = task.upload_artifact("scores", {"a": 1}, metadata={"fold": 2})
            >>> task.artifacts["scores"].metadata
            {'fold': '2'}
        """
        return {str(key): str(value) for key, value in self.entry.get("display_data") or []}

    @property
    def preview(self) -> str:
        """A short text for people.

        Example:
            >>> _ = task.upload_artifact("note", "read me")
            >>> task.artifacts["note"].preview
            'read me'
        """
        return str((self.entry.get("type_data") or {}).get("preview") or "")

    def get(
        self,
        force_download: bool = False,
        deserialization_function: Callable[[bytes], Any] | None = None,
        block_unsafe_artifacts: bool = False,
    ) -> Any:
        """The object as it was given to ``upload_artifact``.

        Args:
            force_download: fetch again, also when this process or this host has it.
            deserialization_function: makes the object from the file's bytes.
            block_unsafe_artifacts: refuse pickles, which can run code when they are loaded.

        Returns:
            The object; a path for files and folders. A pickle whose bytes are not those that were stored is not loaded:
            a warning is logged and its path returned.

        Raises:
            FileMissing: the file is gone.
            ConfigurationError: it is a pickle, and these are blocked.

        Example:
            >>> task.upload_artifact("numbers", {"a": [1, 2]}, wait_on_upload=True)
            True
            >>> task.artifacts["numbers"].get()
            {'a': [1, 2]}
        """
        if self._loaded and not force_download and deserialization_function is None:
            return self._object
        path = self._fetch(extract=self.type == "archive", force=force_download)
        if deserialization_function is not None:
            return deserialization_function(path.read_bytes())
        if self.type == "pickle" or self._format in formats.PICKLED:
            if block_unsafe_artifacts or load().block_pickles:
                raise ConfigurationError(
                    f"the artifact {self.name!r} is a pickle, and pickles are blocked "
                    "(block_unsafe_artifacts, TRIALBOOK_BLOCK_PICKLED_ARTIFACTS)"
                )
            if self.hash and digest(path)[0] != self.hash:
                _log.warning(
                    "the artifact %r was changed after it was stored; it is not loaded: %s", self.name, path
                )
                return path
        self._object = self._read(path)
        self._loaded = True
        return self._object

    def get_local_copy(
        self, extract_archive: bool = True, raise_on_error: bool = False, force_download: bool = False
    ) -> str | None:
        """A path of this host with the file, or the folder of an archive.

        Args:
            extract_archive: unpack zip and tar.gz.
            raise_on_error: False answers None when it cannot be fetched.
            force_download: fetch again.

        Returns:
            The path; None when it cannot be fetched.

        Raises:
            TrialbookError: it cannot be fetched, and ``raise_on_error`` is on.

        Example:
            >>> _ = task.upload_artifact("labels", "images/labels.csv", wait_on_upload=True)
            >>> pathlib.Path(task.artifacts["labels"].get_local_copy()).name
            'labels.csv'
        """
        try:
            return str(self._fetch(extract_archive, force_download))
        except (TrialbookError, OSError):
            if raise_on_error:
                raise
            return None

    def __repr__(self) -> str:
        return f"<Artifact {self.name!r} {self.type} {self.size} bytes>"

    def _fetch(self, extract: bool, force: bool) -> Path:
        if self._ready is not None:
            self._ready()
        # The content decides the cache entry: a name that was stored again is another file.
        from trialbook.sdk.storage import fetch

        return fetch(self.url, extract, force, context=(self.hash or "files")[:16])

    @property
    def _format(self) -> str:
        """The ending of the file, when it is none of the usual ones of its type."""
        return formats.extension_of(self.type, path_of(self.url))

    def _read(self, path: Path) -> Any:
        kind = self.type
        if self._format:
            return formats.read(kind, self._format, path)
        if kind == "numpy":
            import numpy

            with numpy.load(path, allow_pickle=False) as found:
                return found[self.name if self.name in found else found.files[0]]
        if kind in ("pandas", "data-audit-table"):
            from trialbook.sdk.artifacts import tables

            return tables.read(path)
        if kind == "image":
            from PIL import Image

            with Image.open(path) as image:
                image.load()
                return image
        if kind in ("dict", "JSON"):
            return json.loads(path.read_text("utf-8"))
        if kind == "string":
            return path.read_bytes().decode("utf-8", "surrogatepass")
        if kind == "pickle":
            import pickle

            with path.open("rb") as file:
                return pickle.load(file)
        return path


class Artifacts(Mapping[str, Artifact]):
    """``task.artifacts``: names to artifacts, read-only.

    Example:
        >>> _ = task.upload_artifact("scores", {"a": 1})
        >>> list(task.artifacts), "weights" in task.artifacts
        (['scores'], False)
    """

    def __init__(self, found: Mapping[str, Artifact]) -> None:
        self._found = dict(found)

    def __getitem__(self, name: str) -> Artifact:
        try:
            return self._found[name if name in self._found else storable(name)]
        except (KeyError, AttributeError):
            raise KeyError(f"no artifact {name!r}; there are {sorted(self._found)}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        raise UsageError("task.artifacts is read-only; store an artifact with task.upload_artifact")

    def __delitem__(self, name: str) -> None:
        raise UsageError("task.artifacts is read-only; delete an artifact with task.delete_artifacts")

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return repr(self._found)
