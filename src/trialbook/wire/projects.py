"""Wire types and methods of projects."""

from typing import Annotated, Any, Literal

import msgspec

from trialbook.wire.query import DateFilter, ListFilter, Query, Updated
from trialbook.wire.table import METHODS, Permission, domain, owners, partial, reads, writes


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of tasks and models. ``name`` is the full path, ``basename`` its last part."""

    id: str
    name: str
    basename: str
    description: str
    user: str | None
    company: str
    created: str
    last_update: str
    tags: list[str]
    system_tags: list[str]
    default_output_destination: str | None
    parent: str | None
    path: list[str]
    stats: "dict[str, ProjectStats] | None" = None
    own_tasks: int | None = None
    own_models: int | None = None


class ProjectStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over a project and all that is below it."""

    status_count: dict[str, int] = {}
    total_tasks: int = 0
    total_runtime: int = 0
    last_task_run: str | None = None


ProjectDocument = Annotated[dict[str, Any], partial(Project)]


class CreateProject(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is the full path; parents that are missing are made."""

    name: str
    description: str = ""
    tags: list[str] = []
    system_tags: list[str] = []
    default_output_destination: str | None = None


class ProjectId(msgspec.Struct, frozen=True, kw_only=True):
    """A new project."""

    id: str


class GetProject(msgspec.Struct, frozen=True, kw_only=True):
    """One project."""

    project: str


class ProjectReply(msgspec.Struct, frozen=True, kw_only=True):
    """The project."""

    project: ProjectDocument


class GetAllProjects(Query, frozen=True, kw_only=True):
    """Projects by any of the constraints."""

    basename: str | None = None
    description: str | None = None
    parent: ListFilter = None
    user: ListFilter = None
    last_update: DateFilter = None
    shallow_search: bool = False


class GetAllProjectsEx(GetAllProjects, frozen=True, kw_only=True):
    """``include_stats`` adds the counts of tasks by status, sub-projects included. ``children_type``: only projects
    that hold such tasks, in them or below them."""

    include_stats: bool = False
    children_type: Literal["pipeline", "report", "dataset"] | None = None


class GetAllProjectsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of projects. ``total`` counts all that match (in ``get_all_ex``)."""

    projects: list[ProjectDocument]
    total: int | None = None
    scroll_id: str | None = None


class UpdateProject(msgspec.Struct, frozen=True, kw_only=True):
    """Only what is given changes."""

    project: str
    name: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    system_tags: list[str] | None = None
    default_output_destination: str | None = None


class DeleteProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project that holds something is refused without ``force``; its tasks and models then lose their project, or
    are deleted too with ``delete_contents``."""

    project: str
    force: bool = False
    delete_contents: bool = False


class DeleteProjectReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many were deleted or set loose."""

    deleted: int
    disassociated_tasks: int = 0
    deleted_models: int = 0
    deleted_tasks: int = 0


class ProjectTags(msgspec.Struct, frozen=True, kw_only=True):
    """``projects`` empty or absent means all."""

    projects: list[str] | None = None
    include_system: bool = False


class ProjectTagsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Every tag in use, sorted."""

    tags: list[str]
    system_tags: list[str] = []


class MoveProject(msgspec.Struct, frozen=True, kw_only=True):
    """``new_location`` is the full path of the new parent, made when missing; empty moves to the top."""

    project: str
    new_location: str = ""


class MoveProjectReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many projects have another path now."""

    moved: int


class MergeProject(msgspec.Struct, frozen=True, kw_only=True):
    """All that is in a project goes into another one, by id or full path, which is made when missing."""

    project: str
    destination_project: str | None = None
    destination_project_name: str | None = None


class MergeProjectReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks and models, and how many projects, have another place now."""

    moved_entities: int
    moved_projects: int


class ProjectContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion of the project would take away, in it and below it; those that are not archived too."""

    tasks: int
    non_archived_tasks: int
    models: int
    non_archived_models: int
    projects: int


class MetadataKeysReply(msgspec.Struct, frozen=True, kw_only=True):
    """A page of names of texts on models; ``remaining`` are on later pages."""

    keys: list[str]
    total: int
    remaining: int


class MetadataValues(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one text on models; no projects means all."""

    key: str
    projects: list[str] | None = None
    include_subprojects: bool = True


class InProject(msgspec.Struct, frozen=True, kw_only=True):
    """What the tasks of a project have in use; no project means all."""

    project: str | None = None
    include_subprojects: bool = True
    page: Annotated[int, msgspec.Meta(ge=0)] = 0
    page_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500


class MetricVariant(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a series, with the md5 by which queries call it."""

    metric: str
    metric_hash: str
    variant: str
    variant_hash: str


class MetricVariantsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By metric, then variant."""

    metrics: list[MetricVariant]


class ParameterName(msgspec.Struct, frozen=True, kw_only=True):
    """A hyper-parameter that some task has."""

    section: str
    name: str


class ParametersReply(msgspec.Struct, frozen=True, kw_only=True):
    """A page of names by section, then name; ``remaining`` are on later pages."""

    parameters: list[ParameterName]
    total: int
    remaining: int


class ParameterValues(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one hyper-parameter; no projects means all."""

    section: str
    name: str
    projects: list[str] | None = None
    include_subprojects: bool = True


class ParameterValuesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Every value in use, sorted; at most 1 000, ``total`` counts them all."""

    values: list[str]
    total: int


class TaskParents(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that others were made from; no projects means all."""

    projects: list[str] | None = None
    include_subprojects: bool = True


class TaskParent(msgspec.Struct, frozen=True, kw_only=True):
    """A task that has children."""

    id: str
    name: str
    project: str | None = None


class TaskParentsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By name; at most 1 000."""

    parents: list[TaskParent]


METHODS.add(
    "projects.move",
    access=owners("project"),
    request=MoveProject,
    reply=MoveProjectReply,
    permit=Permission.WRITE,
    changes=True,
    summary="Move a project, and what is below it, below another one.",
)
METHODS.add(
    "projects.get_unique_metric_variants",
    access=domain("task"),
    request=InProject,
    reply=MetricVariantsReply,
    permit=Permission.READ,
    summary="The series that tasks of a project have.",
)
METHODS.add(
    "projects.get_hyper_parameters",
    access=domain("task"),
    request=InProject,
    reply=ParametersReply,
    permit=Permission.READ,
    summary="The hyper-parameters that tasks of a project have.",
)
METHODS.add(
    "projects.get_hyperparam_values",
    access=domain("task"),
    request=ParameterValues,
    reply=ParameterValuesReply,
    permit=Permission.READ,
    summary="The values of a hyper-parameter in use.",
)
METHODS.add(
    "projects.get_task_parents",
    access=domain("task"),
    request=TaskParents,
    reply=TaskParentsReply,
    permit=Permission.READ,
    summary="The tasks that others were made from.",
)
METHODS.add(
    "projects.create",
    access=domain("project"),
    request=CreateProject,
    reply=ProjectId,
    permit=Permission.WORK,
    changes=True,
    summary="Make a project and the parents that are missing.",
)
METHODS.add(
    "projects.get_by_id",
    access=owners("project"),
    request=GetProject,
    reply=ProjectReply,
    permit=Permission.READ,
    summary="One project.",
)
METHODS.add(
    "projects.get_all",
    access=domain("project"),
    request=GetAllProjects,
    reply=GetAllProjectsReply,
    permit=Permission.READ,
    summary="Find projects.",
)
METHODS.add(
    "projects.get_all_ex",
    access=domain("project"),
    request=GetAllProjectsEx,
    reply=GetAllProjectsReply,
    permit=Permission.READ,
    summary="Find projects; with the total and, on request, statistics.",
)
METHODS.add(
    "projects.update",
    access=owners("project"),
    request=UpdateProject,
    reply=Updated,
    permit=Permission.WRITE,
    changes=True,
    summary="Change a project; a rename renames what is below it.",
)
METHODS.add(
    "projects.delete",
    access=owners("project"),
    request=DeleteProject,
    reply=DeleteProjectReply,
    permit=Permission.WRITE,
    changes=True,
    summary="Delete a project and what is below it.",
    transaction="slices",
)
METHODS.add(
    "projects.get_project_tags",
    access=domain("project"),
    request=ProjectTags,
    reply=ProjectTagsReply,
    permit=Permission.READ,
    since="2.17",
    summary="Tags in use on projects.",
)
METHODS.add(
    "projects.get_task_tags",
    access=domain("task"),
    request=ProjectTags,
    reply=ProjectTagsReply,
    permit=Permission.READ,
    summary="Tags in use on the tasks of some projects.",
)
METHODS.add(
    "projects.get_model_tags",
    access=domain("model"),
    request=ProjectTags,
    reply=ProjectTagsReply,
    permit=Permission.READ,
    summary="Tags in use on the models of some projects.",
)

writes(
    "projects.merge",
    owners("project"),
    MergeProject,
    MergeProjectReply,
    "Put all of a project into another one.",
    "2.13",
    "slices",
)
reads(
    "projects.validate_delete",
    owners("project"),
    GetProject,
    ProjectContents,
    "What a deletion would take away.",
    "2.13",
)
reads(
    "projects.get_model_metadata_keys",
    domain("model"),
    InProject,
    MetadataKeysReply,
    "Names of the texts on models.",
    "2.17",
)
reads(
    "projects.get_model_metadata_values",
    domain("model"),
    MetadataValues,
    ParameterValuesReply,
    "Values of a text on models.",
    "2.17",
)


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How many days a project, and what is below it, keeps things; null keeps them for ever.

    Attributes:
        console_days: the console of tasks that have rested for so long.
        samples_days: their debug samples, with the files that this server holds.
        archived_days: archived tasks, with their results and files, so long after they were archived.
    """

    console_days: Annotated[float, msgspec.Meta(gt=0)] | None = None
    samples_days: Annotated[float, msgspec.Meta(gt=0)] | None = None
    archived_days: Annotated[float, msgspec.Meta(gt=0)] | None = None


class GetRetention(msgspec.Struct, frozen=True, kw_only=True):
    """No project means the rule for all that have none of their own."""

    project: str | None = None


class SetRetention(Retention, frozen=True, kw_only=True):
    """The whole rule; without any days there is none. No project means the rule for all that have none of their own,
    which is the administrator's."""

    project: str | None = None


reads(
    "projects.get_retention", owners("project"), GetRetention, Retention, "How long a project keeps things."
)
writes(
    "projects.set_retention",
    owners("project"),
    SetRetention,
    Retention,
    "Say how long a project keeps things.",
)
