"""Every noun of the API under every name: what is accepted comes back equal, what is refused is refused with words."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.names.hostile import NAMES
from tests.support.server import RunningServer
from trialbook.base.unicode import readable, storable

Ask = Callable[..., "dict[str, Any] | None"]


@pytest.fixture
def ask(server: RunningServer) -> Ask:
    """Data of a call; None when it was refused, which must be with words and not with a failure of the server."""

    def call(method: str, **params: Any) -> dict[str, Any] | None:
        # Half a surrogate travels as an escape, as Python clients send it.
        reply = server.ask(method, params)
        assert reply.status < 500, (method, params, reply.data)
        document = json.loads(reply.data)
        if reply.status == 200:
            found: dict[str, Any] = document["data"]
            return found
        assert len(document["meta"]["result_msg"]) > 10, document["meta"]
        return None

    return call


def _task(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name=name, type="training")
    return made and [ask("tasks.get_by_id", task=made["id"])["task"]["name"]]  # type: ignore[index]


def _tag(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name="tagged", type="training", tags=[name])
    return made and ask("tasks.get_by_id", task=made["id"])["task"]["tags"]  # type: ignore[index]


def _project(ask: Ask, name: str, unique: str) -> "list[str] | None":
    ask("projects.create", name=f"Names {unique}", description="")
    made = ask("projects.create", name=f"Names {unique}/{name}", description="")
    if made is None:
        return None
    found = ask("projects.get_by_id", project=made["id"])["project"]["name"]  # type: ignore[index]
    return [str(found).removeprefix(f"Names {unique}/")]


def _queue(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("queues.create", name=f"{name}{unique}" if name.strip() else name)
    return made and [ask("queues.get_by_id", queue=made["id"])["queue"]["name"].removesuffix(unique)]  # type: ignore[index]


def _model(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("models.create", name=name, uri=f"file:///tmp/{unique}")
    return made and [ask("models.get_by_id", model=made["id"])["model"]["name"]]  # type: ignore[index]


def _dataset(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("datasets.create", name=name, project=f"Data {unique}")
    if made is None:
        return None
    found = ask("datasets.get_all", ids=[made["dataset"]["id"]], archived=True)
    return [str(found["versions"][0]["name"])]  # type: ignore[index]


def _version(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("datasets.create", name="data", project=f"Data {unique}", version=name or None)
    return made and [made["version"] if name else name]


def _user(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("users.create", name=f"{name}{unique}" if name.strip() else name)
    if made is None:
        return None
    assert name.strip(), "a user without a name was made"
    users = ask("users.get_all")["users"]  # type: ignore[index]
    return [str(one["name"]).removesuffix(unique) for one in users if str(one["name"]).endswith(unique)]


def _artifact(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name="with artifacts", type="training")
    item = {"key": name, "type": "custom", "uri": f"file:///tmp/{unique}", "mode": "output"}
    if made is None or ask("tasks.add_or_update_artifacts", task=made["id"], artifacts=[item]) is None:
        return None
    task = ask("tasks.get_by_id", task=made["id"])["task"]  # type: ignore[index]
    return [str(one["key"]) for one in task["execution"]["artifacts"]]


def _metric(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name="with metrics", type="training")
    assert made is not None
    ask("tasks.started", task=made["id"])
    event = {
        "type": "training_stats_scalar",
        "task": made["id"],
        "metric": name,
        "variant": name,
        "value": 1,
        "iter": 0,
    }
    if ask("events.add", **event) is None:
        return None
    found = ask("events.scalar_metrics_iter_histogram", task=made["id"])
    return [text for metric, variants in found.items() for text in (metric, *variants)]  # type: ignore[union-attr]


def _parameter(ask: Ask, name: str, unique: str) -> "list[str] | None":
    item = {"section": name, "name": name, "value": "v"}
    made = ask("tasks.create", name="with parameters", type="training")
    if made is None or ask("tasks.edit_hyper_params", task=made["id"], hyperparams=[item]) is None:
        return None
    found = ask("tasks.get_by_id", task=made["id"])["task"]["hyperparams"]  # type: ignore[index]
    ((section, items),) = found.items()
    ((key, one),) = items.items()
    # Keys of objects may have a dot or a dollar as escapes of ClearML; the fields say the names.
    assert section and key
    return [str(one["section"]), str(one["name"])]


def _configuration(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name="with configuration", type="training")
    item = {"name": name, "value": "v"}
    if made is None or ask("tasks.edit_configuration", task=made["id"], configuration=[item]) is None:
        return None
    found = ask("tasks.get_configurations", tasks=[made["id"]], names=[name])
    return [str(one["name"]) for one in found["configurations"][0]["configuration"]]  # type: ignore[index]


def _metadata(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("models.create", name="with metadata", uri=f"file:///tmp/{unique}")
    item = {"key": name, "type": "str", "value": "v"}
    if made is None or ask("models.add_or_update_metadata", model=made["id"], metadata=[item]) is None:
        return None
    found = ask("models.get_by_id", model=made["id"])["model"]["metadata"]  # type: ignore[index]
    return [str(one["key"]) for one in found.values()]


def _worker(ask: Ask, name: str, unique: str) -> "list[str] | None":
    worker = f"{name}{unique}" if name.strip() else name
    if ask("workers.register", worker=worker, timeout=60) is None:
        return None
    found = ask("workers.get_all", last_seen=60)["workers"]  # type: ignore[index]
    mine = [str(one["id"]).removesuffix(unique) for one in found if str(one["id"]).endswith(unique)]
    ask("workers.unregister", worker=worker)
    return mine


def _key(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("auth.create_credentials", label=f"{name}{unique}")
    if made is None:
        return None
    listed = ask("auth.get_credentials")["credentials"]  # type: ignore[index]
    found = [str(one["label"]) for one in listed if one["access_key"] == made["credentials"]["access_key"]]
    ask("auth.revoke_credentials", access_key=made["credentials"]["access_key"])
    return [label.removesuffix(unique) for label in found]


def _slot(ask: Ask, name: str, unique: str) -> "list[str] | None":
    made = ask("tasks.create", name="with models", type="training")
    model = ask("models.create", name="m", uri=f"file:///tmp/{unique}")
    assert made is not None and model is not None
    given = {"task": made["id"], "name": name, "type": "output", "model": model["id"]}
    if ask("tasks.add_or_update_model", **given) is None:
        return None
    found = ask("tasks.get_by_id", task=made["id"])["task"]["models"]["output"]  # type: ignore[index]
    return [str(one["name"]) for one in found]


NOUNS = {
    "task": _task, "tag": _tag, "project": _project, "queue": _queue, "model": _model, "dataset": _dataset,
    "version": _version, "user": _user, "artifact": _artifact, "metric": _metric,
    "parameter": _parameter, "configuration": _configuration, "metadata": _metadata, "worker": _worker, "key": _key,
    "slot": _slot,
}  # fmt: skip
TRIMMED = frozenset({"project", "dataset", "queue", "user", "version"})
"""Blanks at the ends of these do not count."""


ONE_LETTER = ("a\udcffb", "a\udcfeb", "a\0b", "a?b", "a\ufffdb")
"""Names that a letter which nobody can store tells apart."""


@pytest.mark.parametrize("noun", NOUNS)
def test_N1_names_stay_different(ask: Ask, noun: str) -> None:
    unique = uuid.uuid4().hex[:8]
    found = [NOUNS[noun](ask, name, unique) or [] for name in ONE_LETTER]
    # The answer for a user has all users of this mark.
    assert {name for one in found for name in one} == {"a\\xffb", "a\\xfeb", "a\\x00b", "a?b", "a\ufffdb"}


def test_N1_who_asks_with_the_name_finds_it(ask: Ask) -> None:
    for name in ONE_LETTER:
        task = ask("tasks.create", name="run", type="training")["id"]  # type: ignore[index]
        items = [
            {"key": key, "type": "custom", "uri": "file:///tmp/x", "mode": "output"} for key in (name, "b")
        ]
        ask("tasks.add_or_update_artifacts", task=task, artifacts=items)
        ask("tasks.add_or_update_artifacts", task=task, artifacts=[items[0]])
        ask("tasks.delete_artifacts", task=task, artifacts=[{"key": name, "mode": "output"}])
        left = ask("tasks.get_by_id", task=task)["task"]["execution"]["artifacts"]  # type: ignore[index]
        assert [one["key"] for one in left] == ["b"], name
        unique = uuid.uuid4().hex[:8]
        project = ask("projects.create", name=f"{unique}/{name}", description="")["id"]  # type: ignore[index]
        again = ask("projects.create", name=f"{unique}/{name}", description="")
        assert again is None, "the name is taken"
        hyperparams = {name: {name: {"section": name, "name": name, "value": name}}}
        made = ask("tasks.create", name=name, type="training", project=project, hyperparams=hyperparams)
        found = ask("tasks.get_by_id", task=made["id"])["task"]  # type: ignore[index]
        assert found["name"] == storable(name)
        (parameter,) = found["hyperparams"][storable(name)].values()
        # What is no name is content, where a sign is enough.
        assert parameter == {
            "section": storable(name),
            "name": storable(name),
            "value": readable(name),
            **{key: value for key, value in parameter.items() if key not in ("section", "name", "value")},
        }
        ask("tasks.delete_hyper_params", task=made["id"], hyperparams=[{"section": name, "name": name}])  # type: ignore[index]
        left = ask("tasks.get_by_id", task=made["id"])["task"].get("hyperparams")  # type: ignore[index]
        assert not left or not left.get(storable(name)), left


@pytest.mark.parametrize("noun", NOUNS)
def test_N1_a_name_comes_back_as_it_was_or_is_refused(ask: Ask, noun: str) -> None:
    wrong = []
    accepted = 0
    for what, name in NAMES.items():
        try:
            found = NOUNS[noun](ask, name, uuid.uuid4().hex[:8])
        except AssertionError as error:
            wrong.append((what, str(error)[:300]))
            continue
        if found is None:
            continue
        accepted += 1
        wanted = {storable(name), storable(name).strip() if noun in TRIMMED else storable(name)}
        if noun in TRIMMED:
            wanted.add(storable(name).lstrip())
        if noun == "project":
            # Empty parts of a path do not count.
            wanted.add("/".join(part.strip() for part in storable(name).split("/") if part.strip()))
        if not found or not set(found) <= wanted:
            wrong.append((what, repr(found)[:200]))
    assert not wrong, "\n".join(map(str, wrong))
    assert accepted > len(NAMES) // 2, "most of them are fine"
