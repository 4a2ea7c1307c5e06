"""What the versions of datasets are and hold."""

import mimetypes
from urllib.parse import quote

from trialbook.errors import TaskNotFound
from trialbook.server.core.projection import Projection
from trialbook.server.services.call import Call
from trialbook.server.services.datasets.files import DatasetFiles, safe_name
from trialbook.server.services.tasks.documents import Documents
from trialbook.server.stores.dataset_lists import DatasetLists
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire import datasets as wire
from trialbook.wire.table import RawReply
from trialbook.wire.task_documents import TaskDocument


class DatasetReading:
    """Lists of versions, their family, their content.

    Args:
        store, lists, tasks: the stores.
        files: the part of the storage that this server holds.
        documents: shows the task of a version.
    """

    def __init__(
        self,
        store: DatasetStore,
        lists: DatasetLists,
        tasks: TaskStore,
        files: DatasetFiles,
        documents: Documents,
    ) -> None:
        self._store = store
        self._lists = lists
        self._tasks = tasks
        self._files = files
        self._documents = documents

    def document(self, call: Call, id: str, *fields: str) -> TaskDocument:
        """The task of a version, with some of its fields, or without those that begin with ``-``."""
        row = self._tasks.require(call.connection, id)
        return self._documents.build(call.connection, [row], Projection(fields))[0]

    def find(self, call: Call, ask: wire.GetDatasets) -> wire.GetDatasetsReply:
        """The versions of one page."""
        found, total = self._lists.find(call.connection, ask)
        return wire.GetDatasetsReply(versions=found, total=total)

    def summaries(self, call: Call, ask: wire.GetDatasets) -> wire.GetSummariesReply:
        """The datasets of one page."""
        found, total = self._lists.summaries(call.connection, ask)
        return wire.GetSummariesReply(datasets=found, total=total)

    def graph(self, call: Call, id: str) -> wire.DatasetGraph:
        """Ancestors, descendants and users of a version.

        Raises:
            TaskNotFound: there is no such version.
        """
        connection = call.connection
        graph = self._store.related(connection, id)
        known = self._lists.by_id(connection, list(graph))
        if id not in known:
            raise TaskNotFound(f"there is no dataset version {id}", id=id)
        nodes = [
            wire.DatasetNode(id=one, version=known.get(one), parents=parents, gone=one not in known)
            for one, parents in graph.items()
        ]
        users = [one for one in self._store.users(connection, id) if one not in graph]
        columns = (task.c.id, task.c.name, task.c.status, task.c.type, task.c.project)
        found = (self._tasks.get(connection, one, *columns) for one in users)
        return wire.DatasetGraph(
            nodes=nodes, used_by=[dict(row._mapping) for row in found if row is not None]
        )

    def content(self, call: Call, ask: wire.GetContent) -> wire.GetContentReply:
        """One folder of a version; its manifest is read outside of any transaction."""
        with call.read() as connection:
            version = self._version(call, ask.dataset)
            wanted = version.parents if ask.against is None else [ask.against] if ask.against else []
            known = self._lists.by_id(connection, wanted)
        against = [known[id] for id in wanted if id in known]
        return self._files.content(ask, version, against)

    def file(self, call: Call, ask: wire.GetFile) -> RawReply:
        """The bytes of one file, never with a type that a browser would run."""
        with call.read():
            version = self._version(call, ask.dataset)
        name = safe_name(ask.path)
        data = self._files.file(version, ask.path, ask.limit)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        shown = kind.startswith(("image/", "audio/", "video/")) and kind != "image/svg+xml"
        headers = {"X-Content-Type-Options": "nosniff"}
        if ask.download:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        return RawReply(
            content_type=kind if shown else "application/octet-stream", body=data, headers=headers
        )

    def _version(self, call: Call, id: str) -> wire.DatasetVersion:
        found = self._lists.by_id(call.connection, [id])
        if id not in found:
            raise TaskNotFound(f"there is no dataset version {id}", id=id)
        return found[id]
