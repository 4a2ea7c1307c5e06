"""Any model of the server, as it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import findable
from trialbook.client.calls import where
from trialbook.errors import FileMissing, ModelNotFound, TrialbookError, UsageError, WireError
from trialbook.sdk import current
from trialbook.sdk.console import say
from trialbook.sdk.models.metadata import MetadataMixin
from trialbook.sdk.record import Record, record_of, settle
from trialbook.sdk.reports.base import model_event
from trialbook.sdk.reports.plots import PlotsMixin
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers.projects import project_ids
from trialbook.sdk.values import hocon
from trialbook.sdk.values.argument_types import checked

if TYPE_CHECKING:
    from trialbook.client.api import AddMetadata, Calls, EditModelFields, GetAllModels, MetadataItem
    from trialbook.journal.journal import Journal
    from trialbook.journal.spool import Pending

PLACEHOLDER = "file:///uploading_file"
"""What ``uri`` says before there are weights; clients of ClearML know it."""
PACKAGE_TAG = "package"
_NO_ITERATION = -(1 << 31)
"""The iteration of single values on the wire."""
_UPLOAD_SECONDS = 24 * 3600.0

storing: "dict[str, list[Pending]]" = {}
"""Uploads of weights that this process has begun, by model: whichever handle asks for the weights waits for them."""


_published: set[str] = set()


def is_final(model: str) -> bool:
    """Whether this process has published a model, through whichever object."""
    return model in _published


@checked
class Model(MetadataMixin, PlotsMixin):
    """A model of the server, as it is.

    Args:
        model_id: its id.

    Raises:
        ModelNotFound: there is none, at the first access.

    Example:
        >>> found = Model(model.id)
        >>> found.name, found.framework
        ('net', 'PyTorch')
    """

    _offset = 0

    def __init__(self, model_id: str) -> None:
        self._id = model_id
        self._known: dict[str, Any] | None = None
        self._carrier: Record | None = None

    @property
    def id(self) -> str:
        """The model's id.

        Example:
            >>> Model(model.id).id == model.id
            True
        """
        return self._id

    @property
    def name(self) -> str:
        """Its name; may be assigned.

        Example:
            >>> model.name = "larger net"
            >>> Model(model.id).name
            'larger net'
        """
        return str(self._data().get("name") or "")

    @name.setter
    def name(self, value: str) -> None:
        self._change({"name": str(value)})

    @property
    def project(self) -> str:
        """Id of its project; may be assigned.

        Example:
            >>> Model(model.id).project == Task.get_project_id("Examples")
            True
        """
        return str(self._data().get("project") or "")

    @project.setter
    def project(self, value: str) -> None:
        self._change({"project": str(value)})

    @property
    def comment(self) -> str:
        """Its description; may be assigned.

        Example:
            >>> model.comment = "before pruning"
            >>> Model(model.id).comment
            'before pruning'
        """
        return str(self._data().get("comment") or "")

    @comment.setter
    def comment(self, value: str) -> None:
        self._change({"comment": str(value)})

    @property
    def tags(self) -> list[str]:
        """Its tags; may be assigned.

        Example:
            >>> model.tags = ["good"]
            >>> Model(model.id).tags
            ['good']
        """
        return list(self._data().get("tags") or [])

    @tags.setter
    def tags(self, value: Sequence[str]) -> None:
        self._change({"tags": list(value)})

    @property
    def system_tags(self) -> list[str]:
        """Tags with a meaning for the server; may be assigned.

        Example:
            >>> model.archive()
            >>> Model(model.id).system_tags
            ['archived']
        """
        return list(self._data().get("system_tags") or [])

    @system_tags.setter
    def system_tags(self, value: Sequence[str]) -> None:
        self._change({"system_tags": list(value)})

    @property
    def url(self) -> str:
        """Where the weights are; empty before they are.

        Example:
            >>> model.url.rsplit("/", 1)[-1]
            'net.pt'
        """
        uri = str(self._data().get("uri") or "")
        return "" if uri == PLACEHOLDER else uri

    @property
    def framework(self) -> str:
        """What made it.

        Example:
            >>> model.framework
            'PyTorch'
        """
        return str(self._data().get("framework") or "")

    @property
    def published(self) -> bool:
        """Whether it is final.

        Example:
            >>> model.published
            False
        """
        return bool(self._data().get("ready"))

    @property
    def task(self) -> str | None:
        """Id of the task that made it.

        Example:
            >>> model.task == task.id
            True
        """
        return self._data().get("task")

    @property
    def original_task(self) -> str | None:
        """Id of the task that made it.

        Example:
            >>> model.original_task == task.id
            True
        """
        return self.task

    @property
    def labels(self) -> dict[str, int]:
        """The meaning of its class numbers.

        Example:
            >>> InputModel.empty(label_enumeration={"cat": 0, "dog": 1}).labels
            {'cat': 0, 'dog': 1}
        """
        return {str(name): int(number) for name, number in (self._data().get("labels") or {}).items()}

    @property
    def config_text(self) -> str:
        """Its configuration as a string.

        Example:
            >>> InputModel.empty(config_text="layers: 3").config_text
            'layers: 3'
        """
        design = self._data().get("design")
        if isinstance(design, Mapping):
            return str(design.get("design") or "")
        return str(design or "")

    @property
    def config_dict(self) -> dict[str, Any]:
        """Its configuration as a dict; empty when the text is neither HOCON nor JSON.

        Example:
            >>> InputModel.empty(config_text="layers: 3").config_dict
            {'layers': 3}
        """
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

        Returns:
            The path; None when it cannot be fetched.

        Raises:
            TrialbookError: it cannot be fetched, and ``raise_on_error`` is on.

        Example:
            >>> weights = pathlib.Path("net.pt")
            >>> _ = weights.write_bytes(b"weights")
            >>> model = OutputModel(task, name="net")
            >>> _ = model.update_weights(str(weights))
            >>> pathlib.Path(model.get_local_copy()).read_bytes()
            b'weights'
        """
        from trialbook.sdk.storage import fetch

        self._ready()
        extract = PACKAGE_TAG in self.system_tags if extract_archive is None else extract_archive
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
        """A path of this host with the weights file; the second call answers from the cache.

        Args:
            raise_on_error: False answers None when there are no weights.
            force_download: fetch again.
            extract_archive: unpack it.

        Returns:
            The path; None when it cannot be fetched.

        Raises:
            TrialbookError: it cannot be fetched, and ``raise_on_error`` is on.

        Example:
            >>> pathlib.Path(model.get_weights()).read_bytes()
            b'weights'
        """
        return self.get_local_copy(extract_archive, raise_on_error, force_download)

    def get_weights_package(
        self,
        return_path: bool = False,
        raise_on_error: bool = False,
        force_download: bool = False,
        extract_archive: bool = True,
    ) -> str | list[str] | None:
        """The files of a model that was stored as a package of several.

        Args:
            return_path: their folder instead of their paths.
            raise_on_error: False answers None when it cannot be fetched.
            force_download: fetch again.
            extract_archive: False answers the archive itself.

        Returns:
            Paths in order of their names, or the folder; None when it cannot be fetched.

        Raises:
            UsageError: the model is a single file; see ``get_weights``.
            TrialbookError: it cannot be fetched, and ``raise_on_error`` is on.

        Example:
            >>> pair = OutputModel(task, name="pair")
            >>> _ = pair.update_weights_package(["images/train/a.jpg", "images/labels.csv"])
            >>> [pathlib.Path(path).name for path in Model(pair.id).get_weights_package()]
            ['a.jpg', 'labels.csv']
        """
        self._ready()
        if PACKAGE_TAG not in self.system_tags:
            raise UsageError(f"model {self.id} is a single file, not a package; use get_weights")
        folder = self.get_local_copy(extract_archive, raise_on_error, force_download)
        if folder is None or return_path or not extract_archive:
            return folder
        return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())

    def report_scalar(self, title: str, series: str, value: float, iteration: int) -> None:
        """Add one point to a line on the model's own page.

        Args:
            title: the chart.
            series: the line in it.
            value: a number.
            iteration: an integer.

        Raises:
            UsageError: the model has no task and this process runs none, so that nothing carries the report.

        Example:
            >>> model.report_scalar("size", "MiB", 4.2, iteration=1)
        """
        self._journal().event(
            self._event("training_stats_scalar", title, series, iteration, value=float(value))
        )

    def report_single_value(self, name: str, value: float) -> None:
        """Set a value of the model that has no iteration; the newest one counts.

        Args:
            name: of the value.
            value: a number.

        Raises:
            UsageError: the model has no task and this process runs none.

        Example:
            >>> model.report_single_value("accuracy", 0.93)
        """
        self._journal().event(
            self._event("training_stats_scalar", "Summary", name, _NO_ITERATION, value=float(value))
        )

    def publish(self) -> None:
        """Make the model final: it cannot be changed after it.

        Raises:
            WireError: the server refuses.

        Example:
            >>> task.close()
            >>> model.publish()
            >>> model.published
            True
        """
        self._ready()
        self._api.models.set_ready({"model": self.id, "publish_task": False})
        _published.add(self.id)
        self._known = None

    def archive(self) -> None:
        """Hide it from lists.

        Example:
            >>> model.archive()
            >>> [one.id for one in Model.query_models(model_name="net", include_archived=True)][0] == model.id
            True
        """
        self._api.models.archive_many({"ids": [self.id]})
        self._known = None

    def unarchive(self) -> None:
        """Show it in lists again.

        Example:
            >>> model.archive()
            >>> model.unarchive()
            >>> model.system_tags
            []
        """
        self._api.models.unarchive_many({"ids": [self.id]})
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

        Returns:
            The models; none when there is no such project.

        Example:
            >>> model.tags = ["good"]
            >>> found = Model.query_models(project_name="Examples", model_name="^net$", tags=["good", "-old"])
            >>> found[0].id == model.id
            True
        """
        size = min(max_results or 500, 500)
        ask: GetAllModels = {"order_by": ["-created"], "page_size": size}
        session = connections.connect().session
        if project_name:
            projects = project_ids(session, project_name)
            if not projects:
                return []
            ask["project"] = projects
        if model_name:
            ask["name"] = findable(model_name)
        if tags:
            ask["tags"] = ["__$all", *[part for tag in tags for part in _with_operator(tag)]]
        if only_published:
            ask["ready"] = True
        if not include_archived:
            ask["system_tags"] = ["__$not", "archived"]
        ask = where(ask, {f"metadata.{key}.value": str(value) for key, value in (metadata or {}).items()})
        found: list[Model] = []
        page = 0
        settle()
        while True:
            models = session.api.models.get_all({**ask, "page": page}).get("models") or []
            found += [cls._of(document) for document in models]
            page += 1
            if len(models) < size or (max_results and len(found) >= max_results):
                return found[:max_results]

    @classmethod
    def remove(
        cls,
        model: "str | Model",
        delete_weights_file: bool = True,
        force: bool = False,
        raise_on_errors: bool = False,
    ) -> bool:
        """Delete a model, and its file on the files server.

        Args:
            model: the model or its id.
            delete_weights_file: also the file.
            force: also a published one, and one that tasks start from.
            raise_on_errors: False says what went wrong.

        Returns:
            True when it is gone.

        Raises:
            WireError: the server refuses, and ``raise_on_errors`` is on.

        Example:
            >>> Model.remove(model.id, force=True)
            True
        """
        found = model if isinstance(model, Model) else Model(model)
        connection = connections.connect()
        settle()
        try:
            reply = connection.session.api.models.delete({"model": found.id, "force": force})
            url = str(reply.get("url") or "")
            # A file elsewhere is the SDK's when it lies in the model's own folder; others were only registered.
            if delete_weights_file and (connection.files.owns(url) or f".{found.id[:8]}/" in url):
                connection.storage.delete(url)
        except FileMissing:
            return True
        except WireError as error:
            if raise_on_errors:
                raise
            say(f"Trialbook: model {found.id} was not deleted: {error}")
            return False
        return bool(reply.get("deleted"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> "Model":
        self = Model(str(document["id"]))
        self._known = dict(document)
        return self

    def _data(self) -> dict[str, Any]:
        if self._known is None:
            self._known = dict(self._api.models.get_by_id({"model": self.id})["model"])
        return self._known

    def _change(self, changes: "EditModelFields") -> None:
        self._api.models.edit({"model": self.id, **changes})
        self._known = None

    def _store_metadata(self, entries: "Sequence[MetadataItem]", replace: bool) -> None:
        ask: AddMetadata = {"model": self.id, "metadata": entries, "replace_metadata": replace}
        self._api.models.add_or_update_metadata(ask)
        self._known = None

    def _event(
        self, kind: str, title: str, series: str, iteration: int | None, **more: Any
    ) -> dict[str, Any]:
        return model_event(self.id, super()._event(kind, title, series, iteration, **more))

    def _journal(self) -> "Journal":
        """A report of a model travels with those of a task: of this process, else of the task that made it."""
        running = current.main_task()
        if running is not None:
            return record_of(running).journal
        if self._carrier is None:
            if not self.task:
                raise UsageError(f"model {self.id} has no task; call Task.init() before reporting to it")
            connection = connections.connect()
            document = connection.session.api.tasks.get_by_id({"task": self.task})["task"]
            self._carrier = Record(document, connection, connection.settings)
        return self._carrier.journal

    @property
    def _api(self) -> "Calls":
        settle()
        return connections.connect().session.api

    def _ready(self) -> None:
        """Wait for weights that this process may still be storing, through whichever handle."""
        for pending in storing.pop(self.id, ()):
            pending.wait(_UPLOAD_SECONDS)
            self._known = None


def _with_operator(tag: str) -> list[str]:
    return ["__$not", tag[1:]] if tag.startswith("-") else [tag]
