"""The models of one task: ``task.models``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.models.base import Model
from trialbook.sdk.models.frameworks import stem
from trialbook.sdk.names import checked
from trialbook.sdk.record import Record
from trialbook.sdk.values import hocon


class ModelList(Sequence[Model]):
    """The models of one side of a task: by number, slice or name.

    A name is that of the model's place at the task, else the model's own, else that of its weights file: which of them
    the place has differs between the SDKs that record runs.

    Example:
        >>> models = task.models["output"]
        >>> len(models), models[-1].id == model.id, models["net"].id == model.id
        (1, True, True)
    """

    def __init__(self, entries: Sequence[tuple[str, Model]]) -> None:
        self._entries = list(entries)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            found = self._find(key)
            if found is None:
                raise KeyError(f"no model {key!r}; there are {self.keys()}")
            return found
        if isinstance(key, slice):
            return [model for _, model in self._entries[key]]
        return self._entries[key][1]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Model]:
        return iter([model for _, model in self._entries])

    def get(self, name: str, default: Any = None) -> Any:
        """The model of that name.

        Args:
            name: of the slot, of the model or of its weights file without the ending; looked for in this order.
            default: answer when there is none.

        Returns:
            The model or ``default``; the newest of several.

        Example:
            >>> task.models.output.get("net").id == model.id, task.models.output.get("other")
            (True, None)
        """
        found = self._find(name)
        return default if found is None else found

    def _find(self, name: str) -> Model | None:
        name = storable(name)
        found = self.at(name)
        if found is not None:
            return found
        for field in (lambda model: model.name, lambda model: stem(model.url)):
            for _, model in reversed(self._entries):
                if field(model) == name:
                    return model
        return None

    def at(self, slot: str) -> Model | None:
        """The model of a slot.

        Args:
            slot: its name.

        Returns:
            The model; None when there is no such slot, whatever models are called.

        Example:
            >>> InputModel(model.id).connect(task, name="backbone")
            >>> task.models.input.at("backbone").id == model.id, task.models.input.at("net")
            (True, None)
        """
        return next((model for known, model in self._entries if known == storable(slot)), None)

    def keys(self) -> list[str]:
        """The names of the slots.

        Returns:
            In order of first use.

        Example:
            >>> InputModel(model.id).connect(task, name="backbone")
            >>> list(task.models.input.keys())
            ['backbone']
        """
        return [name for name, _ in self._entries]

    def __repr__(self) -> str:
        return repr([model for _, model in self._entries])


class TaskModels(dict[str, ModelList]):
    """``task.models``: ``input`` and ``output``, as keys and as attributes.

    Example:
        >>> task.models.output["net"].id == model.id
        True
    """

    @property
    def input(self) -> ModelList:
        """Models that the task started from.

        Example:
            >>> InputModel(model.id).connect(task, name="backbone")
            >>> task.models.input["backbone"].id == model.id
            True
        """
        return self["input"]

    @property
    def output(self) -> ModelList:
        """Models that the task made.

        Example:
            >>> task.models.output[-1].id == model.id
            True
        """
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
    name = checked("the place of a model", storable(name)) if name else name
    with record.lock:
        models = record.document.get("models") or {}
        entries = [entry for entry in models.get(side) or [] if entry.get("name") != name]
        record.document["models"] = {**models, side: [*entries, {"name": name, "model": model}]}
        record.later.tasks.add_or_update_model(
            {"task": record.id, "name": name, "type": side, "model": model}
        )


def remove_model(record: Record, side: str, model: str) -> None:
    """Take a model from a task's list; the model stays."""
    with record.lock:
        models = record.document.get("models") or {}
        names = [str(entry["name"]) for entry in models.get(side) or [] if entry.get("model") == model]
        entries = [entry for entry in models.get(side) or [] if entry.get("model") != model]
        record.document["models"] = {**models, side: entries}
        if names:
            gone = [{"name": name, "type": side} for name in names]
            record.later.tasks.delete_models({"task": record.id, "models": gone})


def design_text(text: str | None, values: Mapping[str, Any] | None) -> str:
    """A configuration as a string, from a text or a dict.

    Raises:
        UsageError: both are given.
    """
    if text is not None and values is not None:
        raise UsageError("give either config_text or config_dict, not both")
    return text if text is not None else (hocon.dump(values) if values is not None else "")
