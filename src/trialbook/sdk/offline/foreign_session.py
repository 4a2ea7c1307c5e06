"""Offline sessions of the clearml SDK: a task document, two files of events and the files of the run.

A session is read as a whole into a journal of ours, which is then sent like any other. Nothing reaches the server
before everything has been read, so a session that is cut short leaves nothing half done there.
"""

import json
import re
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from trialbook.base.files import write_json
from trialbook.base.ids import new_id
from trialbook.client.calls import nouns
from trialbook.client.settings import Settings
from trialbook.errors import UsageError
from trialbook.journal.delivery import Identity
from trialbook.journal.frames import (
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    SEGMENT_VERSION,
    Kind,
    encode_json,
    encode_point,
    encode_series,
    encode_text,
)
from trialbook.sdk.models.listing import design_text
from trialbook.sdk.names import join
from trialbook.wire.states import LEVEL_NAMES

if TYPE_CHECKING:
    from trialbook.client.api import Changes, CreateModel, CreateTask

_DOCUMENT = "task.json"
_KEPT = (
    "name",
    "type",
    "tags",
    "system_tags",
    "comment",
    "script",
    "hyperparams",
    "configuration",
    "container",
)
_ALSO_KEPT = ("runtime", "output", "execution")


def find(folder: Path) -> Path | None:
    """The folder of a session in or below ``folder``; None when there is none."""
    if (folder / _DOCUMENT).is_file():
        return folder
    found = sorted(folder.glob(f"*/{_DOCUMENT}"))
    return found[0].parent if len(found) == 1 else None


def convert(folder: Path, root: Path, settings: Settings, named: Path) -> Path:
    """Make a journal of a session.

    Args:
        folder: of the session; it is only read.
        root: where the journal is written.
        settings: name the server that it is for.
        named: the path that the user gave, for messages.

    Returns:
        The folder of the journal, whose task has a new id.

    Raises:
        UsageError: the session is cut short, or damaged.
    """
    return _Session(folder, settings, named).write(root)


