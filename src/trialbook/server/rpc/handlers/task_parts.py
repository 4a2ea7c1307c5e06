"""Parts of tasks: parameters, configuration, artifacts, models, packages."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import task_parts as wire
from trialbook.wire.query import Updated


@handles("tasks.set_requirements")
def set_requirements(services: Services, call: Call, ask: wire.SetRequirements) -> Updated:
    """Replace the packages."""
    fields = services.tasks.parts.set_requirements(call, ask.task, ask.requirements)
    return Updated(updated=1, fields=fields)


@handles("tasks.add_or_update_artifacts")
def add_artifacts(services: Services, call: Call, ask: wire.AddArtifacts) -> wire.TaskUpdated:
    """Add or overwrite artifacts."""
    done = services.tasks.parts.add_artifacts(call, ask.task, ask.artifacts, force=ask.force)
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_artifacts")
def delete_artifacts(services: Services, call: Call, ask: wire.DeleteArtifacts) -> wire.Deleted:
    """Remove artifacts."""
    done = services.tasks.parts.delete_artifacts(call, ask.task, ask.artifacts, force=ask.force)
    return wire.Deleted(deleted=done)


@handles("tasks.add_or_update_model")
def add_model(services: Services, call: Call, ask: wire.AddModel) -> wire.TaskUpdated:
    """Name a model of a task."""
    done = services.tasks.parts.add_model(call, ask.task, ask.type, ask.name, ask.model)
    if ask.iteration is not None:
        services.models.note_iteration(call, ask.model, ask.iteration)
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_models")
def delete_models(services: Services, call: Call, ask: wire.DeleteModels) -> wire.TaskUpdated:
    """Remove named models from a task."""
    return wire.TaskUpdated(updated=services.tasks.parts.delete_models(call, ask.task, ask.models))


@handles("tasks.get_hyper_params")
def get_hyper_params(services: Services, call: Call, ask: wire.GetHyperParams) -> wire.GetHyperParamsReply:
    """Parameters as flat lists."""
    return wire.GetHyperParamsReply(params=services.tasks.reading.hyperparams(call, ask.tasks))


@handles("tasks.edit_hyper_params")
def edit_hyper_params(services: Services, call: Call, ask: wire.EditHyperParams) -> wire.TaskUpdated:
    """Add, overwrite or replace parameters."""
    done = services.tasks.parts.edit_hyperparams(
        call, ask.task, ask.hyperparams, ask.replace_hyperparams, force=ask.force
    )
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_hyper_params")
def delete_hyper_params(services: Services, call: Call, ask: wire.DeleteHyperParams) -> wire.Deleted:
    """Remove parameters."""
    done = services.tasks.parts.delete_hyperparams(call, ask.task, ask.hyperparams, force=ask.force)
    return wire.Deleted(deleted=done)


@handles("tasks.get_configurations")
def get_configurations(
    services: Services, call: Call, ask: wire.GetConfigurations
) -> wire.GetConfigurationsReply:
    """Configuration objects."""
    found = services.tasks.reading.configurations(call, ask.tasks, ask.names)
    return wire.GetConfigurationsReply(configurations=found)


@handles("tasks.get_configuration_names")
def get_configuration_names(
    services: Services, call: Call, ask: wire.GetConfigurations
) -> wire.GetConfigurationNamesReply:
    """Names of the configuration objects."""
    found = services.tasks.reading.configuration_names(call, ask.tasks)
    return wire.GetConfigurationNamesReply(configurations=found)


@handles("tasks.edit_configuration")
def edit_configuration(services: Services, call: Call, ask: wire.EditConfiguration) -> wire.TaskUpdated:
    """Add or overwrite configuration objects."""
    done = services.tasks.parts.edit_configuration(
        call, ask.task, ask.configuration, replace=ask.replace_configuration, force=ask.force
    )
    return wire.TaskUpdated(updated=done)


@handles("tasks.delete_configuration")
def delete_configuration(services: Services, call: Call, ask: wire.DeleteConfiguration) -> wire.Deleted:
    """Remove configuration objects."""
    done = services.tasks.parts.delete_configuration(call, ask.task, ask.configuration, force=ask.force)
    return wire.Deleted(deleted=done)
