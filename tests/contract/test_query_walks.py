"""A page that is walked along an index is the page that a sort would have made, on both databases."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from trialbook.base.ids import new_id
from trialbook.server.schema import metadata
from trialbook.server.stores.database import Database
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.query import select, totals, walk
from trialbook.server.stores.series import name_hash, series
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire.tasks import GetAllTasks

METRIC = f"last_metrics.{name_hash('loss')}.{name_hash('v')}"
LONG = "k" * 80
ORDERS = ["hyperparams.Args.lr.value", f"hyperparams.Args.{LONG}.value", f"{METRIC}.value", "started", "name"]
FILTERS: list[dict[str, Any]] = [
    {},
    {"status": ["completed"]},
    {"status": ["completed", "failed"], "system_tags": ["-archived"]},
    {"system_tags": ["archived"]},
    {"tags": ["common"]},
    {"tags": ["__$not", "common"]},
    {"search_text": "RUN 1"},
    {"dotted": {f"{METRIC}.value": [0.2, 0.7]}},
]


def values(draw: random.Random, number: int) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if number % 5:
        parameters["lr"] = {"value": draw.choice(["0.1", "1e-3", "2", "10", "auto", "warm"])}
    if number % 3 == 0:
        parameters[LONG] = {"value": str(number % 4)}
        parameters[LONG + "x"] = {"value": str(-number)}
    columns = ("script", "execution", "configuration", "container", "models", "output", "runtime")
    document: dict[str, Any] = {name: {} for name in columns}
    return {
        **document,
        "id": new_id(),
        "name": f"Run {draw.randrange(40)}",
        "type": "training",
        "status": draw.choice(["completed", "failed", "created"]),
        "status_reason": "",
        "status_message": "",
        "status_changed": 0.0,
        "comment": "",
        "created": float(number),
        "last_update": float(number),
        "last_change": 0.0,
        "last_iteration": number,
        "started": draw.choice([None, 1.0, 2.0, float(number)]),
        "tags": ["common"] if number % 2 else [],
        "system_tags": ["archived"] if number % 4 == 0 else [],
        "hyperparams": {"Args": parameters},
    }


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    opened = Database(database_url)
    metadata.create_all(opened.engine)
    draw = random.Random(5)
    store = TaskStore(FacetStore())
    with opened.write() as connection:
        for number in range(60):
            made = values(draw, number)
            store.insert(connection, made)
            if number % 3:
                connection.execute(
                    series.insert().values(
                        owner=made["id"],
                        is_model=False,
                        metric="loss",
                        variant="v",
                        metric_hash=name_hash("loss"),
                        variant_hash=name_hash("v"),
                        last_value=draw.choice([None, 0.5, draw.random()]),
                        count=1,
                    )
                )
    yield opened
    opened.close()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_walk_is_a_sort(database: Database, monkeypatch: pytest.MonkeyPatch, order: str, sign: str) -> None:
    store = TaskStore(FacetStore())

    def keys(connection: sa.Connection, ids: list[str]) -> list[Any]:
        """What the order is made of: documents that are equal in it may stand in any order."""
        rows = {row.id: row for row in connection.execute(sa.select(task).where(task.c.id.in_(ids)))}
        if order in ("started", "name"):
            return [getattr(rows[id], order) for id in ids]
        if order.startswith("hyperparams"):
            name = order.split(".")[2]
            return [rows[id].hyperparams["Args"].get(name, {}).get("value") for id in ids]
        held = dict(connection.execute(sa.select(series.c.owner, series.c.last_value)).all())
        return [held.get(id) for id in ids]

    def listed(connection: sa.Connection, **ask: Any) -> tuple[list[str], int | None]:
        query = GetAllTasks(order_by=[sign + order], **ask)
        rows, total, _ = store.find(connection, query, [task.c.id], with_total=True)
        return [row.id for row in rows], total

    for constraint in FILTERS:
        with database.read() as connection:
            monkeypatch.setattr(walk, "MANY", 1000)
            plain, total = listed(connection, page_size=100, **constraint)
            assert total == len(plain) > 0
            monkeypatch.setattr(walk, "MANY", 2)
            pages = [
                id for page in range(10) for id in listed(connection, page=page, page_size=7, **constraint)[0]
            ]
            assert sorted(pages) == sorted(plain)
            assert keys(connection, pages) == keys(connection, plain)


TOTALS: list[dict[str, Any]] = [
    {"tags": ["common"]},
    {"tags": ["__$not", "common"]},
    {"tags": ["-common"]},
    {"tags": ["__$all", "common"]},
    {"tags": ["nobody has it"]},
    {"tags": ["common", None]},
    {"tags": [LONG + "x" * 40]},
    {"search_text": "run 1"},
    {"search_text": "nowhere"},
    {"dotted": {f"{METRIC}.value": [0.2, 0.7]}},
    {"dotted": {f"{METRIC}.value": [None, 0.7]}},
    {"dotted": {f"{METRIC}.min_value": [0, 1]}},
    {"dotted": {f"{METRIC}.count": [1, 5]}},
    {"tags": ["common"], "search_text": "run"},
    {"tags": ["common"], "status": ["completed"]},
]
SHOWN: list[dict[str, Any]] = [
    {},
    {"system_tags": ["-archived"]},
    {"system_tags": ["__$not", "archived", "__$not", "hidden"]},
    {"system_tags": ["-archived"], "search_hidden": True},
    {"system_tags": ["archived"]},
    {"system_tags": ["-archived", "-pipeline"]},
]


@pytest.mark.parametrize("many", [5_000, 3])
def test_a_total_by_difference_is_a_count(
    database: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    store = TaskStore(FacetStore())
    monkeypatch.setattr(totals, "_MOST_PUT_AWAY", many)
    draw = random.Random(9)
    with database.write() as connection:
        for number in range(40):
            tags = draw.choice([[], ["archived"], ["hidden"], ["archived", "hidden"], ["pipeline"]])
            made = {**values(draw, number), "system_tags": tags}
            store.insert(connection, made)
            rows = [(made["id"], False, None, 0.5), (new_id(), True, 0.5, None), (new_id(), False, 0.5, None)]
            for owner, is_model, last, single in rows:
                connection.execute(
                    series.insert().values(
                        owner=owner,
                        is_model=is_model,
                        metric="loss",
                        variant="v",
                        metric_hash=name_hash("loss"),
                        variant_hash=name_hash("v"),
                        last_value=last,
                        single_value=single,
                        count=1,
                    )
                )
        # The tag of a model, and of a task that is gone.
        facets = FacetStore()
        for _ in range(3):
            facets.replace(connection, new_id(), "tags", [("", "common")])
    used = []
    real = totals.by_difference

    def counted(*arguments: Any) -> int | None:
        used.append(real(*arguments))
        return used[-1]

    monkeypatch.setattr(select, "by_difference", counted)
    with database.read() as connection:
        for constraint in TOTALS:
            for shown in SHOWN:
                ask = GetAllTasks(**{**constraint, **shown})
                plain = len(store.find(connection, ask, [task.c.id])[0])
                one = GetAllTasks(**{**constraint, **shown}, page_size=1)
                assert store.find(connection, one, [task.c.id], with_total=True)[1] == plain, (
                    constraint,
                    shown,
                )
    assert (any(total is not None for total in used)) == (many > 3)
