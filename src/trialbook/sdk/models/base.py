"""Any model of the server, as it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from trialbook.errors import ModelNotFound, TrialbookError
from trialbook.sdk import connection as connections
from trialbook.sdk import hocon
from trialbook.sdk.projects import project_ids
from trialbook.sdk.storage import fetch

PLACEHOLDER = "file:///uploading_file"
"""What ``uri`` says before there are weights; clients of the reference know it."""
PACKAGE_TAG = "package"


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
        return "" if uri == PLACEHOLDER else uri

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
        extract = PACKAGE_TAG in self.system_tags if extract_archive is None else extract_archive
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


def _with_operator(tag: str) -> list[str]:
    return ["__$not", tag[1:]] if tag.startswith("-") else [tag]
