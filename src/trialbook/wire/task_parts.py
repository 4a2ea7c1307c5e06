"""Wire types and methods of what a task holds many of: artifacts, models, parameters, configuration."""

from typing import Any

import msgspec

from trialbook.wire.query import Updated
from trialbook.wire.table import owners, reads, works
from trialbook.wire.task_documents import Artifact, Configuration, Parameter


class SetRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces ``script.requirements``."""

    task: str
    requirements: dict[str, Any]


class AddArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """Adds or overwrites by (key, mode); the others stay."""

    task: str
    artifacts: list[Artifact]
    force: bool = False


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact."""

    key: str
    mode: str = "output"


class DeleteArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """Artifacts that are not there are ignored."""

    task: str
    artifacts: list[ArtifactRef]
    force: bool = False


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """1 when the task changed."""

    deleted: int


class TaskUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """1 when the task changed."""

    updated: int


class AddModel(msgspec.Struct, frozen=True, kw_only=True):
    """Name a model in ``models.input`` or ``models.output``."""

    task: str
    name: str
    type: str
    model: str
    iteration: int | None = None


class DeleteModels(msgspec.Struct, frozen=True, kw_only=True):
    """``models``: list of ``{"name", "type"}``."""

    task: str
    models: list[dict[str, str]]


class GetHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """Of these tasks."""

    tasks: list[str]


class GetHyperParamsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``params``: list of ``{"task", "hyperparams": [parameter]}``."""

    params: list[dict[str, Any]]


class EditHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """``replace_hyperparams``: ``none`` adds and overwrites, ``section`` first empties the sections named, ``all``
    first empties everything."""

    task: str
    hyperparams: list[Parameter]
    replace_hyperparams: str = "none"
    force: bool = False


class DeleteHyperParams(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter without ``name`` is the whole section."""

    task: str
    hyperparams: list[Parameter]
    force: bool = False


class GetConfigurations(msgspec.Struct, frozen=True, kw_only=True):
    """``names`` absent means all."""

    tasks: list[str]
    names: list[str] | None = None


class GetConfigurationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``configurations``: list of ``{"task", "configuration": [item]}``."""

    configurations: list[dict[str, Any]]


class GetConfigurationNamesReply(msgspec.Struct, frozen=True, kw_only=True):
    """``configurations``: list of ``{"task", "names": [text]}``."""

    configurations: list[dict[str, Any]]


class EditConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """``replace_configuration`` drops the items that are not listed."""

    task: str
    configuration: list[Configuration]
    replace_configuration: bool = False
    force: bool = False


class DeleteConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """Names that are not there are ignored."""

    task: str
    configuration: list[str]
    force: bool = False


works("tasks.set_requirements", owners("task"), SetRequirements, Updated, "Replace the packages of a task.")


works(
    "tasks.add_or_update_artifacts",
    owners("task"),
    AddArtifacts,
    TaskUpdated,
    "Add or overwrite artifacts.",
    "2.10",
)


works("tasks.delete_artifacts", owners("task"), DeleteArtifacts, Deleted, "Remove artifacts.", "2.10")


works("tasks.add_or_update_model", owners("task"), AddModel, TaskUpdated, "Name a model in a task.", "2.13")


works("tasks.delete_models", owners("task"), DeleteModels, TaskUpdated, "Remove models from a task.", "2.13")


reads(
    "tasks.get_hyper_params",
    owners("tasks"),
    GetHyperParams,
    GetHyperParamsReply,
    "The hyper-parameters of tasks.",
    "2.9",
)


works(
    "tasks.edit_hyper_params",
    owners("task"),
    EditHyperParams,
    TaskUpdated,
    "Add, overwrite or replace hyper-parameters.",
    "2.9",
)


works(
    "tasks.delete_hyper_params", owners("task"), DeleteHyperParams, Deleted, "Remove hyper-parameters.", "2.9"
)


reads(
    "tasks.get_configurations",
    owners("tasks"),
    GetConfigurations,
    GetConfigurationsReply,
    "Configuration objects of tasks.",
    "2.9",
)


reads(
    "tasks.get_configuration_names",
    owners("tasks"),
    GetConfigurations,
    GetConfigurationNamesReply,
    "Names of the configuration objects of tasks.",
    "2.9",
)


works(
    "tasks.edit_configuration",
    owners("task"),
    EditConfiguration,
    TaskUpdated,
    "Add or overwrite configuration objects.",
    "2.9",
)


works(
    "tasks.delete_configuration",
    owners("task"),
    DeleteConfiguration,
    Deleted,
    "Remove configuration objects.",
    "2.9",
)
