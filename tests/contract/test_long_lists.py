"""Long lists of tasks are changed some at a time, and as a whole when they are short, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support import frames
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import TaskNotFound
from trialbook.server.core.hub import Hub
from trialbook.server.rpc import registry
from trialbook.server.rpc.context import THINGS_AT_ONCE, Context
from trialbook.server.rpc.dispatch import Dispatcher
from trialbook.server.services.accounts import Caller
from trialbook.server.settings import Settings
from trialbook.server.stores.database import Database
from trialbook.server.stores.tasks import task
from trialbook.server.wiring import build_services
from trialbook.wire.catalogue import METHODS


class Server:
    """The methods in this process; knows how many tasks each transaction changed."""

    def __init__(self, url: str, folder: Any) -> None:
        self.database = Database(url)
        settings = Settings(data=folder)
        blobs = ObjectStoreBlobs.in_folder(folder / "files")
        self.services = build_services(self.database, settings, blobs)
        self._dispatcher = Dispatcher(registry.load(), Hub())
        self.each: list[int] = []
        sa.event.listen(self.database.engine, "begin", lambda _: self.each.append(0))
        sa.event.listen(self.database.engine, "after_cursor_execute", self._executed)

    def _executed(self, _: Any, cursor: Any, statement: str, *__: Any) -> None:
        if statement.startswith("UPDATE task "):
            self.each[-1] += max(0, cursor.rowcount)

    def call(self, name: str, /, **params: Any) -> Any:
        method = METHODS.get(name)
        assert method is not None
        caller = Caller(user="u", role="admin")
        context = Context(self.services, self.database, caller, 1.0, name, self._dispatcher.nested)
        return self._dispatcher.run(context, method, params)

    def column(self, ids: list[str], column: Any) -> set[Any]:
        with self.database.read() as connection:
            return set(connection.execute(sa.select(column).where(task.c.id.in_(ids))).scalars())


@pytest.fixture
def inside(database_url: str, tmp_path: Any) -> Iterator[Server]:
    server = Server(database_url, tmp_path)
    yield server
    server.database.close()


def made(server: Server, many: int) -> list[str]:
    return [server.call("tasks.create", name=f"t{n}", type="training").id for n in range(many)]


def test_S7_long_lists_are_changed_some_at_a_time(inside: Server) -> None:
    many = 2 * THINGS_AT_ONCE + 7
    ids = made(inside, many)
    target = inside.call("projects.create", name="target").id
    for method, params, column, value in (
        ("tasks.archive", {"tasks": ids}, task.c.archived, True),
        ("tasks.unarchive", {"tasks": ids}, task.c.archived, False),
        ("tasks.move", {"ids": ids, "project": target}, task.c.project, target),
    ):
        inside.each.clear()
        inside.call(method, **params)
        assert inside.column(ids, column) == {value}
        assert sum(inside.each) >= many, method
        assert max(inside.each) <= THINGS_AT_ONCE, method


@pytest.mark.parametrize("place", [0, 60, -1])
def test_S7_an_unknown_task_of_a_long_list_changes_nothing(inside: Server, place: int) -> None:
    ids = made(inside, THINGS_AT_ONCE + 20)
    asked = [*ids]
    asked.insert(place if place >= 0 else len(ids), new_id())
    for method, params in (
        ("tasks.archive", {"tasks": asked}),
        ("tasks.unarchive", {"tasks": asked}),
        ("tasks.move", {"ids": asked, "project_name": "never made"}),
    ):
        with pytest.raises(TaskNotFound):
            inside.call(method, **params)
    assert inside.column(ids, task.c.archived) == {False}
    assert inside.column(ids, task.c.project) == {None}
    with inside.database.read() as connection:
        assert inside.services.projects.find_by_name(connection, "never made") is None


def test_S7_such_a_call_inside_a_journal_joins_its_transaction(server: RunningServer) -> None:
    id = server.call("tasks.create", name="moved", type="training")["id"]
    name = f"project {new_id()}"
    sent = frames.call("tasks.move", ids=[id], project_name=name) + frames.call("tasks.archive", tasks=[id])
    reply = server.ask(
        "events.add_points",
        body=frames.body(id, new_id(), 0, sent),
        headers={"Content-Type": "application/x-trialbook-points"},
    ).json()["data"]
    assert (reply["calls"], reply["warnings"]) == (2, [])
    found = server.call("tasks.get_by_id", task=id)["task"]
    assert "archived" in found["system_tags"]
    assert server.call("projects.get_by_id", project=found["project"])["project"]["name"] == name
