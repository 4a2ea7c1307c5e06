"""Finding and reading tasks."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from trialbook.base.clock import iso
from trialbook.server.core.projection import Projection
from trialbook.server.services.call import Call
from trialbook.server.services.finding import Finding
from trialbook.server.services.tasks.documents import Documents
from trialbook.server.services.usage import Usage
from trialbook.server.stores.database import Database
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.server.stores.users import UserStore
from trialbook.wire import tasks as wire


class Reading:
    """What tasks are.

    Args:
        tasks, users: the stores.
        documents: shows rows.
        finding: knows what lies below a project.
        usage: knows what is in use.
    """

    def __init__(
        self, tasks: TaskStore, users: UserStore, documents: Documents, finding: Finding, usage: Usage
    ) -> None:
        self._tasks = tasks
        self._users = users
        self._documents = documents
        self._finding = finding
        self._usage = usage

    def get(self, call: Call, id: str) -> dict[str, Any]:
        """One task, whole.

        Raises:
            TaskNotFound: there is none.
        """
        row = self._tasks.require(call.connection, id)
        return self._documents.build(call.connection, [row], Projection(None))[0]

    def find(self, call: Call, ask: wire.GetAllTasks, *, with_total: bool) -> wire.GetAllTasksReply:
        """The tasks of one page."""
        projection = Projection(ask.only_fields)
        more = []
        if ask.include_subprojects and ask.project:
            more = [self._finding.below(call.connection, task.c.project, ask.project)]
            ask = self._finding.without(ask, "project")
        columns = self._documents.columns(projection)
        rows, total, scroll = self._tasks.find(call.connection, ask, columns, more, with_total=with_total)
        documents = self._documents.build(call.connection, rows, projection)
        return wire.GetAllTasksReply(tasks=documents, total=total, scroll_id=scroll)

    def any_runs(self, database: Database) -> bool:
        """Whether any task is in progress."""
        query = sa.select(task.c.id).where(task.c.status == "in_progress").limit(1)
        with database.read() as connection:
            return connection.execute(query).first() is not None

    def types(self, call: Call, projects: Sequence[str] | None) -> list[str]:
        """Types in use, sorted."""
        return self._usage.types(call.connection, projects)

    def hyperparams(self, call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The parameters of tasks as flat lists."""
        found: list[dict[str, Any]] = []
        for id in ids:
            row = self._tasks.require(call.connection, id, task.c.hyperparams)
            items = [item for section in row.hyperparams.values() for item in section.values()]
            found.append({"task": id, "hyperparams": items})
        return found

    def configurations(
        self, call: Call, ids: Sequence[str], names: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """The configuration objects of tasks; only some of them where names are given."""
        found: list[dict[str, Any]] = []
        for id in ids:
            row = self._tasks.require(call.connection, id, task.c.configuration)
            items = [item for name, item in row.configuration.items() if names is None or name in names]
            found.append({"task": id, "configuration": items})
        return found

    def configuration_names(self, call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The names of the configuration objects of tasks."""
        rows = ((id, self._tasks.require(call.connection, id, task.c.configuration)) for id in ids)
        return [{"task": id, "names": sorted(row.configuration)} for id, row in rows]

    def activity(self, call: Call, id: str) -> list[wire.Activity]:
        """Every move of the status."""
        self._tasks.require(call.connection, id, task.c.id)
        rows: list[Any] = self._tasks.history(call.connection, id)
        known = sorted({row.user for row in rows if row.user})
        users: list[Any] = self._users.users(call.connection, known)
        names = {user.id: user.name for user in users}
        return [
            wire.Activity(
                time=iso(row.time),
                user=row.user,
                user_name=names.get(row.user, "the server"),
                method=row.method,
                from_status=row.from_status,
                to_status=row.to_status,
                reason=row.reason,
                message=row.message,
            )
            for row in rows
        ]
