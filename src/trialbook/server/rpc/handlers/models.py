"""Models."""

from trialbook.errors import MissingField
from trialbook.server.core.projection import Projection
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.handlers.task_lifecycle import many
from trialbook.server.rpc.registry import handles
from trialbook.server.stores.models import document, model
from trialbook.wire import models as wire
from trialbook.wire.query import ManyReply, Updated


@handles("models.create")
def create(context: Context, ask: wire.CreateModel) -> wire.CreateModelReply:
    """A new model."""
    id, created = context.services.registry.create(context, ask)
    return wire.CreateModelReply(id=id, created=created)


@handles("models.get_by_id")
def get_by_id(context: Context, ask: wire.GetModel) -> wire.ModelReply:
    """One model."""
    services = context.services
    row = services.models.require(context.connection, ask.model)
    metrics = services.documents.metrics(context.connection, [row.id], Projection(None)) or {}
    return wire.ModelReply(model=document(row, metrics.get(row.id, {})))


def _page(context: Context, ask: wire.GetAllModels, *, with_total: bool) -> wire.GetAllModelsReply:
    services = context.services
    projection = Projection(ask.only_fields)
    more = []
    if ask.include_subprojects and ask.project:
        more = [services.finding.below(context.connection, model.c.project, ask.project)]
        ask = services.finding.without(ask, "project")
    rows, total, scroll = services.models.find(context.connection, ask, more, with_total=with_total)
    metrics = services.documents.metrics(context.connection, [row.id for row in rows], projection) or {}
    found = [projection(document(row, metrics.get(row.id, {}))) for row in rows]
    return wire.GetAllModelsReply(models=found, total=total, scroll_id=scroll)


@handles("models.get_all")
def get_all(context: Context, ask: wire.GetAllModels) -> wire.GetAllModelsReply:
    """Models of one page."""
    return _page(context, ask, with_total=False)


@handles("models.get_all_ex")
def get_all_ex(context: Context, ask: wire.GetAllModels) -> wire.GetAllModelsReply:
    """Models of one page, with the total."""
    return _page(context, ask, with_total=True)


@handles("models.edit", "models.update")
def edit(context: Context, ask: wire.EditModel) -> Updated:
    """Change what the request names."""
    fields = context.services.registry.edit(context, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("models.set_ready")
def set_ready(context: Context, ask: wire.SetReady) -> wire.SetReadyReply:
    """Publish a model."""
    updated, published = context.services.registry.set_ready(
        context, ask.model, publish_task=ask.publish_task, force=ask.force_publish_task
    )
    return wire.SetReadyReply(updated=updated, published_task=published)


@handles("models.delete")
def delete(context: Context, ask: wire.DeleteModel) -> wire.DeleteModelReply:
    """Delete a model."""
    url = context.services.registry.delete(context, ask.model, force=ask.force)
    return wire.DeleteModelReply(deleted=True, url=url)


@handles("models.archive_many")
def archive_many(context: Context, ask: wire.ManyModels) -> ManyReply:
    """Archive models."""
    return many(context, ask.ids, lambda id: context.services.registry.archive(context, id))


@handles("models.unarchive_many")
def unarchive_many(context: Context, ask: wire.ManyModels) -> ManyReply:
    """Bring models back."""
    return many(context, ask.ids, lambda id: context.services.registry.archive(context, id, back=True))


@handles("models.add_or_update_metadata")
def add_metadata(context: Context, ask: wire.AddMetadata) -> wire.ModelUpdated:
    """Set named texts."""
    done = context.services.registry.set_metadata(
        context, ask.model, ask.metadata, replace=ask.replace_metadata
    )
    return wire.ModelUpdated(updated=done)


@handles("models.delete_metadata")
def delete_metadata(context: Context, ask: wire.DeleteMetadata) -> wire.ModelUpdated:
    """Remove named texts."""
    return wire.ModelUpdated(updated=context.services.registry.drop_metadata(context, ask.model, ask.keys))


@handles("models.publish_many")
def publish_many(context: Context, ask: wire.PublishModels) -> ManyReply:
    """Publish models."""
    registry = context.services.registry
    return many(
        context,
        ask.ids,
        lambda id: registry.set_ready(
            context, id, publish_task=ask.publish_task, force=ask.force_publish_task
        ),
    )


@handles("models.delete_many")
def delete_many(context: Context, ask: wire.DeleteModels) -> ManyReply:
    """Delete models; each answer has the address of its weights."""
    registry = context.services.registry
    urls: dict[str, str] = {}

    def act(id: str) -> None:
        urls[id] = registry.delete(context, id, force=ask.force)

    done = many(context, ask.ids, act)
    succeeded = [{**one, "deleted": True, "url": urls[one["id"]]} for one in done.succeeded]
    return ManyReply(succeeded=succeeded, failed=done.failed)


@handles("models.move")
def move(context: Context, ask: wire.MoveModels) -> wire.ModelsMoved:
    """Another project."""
    project = context.services.editing.place(context, ask.project, ask.project_name)
    if project is None:
        raise MissingField("models.move needs project or project_name", field="project")
    for id in dict.fromkeys(ask.ids):
        context.services.registry.place(context, id, project)
    return wire.ModelsMoved(project_id=project, updated=len(set(ask.ids)))


@handles("models.get_frameworks")
def get_frameworks(context: Context, ask: wire.GetFrameworks) -> wire.FrameworksReply:
    """Frameworks in use."""
    return wire.FrameworksReply(
        frameworks=context.services.usage.frameworks(context.connection, ask.projects)
    )
