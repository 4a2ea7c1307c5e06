"""What is deleted is gone, with a receipt; what is old goes by rule: on both databases."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.console import blocks
from tests.support.server import RunningServer
from tests.support.waiting import until

from trialbook.base.ids import new_id
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import ServerFault
from trialbook.server.core.hub import Hub
from trialbook.server.services.files.sweep import FileSweep
from trialbook.server.services.projects.retention import Retention
from trialbook.server.settings import Settings
from trialbook.server.stores import events, garbage, logs, retention
from trialbook.server.stores.bundle import Stores
from trialbook.server.stores.database import Database, metadata
from trialbook.server.stores.events import Stored, event
from trialbook.server.stores.logs import Entry
from trialbook.server.stores.tasks import task
from trialbook.server.wiring import build_services

DAY = 86_400.0


def add(server: RunningServer, rows: list[dict[str, Any]]) -> None:
    body = "\n".join(json.dumps(row) for row in rows).encode()
    reply = server.ask("events.add_batch", body=body, headers={"Content-Type": "application/json-lines"})
    assert reply.json()["meta"]["result_code"] == 200, reply.json()


def put(server: RunningServer, path: str) -> str:
    reply = server._http.request(
        "PUT",
        f"{server.files_url}/{path}",
        body=b"bytes",
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert reply.status == 200
    return f"{server.files_url}/{path.replace(' ', '%20')}"


def there(server: RunningServer, url: str) -> bool:
    head = {"Authorization": f"Bearer {server.token}"}
    return server._http.request("HEAD", url, headers=head).status == 200  # type: ignore[no-any-return]


def test_a_deletion_frees_everything_and_says_what(server: RunningServer) -> None:
    id = server.call("tasks.create", name="full", type="training")["id"]
    other = server.call("tasks.create", name="other", type="training")["id"]
    picture = put(server, f"a project/full.{id}/metrics/m/v/m_v_00000001.jpeg")
    artifact = put(server, f"a project/full.{id}/artifacts/data/data.json")
    weights = put(server, f"a project/full.{id}/models/last.pt")
    foreign = put(server, f"a project/other.{other}/artifacts/data/data.json")
    server.call("models.create", name="m", uri=weights, task=id)
    items = [
        {"key": "data", "type": "json", "uri": artifact},
        {"key": "theirs", "type": "json", "uri": foreign},
    ]
    server.call("tasks.add_or_update_artifacts", task=id, artifacts=items, force=True)
    scalar = {"type": "training_stats_scalar", "task": id, "metric": "m", "variant": "v", "timestamp": 5}
    add(
        server,
        [
            *({**scalar, "iter": n, "value": n} for n in range(500)),
            {"type": "log", "task": id, "msg": "one\ntwo", "timestamp": 5},
            {
                "type": "training_debug_image",
                "task": id,
                "metric": "m",
                "variant": "v",
                "iter": 1,
                "url": picture,
            },
        ],
    )
    ask = {"task": id, "force": True, "delete_external_artifacts": True, "return_file_urls": True}
    done = server.call("tasks.delete", ask)
    freed = done["freed"]
    assert (freed["points"], freed["reports"], freed["events"], freed["files"]) == (500, 1, 1, 3)
    assert freed["bytes"] > 100
    assert done["urls"]["event_urls"] == [picture]
    assert done["urls"]["model_urls"] == [weights]
    until(lambda: not any(there(server, url) for url in (picture, artifact, weights)))
    assert there(server, foreign)
    assert server.call("series.catalog", tasks=[id])["series"] == []


def test_files_stay_when_nobody_asked(server: RunningServer) -> None:
    id = server.call("tasks.create", name="kept", type="training")["id"]
    artifact = put(server, f"p/kept.{id}/artifacts/data/data.json")
    items = [{"key": "data", "type": "json", "uri": artifact}]
    server.call("tasks.add_or_update_artifacts", task=id, artifacts=items, force=True)
    assert server.call("tasks.delete", task=id, force=True)["freed"]["files"] == 0
    assert there(server, artifact)


def test_an_image_whose_file_was_written_over_is_gone(server: RunningServer) -> None:
    id = server.call("tasks.create", name="ring", type="training")["id"]
    image = {"type": "training_debug_image", "task": id, "metric": "m", "variant": "v"}
    urls = [f"http://host/m_v_{n % 3:08d}.jpeg" for n in range(8)]
    add(server, [{**image, "iter": n, "url": urls[n]} for n in range(8)])
    # One that comes late does not take the place of a later one.
    add(server, [{**image, "iter": 2, "url": urls[2]}])
    reply = server.call("events.debug_images", metrics=[{"task": id, "metric": "m"}], iters=10)
    shown = [(one["iter"], one["events"][0]["url"]) for one in reply["metrics"][0]["iterations"]]
    assert [row for row in shown if row[0] > 4] == [(7, urls[7]), (6, urls[6]), (5, urls[5])]
    assert {number for number, _ in shown} <= {7, 6, 5, 2}


def test_a_cleared_console(server: RunningServer) -> None:
    id = server.call("tasks.create", name="cleared", type="training")["id"]
    now = time.time() * 1000
    add(server, [{"type": "log", "task": id, "msg": f"old {n}", "timestamp": now - 9e6} for n in range(3)])
    add(server, [{"type": "log", "task": id, "msg": "new", "timestamp": now}])
    assert server.call("events.clear_task_log", task=id, threshold_sec=3600)["deleted"] == 3
    reply = server.call("events.get_task_log", task=id)
    assert (reply["total"], [one["msg"] for one in reply["events"]]) == (1, ["new"])
    lines = server.call("logs.range", task=id)
    assert (lines["total"], lines["first"], [line["number"] for line in lines["lines"]]) == (4, 3, [3])
    # A client that reads until it has the total comes to an end.
    seen = server.call("events.get_task_events", task=id, event_type="log")
    assert (seen["total"], seen["returned"]) == (1, 1)
    text = server.ask("events.download_task_log", {"task": id, "line_format": "{msg}"}).data
    assert text == b"new\n"
    assert server.call("events.clear_task_log", task=id)["deleted"] == 1


def test_properties_of_a_worker(server: RunningServer) -> None:
    ask = {"worker": "host:gpu0"}
    assert server.call("workers.get_runtime_properties", ask)["runtime_properties"] == []
    more = [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]
    server.call("workers.set_runtime_properties", ask, runtime_properties=more)
    server.call("workers.status_report", ask, timestamp=1)
    assert server.call("workers.get_runtime_properties", ask)["runtime_properties"] == more[::-1]
    server.call("workers.set_runtime_properties", ask, runtime_properties=[{"key": "a", "value": None}])
    assert server.call("workers.get_runtime_properties", ask)["runtime_properties"] == more[:1]


def test_rules_are_kept(server: RunningServer) -> None:
    project = server.call("projects.create", name=f"rules {new_id()}")["id"]
    nothing = {"console_days": None, "samples_days": None, "archived_days": None}
    assert server.call("projects.get_retention", project=project) == nothing
    server.call("projects.set_retention", project=project, console_days=7, archived_days=0.5)
    assert server.call("projects.get_retention", project=project) == {
        **nothing,
        "console_days": 7.0,
        "archived_days": 0.5,
    }
    server.call("projects.set_retention", project=project)
    assert server.call("projects.get_retention", project=project) == nothing
    assert server.call("projects.get_retention") == nothing
    assert server.ask("projects.set_retention", {"project": project, "console_days": -1}).status == 400
    assert server.ask("projects.set_retention", {"project": "0" * 32, "console_days": 1}).status == 400


class House:
    """The services on a database, with a clock that can be set."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.blobs = ObjectStoreBlobs.in_folder(folder / "files")
        self.stores = Stores.on(database)
        self.services = build_services(database, Settings(data=folder), self.blobs)
        self.now = 1_000 * DAY
        clock: Callable[[], float] = lambda: self.now  # noqa: E731
        self.retention = Retention(
            database, self.stores.projects, self.services.tasks.lifecycle, Hub(), clock
        )
        self.sweep = FileSweep(database, self.blobs, clock)

    def project(self, name: str) -> str:
        with self.database.write() as connection:
            return self.stores.projects.create(connection, name, "u", self.now)

    def task(self, project: str | None, days: float, **values: Any) -> str:
        """A task that has rested for some days, with console and an image."""
        id, moment = new_id(), self.now - days * DAY
        columns = {
            **{name: {} for name in ("script", "execution", "hyperparams", "configuration", "container")},
            **{name: {} for name in ("models", "output", "runtime")},
            **dict.fromkeys(("status_reason", "status_message", "comment"), ""),
            **dict.fromkeys(("created", "last_update", "last_change", "status_changed"), moment),
            "tags": [],
            "system_tags": [],
            "last_iteration": 0,
            "status": "completed",
        }
        with self.database.write() as connection:
            self.stores.tasks.insert(
                connection,
                {"id": id, "name": "t", "type": "training", "project": project, **columns, **values},
            )
            logs.append(connection, id, logs.pack("w", [Entry(round(moment * 1e6), 20, 0, "text")]))
            key = f"p/t.{id}/metrics/x.jpeg"
            image = Stored("image", "m", "v", 1, "", 1, "w", {"url": f"http://host/{key}"})
            events.put(connection, events.pack(id, False, [image]))
        self.blobs.put(key, [b"picture"])
        return id

    def kept(self, table: sa.Table, owner: sa.Column[str]) -> set[str]:
        with self.database.read() as connection:
            return set(connection.execute(sa.select(owner)).scalars())


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    database = Database(database_url)
    metadata.create_all(database.engine)
    yield House(database, tmp_path)
    database.close()