class _Session:
    def __init__(self, folder: Path, settings: Settings, named: Path) -> None:
        self._folder = folder
        self._settings = settings
        self._named = named
        document = self._parsed((folder / _DOCUMENT).read_text("utf-8"), _DOCUMENT)
        if not isinstance(document, dict) or not document.get("id"):
            raise UsageError(f"{named}: {_DOCUMENT} does not describe a task")
        self._document: dict[str, Any] = document
        self.task = new_id()
        self._old = str(document["id"])
        self._home = str(document.get("offline_folder") or "").replace("\\", "/").rstrip("/")
        self._models = {str(one.get("id")): new_id() for one in document.get("offline_output_models") or []}
        self._files: dict[str, Path] = {}
        self._body = bytearray()
        self._series: dict[tuple[str, str], int] = {}
        self._host = ""

    def write(self, root: Path) -> Path:
        document = self._document
        fields = {
            name: document[name] for name in (*_KEPT, *_ALSO_KEPT) if document.get(name) not in (None, "")
        }
        artifacts = (fields.get("execution") or {}).get("artifacts") or []
        fields["execution"] = {
            name: value for name, value in (fields.get("execution") or {}).items() if name != "artifacts"
        }
        project = str(document.get("project_name") or "Untitled")
        ask = cast("CreateTask", {"id": self.task, **self._renamed(fields), "project_name": project})
        self._changes.tasks.create(ask)
        self._changes.tasks.started({"task": self.task, "force": True})
        if artifacts:
            entries = [self._renamed(entry) for entry in artifacts]
            self._changes.tasks.add_or_update_artifacts(
                {"task": self.task, "artifacts": entries, "force": True}
            )
        for model in document.get("offline_output_models") or []:
            self._model(model)
        for name in ("log.jsonl", "metrics.jsonl"):
            for event in self._events(name):
                self._event(event)
        self._changes.tasks.completed({"task": self.task, "force": True})
        return self._saved(root)

    def _saved(self, root: Path) -> Path:
        settings = self._settings
        identity = Identity(
            new_id(),
            self.task,
            self._host or socket.gethostname(),
            0,
            time.time(),
            settings.api_host,
            settings.files_host,
        )
        folder = root / self.task / identity.journal
        (folder / "spool").mkdir(parents=True)
        for number, (url, source) in enumerate(self._files.items()):
            copy = folder / "spool" / f"{number}.bin"
            shutil.copyfile(source, copy)
            note = {"source": str(copy), "url": url, "delete_source": True, "then": [], "remove": None}
            write_json(folder / "spool" / f"{number}.json", note)
        head = SEGMENT_HEADER.pack(SEGMENT_MAGIC, SEGMENT_VERSION, 0)
        (folder / "00000000.seg").write_bytes(head + bytes(self._body))
        identity.save(folder)
        return folder

    @property
    def _changes(self) -> "Changes":
        changes: Changes = nouns(self._keep)
        return changes

    def _keep(self, method: str, params: dict[str, Any]) -> None:
        self._body += encode_json(Kind.CALL, {"method": method, "params": params})

    def _model(self, model: Mapping[str, Any]) -> None:
        init, weights = dict(model.get("init") or {}), dict(model.get("weights") or {})
        known = self._models[str(model.get("id"))]
        file = weights.get("weights_filename")
        url = str(weights.get("register_uri") or "")
        if file:
            url = self._kept(self._local(str(file)), f"models/{PurePosixPath(str(file)).name}")
        text = init.get("config_text")
        fields: CreateModel = {
            "id": known,
            "task": self.task,
            "name": str(init.get("name") or self._document.get("name") or "Untitled"),
            "uri": url,
            "framework": init.get("framework") or "",
            "labels": init.get("label_enumeration") or {},
            "tags": init.get("tags") or [],
            "comment": init.get("comment") or "",
            "design": {"design": design_text(text, None if text else init.get("config_dict"))},
        }
        self._changes.models.create(fields)
        self._changes.tasks.add_or_update_model(
            {"task": self.task, "name": fields["name"], "type": "output", "model": known}
        )

    def _events(self, name: str) -> Iterator[dict[str, Any]]:
        path = self._folder / name
        if not path.is_file():
            return
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip():
                found = self._parsed(line, f"line {number} of {name}")
                yield from found if isinstance(found, list) else [found]

    def _event(self, event: dict[str, Any]) -> None:
        kind, moment = event.get("type"), float(event.get("timestamp") or 0) / 1000
        self._host = self._host or str(event.get("worker") or "")
        if kind == "log":
            level = LEVEL_NAMES.get(str(event.get("level")).lower(), 20)
            self._body += encode_text(moment, level, 0, str(event.get("msg") or ""))
        elif kind == "training_stats_scalar" and not event.get("model_event"):
            key = str(event.get("metric")), str(event.get("variant"))
            number = self._series.get(key)
            if number is None:
                number = self._series[key] = len(self._series)
                self._body += encode_series(number, *key)
            self._body += encode_point(
                number, int(event.get("iter") or 0), moment, float(event.get("value") or 0)
            )
        else:
            kept = {name: value for name, value in event.items() if name != "method"}
            self._body += encode_json(Kind.EVENT, self._renamed(kept))

    def _renamed(self, value: Any) -> Any:
        """With the ids of the new task and models, and with the server's addresses in place of local files."""
        if isinstance(value, Mapping):
            return {key: self._renamed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._renamed(item) for item in value]
        if not isinstance(value, str):
            return value
        if value in self._models:
            return self._models[value]
        plain = value.replace("\\", "/").removeprefix("file://")
        if self._home and plain.startswith(f"{self._home}/data/"):
            local = self._local(value)
            return self._kept(local, local.relative_to(self._folder / "data").as_posix())
        if self._home and f"{self._home}/data/" in value:
            # A plot that shows stored pictures has their paths in its text.
            value = re.sub(
                rf'{re.escape(self._home)}/data/[^"\\]+', lambda path: self._renamed(path[0]), value
            )
        return value.replace(self._old, self.task)

    def _local(self, named: str) -> Path:
        """The file of the session that a path of the host where it was made means.

        Raises:
            UsageError: it is not there.
        """
        plain = named.replace("\\", "/").removeprefix("file://")
        below = plain.removeprefix(f"{self._home}/") if self._home else plain
        path = self._folder / below
        inside = path.resolve().is_relative_to(self._folder.resolve())
        if not inside or not path.is_file():
            raise UsageError(f"{self._named} lacks the file {below}; it is cut short")
        return path

    def _kept(self, path: Path, place: str) -> str:
        """Note a file for upload; its address on the server."""
        url = join(self._settings.files_host, place.replace(self._old, self.task))
        self._files[url] = path
        return url

    def _parsed(self, text: str, what: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"{self._named} is damaged or cut short: {what} is not JSON ({error})"
            ) from error
