"""Projects."""

from functools import partial
from typing import Any

import sqlalchemy as sa

from trialbook.base.clock import iso
from trialbook.errors import Forbidden, MissingField
from trialbook.server.core.projection import Projection
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.call import announce_project
from trialbook.server.services.usage import MOST
from trialbook.server.stores import retention
from trialbook.server.stores.models import model
from trialbook.server.stores.projects import document, project
from trialbook.server.stores.tasks import task
from trialbook.wire import projects as wire
from trialbook.wire.query import Updated
from trialbook.wire.table import Permission


@handles("projects.create")
def create(context: Context, ask: wire.CreateProject) -> wire.ProjectId:
    """A new project."""
    id = context.services.projects.create(
        context.connection,
        ask.name,
        context.caller.user,
        context.now,
        description=ask.description,
        tags=ask.tags,
        system_tags=ask.system_tags,
        default_output_destination=ask.default_output_destination,
    )
    announce_project(context, context.services.projects, id)
    return wire.ProjectId(id=id)


@handles("projects.get_by_id")
def get_by_id(context: Context, ask: wire.GetProject) -> wire.ProjectReply:
    """One project."""
    return wire.ProjectReply(
        project=document(context.services.projects.require(context.connection, ask.project))
    )


def _holding(context: Context, ask: wire.GetAllProjects) -> set[str] | None:
    kind = ask.children_type if isinstance(ask, wire.GetAllProjectsEx) else None
    return None if kind is None else context.services.tree.holding(context.connection, kind)


def _page(context: Context, ask: wire.GetAllProjects, *, extended: bool) -> wire.GetAllProjectsReply:
    services = context.services
    query = services.finding.without(ask, "parent") if ask.shallow_search else ask
    rows, total, scroll = services.projects.find(
        context.connection,
        query,
        parents=ask.parent if ask.shallow_search else None,
        shallow=ask.shallow_search,
        with_total=extended,
        among=_holding(context, ask),
    )
    statistics: dict[str, dict[str, Any]] = {}
    if getattr(ask, "include_stats", False):
        statistics = services.tree.statistics(context.connection, [row.id for row in rows])
    projection = Projection(ask.only_fields)
    found = [projection({**document(row), **statistics.get(row.id, {})}) for row in rows]
    return wire.GetAllProjectsReply(projects=found, total=total, scroll_id=scroll)


@handles("projects.get_all")
def get_all(context: Context, ask: wire.GetAllProjects) -> wire.GetAllProjectsReply:
    """Projects of one page."""
    return _page(context, ask, extended=False)


@handles("projects.get_all_ex")
def get_all_ex(context: Context, ask: wire.GetAllProjectsEx) -> wire.GetAllProjectsReply:
    """Projects of one page, with the total and statistics."""
    return _page(context, ask, extended=True)


@handles("projects.update")
def update(context: Context, ask: wire.UpdateProject) -> Updated:
    """Change what the request names."""
    names = ("name", "description", "tags", "system_tags", "default_output_destination")
    given = {name: getattr(ask, name) for name in names if getattr(ask, name) is not None}
    changed = context.services.projects.update(context.connection, ask.project, given, context.now)
    if "basename" in changed:
        context.services.datasets.follow(context, ask.project, changed["basename"])
    announce_project(context, context.services.projects, ask.project)
    fields = {name: changed[name] for name in (*names, "basename") if name in changed}
    if fields:
        fields["last_update"] = iso(context.now)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("projects.delete")
def delete(context: Context, ask: wire.DeleteProject) -> wire.DeleteProjectReply:
    """Delete a project."""
    tree = context.services.tree
    left, done = context.in_one(
        lambda: tree.delete(context, ask.project, force=ask.force, delete_contents=ask.delete_contents)
    )
    for one in left:
        while context.in_one(partial(tree.follow, context, one)):
            pass
    return wire.DeleteProjectReply(**done)


def _tags(context: Context, ask: wire.ProjectTags, table: sa.Table) -> wire.ProjectTagsReply:
    tree = context.services.tree
    system = tree.tags(context.connection, table, ask.projects, "system_tags") if ask.include_system else []
    return wire.ProjectTagsReply(tags=tree.tags(context.connection, table, ask.projects), system_tags=system)


