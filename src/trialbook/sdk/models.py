"""Models: weights with their configuration, labels and origin."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trialbook.base.ids import new_id
from trialbook.errors import ModelNotFound, ModelReady, TrialbookError, UsageError
from trialbook.journal.frames import Kind
from trialbook.journal.uploads import Pending, Upload
from trialbook.sdk import connection as connections
from trialbook.sdk import current, hocon
from trialbook.sdk.labels import check_labels
from trialbook.sdk.names import join, safe, task_folder
from trialbook.sdk.pack import zip_files
from trialbook.sdk.projects import project_ids
from trialbook.sdk.record import Record
from trialbook.sdk.storage import fetch

if TYPE_CHECKING:
    from trialbook.sdk.task import Task

_FRAMEWORKS = {
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".ckpt": "PyTorch",
    ".safetensors": "PyTorch",
    ".h5": "Keras",
    ".hdf5": "Keras",
    ".keras": "Keras",
    ".pb": "TensorFlow",
    ".tflite": "TensorFlow",
    ".onnx": "ONNX",
    ".pkl": "ScikitLearn",
    ".joblib": "ScikitLearn",
    ".cbm": "CatBoost",
    ".xgb": "XGBoost",
    ".ubj": "XGBoost",
    ".lgb": "LightGBM",
    ".caffemodel": "Caffe",
}
_PLACEHOLDER = "file:///uploading_file"
_PACKAGE_TAG = "package"
_UPLOAD_SECONDS = 24 * 3600.0


class Model:
    """A model of the server, as it is.

    Args:
        model_id: its id.

    Raises:
        ModelNotFound: there is none, at the first access.
    """

    def __init__(self, model_id: str) -> None:
        self._id = model_id
        self._known: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The model's id."""
        return self._id

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._data().get("name") or "")

    @property
    def project(self) -> str:
        """Id of its project."""
        return str(self._data().get("project") or "")

    @property
    def comment(self) -> str:
        """Its description."""
        return str(self._data().get("comment") or "")

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self._data().get("tags") or [])

    @property
    def system_tags(self) -> list[str]:
        """Tags with a meaning for the server."""
        return list(self._data().get("system_tags") or [])

    @property
    def url(self) -> str:
        """Where the weights are; empty before they are."""
        uri = str(self._data().get("uri") or "")
        return "" if uri == _PLACEHOLDER else uri

    @property
    def framework(self) -> str:
        """What made it."""
        return str(self._data().get("framework") or "")

    @property
    def published(self) -> bool:
        """Whether it is final."""
        return bool(self._data().get("ready"))

    @property
    def task(self) -> str | None:
        """Id of the task that made it."""
        return self._data().get("task")

    @property
    def original_task(self) -> str | None:
        """Id of the task that made it."""
        return self.task

    @property
    def labels(self) -> dict[str, int]:
        """The meaning of its class numbers."""
        return {str(name): int(number) for name, number in (self._data().get("labels") or {}).items()}

    @property
    def config_text(self) -> str:
        """Its configuration as text."""
        design = self._data().get("design")
        if isinstance(design, Mapping):
            return str(design.get("design") or "")
        return str(design or "")

    @property
    def config_dict(self) -> dict[str, Any]:
        """Its configuration as a dict; empty when the text is neither HOCON nor JSON."""
        try:
            return hocon.load(self.config_text or "{}")
        except ValueError:
            return {}

    def get_local_copy(
        self, extract_archive: bool | None = None, raise_on_error: bool = False, force_download: bool = False
    ) -> str | None:
        """A path of this host with the weights; a folder for a package of several files.

        Args:
            extract_archive: None unpacks packages only.
            raise_on_error: False answers None when there are no weights.
            force_download: fetch again.
        """
        extract = _PACKAGE_TAG in self.system_tags if extract_archive is None else extract_archive
        self._ready()
        try:
            if not self.url:
                raise ModelNotFound(f"model {self.id} has no weights yet")
            return str(fetch(self.url, extract, force_download, context=f"model-{self.id[:12]}"))
        except (TrialbookError, OSError):
            if raise_on_error:
                raise
            return None

    def get_weights(
        self, raise_on_error: bool = False, force_download: bool = False, extract_archive: bool = False
    ) -> str | None:
        """A path of this host with the weights file."""
        return self.get_local_copy(extract_archive, raise_on_error, force_download)

    def get_metadata(self, key: str) -> str | None:
        """One metadata value as text."""
        entry = (self._data().get("metadata") or {}).get(key)
        return str(entry.get("value")) if isinstance(entry, Mapping) else None

    def get_all_metadata(self) -> dict[str, dict[str, str]]:
        """All metadata: name to key, type and value."""
        return {str(key): dict(entry) for key, entry in (self._data().get("metadata") or {}).items()}

    def set_metadata(self, key: str, value: Any, v_type: str | None = None) -> bool:
        """Store a value as text with its type; allowed on published models."""
        kind = v_type or type(value).__name__
        entry = {"key": str(key), "type": kind, "value": str(value)}
        self._call("models.add_or_update_metadata", {"model": self.id, "metadata": [entry]})
        self._known = None
        return True

    def publish(self) -> None:
        """Make the model final."""
        self._ready()
        self._call("models.set_ready", {"model": self.id, "publish_task": False})
        self._known = None

    def archive(self) -> None:
        """Hide it from lists."""
        self._call("models.archive_many", {"ids": [self.id]})
        self._known = None

    def unarchive(self) -> None:
        """Show it in lists again."""
        self._call("models.unarchive_many", {"ids": [self.id]})
        self._known = None

    @classmethod
    def query_models(
        cls,
        project_name: str | None = None,
        model_name: str | None = None,
        tags: Sequence[str] | None = None,
        only_published: bool = False,
        include_archived: bool = False,
        max_results: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> "list[Model]":
        """Models, the newest first.

        Args:
            project_name: of their project, exactly.
            model_name: a part of the name, or a regular expression.
            tags: all of them; with ``-`` before one, without it.
            only_published: final ones only.
            include_archived: archived ones too.
            max_results: at most so many.
            metadata: values that must match.
        """
        ask: dict[str, Any] = {"order_by": ["-created"], "page_size": min(max_results or 500, 500)}
        session = connections.connect().session
        if project_name:
            ask["project"] = project_ids(session, project_name)
            if not ask["project"]:
                return []
        if model_name:
            ask["name"] = model_name
        if tags:
            ask["tags"] = ["__$all", *[part for tag in tags for part in _with_operator(tag)]]
        if only_published:
            ask["ready"] = True
        if not include_archived:
            ask["system_tags"] = ["__$not", "archived"]
        for key, value in (metadata or {}).items():
            ask[f"metadata.{key}.value"] = str(value)
        found: list[Model] = []
        page = 0
        while True:
            models = session.call("models.get_all", {**ask, "page": page}).get("models") or []
            found += [cls._of(document) for document in models]
            page += 1
            if len(models) < ask["page_size"] or (max_results and len(found) >= max_results):
                return found[:max_results]

    @classmethod
    def remove(cls, model: "str | Model", delete_weights_file: bool = True, force: bool = False) -> bool:
        """Delete a model, and its file on the files server.

        Args:
            model: the model or its id.
            delete_weights_file: also the file.
            force: also a published one.

        Returns:
            True when it is gone.
        """
        found = model if isinstance(model, Model) else Model(model)
        connection = connections.connect()
        reply = connection.session.call("models.delete", {"model": found.id, "force": force})
        url = str(reply.get("url") or "")
        if delete_weights_file and connection.files.owns(url):
            connection.files.delete(url)
        return bool(reply.get("deleted"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> "Model":
        model = Model(str(document["id"]))
        model._known = dict(document)
        return model

    def _data(self) -> dict[str, Any]:
        if self._known is None:
            self._known = dict(self._call("models.get_by_id", {"model": self.id})["model"])
        return self._known

    def _call(self, method: str, params: dict[str, Any]) -> Any:
        return connections.connect().session.call(method, params)

    def _ready(self) -> None:
        """Overridden where this process may still be storing the weights."""


class InputModel(Model):
    """A model that a task starts from.

    Args:
        model_id: its id; without it, the newest that matches the rest.
        name: of the model.
        project: name of its project.
        tags: all of them.
        only_published: final ones only.

    Raises:
        UsageError: nothing matches.
    """

    def __init__(
        self,
        model_id: str | None = None,
        name: str | None = None,
        project: str | None = None,
        tags: Sequence[str] | None = None,
        only_published: bool = False,
    ) -> None:
        if model_id is None:
            exact = f"^{re.escape(name)}$" if name else None
            found = self.query_models(project, exact, tags, only_published, max_results=1)
            if not found:
                raise UsageError(f"no model matches name={name!r}, project={project!r}, tags={tags!r}")
            model_id = found[0].id
        super().__init__(model_id)

    @classmethod
    def import_model(
        cls,
        weights_url: str,
        config_text: str | None = None,
        config_dict: Mapping[str, Any] | None = None,
        label_enumeration: Mapping[str, int] | None = None,
        name: str | None = None,
        project: str | None = None,
        tags: Sequence[str] | None = None,
        comment: str | None = None,
        is_package: bool = False,
        create_as_published: bool = False,
        framework: str | None = None,
    ) -> "InputModel":
        """Register weights that are stored already; the same address again gives the same model.

        Args:
            weights_url: where they are.
            config_text: configuration as text.
            config_dict: configuration as a dict, instead of the text.
            label_enumeration: names to class numbers.
            name: None is the file's name.
            project: name of a project.
            tags: of the model.
            comment: description.
            is_package: the file is a zip of several.
            create_as_published: make it final at once.
            framework: None is guessed from the file's name.
        """
        known = cls.load_model(weights_url)
        if known is not None:
            return known
        session = connections.connect().session
        params: dict[str, Any] = {
            "name": name or _stem(weights_url),
            "uri": weights_url,
            "framework": framework or guess_framework(weights_url),
            "labels": check_labels(label_enumeration or {}),
            "tags": list(tags or []),
            "comment": comment or "",
            "ready": create_as_published,
            "design": {"design": _design(config_text, config_dict)},
            "system_tags": [_PACKAGE_TAG] if is_package else [],
        }
        if project:
            found = project_ids(session, project)
            params["project"] = (
                found[0] if found else session.call("projects.create", {"name": project})["id"]
            )
        return cls(session.call("models.create", params)["id"])

    @classmethod
    def load_model(cls, weights_url: str, load_archived: bool = False) -> "InputModel | None":
        """The model with that address of weights; None when there is none."""
        ask: dict[str, Any] = {
            "uri": [weights_url],
            "only_fields": ["id"],
            "order_by": ["-created"],
            "page_size": 1,
        }
        if not load_archived:
            ask["system_tags"] = ["__$not", "archived"]
        found = connections.connect().session.call("models.get_all", ask).get("models") or []
        return cls(found[0]["id"]) if found else None

    def connect(self, task: "Task", name: str | None = None, ignore_remote_overrides: bool = False) -> None:
        """List it with the task's input models; the task takes over its configuration and labels when it has none."""
        self._connect_to(task, name)

    def _connect_to(self, task: Any, name: str | None) -> None:
        add_model(task._record, "input", name or _stem(self.url) or self.name, self.id)
        if not task.get_labels_enumeration() and self.labels:
            task.set_model_label_enumeration(self.labels)


class OutputModel(Model):
    """A model that a task makes. It exists on the server with its first weights, or when it is connected.

    Args:
        task: None is the task of this process.
        config_text: configuration as text.
        config_dict: configuration as a dict, instead of the text.
        label_enumeration: names to class numbers; None is the task's.
        name: None is the task's name.
        tags: of the model.
        comment: description.
        framework: None is guessed from the weights.
        base_model_id: id of a model that it goes on from.

    Raises:
        UsageError: both forms of configuration, or no task.
    """

    def __init__(
        self,
        task: "Task | None" = None,
        config_text: str | None = None,
        config_dict: Mapping[str, Any] | None = None,
        label_enumeration: Mapping[str, int] | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        comment: str | None = None,
        framework: str | None = None,
        base_model_id: str | None = None,
    ) -> None:
        owner = task or current.main_task()
        if owner is None:
            raise UsageError("an OutputModel belongs to a task: give task=, or call Task.init() first")
        super().__init__(base_model_id or new_id())
        self._task = owner
        self._record: Record = owner._record
        self._made = base_model_id is not None
        self._slot = name
        self._pending: list[Pending] = []
        self._destination: str | None = None
        labels = (
            check_labels(label_enumeration)
            if label_enumeration is not None
            else owner.get_labels_enumeration()
        )
        if not self._made:
            self._known = {
                "id": self._id,
                "name": name or owner.name,
                "uri": _PLACEHOLDER,
                "framework": framework or "",
                "labels": labels,
                "tags": list(tags or []),
                "comment": comment or "",
                "design": {"design": _design(config_text, config_dict) or owner.get_model_design()},
                "task": owner.id,
                "project": owner.project,
                "ready": False,
                "metadata": {},
                "system_tags": [],
            }
        elif config_text is not None or config_dict is not None:
            self.update_design(config_text, config_dict)

    def connect(self, task: "Task", name: str | None = None, **_: Any) -> None:
        """List it with the task's output models, under a name of its own if wished."""
        self._connect_to(task, name)

    def update_weights(
        self,
        weights_filename: str | None = None,
        upload_uri: str | None = None,
        target_filename: str | None = None,
        auto_delete_file: bool = True,
        register_uri: str | None = None,
        iteration: int | None = None,
        update_comment: bool = True,
        is_package: bool = False,
        async_enable: bool = True,
    ) -> str:
        """Store new weights; they replace the model's earlier ones.

        Args:
            weights_filename: a file or a folder (stored as one zip).
            upload_uri: where to; None is the model's or the task's destination, else the files server.
            target_filename: name to store it under.
            auto_delete_file: delete the file after it arrived, when a ``target_filename`` or upload was asked for
                explicitly.
            register_uri: an address that is stored already, instead of a file.
            iteration: noted in the description.
            update_comment: note file and iteration in the description.
            is_package: the file is a zip of several.
            async_enable: False returns when it has arrived.

        Returns:
            The address of the weights.

        Raises:
            UsageError: both or neither of file and address, or no such file.
            ModelReady: the model is published.
        """
        if (weights_filename is None) == (register_uri is None):
            raise UsageError("give either weights_filename or register_uri")
        if self._data().get("ready"):
            raise ModelReady(f"model {self.id} is published; make a new OutputModel")
        changes: dict[str, Any] = {}
        if iteration is not None and update_comment:
            changes["comment"] = _noted(self.comment, weights_filename or str(register_uri), iteration)
        if register_uri is not None:
            changes.update(uri=register_uri, framework=self.framework or guess_framework(register_uri))
            if is_package:
                changes["system_tags"] = sorted({*self.system_tags, _PACKAGE_TAG})
            self._make(_stem(register_uri))
            self._change(changes)
            return register_uri
        return self._store(
            Path(str(weights_filename)).expanduser(),
            upload_uri,
            target_filename,
            auto_delete_file and (target_filename is not None or upload_uri is not None),
            is_package,
            async_enable,
            changes,
        )

    def update_weights_package(
        self,
        weights_filenames: Sequence[str] | None = None,
        weights_path: str | None = None,
        upload_uri: str | None = None,
        target_filename: str | None = None,
        auto_delete_file: bool = False,
        iteration: int | None = None,
        async_enable: bool = True,
    ) -> str:
        """Store several files as one package: a list of files, or a folder.

        Raises:
            UsageError: both or neither.
        """
        if (weights_filenames is None) == (weights_path is None):
            raise UsageError("give either weights_filenames or weights_path")
        if weights_path is not None:
            return self.update_weights(
                weights_path,
                upload_uri,
                target_filename,
                False,
                iteration=iteration,
                async_enable=async_enable,
            )
        files = [Path(name).expanduser() for name in weights_filenames or []]
        for path in files:
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
        source = self._record.journal.spool.reserve(".zip")
        zip_files([(path, path.name) for path in files], source)
        return self._send(
            source, upload_uri, target_filename or f"{safe(self.name)}.zip", None, True, async_enable, {}
        )

    def update_design(
        self, config_text: str | None = None, config_dict: Mapping[str, Any] | None = None
    ) -> bool:
        """Replace the configuration."""
        self._change({"design": {"design": _design(config_text, config_dict)}})
        return True

    def update_labels(self, labels: Mapping[str, int]) -> None:
        """Replace the meaning of class numbers."""
        self._change({"labels": check_labels(labels)})

    def set_upload_destination(self, uri: str) -> None:
        """Where later weights go."""
        from trialbook.sdk.storage import check_writable

        check_writable(uri)
        self._destination = uri

    def set_name(self, name: str) -> None:
        """Rename it."""
        self._change({"name": str(name)})

    def set_comment(self, comment: str) -> None:
        """Replace the description."""
        self._change({"comment": str(comment)})

    def set_tags(self, tags: Sequence[str]) -> None:
        """Replace the tags."""
        self._change({"tags": list(tags)})

    def set_metadata(self, key: str, value: Any, v_type: str | None = None) -> bool:
        """Store a value as text with its type."""
        entry = {"key": str(key), "type": v_type or type(value).__name__, "value": str(value)}
        self._make(self.name)
        self._data().setdefault("metadata", {})[str(key)] = entry
        self._record.journal.call("models.add_or_update_metadata", {"model": self.id, "metadata": [entry]})
        return True

    def wait_for_uploads(self, timeout: float | None = None, max_num_uploads: int | None = None) -> bool:
        """Wait until weights that this object is storing have arrived; True when they have."""
        return all(pending.wait(timeout) for pending in self._pending[:max_num_uploads])

    def _connect_to(self, task: Any, name: str | None) -> None:
        self._slot = name or self._slot
        self._make(self._slot or self.name)

    def _call(self, method: str, params: dict[str, Any]) -> Any:
        self._record.flush()
        return self._record.call(method, params)

    def _ready(self) -> None:
        for pending in self._pending:
            pending.wait(_UPLOAD_SECONDS)
        self._pending = []

    def _make(self, slot: str) -> None:
        """Create it on the server and list it with the task, once."""
        if self._made:
            if slot not in _slots(self._record, "output") and self._id not in _models(self._record, "output"):
                add_model(self._record, "output", self._slot or slot, self._id)
            return
        self._made = True
        fields = {
            name: value
            for name, value in self._data().items()
            if name
            in ("id", "name", "uri", "framework", "labels", "tags", "comment", "design", "task", "ready")
        }
        if self._data().get("project"):
            fields["project"] = self._data()["project"]
        self._record.journal.call("models.create", fields)
        add_model(self._record, "output", self._slot or slot, self._id)

    def _change(self, changes: dict[str, Any]) -> None:
        self._data().update(changes)
        if self._made and changes:
            self._record.journal.call("models.edit", {"model": self.id, **changes})

    def _store(
        self,
        path: Path,
        destination: str | None,
        target: str | None,
        delete: bool,
        package: bool,
        background: bool,
        changes: dict[str, Any],
    ) -> str:
        if path.is_dir():
            source = self._record.journal.spool.reserve(".zip")
            zip_files(
                [
                    (found, str(found.relative_to(path)))
                    for found in sorted(path.rglob("*"))
                    if found.is_file()
                ],
                source,
            )
            return self._send(
                source, destination, target or f"{path.name}.zip", None, True, background, changes
            )
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        source = self._record.journal.spool.reserve(path.suffix or ".bin")
        # A copy, so that the program may write its next checkpoint over the file at once.
        shutil.copyfile(path, source)
        return self._send(
            source,
            destination,
            target or path.name,
            path.resolve() if delete else None,
            package,
            background,
            changes,
        )

    def _send(
        self,
        source: Path,
        destination: str | None,
        file_name: str,
        own: Path | None,
        package: bool,
        background: bool,
        changes: dict[str, Any],
    ) -> str:
        base, project, name = self._task._place()
        root = destination or self._destination or self._task.output_uri or base
        # A folder of its own: two models of a task may both have their weights in "model.pt".
        own_folder = f"{safe(self.name)[:80]}.{self.id[:8]}"
        url = join(root, task_folder(project, name, self._record.id), "models", own_folder, safe(file_name))
        self._make(_stem(file_name))
        changes = {**changes, "uri": url}
        if not self.framework:
            changes["framework"] = guess_framework(file_name)
        if package:
            changes["system_tags"] = sorted({*self.system_tags, _PACKAGE_TAG})
        self._data().update(changes)
        call = {"method": "models.edit", "params": {"model": self.id, **changes}}
        pending = self._record.journal.upload(Upload(source, url, True, ((Kind.CALL, call),), own))
        if pending is not None and self._record.connection is not None:
            self._pending.append(pending)
            if not background:
                self._ready()
                self._record.flush()
        return url


class ModelList(Sequence[Model]):
    """The models of one side of a task: by number, slice or name."""

    def __init__(self, entries: Sequence[tuple[str, Model]]) -> None:
        self._entries = list(entries)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            for name, model in self._entries:
                if name == key:
                    return model
            raise KeyError(f"no model {key!r}; there are {self.keys()}")
        if isinstance(key, slice):
            return [model for _, model in self._entries[key]]
        return self._entries[key][1]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Model]:
        return iter([model for _, model in self._entries])

    def get(self, name: str, default: Any = None) -> Any:
        """The model of that name, or ``default``."""
        return next((model for known, model in self._entries if known == name), default)

    def keys(self) -> list[str]:
        """The names, in order of first use."""
        return [name for name, _ in self._entries]

    def __repr__(self) -> str:
        return repr([model for _, model in self._entries])


class TaskModels(dict[str, ModelList]):
    """``task.models``: ``input`` and ``output``, as keys and as attributes."""

    @property
    def input(self) -> ModelList:
        """Models that the task started from."""
        return self["input"]

    @property
    def output(self) -> ModelList:
        """Models that the task made."""
        return self["output"]


def task_models(record: Record) -> TaskModels:
    """The models of a task."""
    models = record.document.get("models") or {}
    return TaskModels(
        {
            side: ModelList(
                [(str(entry["name"]), Model(str(entry["model"]))) for entry in models.get(side) or []]
            )
            for side in ("input", "output")
        }
    )


def add_model(record: Record, side: str, name: str, model: str) -> None:
    """List a model with a task."""
    with record.lock:
        models = record.document.get("models") or {}
        entries = [entry for entry in models.get(side) or [] if entry.get("name") != name]
        record.document["models"] = {**models, side: [*entries, {"name": name, "model": model}]}
        record.journal.call(
            "tasks.add_or_update_model", {"task": record.id, "name": name, "type": side, "model": model}
        )


def guess_framework(file_name: str) -> str:
    """The framework that files of that name usually come from; empty when the name does not tell."""
    return _FRAMEWORKS.get(Path(urlsplit(file_name).path).suffix.lower(), "")


def _slots(record: Record, side: str) -> list[str]:
    return [str(entry.get("name")) for entry in (record.document.get("models") or {}).get(side) or []]


def _models(record: Record, side: str) -> list[str]:
    return [str(entry.get("model")) for entry in (record.document.get("models") or {}).get(side) or []]


def _stem(name: str) -> str:
    return Path(urlsplit(name).path).stem or name


def _design(text: str | None, values: Mapping[str, Any] | None) -> str:
    if text is not None and values is not None:
        raise UsageError("give either config_text or config_dict, not both")
    return text if text is not None else (hocon.dump(values) if values is not None else "")


def _noted(comment: str, file_name: str, iteration: int) -> str:
    lines = [line for line in comment.split("\n") if line and not line.startswith("update_model: ")]
    return "\n".join([*lines, f"update_model: {Path(file_name).name} (iteration {iteration})"])


def _with_operator(tag: str) -> list[str]:
    return ["__$not", tag[1:]] if tag.startswith("-") else [tag]
