"""Models that tasks start from."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.models.base import PACKAGE_TAG, Model
from trialbook.sdk.models.frameworks import guess_framework, stem
from trialbook.sdk.models.listing import add_model, design_text, task_models
from trialbook.sdk.record import record_of, settle
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers.projects import project_ids
from trialbook.sdk.values.argument_types import checked
from trialbook.sdk.values.labels import check_labels

if TYPE_CHECKING:
    from trialbook.client.api import CreateModel, GetAllModels
    from trialbook.sdk.current import Task


@checked
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

    Example:
        >>> start = InputModel(model.id)
        >>> start.connect(task)
        >>> [one.id for one in task.models["input"]] == [model.id]
        True
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
            exact = f"^{re.escape(storable(name))}$" if name else None
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
            config_text: configuration as a string.
            config_dict: configuration as a dict, instead of the text.
            label_enumeration: names to class numbers.
            name: None is the file's name.
            project: name of a project.
            tags: of the model.
            comment: description.
            is_package: the file is a zip of several.
            create_as_published: make it final at once.
            framework: None is guessed from the file's name.

        Returns:
            The model; one that has the address already is not changed.

        Raises:
            UsageError: both forms of configuration, or labels of another shape.

        Example:
            >>> InputModel.import_model("http://example.org/model.onnx").framework
            'ONNX'
        """
        known = cls.load_model(weights_url)
        if known is not None:
            return known
        session = connections.connect().session
        params: CreateModel = {
            "name": name or stem(weights_url),
            "uri": weights_url,
            "framework": framework or guess_framework(weights_url),
            "labels": check_labels(label_enumeration or {}),
            "tags": list(tags or []),
            "comment": comment or "",
            "ready": create_as_published,
            "design": {"design": design_text(config_text, config_dict)},
            "system_tags": [PACKAGE_TAG] if is_package else [],
        }
        if project:
            found = project_ids(session, project)
            params["project"] = found[0] if found else session.api.projects.create({"name": project})["id"]
        return cls(session.api.models.create(params)["id"])

    @classmethod
    def load_model(cls, weights_url: str, load_archived: bool = False) -> "InputModel | None":
        """The model with that address of weights.

        Args:
            weights_url: the address.
            load_archived: also from the archive.

        Returns:
            The newest one; None when there is none.

        Example:
            >>> InputModel.load_model(model.url).id == model.id
            True
        """
        ask: GetAllModels = {
            "uri": [weights_url],
            "only_fields": ["id"],
            "order_by": ["-created"],
            "page_size": 1,
        }
        if not load_archived:
            ask["system_tags"] = ["__$not", "archived"]
        settle()
        found = connections.connect().session.api.models.get_all(ask).get("models") or []
        return cls(found[0]["id"]) if found else None

    @classmethod
    def empty(
        cls,
        config_text: str | None = None,
        config_dict: Mapping[str, Any] | None = None,
        label_enumeration: Mapping[str, int] | None = None,
        name: str | None = None,
    ) -> "InputModel":
        """A model of configuration and labels only, without weights.

        Args:
            config_text: configuration as a string.
            config_dict: configuration as a dict, instead of the text.
            label_enumeration: names to class numbers.
            name: None is "Empty".

        Returns:
            The new model.

        Raises:
            UsageError: both forms of configuration, or labels of another shape.

        Example:
            >>> InputModel.empty(config_dict={"layers": 3}).config_dict
            {'layers': 3}
        """
        params: CreateModel = {
            "name": name or "Empty",
            "uri": "",
            "labels": check_labels(label_enumeration or {}),
            "design": {"design": design_text(config_text, config_dict)},
        }
        return cls(str(connections.connect().session.api.models.create(params, repeat=False)["id"]))

    def connect(self, task: "Task", name: str | None = None, ignore_remote_overrides: bool = False) -> None:
        """List it with the task's input models; the task takes over its configuration and labels when it has none.

        When an agent runs the code and another model was chosen on the task, this object becomes that one.

        Args:
            task: the task.
            name: of the slot; None is the name of the weights file.
            ignore_remote_overrides: keep the model of the code.

        Raises:
            UsageError: the task has ended.

        Example:
            >>> InputModel(model.id).connect(task, name="backbone")
            >>> list(task.models["input"].keys())
            ['backbone']
        """
        chosen = listed(self, task, name, ignore_remote_overrides)
        if chosen.id != self.id:
            self._id, self._known = chosen.id, None
        if not task.get_labels_enumeration() and self.labels:
            task.set_model_label_enumeration(self.labels)
        if not task.get_model_design() and self.config_text:
            task.set_model_config(self.config_text)


def listed(model: Model, task: "Task", name: str | None, ignore_remote_overrides: bool = False) -> Model:
    """List a model with a task's input models.

    Args:
        model: of the code.
        task: the task.
        name: of the slot; None is the name of the weights file.
        ignore_remote_overrides: keep the model of the code when an agent runs it.

    Returns:
        The model that the run starts from: the one that was chosen on the task, when an agent runs the code.

    Raises:
        UsageError: the task has ended.
    """
    record = record_of(task)
    record.require_editable("The models")
    slot = name or stem(model.url) or model.name
    if record.own and record.settings.task_id and not ignore_remote_overrides:
        model = task_models(record).input.at(slot) or model
    add_model(record, "input", slot, model.id)
    return model