def test_old_things_go_by_rule(house: House) -> None:
    outer, inner, free = house.project("outer"), house.project("outer/inner"), house.project("free")
    with house.database.write() as connection:
        retention.put(connection, outer, {"console_days": 10.0, "samples_days": 30.0, "archived_days": None})
        retention.put(connection, inner, {"console_days": None, "samples_days": 5.0, "archived_days": None})
        retention.put(connection, "", {"console_days": None, "samples_days": None, "archived_days": 2.0})
    young = house.task(outer, 9)
    older = house.task(outer, 11)
    oldest = house.task(outer, 31)
    running = house.task(outer, 31, status="in_progress")
    below = house.task(inner, 6)
    archived = house.task(free, 3, system_tags=["archived"])
    fresh = house.task(free, 1, system_tags=["archived"])
    loose = house.task(None, 99, system_tags=["archived"])
    # In a project with a rule of its own that says nothing of the archive.
    ruled = house.task(outer, 9, system_tags=["archived"])
    everything = {young, older, oldest, running, below, archived, fresh, loose, ruled}
    while house.retention():
        pass
    assert house.kept(task, task.c.id) == everything - {archived, loose}
    assert house.kept(logs.log_block, logs.log_block.c.owner) == everything - {archived, loose, older, oldest}
    assert house.kept(event, event.c.owner) == everything - {archived, loose, oldest, below}
    while house.sweep():
        pass
    gone = {archived, loose, oldest, below}
    assert {key.key.split(".")[1].split("/")[0] for key in house.blobs.list("")} == everything - gone
    # A second round finds nothing to do, and a later one what has grown old.
    assert house.retention() is False
    house.now += 2 * DAY
    house.retention()
    assert young not in house.kept(logs.log_block, logs.log_block.c.owner)
    assert fresh not in house.kept(task, task.c.id)


