"""Models of a task."""

from collections.abc import Sequence
from pathlib import Path

from trialbook.client.places import path_of
from trialbook.errors import UsageError
from trialbook.sdk.models import InputModel, Model, TaskModels, task_models
from trialbook.sdk.models.input import listed
from trialbook.sdk.models.output import SlotModel
from trialbook.sdk.task.identity import IdentityMixin
from trialbook.sdk.task.inputs.configuration import ConfigurationMixin
from trialbook.sdk.task.inputs.parameters import ParametersMixin
from trialbook.sdk.task.outputs.reporting import ReportingMixin


class ModelsMixin(ParametersMixin, ConfigurationMixin, IdentityMixin, ReportingMixin):
    """Members about models."""

    @property
    def models(self) -> TaskModels:
        """The task's models: ``.input`` and ``.output``, each by number or name.

        Example:
            >>> task.models.output
            []
        """
        return task_models(self._record)

    def get_models(self) -> TaskModels:
        """The same as ``models``.

        Returns:
            The models by side.

        Example:
            >>> [one.name for one in task.get_models()["output"]], model.name
            (['net'], 'net')
        """
        return self.models

    def update_output_model(
        self,
        model_path: str,
        name: str | None = None,
        comment: str | None = None,
        tags: Sequence[str] | None = None,
        model_name: str | None = None,
        iteration: int | None = None,
        auto_delete_file: bool = False,
    ) -> str:
        """Store weights as an output model of the task.

        A model that was made for the file without a line of code becomes this one, and later saves to the path are not
        taken (``auto_connect_frameworks`` of ``init``).

        Args:
            model_path: a file or folder; an address is recorded as it is.
            name: of the slot on the task; None is the file's stem.
            comment: description.
            tags: of the model.
            model_name: of the model; None is "<task name> - <name>".
            iteration: noted with it.
            auto_delete_file: delete the file after it arrived.

        Returns:
            The address of the weights; they are stored in the background, at the task's destination or on the files
            server.

        Raises:
            UsageError: there is no such file.

        Example:
            >>> _ = pathlib.Path("last.pt").write_bytes(b"weights")
            >>> url = task.update_output_model("last.pt", iteration=3)
            >>> task.models.output["last"].name == f"{task.name} - last"
            True
        """
        self._record.require_unpublished("The models")
        slot = name or Path(path_of(str(model_path))).stem
        known = self.models.output.at(slot)
        model = SlotModel(
            slot,
            self,
            # A known one is named last: its address is made of its name, and uploads keep their order by address.
            name=None if known is not None else model_name or f"{self.name} - {slot}",
            tags=tags or None,
            comment=comment,
            base_model_id=known.id if known is not None else None,
        )
        remote = "://" in str(model_path)
        url = model.update_weights(
            weights_filename=None if remote else str(model_path),
            upload_uri=None if remote else self.output_uri or self._record.place()[0],
            register_uri=str(model_path) if remote else None,
            auto_delete_file=auto_delete_file,
            iteration=iteration,
        )
        if known is not None and model_name:
            model.set_name(model_name)
        return url

    def set_input_model(
        self,
        model_id: str | None = None,
        model_name: str | None = None,
        update_task_design: bool = True,
        update_task_labels: bool = True,
        name: str | None = None,
    ) -> None:
        """Start from a model.

        Args:
            model_id: its id.
            model_name: its name, when there is no id.
            update_task_design: take over its configuration.
            update_task_labels: take over its labels.
            name: of the slot on the task; None is the weights file's stem.

        Raises:
            UsageError: neither id nor name, no such model, or the task has ended.

        Example:
            >>> task.set_input_model(model_id=model.id, name="backbone")
            >>> list(task.models["input"].keys())
            ['backbone']
        """
        if not model_id and not model_name:
            raise UsageError("set_input_model needs model_id or model_name")
        self._record.require_editable("The models")
        model: Model = InputModel(model_id) if model_id else InputModel(name=model_name)
        model = listed(model, self, name)
        if update_task_labels and model.labels:
            self.set_model_label_enumeration(model.labels)
        if update_task_design and model.config_text:
            self.set_model_config(model.config_text)