@handles("projects.get_project_tags")
def get_project_tags(context: Context, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on projects."""
    return _tags(context, ask, project)


@handles("projects.get_task_tags")
def get_task_tags(context: Context, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on tasks."""
    return _tags(context, ask, task)


@handles("projects.get_model_tags")
def get_model_tags(context: Context, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
    """Tags in use on models."""
    return _tags(context, ask, model)


@handles("projects.move")
def move(context: Context, ask: wire.MoveProject) -> wire.MoveProjectReply:
    """Another place in the tree."""
    moved = context.services.projects.move(
        context.connection, ask.project, ask.new_location, context.caller.user, context.now
    )
    for id in moved:
        announce_project(context, context.services.projects, id)
    return wire.MoveProjectReply(moved=len(moved))


@handles("projects.get_unique_metric_variants")
def get_unique_metric_variants(context: Context, ask: wire.InProject) -> wire.MetricVariantsReply:
    """Series in use."""
    rows = context.services.usage.series(
        context.connection,
        [ask.project] if ask.project else None,
        ask.include_subprojects,
        ask.page * ask.page_size,
        ask.page_size,
    )
    return wire.MetricVariantsReply(
        metrics=[
            wire.MetricVariant(
                metric=row.metric,
                metric_hash=row.metric_hash,
                variant=row.variant,
                variant_hash=row.variant_hash,
            )
            for row in rows
        ]
    )


@handles("projects.get_hyper_parameters")
def get_hyper_parameters(context: Context, ask: wire.InProject) -> wire.ParametersReply:
    """Hyper-parameters in use."""
    projects = [ask.project] if ask.project else None
    found = context.services.usage.parameters(context.connection, projects, ask.include_subprojects)
    start = ask.page * ask.page_size
    return wire.ParametersReply(
        parameters=[
            wire.ParameterName(section=section, name=name)
            for section, name in found[start : start + ask.page_size]
        ],
        total=len(found),
        remaining=max(0, len(found) - start - ask.page_size),
    )


@handles("projects.get_hyperparam_values")
def get_hyperparam_values(context: Context, ask: wire.ParameterValues) -> wire.ParameterValuesReply:
    """Values in use."""
    found = context.services.usage.values(
        context.connection, ask.projects, ask.include_subprojects, ask.section, ask.name
    )
    return wire.ParameterValuesReply(values=found[:MOST], total=len(found))


@handles("projects.get_task_parents")
def get_task_parents(context: Context, ask: wire.TaskParents) -> wire.TaskParentsReply:
    """Tasks with children."""
    rows = context.services.usage.parents(context.connection, ask.projects, ask.include_subprojects)
    return wire.TaskParentsReply(
        parents=[wire.TaskParent(id=row.id, name=row.name, project=row.project) for row in rows]
    )


@handles("projects.merge")
def merge(context: Context, ask: wire.MergeProject) -> wire.MergeProjectReply:
    """All of a project into another one."""
    services, tree = context.services, context.services.tree

    def begin() -> tuple[str, int]:
        place = services.editing.place(context, ask.destination_project, ask.destination_project_name)
        if place is None:
            raise MissingField(
                "projects.merge needs destination_project or destination_project_name",
                field="destination_project",
            )
        services.datasets.keep_apart(context.connection, ask.project, place)
        return place, tree.merge_some(context, ask.project, place)

    target, some = context.in_one(begin)
    entities = some
    while some:
        some = context.in_one(lambda: tree.merge_some(context, ask.project, target))
        entities += some
    last, projects = context.in_one(lambda: tree.merge(context, ask.project, target))
    entities += last
    return wire.MergeProjectReply(moved_entities=entities, moved_projects=projects)


@handles("projects.validate_delete")
def validate_delete(context: Context, ask: wire.GetProject) -> wire.ProjectContents:
    """What would go."""
    return wire.ProjectContents(**context.services.tree.contents(context.connection, ask.project))


@handles("projects.get_model_metadata_keys")
def get_model_metadata_keys(context: Context, ask: wire.InProject) -> wire.MetadataKeysReply:
    """Names of texts on models."""
    projects = [ask.project] if ask.project else None
    found = context.services.usage.metadata(context.connection, projects, ask.include_subprojects)
    start = ask.page * ask.page_size
    return wire.MetadataKeysReply(
        keys=found[start : start + ask.page_size],
        total=len(found),
        remaining=max(0, len(found) - start - ask.page_size),
    )


@handles("projects.get_model_metadata_values")
def get_model_metadata_values(context: Context, ask: wire.MetadataValues) -> wire.ParameterValuesReply:
    """Values of a text on models."""
    found = context.services.usage.metadata(
        context.connection, ask.projects, ask.include_subprojects, ask.key
    )
    return wire.ParameterValuesReply(values=found[:MOST], total=len(found))


@handles("projects.get_retention")
def get_retention(context: Context, ask: wire.GetRetention) -> wire.Retention:
    """How long things are kept."""
    if ask.project:
        context.services.projects.require(context.connection, ask.project)
    return wire.Retention(**retention.get(context.connection, ask.project or ""))


@handles("projects.set_retention")
def set_retention(context: Context, ask: wire.SetRetention) -> wire.Retention:
    """Say how long."""
    if ask.project:
        context.services.projects.require(context.connection, ask.project)
    elif not context.caller.may(Permission.ADMIN):
        raise Forbidden("the rule for all projects is the administrator's; name a project")
    values = {name: getattr(ask, name) for name in retention.FIELDS}
    retention.put(context.connection, ask.project or "", values)
    context.publish("projects", "projects", [ask.project] if ask.project else [])
    return wire.Retention(**values)