def test_S7_very_much_goes_some_at_a_time(house: House) -> None:
    project = house.project("much")
    with house.database.write() as connection:
        retention.put(connection, project, {"console_days": 1.0, "samples_days": 1.0, "archived_days": None})
    id = house.task(project, 5)
    many = 2300
    with house.database.write() as connection:
        logs.append(connection, id, blocks(many, 5))
        images = [Stored("image", "m", "v", n, "", n, "w", {"url": f"http://h/{n}"}) for n in range(2, many)]
        events.put(connection, events.pack(id, False, images))
    each: list[int] = []

    def executed(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if statement.startswith("DELETE"):
            each[-1] += cursor.rowcount

    sa.event.listen(house.database.engine, "begin", lambda _: each.append(0))
    sa.event.listen(house.database.engine, "after_cursor_execute", executed)
    while house.retention():
        pass
    assert house.kept(logs.log_block, logs.log_block.c.owner) == set()
    assert house.kept(event, event.c.owner) == set()
    assert sum(each) == 2 * many
    assert max(each) == 1000
    with house.database.read() as connection:
        held = logs.totals(connection, id)
        assert held.first_line == held.lines == held.first_entry == held.entries == many + 1


def test_S7_a_long_console_is_cleared_in_parts(server: RunningServer) -> None:
    id = server.call("tasks.create", name="cleared", type="training")["id"]
    database = Database(server.database or f"sqlite:///{server.data}/trialbook.db")
    try:
        with database.write() as connection:
            logs.append(connection, id, blocks(2300, 5))
            logs.append(connection, id, blocks(1, round(time.time() * 1e6)))
    finally:
        database.close()
    assert server.call("events.clear_task_log", task=id, threshold_sec=3600)["deleted"] == 2300
    shown = server.call("logs.range", task=id, start=0, count=5000)
    assert [(line["number"]) for line in shown["lines"]] == [2300]


def test_a_storage_that_is_away_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.blobs.put("p/t.x/file", [b"bytes"])
    with house.database.write() as connection:
        assert garbage.add(connection, ["p/t.x/file", "p/t.x/file", "p/t.x/gone"], house.now) == 2
    with monkeypatch.context() as patch:

        def away(key: str) -> None:
            raise ServerFault("the storage is away")

        patch.setattr(house.blobs, "delete", away)
        assert house.sweep() is False
        # Not again at once.
        patch.setattr(house.blobs, "delete", lambda key: pytest.fail("tried too soon"))
        house.sweep()
    house.now += 60
    house.sweep()
    assert list(house.blobs.list("")) == []
    assert house.kept(garbage.file_garbage, garbage.file_garbage.c.key) == set()


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://host:8008/files/p%20q/n.{id}/artifacts/a/b.json", "p q/n.{id}/artifacts/a/b.json"),
        ("http://host:8081/p/n.{id}/models/x.pt", "p/n.{id}/models/x.pt"),
        ("http://host/files/p/n.{id}", None),
        ("http://host/files/p/n.other/x", None),
        ("s3://bucket/p/x", None),
        ("", None),
    ],
)
def test_which_files_are_a_tasks_own(url: str, key: str | None) -> None:
    id = new_id()
    want = key.replace("{id}", id) if key else None
    assert garbage.own_key(url.replace("{id}", id), id) == want


def test_sqlite_gives_space_back(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    with database.write() as connection:
        payload = b"x" * 100_000
        rows = [
            {"owner": "o", "is_model": False, "kind": "plot", "iteration": n, "time": 1, "worker": ""}
            | dict.fromkeys(("metric", "variant", "metric_hash", "variant_hash", "key_hash"), "m")
            | {"size": 1, "payload": payload}
            for n in range(150)
        ]
        connection.execute(event.insert(), rows)
    database.close()
    full = path.stat().st_size
    assert full > 13_500_000
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        events.erase(connection, "o")
    rounds = 0
    while database.shrink(300):
        rounds += 1
    database.close()
    assert rounds > 3
    assert path.stat().st_size < full / 3
