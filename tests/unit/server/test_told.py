"""Whatever changes a thing also tells the open pages: each row that a call changed is compared with what was told."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import BadRequest, WireError
from trialbook.server import migrations
from trialbook.server.core.hub import Hub
from trialbook.server.rpc import registry
from trialbook.server.rpc.dispatch import Dispatcher, lookup
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.services import changes as changes_module
from trialbook.server.services.call import THINGS_AT_ONCE
from trialbook.server.services.caller import Caller
from trialbook.server.services.changes import Changes
from trialbook.server.settings import Settings
from trialbook.server.stores import changes as log
from trialbook.server.stores.database import Database
from trialbook.server.stores.models import model
from trialbook.server.stores.projects import project
from trialbook.server.stores.queues import queue, queue_entry
from trialbook.server.stores.tasks import task
from trialbook.server.wiring import build_services

QUIET = {"project": {"last_update"}, "task": {"last_update", "active_duration"}}
"""When a project was last used changes with each call that concerns a task in it, and that call tells of the task."""


Rows = dict[tuple[str, str], dict[str, Any]]


class World:
    """A server without its network, in which everything is told to this object."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'a.db'}")
        migrations.prepare(self.database)
        blobs = ObjectStoreBlobs.in_folder(folder / "files")
        self.services, self.hub = build_services(self.database, Settings(data=folder), blobs), Hub()
        self._dispatcher = Dispatcher(registry.load(), self.services, self.hub)

        def made(method: str, **params: Any) -> str:
            return str(self.call(method, **params).id)

        call = self.call
        self.old = made("projects.create", name="old")
        self.below = made("projects.create", name="old/below")
        self.new = made("projects.create", name="new")
        self.queue = made("queues.create", name="q")
        self.draft, self.child, self.run, self.done, self.waits, self.late = (
            made("tasks.create", name=name, type="training", project=self.old)
            for name in ("draft", "child", "run", "done", "waits", "late")
        )
        call("tasks.edit", task=self.child, parent=self.run)
        for one in (self.run, self.done):
            call("tasks.started", task=one)
        self.made = made("models.create", name="made", uri="file:///m", project=self.old, task=self.run)
        self.kept = made("models.create", name="kept", uri="file:///k", project=self.old, task=self.done)
        call(
            "tasks.edit",
            task=self.done,
            force=True,
            models={"output": [{"name": "kept", "model": self.kept}]},
        )
        call("tasks.completed", task=self.done)
        for one in (self.waits, self.late):
            call("tasks.enqueue", task=one, queue=self.queue)

    def opened(self, method: str) -> HttpCall:
        """A call of an administrator."""
        caller = Caller("u", "n", "admin")
        return HttpCall(self.database, caller, time.time(), method, dispatch=self._dispatcher.nested)

    def call(self, method: str, **params: Any) -> Any:
        """One call."""
        return self._dispatcher.run(self.opened(method), lookup(method, (2, 34)), params)

    def tried(self, method: str, params: dict[str, Any]) -> tuple[Rows, Rows, Changes]:
        """What a call does and tells: the rows before and after, and the changes. Nothing of it stays."""
        call = self.opened(method)
        with self.database.engine.connect().execution_options(trialbook_write=True) as connection:
            open = connection.begin()
            before = self.rows(connection)
            call.nested(method, params, connection)
            after = self.rows(connection)
            open.rollback()
        return before, after, call.changes

    def rows(self, connection: sa.Connection) -> Rows:
        """Everything that pages show, by table and id."""
        found: Rows = {}
        for table in (task, model, project, queue):
            for row in connection.execute(sa.select(table)).mappings():
                shown = {name: row[name] for name in row if name not in QUIET.get(table.name, ())}
                found[table.name, row["id"]] = shown
        for row in connection.execute(sa.select(queue_entry).order_by(queue_entry.c.id)).mappings():
            found["queue", row["queue"]].setdefault("entries", []).append(dict(row))
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("told"))
    yield made
    made.database.close()


