"""``Task.init`` as a table: one row per situation."""

from typing import Any

import pytest

from trialbook.sdk.task.running.decide import Decision, Move, Situation, Wish, decide, reported_offset

TASK = "a" * 32
OTHER = "b" * 32


def wish(**more: Any) -> Wish:
    return Wish("project", "name", "training", **more)


def last(**changes: Any) -> dict[str, Any]:
    return {
        "id": TASK,
        "name": "name",
        "type": "training",
        "status": "completed",
        "project": "p" * 32,
        "system_tags": ["development"],
        "execution": {"artifacts": []},
        "models": {"output": []},
        **changes,
    }


def situation(**more: Any) -> Situation:
    return Situation(**{"remembered": TASK, "document": last(), "project_id": "p" * 32, **more})


ARTIFACT = {"execution": {"artifacts": [{"key": "a", "mode": "output"}]}}
INPUT = {"execution": {"artifacts": [{"key": "a", "mode": "input"}]}}
ROWS = [
    ("IN-1 never ran", wish(), Situation(), Move.NEW),
    ("IN-2 ran before", wish(), situation(), Move.REUSE),
    ("IN-2 only input artifacts", wish(), situation(document=last(**INPUT)), Move.REUSE),
    ("IN-3 has an artifact", wish(), situation(document=last(**ARTIFACT)), Move.NEW),
    ("IN-4 has a model", wish(), situation(document=last(models={"output": [{"model": "m"}]})), Move.NEW),
    ("IN-5 published", wish(), situation(document=last(status="published")), Move.NEW),
    ("IN-6 archived", wish(), situation(document=last(system_tags=["development", "archived"])), Move.NEW),
    ("IN-7 not wanted", wish(reuse=False), situation(), Move.NEW),
    ("IN-8 named", wish(reuse=TASK), situation(remembered=OTHER), Move.REUSE),
    ("IN-8 named, of another name", wish(reuse=TASK), situation(document=last(name="else")), Move.REUSE),
    ("IN-8 named, of another type", wish(reuse=TASK), situation(document=last(type="testing")), Move.REUSE),
    ("IN-8 named, elsewhere", wish(reuse=TASK), situation(document=last(project="q" * 32)), Move.REUSE),
    (
        "IN-8 named, but archived",
        wish(reuse=TASK),
        situation(document=last(system_tags=["archived"])),
        Move.NEW,
    ),
    ("IN-8 named, but has an artifact", wish(reuse=TASK), situation(document=last(**ARTIFACT)), Move.NEW),
    ("IN-8 named, but unknown", wish(reuse=OTHER), situation(document=None), Move.NEW),
    ("IN-9 too old", wish(), situation(age_hours=73), Move.NEW),
    ("IN-10 renamed", wish(), situation(document=last(name="else")), Move.NEW),
    ("IN-10 another type", wish(), situation(document=last(type="testing")), Move.NEW),
    ("IN-10 moved", wish(), situation(document=last(project="q" * 32)), Move.NEW),
    ("IN-11 cloned", wish(), situation(document=last(system_tags=[])), Move.NEW),
    ("IN-11 queued", wish(), situation(document=last(status="queued")), Move.NEW),
    ("IN-12 forbidden", wish(), situation(no_reuse=True), Move.NEW),
    (
        "IN-13 an agent's",
        wish(reuse=False),
        situation(agent_task=OTHER, document=last(id=OTHER)),
        Move.ATTACH,
    ),
    ("a parent's", wish(), situation(parent_task=OTHER), Move.ATTACH),
    ("another process runs it", wish(), situation(running=True), Move.NEW),
    ("CO-2 continue", wish(resume=True), situation(), Move.CONTINUE),
    ("CO-4 continue a named one", wish(resume=OTHER), situation(), Move.CONTINUE),
    ("CO-5 continue with an offset", wish(resume=0), situation(), Move.CONTINUE),
    (
        "CO-7 continue one with artifacts",
        wish(resume=True),
        situation(document=last(**ARTIFACT)),
        Move.CONTINUE,
    ),
    (
        "CO-8 continue a failed one",
        wish(resume=True),
        situation(document=last(status="failed")),
        Move.CONTINUE,
    ),
    (
        "CO-8 continue a published one",
        wish(resume=True),
        situation(document=last(status="published")),
        Move.NEW,
    ),
    ("CO-11 nothing to continue", wish(resume=True), Situation(), Move.NEW),
    ("continue an old one", wish(resume=True), situation(age_hours=1000), Move.CONTINUE),
]


@pytest.mark.parametrize(("name", "asked", "known", "move"), ROWS, ids=[row[0] for row in ROWS])
def test_table(name: str, asked: Wish, known: Situation, move: Move) -> None:
    assert decide(asked, known).move is move


def test_what_a_person_named_and_does_not_get_is_told() -> None:
    assert decide(wish(reuse=TASK), situation(document=last(**ARTIFACT))).warn
    assert decide(wish(resume=True), situation(document=last(status="published"))).warn
    assert not decide(wish(), situation(document=last(**ARTIFACT))).warn


def test_offsets() -> None:
    assert decide(wish(resume=7), situation()) == Decision(Move.CONTINUE, TASK, 7, "it was completed")
    assert decide(wish(resume=True), situation()).offset is None
    assert reported_offset({"last_iteration": 100}) == 101
    assert reported_offset({"last_iteration": 0, "last_metrics": {}}) == 0
    assert reported_offset({"last_iteration": 0, "last_metrics": {"m": {}}}) == 1
