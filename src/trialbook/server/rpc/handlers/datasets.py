"""Datasets."""

import mimetypes
from urllib.parse import quote

from trialbook.errors import TaskNotFound
from trialbook.server.core.projection import Projection
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.services.dataset_files import safe_name
from trialbook.server.stores.tasks import task
from trialbook.wire import datasets as wire
from trialbook.wire.table import RawReply
from trialbook.wire.task_documents import TaskDocument


def _document(context: Context, id: str, *fields: str) -> TaskDocument:
    row = context.services.tasks.require(context.connection, id)
    return context.services.documents.build(context.connection, [row], Projection(fields))[0]


@handles("datasets.create")
def create(context: Context, ask: wire.CreateDataset) -> wire.CreateDatasetReply:
    """A new version."""
    id, version = context.services.datasets.create(context, ask)
    return wire.CreateDatasetReply(dataset=_document(context, id), version=version)


@handles("datasets.commit")
def commit(context: Context, ask: wire.CommitDataset) -> wire.CommitDatasetReply:
    """Finish a version."""
    context.services.datasets.commit(context, ask)
    return wire.CommitDatasetReply(dataset=_document(context, ask.dataset, "-configuration"))


@handles("datasets.get_all")
def get_all(context: Context, ask: wire.GetDatasets) -> wire.GetDatasetsReply:
    """Versions of one page."""
    found, total = context.services.dataset_lists.find(context.connection, ask)
    return wire.GetDatasetsReply(versions=found, total=total)


@handles("datasets.get_summaries")
def get_summaries(context: Context, ask: wire.GetDatasets) -> wire.GetSummariesReply:
    """Datasets of one page."""
    found, total = context.services.dataset_lists.summaries(context.connection, ask)
    return wire.GetSummariesReply(datasets=found, total=total)


@handles("datasets.get_graph")
def get_graph(context: Context, ask: wire.DatasetRef) -> wire.DatasetGraph:
    """Ancestors, descendants and users."""
    services, connection = context.services, context.connection
    graph = services.dataset_store.related(connection, ask.dataset)
    known = services.dataset_lists.by_id(connection, list(graph))
    if ask.dataset not in known:
        raise TaskNotFound(f"there is no dataset version {ask.dataset}", id=ask.dataset)
    nodes = [
        wire.DatasetNode(id=id, version=known.get(id), parents=parents, gone=id not in known)
        for id, parents in graph.items()
    ]
    users = [id for id in services.dataset_store.users(connection, ask.dataset) if id not in graph]
    columns = (task.c.id, task.c.name, task.c.status, task.c.type, task.c.project)
    found = (services.tasks.get(connection, id, *columns) for id in users)
    return wire.DatasetGraph(nodes=nodes, used_by=[dict(row._mapping) for row in found if row is not None])


def _version(context: Context, id: str) -> wire.DatasetVersion:
    found = context.services.dataset_lists.by_id(context.connection, [id])
    if id not in found:
        raise TaskNotFound(f"there is no dataset version {id}", id=id)
    return found[id]


@handles("datasets.get_content")
def get_content(context: Context, ask: wire.GetContent) -> wire.GetContentReply:
    """One folder of a version; its manifest is read outside of any transaction."""
    with context.database.read() as connection:
        context.open_connection = connection
        version = _version(context, ask.dataset)
        wanted = version.parents if ask.against is None else [ask.against] if ask.against else []
        known = context.services.dataset_lists.by_id(connection, wanted)
        context.open_connection = None
    against = [known[id] for id in wanted if id in known]
    return context.services.dataset_files.content(ask, version, against)


@handles("datasets.get_file")
def get_file(context: Context, ask: wire.GetFile) -> RawReply:
    """The bytes of one file, never with a type that a browser would run."""
    with context.database.read() as connection:
        context.open_connection = connection
        version = _version(context, ask.dataset)
        context.open_connection = None
    name = safe_name(ask.path)
    data = context.services.dataset_files.file(version, ask.path, ask.limit)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    shown = kind.startswith(("image/", "audio/", "video/")) and kind != "image/svg+xml"
    headers = {"X-Content-Type-Options": "nosniff"}
    if ask.download:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return RawReply(content_type=kind if shown else "application/octet-stream", body=data, headers=headers)


@handles("datasets.delete")
def delete(context: Context, ask: wire.DeleteDataset) -> wire.DeleteDatasetReply:
    """Delete a version."""
    return context.services.datasets.delete(context, ask)


@handles("datasets.get_trash")
def get_trash(context: Context, ask: wire.GetTrash) -> wire.GetTrashReply:
    """What callers must free."""
    return wire.GetTrashReply(sweeps=context.services.datasets.sweeps(context))


@handles("datasets.swept")
def swept(context: Context, ask: wire.Swept) -> wire.Counted:
    """Callers have freed it."""
    return wire.Counted(updated=context.services.dataset_store.swept(context.connection, ask.owners))


@handles("datasets.rename")
def rename(context: Context, ask: wire.RenameDataset) -> wire.Counted:
    """Another name or project."""
    return wire.Counted(updated=context.services.datasets.rename(context, ask))
