"""Models."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import models as wire
from trialbook.wire.query import ManyReply, Updated


@handles("models.create")
def create(services: Services, call: Call, ask: wire.CreateModel) -> wire.CreateModelReply:
    """A new model."""
    id, created = services.models.create(call, ask)
    return wire.CreateModelReply(id=id, created=created)


@handles("models.get_by_id")
def get_by_id(services: Services, call: Call, ask: wire.GetModel) -> wire.ModelReply:
    """One model."""
    return wire.ModelReply(model=services.models.get(call, ask.model))


@handles("models.get_all")
def get_all(services: Services, call: Call, ask: wire.GetAllModels) -> wire.GetAllModelsReply:
    """Models of one page."""
    return services.models.find(call, ask, with_total=False)


@handles("models.get_all_ex")
def get_all_ex(services: Services, call: Call, ask: wire.GetAllModels) -> wire.GetAllModelsReply:
    """Models of one page, with the total."""
    return services.models.find(call, ask, with_total=True)


@handles("models.edit", "models.update")
def edit(services: Services, call: Call, ask: wire.EditModel) -> Updated:
    """Change what the request names."""
    fields = services.models.edit(call, ask)
    return Updated(updated=int(bool(fields)), fields=fields)


@handles("models.set_ready")
def set_ready(services: Services, call: Call, ask: wire.SetReady) -> wire.SetReadyReply:
    """Publish a model."""
    updated, published = services.models.set_ready(
        call, ask.model, publish_task=ask.publish_task, force=ask.force_publish_task
    )
    return wire.SetReadyReply(updated=updated, published_task=published)


@handles("models.delete")
def delete(services: Services, call: Call, ask: wire.DeleteModel) -> wire.DeleteModelReply:
    """Delete a model."""
    url = services.models.delete(call, ask.model, force=ask.force)
    return wire.DeleteModelReply(deleted=True, url=url)


@handles("models.archive_many")
def archive_many(services: Services, call: Call, ask: wire.ManyModels) -> ManyReply:
    """Archive models."""
    return services.models.archive_many(call, ask.ids)


@handles("models.unarchive_many")
def unarchive_many(services: Services, call: Call, ask: wire.ManyModels) -> ManyReply:
    """Bring models back."""
    return services.models.archive_many(call, ask.ids, back=True)


@handles("models.add_or_update_metadata")
def add_metadata(services: Services, call: Call, ask: wire.AddMetadata) -> wire.ModelUpdated:
    """Set named texts."""
    done = services.models.set_metadata(call, ask.model, ask.metadata, replace=ask.replace_metadata)
    return wire.ModelUpdated(updated=done)


@handles("models.delete_metadata")
def delete_metadata(services: Services, call: Call, ask: wire.DeleteMetadata) -> wire.ModelUpdated:
    """Remove named texts."""
    return wire.ModelUpdated(updated=services.models.drop_metadata(call, ask.model, ask.keys))


@handles("models.publish_many")
def publish_many(services: Services, call: Call, ask: wire.PublishModels) -> ManyReply:
    """Publish models."""
    return services.models.publish_many(call, ask)


@handles("models.delete_many")
def delete_many(services: Services, call: Call, ask: wire.DeleteModels) -> ManyReply:
    """Delete models; each answer has the address of its weights."""
    return services.models.delete_many(call, ask.ids, force=ask.force)


@handles("models.move")
def move(services: Services, call: Call, ask: wire.MoveModels) -> wire.ModelsMoved:
    """Another project."""
    project = services.models.move(call, ask)
    return wire.ModelsMoved(project_id=project, updated=len(set(ask.ids)))


@handles("models.get_frameworks")
def get_frameworks(services: Services, call: Call, ask: wire.GetFrameworks) -> wire.FrameworksReply:
    """Frameworks in use."""
    return wire.FrameworksReply(frameworks=services.models.frameworks(call, ask.projects))
