"""Projects."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import projects as wire
from trialbook.wire.query import Updated


@handles("projects.create")
def create(services: Services, call: Call, ask: wire.CreateProject) -> wire.ProjectId:
    """A new project."""
    return wire.ProjectId(id=services.projects.editing.create(call, ask))


@handles("projects.get_by_id")
def get_by_id(services: Services, call: Call, ask: wire.GetProject) -> wire.ProjectReply:
    """One project."""
    return wire.ProjectReply(project=services.projects.reading.get(call, ask.project))


@handles("projects.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllProjects) -> wire.GetAllProjectsReply:
    """Projects of one page."""
    return services.projects.reading.find(call, ask, extended=False)


@handles("projects.get_all_ex")
def get_all_ex(services: Services, call: Call, ask: wire.GetAllProjectsEx) -> wire.GetAllProjectsReply:
    """Projects of one page, with the total and statistics."""
    return services.projects.reading.find(call, ask, extended=True)


@handles("projects.update")
def update(services: Services, call: Call, ask: wire.UpdateProject) -> Updated:
    """Change what the request names."""
    fields = services.projects.editing.edit(call, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("projects.delete")
def delete(services: Services, call: Call, ask: wire.DeleteProject) -> wire.DeleteProjectReply:
    """Delete a project."""
    return wire.DeleteProjectReply(**services.projects.editing.delete(call, ask))


@handles("projects.get_project_tags")
def get_project_tags(services: Services, call: Call, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on projects."""
    return services.projects.reading.tags(call, "projects", ask)


@handles("projects.get_task_tags")
def get_task_tags(services: Services, call: Call, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on tasks."""
    return services.projects.reading.tags(call, "tasks", ask)


@handles("projects.get_model_tags")
def get_model_tags(services: Services, call: Call, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on models."""
    return services.projects.reading.tags(call, "models", ask)


@handles("projects.move")
def move(services: Services, call: Call, ask: wire.MoveProject) -> wire.MoveProjectReply:
    """Another place in the tree."""
    return wire.MoveProjectReply(moved=services.projects.editing.move(call, ask))


@handles("projects.get_unique_metric_variants")
def get_unique_metric_variants(
    services: Services, call: Call, ask: wire.InProject
) -> wire.MetricVariantsReply:
    """Series in use."""
    return wire.MetricVariantsReply(metrics=services.projects.reading.series(call, ask))


@handles("projects.get_hyper_parameters")
def get_hyper_parameters(services: Services, call: Call, ask: wire.InProject) -> wire.ParametersReply:
    """Hyper-parameters in use."""
    return services.projects.reading.parameters(call, ask)


@handles("projects.get_hyperparam_values")
def get_hyperparam_values(
    services: Services, call: Call, ask: wire.ParameterValues
) -> wire.ParameterValuesReply:
    """Values in use."""
    return services.projects.reading.parameter_values(call, ask)


@handles("projects.get_task_parents")
def get_task_parents(services: Services, call: Call, ask: wire.TaskParents) -> wire.TaskParentsReply:
    """Tasks with children."""
    return wire.TaskParentsReply(parents=services.projects.reading.parents(call, ask))


@handles("projects.merge")
def merge(services: Services, call: Call, ask: wire.MergeProject) -> wire.MergeProjectReply:
    """All of a project into another one."""
    entities, projects = services.projects.editing.merge(call, ask)
    return wire.MergeProjectReply(moved_entities=entities, moved_projects=projects)


@handles("projects.validate_delete")
def validate_delete(services: Services, call: Call, ask: wire.GetProject) -> wire.ProjectContents:
    """What would go."""
    return services.projects.reading.contents(call, ask.project)


@handles("projects.get_model_metadata_keys")
def get_model_metadata_keys(services: Services, call: Call, ask: wire.InProject) -> wire.MetadataKeysReply:
    """Names of texts on models."""
    return services.projects.reading.metadata_keys(call, ask)


@handles("projects.get_model_metadata_values")
def get_model_metadata_values(
    services: Services, call: Call, ask: wire.MetadataValues
) -> wire.ParameterValuesReply:
    """Values of a text on models."""
    return services.projects.reading.metadata_values(call, ask)


@handles("projects.get_retention")
def get_retention(services: Services, call: Call, ask: wire.GetRetention) -> wire.Retention:
    """How long things are kept."""
    return services.projects.editing.retention(call, ask.project)


@handles("projects.set_retention")
def set_retention(services: Services, call: Call, ask: wire.SetRetention) -> wire.Retention:
    """Say how long."""
    return services.projects.editing.set_retention(call, ask)
