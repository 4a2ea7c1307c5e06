"""How long a page of 100 tasks takes through HTTP among 100 000, beside a bare indexed query in the same run.

    python -m benchmarks.tasks [--tasks 100000] [--rounds 15] [--database URL] [--keep FOLDER]

The tasks (names, tags, parameters, one series each) are written into the database before the server starts. Each
line is the median at the client, on a connection that is kept. The limit, in this process: a page of 100 rows of the
same columns from a plain SQLite table of as many rows, by an index that serves filter and sort at once, as JSON.
"""

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from benchmarks.ingest import Server

from trialbook.server import migrations, schema
from trialbook.server.stores.database import Database
from trialbook.server.stores.facets import facet, head, number_of
from trialbook.server.stores.series import name_hash, series
from trialbook.server.stores.tasks import task, task_text

TARGET = 30.0
"""ms, of P10."""
METRIC = f"last_metrics.{name_hash('loss')}.{name_hash('total')}"
COLUMNS = ["name", "type", "status", "project", "user", "last_update", "started", "tags", "last_iteration"]
EMPTY = {
    "status_reason": "",
    "status_message": "",
    "hidden": False,
    "archived": False,
    "script": {},
    "execution": {},
    "configuration": {},
    "container": {},
    "models": {},
    "output": {},
    "runtime": {},
    "system_tags": [],
}
WORDS = ("resnet", "vit", "bert", "gpt", "unet", "lstm", "mixer", "yolo")


def rows(many: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]]:
    """A task, its facets and its series, one after the other."""
    draw = random.Random(7)
    for number in range(many):
        id = f"{number:08x}{draw.getrandbits(96):024x}"
        moment = 1.7e9 + number * 60 + draw.random()
        tags = ["common"] if number % 2 else []
        tags += ["rare"] if number % 1000 == 0 else []
        parameters = {f"p{place}": str(draw.randrange(1000)) for place in range(5)}
        parameters["lr"] = str(10 ** draw.uniform(-5, -1))
        name = f"{draw.choice(WORDS)} run {number}"
        yield (
            {
                **EMPTY,
                "id": id,
                "name": name,
                "name_head": head(name),
                "type": "training",
                "status": draw.choice(("completed", "completed", "failed", "stopped", "created")),
                "status_changed": moment,
                "project": f"{number % 20:032x}",
                "user": f"{number % 7:032x}",
                "comment": "a sentence about the run that somebody wrote down" if number % 3 == 0 else "",
                "created": moment,
                "started": moment,
                "completed": moment + 100,
                "last_update": moment + 100,
                "last_change": moment + 100,
                "last_iteration": draw.randrange(100_000),
                "tags": tags,
                "hyperparams": {
                    "Args": {key: {"name": key, "value": held} for key, held in parameters.items()}
                },
            },
            [_facet(id, "tags", "", tag) for tag in tags]
            + [_facet(id, "hyperparams", f"Args.{key}", held) for key, held in parameters.items()],
            {
                "owner": id,
                "is_model": False,
                "metric": "loss",
                "variant": "total",
                "metric_hash": name_hash("loss"),
                "variant_hash": name_hash("total"),
                "count": 10,
                "nonfinite": 0,
                "total": 1.0,
                "version": 1,
                **{f"{which}_value": draw.random() for which in ("first", "last", "min", "max")},
                **{f"{which}_iter": 9 for which in ("first", "last", "min", "max")},
                **{f"{which}_time": int(moment * 1e6) for which in ("first", "last", "start", "end")},
            },
        )


def _facet(owner: str, field: str, key: str, value: str) -> dict[str, Any]:
    number = number_of(value)
    return {
        "owner": owner,
        "field": field,
        "key": key,
        "key_head": head(key),
        "value": value,
        "head": head(value),
        "number": number,
    }


def fill(url: str, many: int) -> None:
    """The database before the server starts."""
    assert schema.metadata is task.metadata
    database = Database(url)
    migrations.prepare(database)
    made = list(rows(many))
    with database.write() as connection:
        for start in range(0, many, 2000):
            some = made[start : start + 2000]
            connection.execute(task.insert(), [one for one, _, _ in some])
            connection.execute(facet.insert(), [one for _, several, _ in some for one in several])
            connection.execute(series.insert(), [one for _, _, one in some])
            texts = [
                {"id": one["id"], "text": "\n".join((one["id"], one["name"], one["comment"], *one["tags"]))}
                for one, _, _ in some
            ]
            connection.execute(task_text.insert(), texts)
    if database.dialect == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    database.close()


