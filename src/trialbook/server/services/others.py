"""What a role that only runs and reports leaves alone: the tasks that others finished, and the models of these."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.errors import Forbidden
from trialbook.server.services.caller import Caller
from trialbook.server.stores.models import model
from trialbook.server.stores.series import portions
from trialbook.server.stores.tasks import activity, task
from trialbook.wire.states import ENDED
from trialbook.wire.table import Method, Permission

_WAITING = frozenset({"created", "queued"})
"""Nothing is lost when such a task is reset."""
_OF_TASKS = ("task", "tasks", "dataset", "ids")


def check(connection: Connection, caller: Caller, method: Method, ask: Any) -> None:
    """Refuse a call that would change what others finished, where the caller's role is to run and report alone.

    Raises:
        Forbidden: see above.
    """
    noun = method.name.partition(".")[0]
    # A clone changes nothing of its source, and a worker says what it has run after that has ended.
    if method.name == "tasks.clone" or noun not in ("tasks", "models", "queues", "datasets"):
        return
    if noun == "models":
        _models(connection, caller, _ids(ask, ("model",)))
    require_unfinished(connection, caller, _ids(ask, _OF_TASKS), reset=method.name == "tasks.reset")


def needed(caller: Caller, method: Method) -> bool:
    """Whether the role of a caller has to be looked at more closely than the table of methods does."""
    return method.permit is Permission.WORK and bool(caller.user) and not caller.may(Permission.WRITE)


def require_unfinished(
    connection: Connection, caller: Caller, ids: Collection[str], *, reset: bool = False
) -> None:
    """Refuse tasks that others made and ran, and that have ended, or for a reset have begun.

    Raises:
        Forbidden: the first of them.
    """
    refused = sa.and_(task.c.status.not_in(_WAITING)) if reset else task.c.status.in_(ENDED)
    made = sa.and_(task.c.user.is_not(None), task.c.user == caller.user)
    ran = (
        sa.select(activity.c.task)
        .where(
            activity.c.task == task.c.id,
            activity.c.to_status == "in_progress",
            activity.c.user == caller.user,
        )
        .exists()
    )
    for some in portions(sorted(set(ids))):
        query = sa.select(task.c.id).where(task.c.id.in_(some), refused, sa.not_(made), sa.not_(ran)).limit(1)
        found = connection.execute(query).scalar()
        if found is not None:
            raise Forbidden(
                f"task {found} is somebody else's: the role {caller.role!r} changes only what it runs itself; a key"
                " of the role 'user' may change all"
            )


def _models(connection: Connection, caller: Caller, ids: Collection[str]) -> None:
    query = sa.select(model.c.id, model.c.task).where(model.c.id.in_(list(ids)))
    for row in connection.execute(query.where(model.c.user.is_distinct_from(caller.user))):
        if row.task is None:
            raise Forbidden(
                f"model {row.id} is somebody else's: the role {caller.role!r} changes only what it made itself"
            )
        require_unfinished(connection, caller, [row.task])


def _ids(ask: Any, names: Collection[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        given = getattr(ask, name, None)
        found += [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return [one for one in found if isinstance(one, str)]
