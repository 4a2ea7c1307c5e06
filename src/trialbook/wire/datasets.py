"""Wire types and methods of datasets. A version of a dataset is a task; what is here is what a task does not have."""

from typing import Any

import msgspec

from trialbook.wire.table import METHODS, Permission, domain, owners
from trialbook.wire.task_documents import Artifact, Configuration, TaskDocument


class CreateDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A new version, open for writing.

    Attributes:
        name: of the dataset.
        project: full path of its project, without the hidden part.
        id: chosen by the caller; the same call again changes nothing.
        task: an existing task that becomes the version.
        version: None is one above the highest of this dataset, ``1.0.0`` for the first.
        parents: versions that it starts from, in the order in which they are merged.
        pins: more versions whose files it may name; they are kept as long as it is open.
        output_dest: where its files go; None is the files server.
        script: as of a task.
    """

    name: str
    project: str
    id: str | None = None
    task: str | None = None
    version: str | None = None
    parents: list[str] = []
    pins: list[str] = []
    tags: list[str] = []
    description: str = ""
    output_dest: str | None = None
    script: dict[str, Any] | None = None


class CreateDatasetReply(msgspec.Struct, frozen=True, kw_only=True):
    """The new version, as a task, and the version that it got."""

    dataset: TaskDocument
    version: str


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object of a repository that a version needs: key and bytes."""

    key: str
    bytes: int


class CommitDataset(msgspec.Struct, frozen=True, kw_only=True):
    """The version is whole: references, artifacts and status change together or not at all.

    Attributes:
        dataset: its id.
        root: of its manifest; empty for a version in the layout of ClearML.
        repository: address of the repository that holds it.
        places: address by owner or by ``<owner>/<pack>``, for packs that lie elsewhere.
        objects: everything that it needs, its parents' included.
        files, links, bytes: of the whole version.
        stored: bytes of the packs that it brought.
        artifacts: written with it.
        runtime, configuration: merged into the task's.
        keep_open: the task goes on; only the version is finished.
        script: parts of the task's that change; None is none.
    """

    dataset: str
    root: str
    repository: str
    places: dict[str, str] = {}
    objects: list[StoredObject] = []
    files: int = 0
    links: int = 0
    bytes: int = 0
    stored: int = 0
    artifacts: list[Artifact] = []
    runtime: dict[str, Any] = {}
    configuration: dict[str, Configuration] = {}
    keep_open: bool = False
    script: dict[str, Any] | None = None


class CommitDatasetReply(msgspec.Struct, frozen=True, kw_only=True):
    """The task as it is now, without its configuration: the caller has just sent the largest part of that."""

    dataset: TaskDocument


class DatasetRef(msgspec.Struct, frozen=True, kw_only=True):
    """One version."""

    dataset: str


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version, as lists show it.

    Attributes:
        id: of the version and its task.
        name, project: of the dataset; ``project`` without the hidden part.
        project_id: of the hidden project that holds the dataset's versions.
        root, repository, places: where its manifest and packs are; empty while it is open, and for versions that the
            reference SDK wrote.
        files, links, bytes, stored: as committed; from the task's runtime for versions of the clearml SDK.
        parents: direct ones, in merge order.
        changes: files added, modified and removed against the parents.
        native: made by Trialbook; False for versions of the clearml SDK.
    """

    id: str
    name: str
    project: str
    project_id: str
    version: str
    status: str
    tags: list[str]
    comment: str
    created: str
    last_update: str
    user: str | None
    archived: bool = False
    root: str = ""
    repository: str = ""
    places: dict[str, str] = {}
    files: int | None = None
    links: int | None = None
    bytes: int | None = None
    stored: int | None = None
    parents: list[str] = []
    changes: dict[str, int] = {}
    native: bool = False


class GetDatasets(msgspec.Struct, frozen=True, kw_only=True):
    """Versions by any of the constraints.

    Attributes:
        ids: only these.
        name: of the dataset, exactly.
        name_pattern: regular expression, found anywhere in the name.
        project: full path, without the hidden part.
        recursive: projects below it too.
        tags: it must have all of them.
        version: exactly this text.
        statuses: one of them; empty is any.
        archived: True also those in the archive.
        search_text: in name, project, tags, description or id.
        page, page_size: of the answer; None is all.
    """

    ids: list[str] = []
    name: str | None = None
    name_pattern: str | None = None
    project: str | None = None
    recursive: bool = False
    tags: list[str] = []
    version: str | None = None
    statuses: list[str] = []
    archived: bool = False
    search_text: str | None = None
    page: int | None = None
    page_size: int | None = None


class GetDatasetsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Versions, the last changed first."""

    versions: list[DatasetVersion]
    total: int


class DatasetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset with all its versions.

    Attributes:
        id: of the hidden project that holds them.
        latest: its highest version that is finished, else its highest.
        versions: how many there are.
        tags: of any of them.
    """

    id: str
    name: str
    project: str
    latest: DatasetVersion
    versions: int
    tags: list[str]
    last_update: str


class GetSummariesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Datasets, the last changed first."""

    datasets: list[DatasetSummary]
    total: int


class DatasetNode(msgspec.Struct, frozen=True, kw_only=True):
    """A version in a graph; ``gone`` when it was deleted and only its children know of it."""

    id: str
    version: DatasetVersion | None = None
    parents: list[str] = []
    gone: bool = False


class DatasetGraph(msgspec.Struct, frozen=True, kw_only=True):
    """Ancestors and descendants of a version, and the tasks that used it."""

    nodes: list[DatasetNode]
    used_by: list[dict[str, Any]] = []


class GetContent(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of a version.

    Attributes:
        dataset: the version.
        folder: path without slashes at its ends; empty is the top.
        against: version to compare with; None is the first parent, empty text is none.
        pattern: only entries whose name contains this text.
        search: instead of the folder's entries, files and links anywhere below it whose path from there on has this
            text; their names are these paths.
        changed: only what was added, modified or removed, and folders with such.
        page, page_size: of the answer.
    """

    dataset: str
    folder: str = ""
    against: str | None = None
    pattern: str = ""
    search: str = ""
    changed: bool = False
    page: int = 0
    page_size: int = 200


class ContentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file, link or folder.

    Attributes:
        name: last part of the path; of a search, the path below the folder.
        kind: ``folder``, ``file`` or ``link``.
        files: below a folder; 1 for others.
        bytes: below a folder, or of the file; −1 for a link of unknown size.
        change: ``added``, ``modified``, ``removed`` or nothing; a folder is ``modified`` when anything below it is.
        hash: SHA-256 (else BLAKE3) of a file in hexadecimal.
        link: address of a link.
        modified: when the bytes were changed last, seconds since the epoch; 0 when not known.
    """

    name: str
    kind: str
    files: int = 1
    bytes: int = 0
    change: str = ""
    hash: str = ""
    link: str = ""
    modified: float = 0.0


class GetContentReply(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one folder, folders first, by name; totals of the folder.

    Attributes:
        readable: False when the repository is not one that this server holds; nothing else is filled then.
        against: the version that was compared with.
        total: number of entries.
        added, modified, removed: files in the whole version.
    """

    readable: bool
    entries: list[ContentEntry] = []
    total: int = 0
    files: int = 0
    bytes: int = 0
    against: str | None = None
    added: int = 0
    modified: int = 0
    removed: int = 0


class GetFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a version, or its first bytes."""

    dataset: str
    path: str
    limit: int | None = None
    download: bool = False


class DeleteDataset(msgspec.Struct, frozen=True, kw_only=True):
    """Delete a version.

    Attributes:
        dataset: its id.
        force: also when it has children, is used by a task, or is published.
        delete_files: False keeps every byte in the storage.
        dry_run: only say what would happen.
    """

    dataset: str
    force: bool = False
    delete_files: bool = True
    dry_run: bool = False


class KeptObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object that stays, because other versions need it."""

    key: str
    bytes: int
    used_by: list[str]


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of a deleted owner that the caller must free, because the server does not hold the repository."""

    owner: str
    repository: str
    keep: list[str] = []


class DeleteDatasetReply(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt.

    Attributes:
        deleted: False for a dry run.
        children: versions that have it as a parent.
        used_by: tasks that read it.
        freed, freed_objects: bytes and number of objects that go.
        kept: what stays, and for whom.
        urls: artifacts outside of the repository, to be deleted by the caller.
        sweeps: what the caller must free.
    """

    deleted: bool
    children: list[str] = []
    used_by: list[str] = []
    freed: int = 0
    freed_objects: int = 0
    kept: list[KeptObject] = []
    urls: list[str] = []
    sweeps: list[Sweep] = []


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """Owners whose objects the caller has freed."""

    owners: list[str]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    updated: int


class GetTrash(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be freed by a caller."""


class GetTrashReply(msgspec.Struct, frozen=True, kw_only=True):
    """What waits to be freed by a caller."""

    sweeps: list[Sweep]


class RenameDataset(msgspec.Struct, frozen=True, kw_only=True):
    """Another name, or another project, for all versions of a dataset; ids and versions stay."""

    name: str
    project: str
    new_name: str | None = None
    new_project: str | None = None


METHODS.add(
    "datasets.create",
    access=domain("dataset"),
    request=CreateDataset,
    reply=CreateDatasetReply,
    permit=Permission.WORK,
    since="2.34",
    changes=True,
    summary="A new version of a dataset, open for writing.",
)
METHODS.add(
    "datasets.commit",
    access=owners("dataset"),
    request=CommitDataset,
    reply=CommitDatasetReply,
    permit=Permission.WORK,
    since="2.34",
    changes=True,
    summary="Finish a version: references, artifacts and status together.",
)
METHODS.add(
    "datasets.get_all",
    access=domain("dataset"),
    request=GetDatasets,
    reply=GetDatasetsReply,
    permit=Permission.READ,
    since="2.34",
    summary="Versions of datasets, the last changed first.",
)
METHODS.add(
    "datasets.get_summaries",
    access=domain("dataset"),
    request=GetDatasets,
    reply=GetSummariesReply,
    permit=Permission.READ,
    since="2.34",
    summary="Datasets with their highest versions, the last changed first.",
)
METHODS.add(
    "datasets.get_graph",
    access=owners("dataset"),
    request=DatasetRef,
    reply=DatasetGraph,
    permit=Permission.READ,
    since="2.34",
    summary="Ancestors, descendants and users of a version.",
)
METHODS.add(
    "datasets.get_content",
    access=owners("dataset"),
    request=GetContent,
    reply=GetContentReply,
    permit=Permission.READ,
    since="2.34",
    summary="One folder of a version, with sizes and changes.",
    transaction="own",
)
METHODS.add(
    "datasets.get_file",
    access=owners("dataset"),
    request=GetFile,
    reply=bytes,
    permit=Permission.READ,
    since="2.34",
    summary="One file of a version.",
    transaction="own",
)
METHODS.add(
    "datasets.delete",
    access=owners("dataset"),
    request=DeleteDataset,
    reply=DeleteDatasetReply,
    permit=Permission.WRITE,
    since="2.34",
    changes=True,
    summary="Delete a version, with a receipt.",
)
METHODS.add(
    "datasets.get_trash",
    access=domain("dataset"),
    request=GetTrash,
    reply=GetTrashReply,
    permit=Permission.WRITE,
    since="2.34",
    summary="Files of deleted versions that a caller must free.",
)
METHODS.add(
    "datasets.swept",
    access=domain("dataset"),
    request=Swept,
    reply=Counted,
    permit=Permission.WRITE,
    since="2.34",
    changes=True,
    summary="Files of deleted versions were freed by the caller.",
)
METHODS.add(
    "datasets.rename",
    access=domain("dataset"),
    request=RenameDataset,
    reply=Counted,
    permit=Permission.WRITE,
    since="2.34",
    changes=True,
    summary="Rename a dataset, or move it to another project.",
)