QUESTIONS: dict[str, dict[str, Any]] = {
    "first page": {},
    "status, newest first": {"status": ["completed"], "order_by": ["-last_update"]},
    "project, by name": {"project": [f"{3:032x}"], "order_by": ["name"]},
    "all, by name": {"order_by": ["name"]},
    "all, by iteration": {"order_by": ["-last_iteration"]},
    "rare tag": {"tags": ["rare"]},
    "common tag": {"tags": ["common"]},
    "not the common tag": {"tags": ["__$not", "common"]},
    "two statuses, by start": {"status": ["completed", "failed"], "order_by": ["-started"]},
    "by parameter": {"order_by": ["hyperparams.Args.lr.value"]},
    "by parameter, down": {"order_by": ["-hyperparams.Args.lr.value"]},
    "status, by parameter": {"status": ["completed"], "order_by": ["hyperparams.Args.lr.value"]},
    "parameter equals": {"hyperparams.Args.p1.value": ["17"]},
    "by metric": {"order_by": [f"{METRIC}.min_value"]},
    "status, by metric, down": {"status": ["failed"], "order_by": [f"-{METRIC}.value"]},
    "metric in a range": {f"{METRIC}.value": [0.2, 0.4], "order_by": [f"{METRIC}.value"]},
    "text, frequent": {"search_text": "resnet"},
    "text, one task": {"search_text": "run 77777"},
    "text, nothing": {"search_text": "nowhere to be found"},
    "page 500": {"page": 500},
}


def asked(server: Server, method: str, rounds: int, ask: dict[str, Any]) -> tuple[float, int, dict[str, Any]]:
    """Median ms, tasks in the answer, the answer."""
    took, reply = [], {}
    for _ in range(rounds + 2):
        began = time.perf_counter()
        reply = server.call(method, **ask)
        took.append(time.perf_counter() - began)
        if took[-1] > 1 and len(took) > 3:
            break
    return statistics.median(took[2:]) * 1e3, len(reply["tasks"]), reply


def limit(folder: Path, many: int) -> Callable[[], None]:
    """The bare query."""
    connection = sqlite3.connect(folder / "raw.db")
    connection.execute(
        f"CREATE TABLE raw (id TEXT PRIMARY KEY, {', '.join(COLUMNS)}, hyperparams TEXT) WITHOUT ROWID"
    )
    listed = [
        (one["id"], *(json.dumps(one[c]) if c == "tags" else one[c] for c in COLUMNS), "{}")
        for one, _, _ in rows(many)
    ]
    connection.executemany(f"INSERT INTO raw VALUES ({','.join('?' * (len(COLUMNS) + 2))})", listed)
    connection.execute("CREATE INDEX raw_status ON raw (status, last_update)")
    connection.commit()

    def work() -> None:
        found = connection.execute(
            "SELECT * FROM raw WHERE status = 'completed' ORDER BY last_update DESC LIMIT 100"
        ).fetchall()
        json.dumps(found)

    return work


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", default=None, help="address of an empty PostgreSQL database")
    parser.add_argument("--keep", type=Path, default=None, help="folder of the data, used again when filled")
    ask = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = ask.keep or folder / "data"
        fresh = not data.exists()
        data.mkdir(parents=True, exist_ok=True)
        if fresh:
            fill(ask.database or f"sqlite:///{data / 'trialbook.db'}", ask.tasks)
        bare = limit(folder, ask.tasks)
        times = []
        for _ in range(50):
            began = time.perf_counter()
            bare()
            times.append(time.perf_counter() - began)
        least = statistics.median(times) * 1e3
        print(f"{'bare indexed query':26} {least:8.2f} ms")
        server = Server(data, ask.database)
        try:
            for label, question in QUESTIONS.items():
                request = {
                    "page_size": 100,
                    "only_fields": COLUMNS,
                    "system_tags": ["-archived"],
                    **question,
                }
                took, found, _ = asked(server, "tasks.get_all", ask.rounds, request)
                whole, _, reply = asked(server, "tasks.get_all_ex", ask.rounds, request)
                print(
                    f"{label:26} {took:8.2f} ms  {took / TARGET:6.2f} of {TARGET:.0f} ms  {took / least:7.1f} times "
                    f"the bare query   with total {whole:8.2f} ms  ({found} of {reply['total']})",
                    flush=True,
                )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
