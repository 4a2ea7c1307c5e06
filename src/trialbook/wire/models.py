"""Wire types and methods of models."""

from typing import Annotated, Any

import msgspec

from trialbook.wire.query import ListFilter, ManyReply, ProjectQuery, Updated
from trialbook.wire.table import METHODS, Permission, domain, owners, partial, reads, writes


class MetadataItem(msgspec.Struct, frozen=True, kw_only=True):
    """A named text on a model."""

    key: str
    value: str | None = None
    type: str | None = None


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Weights with what is needed to use them."""

    id: str
    name: str
    user: str | None
    company: str
    created: str
    last_update: str
    last_change: str
    task: str | None
    project: str | None
    parent: str | None
    comment: str
    tags: list[str]
    system_tags: list[str]
    framework: str | None
    design: dict[str, Any]
    labels: dict[str, int]
    uri: str
    ready: bool
    metadata: dict[str, MetadataItem]
    last_iteration: int
    last_metrics: dict[str, dict[str, dict[str, Any]]]


ModelDocument = Annotated[dict[str, Any], partial(Model)]


class CreateModel(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` may be chosen by the caller (32 hexadecimal characters); the same call again changes nothing."""

    name: str
    uri: str
    id: str | None = None
    framework: str | None = None
    labels: dict[str, int] = {}
    ready: bool = False
    public: bool = False
    project: str | None = None
    task: str | None = None
    parent: str | None = None
    comment: str = ""
    design: Any = None
    tags: list[str] = []
    system_tags: list[str] = []
    metadata: Any = None


class CreateModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """The new model."""

    id: str
    created: bool


class GetModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model."""

    model: str


class ModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """The model."""

    model: ModelDocument


class GetAllModels(ProjectQuery, frozen=True, kw_only=True):
    """Models by any of the constraints."""

    task: ListFilter = None
    framework: ListFilter = None
    uri: ListFilter = None
    ready: bool | None = None


class GetAllModelsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of models. ``total`` counts all that match (in ``get_all_ex``)."""

    models: list[ModelDocument]
    total: int | None = None
    scroll_id: str | None = None


class EditModel(msgspec.Struct, frozen=True, kw_only=True):
    """Only what is given changes."""

    model: str
    uri: str | None = None
    name: str | None = None
    comment: str | None = None
    tags: list[str] | None = None
    system_tags: list[str] | None = None
    framework: str | None = None
    design: Any = None
    labels: dict[str, int] | None = None
    project: str | None = None
    task: str | None = None
    parent: str | None = None
    ready: bool | None = None
    iteration: int | None = None
    metadata: Any = None


class SetReady(msgspec.Struct, frozen=True, kw_only=True):
    """Publish a model, and by default the task that made it."""

    model: str
    publish_task: bool = True
    force_publish_task: bool = False


class SetReadyReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``published_task``: the task that was published with it."""

    updated: int
    published_task: dict[str, Any] | None = None


class DeleteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A published model, or one that another task takes as input, needs ``force``."""

    model: str
    force: bool = False


class DeleteModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """``url``: where the weights are; the caller deletes them."""

    deleted: bool
    url: str


class ManyModels(msgspec.Struct, frozen=True, kw_only=True):
    """Several models."""

    ids: list[str]


class PublishModels(ManyModels, frozen=True, kw_only=True):
    """Publish models, and on request the tasks that made them."""

    publish_task: bool = False
    force_publish_task: bool = False


class DeleteModels(ManyModels, frozen=True, kw_only=True):
    """As ``models.delete`` for each."""

    force: bool = False


class MoveModels(ManyModels, frozen=True, kw_only=True):
    """The project by id, or by its full path, which is made when missing."""

    project: str | None = None
    project_name: str | None = None


class ModelsMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Where they are now, and how many there are."""

    project_id: str
    updated: int


class GetFrameworks(msgspec.Struct, frozen=True, kw_only=True):
    """No projects means all."""

    projects: list[str] | None = None


class FrameworksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Frameworks in use, sorted."""

    frameworks: list[str]


class AddMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """``replace_metadata`` drops what is not listed."""

    model: str
    metadata: list[MetadataItem]
    replace_metadata: bool = False


class DeleteMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Keys that are not there are ignored."""

    model: str
    keys: list[str]


class ModelUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """1 when the model changed."""

    updated: int


METHODS.add(
    "models.create",
    access=domain("model"),
    request=CreateModel,
    reply=CreateModelReply,
    permit=Permission.WORK,
    changes=True,
    summary="Register a model.",
)
METHODS.add(
    "models.get_by_id",
    access=owners("model"),
    request=GetModel,
    reply=ModelReply,
    permit=Permission.READ,
    summary="One model.",
)
METHODS.add(
    "models.get_all",
    access=domain("model"),
    request=GetAllModels,
    reply=GetAllModelsReply,
    permit=Permission.READ,
    summary="Find models.",
)
METHODS.add(
    "models.get_all_ex",
    access=domain("model"),
    request=GetAllModels,
    reply=GetAllModelsReply,
    permit=Permission.READ,
    summary="Find models; with the total.",
)
METHODS.add(
    "models.edit",
    access=owners("model"),
    request=EditModel,
    reply=Updated,
    permit=Permission.WORK,
    changes=True,
    summary="Change a model.",
)
METHODS.add(
    "models.update",
    access=owners("model"),
    request=EditModel,
    reply=Updated,
    permit=Permission.WORK,
    changes=True,
    summary="Change a model.",
)
METHODS.add(
    "models.set_ready",
    access=owners("model"),
    request=SetReady,
    reply=SetReadyReply,
    permit=Permission.WORK,
    changes=True,
    summary="Publish a model.",
)
METHODS.add(
    "models.delete",
    access=owners("model"),
    request=DeleteModel,
    reply=DeleteModelReply,
    permit=Permission.WRITE,
    changes=True,
    summary="Delete a model.",
)
METHODS.add(
    "models.archive_many",
    access=owners("ids"),
    request=ManyModels,
    reply=ManyReply,
    permit=Permission.WRITE,
    since="2.16",
    changes=True,
    summary="Archive models.",
)
METHODS.add(
    "models.unarchive_many",
    access=owners("ids"),
    request=ManyModels,
    reply=ManyReply,
    permit=Permission.WRITE,
    since="2.16",
    changes=True,
    summary="Bring models back from the archive.",
)
METHODS.add(
    "models.add_or_update_metadata",
    access=owners("model"),
    request=AddMetadata,
    reply=ModelUpdated,
    permit=Permission.WORK,
    since="2.13",
    changes=True,
    summary="Set named texts on a model.",
)
METHODS.add(
    "models.delete_metadata",
    access=owners("model"),
    request=DeleteMetadata,
    reply=ModelUpdated,
    permit=Permission.WORK,
    since="2.13",
    changes=True,
    summary="Remove named texts from a model.",
)

writes("models.publish_many", owners("ids"), PublishModels, ManyReply, "Publish models.", "2.16")
writes("models.delete_many", owners("ids"), DeleteModels, ManyReply, "Delete models.", "2.16")
writes("models.move", owners("ids"), MoveModels, ModelsMoved, "Put models into another project.", "2.12")
reads(
    "models.get_frameworks",
    domain("model"),
    GetFrameworks,
    FrameworksReply,
    "Frameworks in use on models.",
    "2.8",
)
