"""Long lists of tasks are changed some at a time, and as a whole when they are short, on both databases."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support import frames
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import BadRequest, ProjectNotFound, TaskNotFound
from trialbook.server.core.hub import Hub
from trialbook.server.rpc import registry
from trialbook.server.rpc.dispatch import Dispatcher
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.services import call as calls
from trialbook.server.services.call import THINGS_AT_ONCE, Call
from trialbook.server.services.caller import Caller
from trialbook.server.services.projects import tree
from trialbook.server.services.projects.leaving import Leaving
from trialbook.server.settings import Settings
from trialbook.server.stores.bundle import Stores
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
        self.stores = Stores.on(self.database)
        self.services = build_services(self.database, settings, blobs)
        self._dispatcher = Dispatcher(registry.load(), self.services, Hub())
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
        call = HttpCall(self.database, caller, 1.0, name, dispatch=self._dispatcher.nested)
        return self._dispatcher.run(call, method, params)

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


def test_S7_a_slow_machine_changes_fewer_at_a_time(inside: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one transaction may take is a time; how many things that are differs between machines."""
    now = 0.0
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: now))
    for seconds, expected in ((0.001, THINGS_AT_ONCE), (0.015, 5), (1.0, 1)):
        sizes: list[int] = []

        def act(some: Sequence[str], seconds: float = seconds, sizes: list[int] = sizes) -> list[str]:
            nonlocal now
            now += seconds * len(some)
            sizes.append(len(some))
            return list(some)

        items = [str(n) for n in range(4 * THINGS_AT_ONCE)]
        assert Call.of_loop(inside.database, 0.0, "test").in_slices(items, act) == items
        assert (max if expected == THINGS_AT_ONCE else min)(sizes[:-1]) == expected, sizes


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("contents", [True, False])
def test_S7_what_a_project_held_follows_it_some_at_a_time_also_after_a_crash(
    inside: Server, contents: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "DELETED_AT_ONCE", 5)
    monkeypatch.setattr(tree, "MOVED_AT_ONCE", 5)
    top = inside.call("projects.create", name="going").id
    below = inside.call("projects.create", name="going/below").id
    ids = [
        inside.call("tasks.create", name="t", type="training", project=place).id
        for place in (top, below)
        for _ in range(8)
    ]
    made = inside.call("models.create", name="m", uri="file:///m", project=below).id
    with pytest.raises(BadRequest, match="16 tasks and 1 models"):
        inside.call("projects.delete", project=top)
    counts = {"disassociated_tasks": 0 if contents else 16}
    counts |= {"deleted_tasks": 16 * contents, "deleted_models": int(contents)}
    real, left = inside.services.projects.tree.follow, [3]

    def dying(call: Any, project: str) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(call, project)

    monkeypatch.setattr(inside.services.projects.tree, "follow", dying)
    inside.each.clear()
    with pytest.raises(Killed):
        inside.call("projects.delete", project=top, force=True, delete_contents=contents)
    assert max(inside.each) <= 5
    # The project is gone, so a new one of its name is another one, and nothing is added to the old one.
    again = inside.call("projects.create", name="going").id
    with pytest.raises(ProjectNotFound):
        inside.call("tasks.create", name="late", type="training", project=below)
    kept = inside.call("tasks.create", name="kept", type="training", project=again).id
    assert 0 < len(inside.column(ids, task.c.id)) <= 16
    monkeypatch.setattr(inside.services.projects.tree, "follow", real)
    sweep = Leaving(inside.database, inside.services.projects.tree, Hub(), lambda: 1.0)
    while sweep():
        pass
    assert inside.column(ids, task.c.id) == (set() if contents else set(ids))
    assert inside.column(ids, task.c.project) == (set() if contents else {None})
    assert inside.column([kept], task.c.project) == {again}
    with inside.database.read() as connection:
        found = inside.stores.models.get(connection, made)
        assert (found is None) == contents and (found is None or found.project is None)
    place = inside.call("projects.create", name="second").id
    some = [inside.call("tasks.create", name="t", type="training", project=place).id for _ in range(16)]
    inside.call("models.create", name="m", uri="file:///n", project=place)
    done = inside.call("projects.delete", project=place, force=True, delete_contents=contents)
    assert {name: getattr(done, name) for name in counts} == counts
    assert inside.column(some, task.c.project) == (set() if contents else {None})


def test_S7_a_project_is_merged_some_at_a_time(inside: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOVED_AT_ONCE", 5)
    source, target = (inside.call("projects.create", name=name).id for name in ("from", "to"))
    ids = [inside.call("tasks.create", name="t", type="training", project=source).id for _ in range(12)]
    inside.each.clear()
    done = inside.call("projects.merge", project=source, destination_project=target)
    assert (done.moved_entities, inside.column(ids, task.c.project)) == (12, {target})
    assert max(inside.each) <= 5
    with pytest.raises(ProjectNotFound):
        inside.call("projects.merge", project=source, destination_project_name="never made")
    with inside.database.read() as connection:
        assert inside.stores.projects.find_by_name(connection, "never made") is None


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
        assert inside.stores.projects.find_by_name(connection, "never made") is None


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
