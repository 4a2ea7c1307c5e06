"""What is older than its project keeps it goes: console, debug samples, archived tasks. A few tasks a round."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.clock import Clock
from trialbook.server.core.hub import Hub
from trialbook.server.services.call import Call
from trialbook.server.services.changes import progressed
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.stores import events, garbage, logs, retention
from trialbook.server.stores.database import Database
from trialbook.server.stores.events import event
from trialbook.server.stores.graves import standing
from trialbook.server.stores.logs import console
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.tasks import task

_DAY = 86_400.0
_AT_ONCE = 50
_SECONDS = 2.0


class Retention:
    """One round applies the rules for a while.

    Args:
        database, projects, lifecycle, hub: what it works with.
        clock: now.
    """

    def __init__(
        self, database: Database, projects: ProjectStore, lifecycle: Lifecycle, hub: Hub, clock: Clock
    ) -> None:
        self._database = database
        self._projects = projects
        self._lifecycle = lifecycle
        self._hub = hub
        self._clock = clock

    def __call__(self) -> bool:
        """Apply; True when there is more."""
        deadline = time.monotonic() + _SECONDS
        with self._database.read() as connection:
            rules = retention.rules(connection)
            scopes = [(rule, self._scope(connection, rule.project, rules)) for rule in rules]
        for rule, scope in scopes:
            for kind in ("archived", "console", "samples"):
                days = getattr(rule, f"{kind}_days")
                while days is not None:
                    done = getattr(self, f"_{kind}")(scope, self._clock() - days * _DAY)
                    if time.monotonic() >= deadline:
                        return True
                    if done < _AT_ONCE:
                        break
        return False

    def _scope(
        self, connection: Connection, project: str, rules: "list[sa.Row[Any]]"
    ) -> sa.ColumnElement[bool]:
        """Tasks of the project and of those below it that have no rule of their own."""
        others = [rule.project for rule in rules if rule.project not in ("", project)]
        if not project:
            ruled = [*others, *(self._projects.descendants(connection, others) if others else ())]
            return sa.or_(task.c.project.is_(None), task.c.project.not_in(ruled))
        below = [project, *self._projects.descendants(connection, [project])]
        nearer = [other for other in others if other in below]
        excepted = {*nearer, *(self._projects.descendants(connection, nearer) if nearer else ())}
        return task.c.project.in_([one for one in below if one not in excepted])

    def _archived(self, scope: sa.ColumnElement[bool], before: float) -> int:
        query = sa.select(task.c.id).where(scope, task.c.archived, task.c.last_change < before)

        def delete(call: Call, id: str) -> None:
            self._lifecycle.delete(call, id, force=True, delete_files=True)

        return self._each(query, delete)

    def _console(self, scope: sa.ColumnElement[bool], before: float) -> int:
        held = sa.select(console.c.owner).where(console.c.first_entry < console.c.entries)
        query = _resting(scope, before).where(task.c.id.in_(held))

        def forget(call: Call, id: str) -> None:
            logs.forget(call.connection, id)

        return self._each(query, forget)

    def _samples(self, scope: sa.ColumnElement[bool], before: float) -> int:
        held = sa.select(event.c.owner).where(event.c.kind == events.IMAGE, standing(event.c.owner))
        query = _resting(scope, before).where(task.c.id.in_(held))

        def forget(call: Call, id: str) -> None:
            urls = events.drop_images(call.connection, id)
            garbage.add(call.connection, [key for url in urls if (key := garbage.own_key(url, id))], call.now)
            progressed(call, "task", id, ["events"])

        return self._each(query, forget)

    def _each(self, query: "sa.Select[Any]", act: Callable[[Call, str], None]) -> int:
        with self._database.read() as connection:
            ids = list(connection.execute(query.limit(_AT_ONCE)).scalars())
        for id in ids:
            # A part in each transaction, until the rule finds nothing more of it.
            while self._part(query, id, act):
                pass
        return len(ids)

    def _part(self, query: "sa.Select[Any]", id: str, act: Callable[[Call, str], None]) -> bool:
        call = Call.of_loop(self._database, self._clock(), "retention")
        with call.write() as connection:
            # It may have changed since it was listed.
            if connection.execute(query.where(task.c.id == id)).first() is None:
                return False
            act(call, id)
        call.changes.tell(self._hub.publish)
        return True


def _resting(scope: sa.ColumnElement[bool], before: float) -> "sa.Select[Any]":
    running = ("in_progress", "queued")
    return sa.select(task.c.id).where(scope, task.c.last_update < before, task.c.status.not_in(running))
