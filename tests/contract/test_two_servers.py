"""Two server processes on one PostgreSQL database: a page on one sees what happens on the other."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.support.server import RunningServer
from tests.support.template import Templates
from tests.support.waiting import until

Change = dict[str, Any]
RELAYS = b"WHERE datname = current_database() AND application_name = 'trialbook relay'"


@pytest.fixture
def pair(
    postgres: Any, templates: Templates, tmp_path: Path
) -> Iterator[tuple[RunningServer, RunningServer, str]]:
    url = templates.postgresql(postgres)
    one = RunningServer(tmp_path / "one", url)
    try:
        two = RunningServer(tmp_path / "two", url)
        # The keys are in the database; only the first server told the secret.
        shutil.copy(one.data / "credentials.json", two.data)
        try:
            yield one, two, url
        finally:
            two.stop()
    finally:
        one.stop()


class Page:
    """Reads a stream in the background.

    Args:
        server: whose.
        topics: wanted.
    """

    def __init__(self, server: RunningServer, topics: list[str]) -> None:
        self.events: list[tuple[str, Change]] = []
        self._http = urllib3.PoolManager(retries=False)
        self.reply = self._http.request(
            "POST",
            f"{server.url}/stream",
            body=json.dumps({"topics": topics}).encode(),
            headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
            preload_content=False,
        )
        assert self.reply.readline() == b": listening\n"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        event = ""
        for raw in iter(self.reply.readline, b""):
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                self.events.append((event, json.loads(line[6:])))

    def has(self, wanted: Callable[[str, Change], bool]) -> bool:
        return any(wanted(*event) for event in self.events)


def test_a_page_sees_what_happens_on_the_other_server(pair: tuple[RunningServer, RunningServer, str]) -> None:
    one, two, _ = pair
    task = one.call("tasks.create", name="seen", type="training")["id"]
    page = Page(one, [f"task:{task}", "tasks"])
    other = Page(two, [f"task:{task}"])
    two.call("tasks.started", task=task)
    until(
        lambda: page.has(
            lambda kind, change: change.get("keys") == [task] and change["topic"] == f"task:{task}"
        )
    )
    until(lambda: other.has(lambda kind, change: change.get("topic") == f"task:{task}"))
    # Points, from one to two.
    event = {
        "type": "training_stats_scalar",
        "task": task,
        "metric": "m",
        "variant": "v",
        "iter": 1,
        "value": 1,
    }
    one.ask(
        "events.add_batch",
        body=json.dumps(event).encode(),
        headers={"Content-Type": "application/json-lines"},
    )
    until(lambda: other.has(lambda kind, change: change.get("kind") == "series"))
    # More keys than a notification holds mean "look again".
    ids = [
        one.call("tasks.create", name="n", type="training", system_tags=["archived"])["id"]
        for _ in range(110)
    ]
    two.call("tasks.delete_many", ids=ids)
    until(lambda: page.has(lambda kind, change: change.get("topic") == "tasks" and change["keys"] == []))


def test_a_page_looks_again_after_the_line_was_down(
    pair: tuple[RunningServer, RunningServer, str],
) -> None:
    import psycopg

    one, two, url = pair
    page = Page(one, ["tasks"])
    with psycopg.connect(url, autocommit=True) as connection:

        def listeners() -> int:
            row = connection.execute(b"SELECT count(*) FROM pg_stat_activity " + RELAYS).fetchone()
            return int(row[0]) if row else 0

        until(lambda: listeners() == 2)
        connection.execute(b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity " + RELAYS)
        until(lambda: page.has(lambda kind, change: kind == "resync"), 30)
        until(lambda: listeners() == 2, 30)
    task = two.call("tasks.create", name="afterwards", type="training")["id"]
    until(lambda: page.has(lambda kind, change: change.get("keys") == [task]))


def test_one_relay_with_many_changes(pair: tuple[RunningServer, RunningServer, str]) -> None:
    """Every change arrives, though they are sent together."""
    one, two, _ = pair
    tasks = [one.call("tasks.create", name="t", type="training")["id"] for _ in range(40)]
    page = Page(one, [f"task:{task}" for task in tasks])
    for task in tasks:
        two.call("tasks.started", task=task)

    def seen() -> set[str]:
        return {change["topic"] for kind, change in page.events if kind == "change"}

    until(lambda: seen() >= {f"task:{task}" for task in tasks})