def needed(table: str, id: str, states: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """What pages must hear of a changed row."""
    wanted = {(f"{table}s", id)}
    if table in ("task", "model"):
        wanted.add((f"{table}:{id}", id))
    if table == "task":
        wanted |= {(f"project:{state['project']}", id) for state in states if state["project"]}
    return wanted


class _Names:
    """Stands for a world where only the names of the methods count."""

    def __getattr__(self, name: str) -> str:
        return name


def calls(of: Any) -> dict[str, list[dict[str, Any]]]:
    """Each method that changes what a page shows, with calls that do so."""
    ids = {"ids": [of.draft, of.run]}
    one = {"task": of.run}
    models = {"ids": [of.made, of.kept]}
    entry = {"queue": of.queue, "task": of.waits}
    return {
        "tasks.create": [
            {"name": "n", "type": "training", "project": of.old},
            {"name": "n", "type": "training", "project_name": "made/deep/here"},
        ],
        "tasks.clone": [{"task": of.run}, {"task": of.run, "new_task_project": of.new}],
        "tasks.edit": [{**one, "force": True, "name": "other"}, {**one, "force": True, "project": of.new}],
        "tasks.update": [{**one, "force": True, "tags": ["t"]}],
        "tasks.move": [
            {"ids": [of.draft, of.waits], "project": of.new},
            {"ids": [of.draft], "project_name": "made/deep"},
        ],
        "tasks.started": [{"task": of.draft}],
        "tasks.stopped": [one, {"task": of.waits, "force": True}],
        "tasks.failed": [one, {"task": of.waits, "force": True}],
        "tasks.completed": [one, {**one, "publish": True}],
        "tasks.stop": [one, {"task": of.waits, "force": True}],
        "tasks.publish": [{"task": of.done}],
        "tasks.publish_many": [{"ids": [of.done, of.draft]}],
        "tasks.reset": [{**one, "force": True}, {"task": of.waits, "force": True}],
        "tasks.reset_many": [{"ids": [of.run, of.waits], "force": True}],
        "tasks.enqueue": [{"task": of.draft, "queue": of.queue}],
        "tasks.enqueue_many": [{"ids": [of.draft, of.child], "queue": of.queue}],
        "tasks.dequeue": [{"task": of.waits}],
        "tasks.dequeue_many": [{"ids": [of.waits, of.late]}],
        "tasks.delete": [
            {**one, "force": True},
            {"task": of.done, "force": True},
            {"task": of.waits, "force": True},
            {**one, "force": True, "delete_output_models": False},
        ],
        "tasks.delete_many": [{"ids": [of.run, of.done, of.waits], "force": True}],
        "tasks.archive": [{"tasks": [of.run, of.waits]}],
        "tasks.archive_many": [{"ids": [of.run, of.waits]}],
        "tasks.stop_many": [ids],
        "tasks.edit_hyper_params": [
            {**one, "force": True, "hyperparams": [{"section": "Args", "name": "a", "value": "1"}]}
        ],
        "tasks.edit_configuration": [{**one, "force": True, "configuration": [{"name": "c", "value": "1"}]}],
        "tasks.add_or_update_artifacts": [
            {**one, "artifacts": [{"key": "a", "type": "x", "uri": "file:///a"}]}
        ],
        "tasks.add_or_update_model": [
            {**one, "name": "made", "type": "output", "model": of.made, "iteration": 7}
        ],
        "tasks.delete_models": [{"task": of.done, "models": [{"name": "kept", "type": "output"}]}],
        "models.create": [{"name": "n", "uri": "file:///n", "project": of.old}],
        "models.edit": [{"model": of.made, "name": "other"}, {"model": of.made, "iteration": 9}],
        "models.set_ready": [{"model": of.kept, "publish_task": True}],
        "models.publish_many": [models],
        "models.archive_many": [models],
        "models.move": [
            {"ids": [of.made], "project": of.new},
            {"ids": [of.made], "project_name": "made/deep"},
        ],
        "models.add_or_update_metadata": [{"model": of.made, "metadata": [{"key": "k", "value": "v"}]}],
        "models.delete": [{"model": of.made, "force": True}],
        "models.delete_many": [{**models, "force": True}],
        "projects.create": [{"name": "made/deep"}],
        "projects.update": [{"project": of.old, "name": "other"}, {"project": of.new, "tags": ["t"]}],
        "projects.move": [
            {"project": of.old, "new_location": "new"},
            {"project": of.below, "new_location": "made/deep"},
        ],
        "projects.merge": [{"project": of.old, "destination_project": of.new}],
        "projects.delete": [
            {"project": of.old, "force": True},
            {"project": of.old, "force": True, "delete_contents": True},
        ],
        "queues.create": [{"name": "n"}],
        "queues.update": [{"queue": of.queue, "name": "other"}],
        "queues.delete": [{"queue": of.queue, "force": True}],
        "queues.add_task": [{"queue": of.queue, "task": of.draft}],
        "queues.remove_task": [entry],
        "queues.move_task_backward": [{**entry, "count": 1}],
        "queues.move_task_to_back": [entry],
        "queues.get_next_task": [{"queue": of.queue}],
        "datasets.create": [{"project": "data", "name": "set"}],
    }


METHODS = sorted(calls(_Names()))


@pytest.mark.parametrize("method", METHODS)
def test_S9_every_changed_row_is_told(world: World, method: str) -> None:
    for params in calls(world)[method]:
        before, after, changes = world.tried(method, params)
        told = {(topic, key) for topic, _, keys in changes.signals for key in keys}
        logged = {(row["kind"], row["id"]) for row in changes.rows}
        changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        assert changed, f"{params} changes nothing: the test shows nothing"
        for table, id in changed:
            states = [rows[table, id] for rows in (before, after) if (table, id) in rows]
            missing = needed(table, id, states) - told
            assert not missing, f"{params} changed {table} {id}, and did not tell {missing}"
            if _noteworthy(before.get((table, id)), after.get((table, id))):
                assert (table, id) in logged, (
                    f"{params} changed {table} {id}, and the change log does not know"
                )


def _noteworthy(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    """Whether more happened than that the iteration of a run or model went on."""
    names = (before or after or {}).keys() - {"last_iteration", "last_update", "last_change"}
    return any((before or {}).get(name) != (after or {}).get(name) for name in names)


def test_an_operation_has_one_name_and_its_rows_what_differs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, changes = world.tried("tasks.archive", {"tasks": [world.run, world.waits]})
    assert {row["verb"] for row in changes.rows if row["kind"] == "task"} >= {"archived"}
    edited = {"task": world.run, "force": True, "hyperparams": {"A": {"api_key": {"value": "hunter22"}}}}
    _, _, changes = world.tried("tasks.edit", {**edited, "comment": "x" * 100_000})
    (row,) = changes.rows
    assert row["before"] == {"comment": "", "hyperparams": {}}
    assert row["after"]["comment"].startswith("xxx") and len(row["after"]["comment"]) <= 500
    assert row["after"]["hyperparams"]["A"]["api_key"]["value"] == "****"
    looked_at: list[str] = []
    monkeypatch.setattr(changes_module, "masked_text", lambda text: looked_at.append(text) or text)
    many = {f"p{n}": {"value": "v" * 50} for n in range(1000)}
    _, _, changes = world.tried("tasks.edit", {**edited, "hyperparams": {"A": many}})
    assert len(str(changes.rows[0]["after"])) <= 4096
    assert looked_at == [], "the writer waits while what is cut off anyway is masked"


def test_what_is_undone_is_not_told(world: World) -> None:
    call = world.opened("outer")
    with call.write():
        call.nested("tasks.edit", {"task": world.run, "force": True, "name": "kept"})
        with pytest.raises(WireError):
            call.nested("tasks.delete_many_of_nothing", {})
        with pytest.raises(WireError):
            call.nested("tasks.close", {"task": world.draft})
        assert [row["verb"] for row in call.changes.rows] == ["edited"]
    with pytest.raises(RuntimeError), call.write():
        call.nested("tasks.edit", {"task": world.run, "force": True, "name": "lost"})
        raise RuntimeError
    assert {keys for _, _, keys in call.changes.signals} == {(world.run,)}
    with world.database.read() as connection:
        rows = [row for row in log.read(connection, log.Place()) if row.method == "tasks.edit"]
    assert [(row.before, row.after) for row in rows][-1] == ({"name": "run"}, {"name": "kept"})


def test_what_the_first_slices_of_a_refused_list_changed_is_told(world: World) -> None:
    told: list[tuple[str, tuple[str, ...]]] = []
    world.hub.publish = lambda topic, kind, keys=(): told.append((topic, tuple(keys)))  # type: ignore[method-assign]
    kept = [world.call("tasks.create", name=f"s{n}", type="training").id for n in range(3 * THINGS_AT_ONCE)]
    last = world.call("tasks.create", name="last", type="training").id
    real, told[:] = world.services.tasks.lifecycle.archive, []

    def refusing(call: HttpCall, id: str, **how: str) -> None:
        if id == last:
            raise BadRequest("not this one")
        real(call, id, **how)

    world.services.tasks.lifecycle.archive = refusing  # type: ignore[method-assign]
    try:
        with pytest.raises(BadRequest):
            world.call("tasks.archive", tasks=[*kept, last])
    finally:
        del world.services.tasks.lifecycle.archive, world.hub.publish
    with world.database.read() as connection:
        query = sa.select(task.c.id).where(task.c.id.in_([*kept, last]), task.c.archived)
        done = set(connection.execute(query).scalars())
    assert done and last not in done
    assert {topic for topic, _ in told if topic.startswith("task:")} == {f"task:{id}" for id in done}
