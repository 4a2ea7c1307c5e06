"""Parts of tasks: parameters, configuration, artifacts, models, packages."""

from typing import Any

from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.stores.tasks import task
from trialbook.wire import task_parts as wire
from trialbook.wire.query import Updated


@handles("tasks.set_requirements")
def set_requirements(context: Context, ask: wire.SetRequirements) -> Updated:
    """Replace the packages."""
    fields = context.services.parts.set_requirements(context, ask.task, ask.requirements)
    return Updated(updated=1, fields=fields)


@handles("tasks.add_or_update_artifacts")
def add_artifacts(context: Context, ask: wire.AddArtifacts) -> wire.TaskUpdated:
    """Add or overwrite artifacts."""
    done = context.services.parts.add_artifacts(context, ask.task, ask.artifacts, force=ask.force)
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_artifacts")
def delete_artifacts(context: Context, ask: wire.DeleteArtifacts) -> wire.Deleted:
    """Remove artifacts."""
    done = context.services.parts.delete_artifacts(context, ask.task, ask.artifacts, force=ask.force)
    return wire.Deleted(deleted=done)


@handles("tasks.add_or_update_model")
def add_model(context: Context, ask: wire.AddModel) -> wire.TaskUpdated:
    """Name a model of a task."""
    done = context.services.parts.add_model(context, ask.task, ask.type, ask.name, ask.model)
    if ask.iteration is not None:
        context.services.registry.note_iteration(context, ask.model, ask.iteration)
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_models")
def delete_models(context: Context, ask: wire.DeleteModels) -> wire.TaskUpdated:
    """Remove named models from a task."""
    return wire.TaskUpdated(updated=context.services.parts.delete_models(context, ask.task, ask.models))


@handles("tasks.get_hyper_params")
def get_hyper_params(context: Context, ask: wire.GetHyperParams) -> wire.GetHyperParamsReply:
    """Parameters as flat lists."""
    found: list[dict[str, Any]] = []
    for id in ask.tasks:
        row = context.services.tasks.require(context.connection, id, task.c.hyperparams)
        items = [item for section in row.hyperparams.values() for item in section.values()]
        found.append({"task": id, "hyperparams": items})
    return wire.GetHyperParamsReply(params=found)


@handles("tasks.edit_hyper_params")
def edit_hyper_params(context: Context, ask: wire.EditHyperParams) -> wire.TaskUpdated:
    """Add, overwrite or replace parameters."""
    done = context.services.parts.edit_hyperparams(
        context, ask.task, ask.hyperparams, ask.replace_hyperparams, force=ask.force
    )
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_hyper_params")
def delete_hyper_params(context: Context, ask: wire.DeleteHyperParams) -> wire.Deleted:
    """Remove parameters."""
    done = context.services.parts.delete_hyperparams(context, ask.task, ask.hyperparams, force=ask.force)
    return wire.Deleted(deleted=done)


@handles("tasks.get_configurations")
def get_configurations(context: Context, ask: wire.GetConfigurations) -> wire.GetConfigurationsReply:
    """Configuration objects."""
    found: list[dict[str, Any]] = []
    for id in ask.tasks:
        row = context.services.tasks.require(context.connection, id, task.c.configuration)
        items = [item for name, item in row.configuration.items() if ask.names is None or name in ask.names]
        found.append({"task": id, "configuration": items})
    return wire.GetConfigurationsReply(configurations=found)


@handles("tasks.get_configuration_names")
def get_configuration_names(context: Context, ask: wire.GetConfigurations) -> wire.GetConfigurationNamesReply:
    """Names of the configuration objects."""
    found: list[dict[str, Any]] = []
    for id in ask.tasks:
        row = context.services.tasks.require(context.connection, id, task.c.configuration)
        found.append({"task": id, "names": sorted(row.configuration)})
    return wire.GetConfigurationNamesReply(configurations=found)


@handles("tasks.edit_configuration")
def edit_configuration(context: Context, ask: wire.EditConfiguration) -> wire.TaskUpdated:
    """Add or overwrite configuration objects."""
    done = context.services.parts.edit_configuration(
        context, ask.task, ask.configuration, replace=ask.replace_configuration, force=ask.force
    )
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_configuration")
def delete_configuration(context: Context, ask: wire.DeleteConfiguration) -> wire.Deleted:
    """Remove configuration objects."""
    done = context.services.parts.delete_configuration(context, ask.task, ask.configuration, force=ask.force)
    return wire.Deleted(deleted=done)
