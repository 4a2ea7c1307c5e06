"""A walk by chance over every page: whatever is pressed, nothing breaks, and nothing that can be pressed does nothing.

The long form draws its way and prints the seed; ``TRIALBOOK_WALK=<seed>`` repeats it. The short form always goes the
same few steps, so that it fails for what was changed and not for what nobody has found yet.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.filling import Filler, one_run, parameters, scalars
from tests.e2e.wandering import Walk
from tests.names.hostile import NAMES
from tests.support.length import LONG, rounds
from tests.support.server import RunningServer

WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
PAGES = [
    "/dashboard",
    "/projects",
    "/projects/*/tasks",
    "/projects/*/models",
    "/datasets",
    "/settings/profile",
    "/settings/workspace-configuration",
    "/settings/users",
    "/settings/webapp-configuration",
    "/nowhere",
]
TASK = [
    "output/metrics/scalar",
    "output/metrics/plots",
    "output/debugImages",
    "output/log",
    "configuration",
    "artifacts",
    "info",
    "execution",
]
SHORT_WALK = "1"
Filled = tuple[list[str], Callable[[], None]]


def of_task(id: str, other: str) -> list[str]:
    """Every page that shows a task."""
    tabs = [f"/projects/*/tasks/{id}/{tab}" for tab in TASK]
    compared = [
        f"/projects/*/compare-tasks?ids={id}~{other}{more}" for more in ("", "&tab=details", "&view=values")
    ]
    return tabs + compared


def nothing() -> None:
    """A server on which nobody works."""


def empty(filler: Filler) -> Filled:
    """No task."""
    return [], nothing


def one(filler: Filler) -> Filled:
    """One task with everything that a task can have."""
    run = one_run(filler, "baseline", 0, 1e-3, points=40)
    return of_task(run, run), nothing


def many(filler: Filler) -> Filled:
    """More rows and projects than a screen holds."""
    for i in range(12):
        filler.call("projects.create", name=f"area {i}/part")
    tasks = [
        filler.call(
            "tasks.create",
            name=f"run {i:03}",
            project_name=f"area {i % 12}/part",
            hyperparams=parameters(lr=i / 7),
        )["id"]
        for i in range(rounds("TRIALBOOK_WALK_ROWS", 60, 900))
    ]
    for i, task in enumerate(tasks[:8]):
        filler.call("tasks.started", task=task)
        filler.events([event for j in range(20) for event in scalars(task, f"m{j}", "v", [0.5, i / 3])])
    model = filler.call("models.create", name="weights", uri="file:///w", framework="x", task=tasks[0])["id"]
    return [*of_task(tasks[0], tasks[1]), f"/projects/*/models/{model}"], nothing


def odd(filler: Filler) -> Filled:
    """Names over which programs stumble, wherever a name can be."""
    tasks: list[str] = []
    for name in NAMES.values():
        try:
            project = filler.call("projects.create", name=f"odd {name}")["id"]
            task = filler.call("tasks.create", name=name, project=project, tags=[name])["id"]
            filler.call(
                "tasks.edit_hyper_params",
                task=task,
                hyperparams=[{"section": "S", "name": name, "value": name}],
            )
            filler.events(scalars(task, name, name, [1.0, 2.0]))
            filler.call("models.create", name=name, uri="file:///w", framework=name, task=task)
        except RuntimeError:
            # A name that the server refuses is not on its pages either.
            continue
        tasks.append(task)
    return [page for a, b in zip(tasks[::3], tasks[1::3], strict=False) for page in of_task(a, b)], nothing


def growing(filler: Filler) -> Filled:
    """A run that reports, and others that begin, while somebody looks."""
    run = one_run(filler, "live", 0, 1e-3, points=40, end="")
    count = iter(range(1_000_000))

    def grow() -> None:
        i = next(count)
        filler.events(scalars(run, "loss", "train", [1 / (i + 1)]))
        if i % 3 == 0:
            filler.call("tasks.create", name=f"later {i}", project_name="vision/later")

    return of_task(run, run), grow


FILLINGS = {"empty": empty, "one": one, "many": many, "odd": odd, "growing": growing}


@pytest.mark.timeout(3600 if LONG else 180)
@pytest.mark.parametrize("width", WIDTHS if LONG else ["drawn"])
@pytest.mark.parametrize("filling", FILLINGS)
def test_wanderer(
    browser: Browser, own_server: RunningServer, built_page: Path, filling: str, width: str
) -> None:
    drawn = str(random.SystemRandom().randrange(10**9)) if LONG else SHORT_WALK
    seed = os.environ.get("TRIALBOOK_WALK") or drawn
    print(f"TRIALBOOK_WALK={seed}")
    chance = random.Random(f"{seed} {filling} {width}")
    size = WIDTHS[chance.choice(list(WIDTHS)) if width == "drawn" else width]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    try:
        places, grow = FILLINGS[filling](Filler(own_server.url, own_server.access_key, own_server.secret_key))
        pages = PAGES + places
        chance.shuffle(pages)
        walk = Walk(context, own_server.url, chance, grow)
        for place in pages[: rounds("TRIALBOOK_WALK_PAGES", 1, len(pages))]:
            walk.go(place)
            for _ in range(rounds("TRIALBOOK_WALK_STEPS", 4, 10)):
                walk.step()
            walk.reopened()
    finally:
        context.close()
    assert not walk.faults, f"TRIALBOOK_WALK={seed}\n" + "\n".join(dict.fromkeys(walk.faults))
