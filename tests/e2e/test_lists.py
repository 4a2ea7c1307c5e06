"""Tables, queues, comparisons and the console, where a list is short, long, empty, or filled while it is looked at."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.filling import Filler, parameters, scalars
from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, built_page: Path) -> Iterator[RunningServer]:
    """A server of its own, with nothing in it."""
    running = RunningServer(tmp_path_factory.mktemp("fresh"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def filler(fresh: RunningServer) -> Filler:
    return Filler(fresh.url, fresh.access_key, fresh.secret_key)


def test_W1_a_table_that_was_empty_shows_its_rows_again(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/*/tasks")
    rows = page.locator(".grid-row[data-task]")
    expect(rows.first).to_be_visible()
    before = rows.count()
    page.get_by_label("Filter tasks").fill("zzzz")
    expect(page.locator(".grid")).to_have_count(0)
    page.get_by_label("Filter tasks").fill("")
    expect(rows).to_have_count(before)


@pytest.mark.parametrize("kind", ["tasks", "models"])
def test_W1_a_project_that_was_empty_when_it_was_opened_fills_as_it_grows(
    page: Page, filler: Filler, fresh: RunningServer, kind: str
) -> None:
    project = filler.call("projects.create", name=f"grows {kind}")["id"]
    page.goto(f"{fresh.url}/projects/{project}/{kind}")
    expect(page.locator(".state h2, .state h3, .state strong").first).to_be_visible()
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    for i in range(60):
        if kind == "tasks":
            filler.call("tasks.create", name=f"row {i:02}", project=project)
        else:
            filler.call(
                "models.create", name=f"row {i:02}", project=project, uri=f"file:///{i}", framework="x"
            )
    expect(page.locator(".grid-row[data-task]")).not_to_have_count(0)
    page.wait_for_function("document.querySelectorAll('.grid-row[data-task]').length >= 25")


def test_W2_the_queue_is_chosen_and_a_queued_task_is_taken_out_again(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    for name in ("gpu", "cpu"):
        filler.call("queues.create", name=name)
    task = filler.call("tasks.create", name="to be queued", project_name="queues")["id"]
    page.goto(f"{fresh.url}/projects/*/tasks/{task}/execution")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Enqueue").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Queue").select_option(label="cpu")
    dialog.get_by_role("button", name="Enqueue").click()
    expect(page.locator(".task-head .status")).to_contain_text("queued")
    queue = filler.call("tasks.get_by_id", task=task)["task"]["execution"]["queue"]
    assert filler.call("queues.get_by_id", queue=queue)["queue"]["name"] == "cpu"
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Dequeue").click()
    page.get_by_role("dialog").get_by_role("button", name="Dequeue").click()
    expect(page.locator(".task-head .status")).to_contain_text("draft")
    assert filler.call("queues.get_num_entries", queue=queue)["num"] == 0


def test_W2_a_queue_can_be_made_where_none_fits(page: Page, filler: Filler, fresh: RunningServer) -> None:
    tasks = [
        filler.call("tasks.create", name=f"several {i}", project_name="several queued")["id"]
        for i in range(2)
    ]
    project = filler.call("tasks.get_by_id", task=tasks[0])["task"]["project"]
    page.goto(f"{fresh.url}/projects/{project}/tasks")
    for i in range(2):
        page.get_by_label(f"Select several {i}").check()
    page.get_by_role("button", name="Enqueue").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Queue").select_option(label="A new queue…")
    expect(dialog.get_by_role("button", name="Enqueue 2")).to_be_disabled()
    dialog.get_by_label("Name of the new queue").fill("night")
    dialog.get_by_role("button", name="Enqueue 2").click()
    expect(dialog).to_have_count(0)
    named = filler.call("queues.get_all_ex", name="^night$")["queues"]
    assert [len(queue["entries"]) for queue in named] == [2]


def test_W4_tabs_in_the_background_hold_no_connection(context: BrowserContext, site: Site) -> None:
    hide = "Object.defineProperty(document, 'hidden', { get: () => window.seen !== true });"
    tabs = [context.new_page() for _ in range(6)]
    streams: list[str] = []
    for tab in tabs:
        tab.on("request", lambda ask: streams.append(ask.url) if ask.url.endswith("/stream") else None)
        tab.add_init_script(hide)
        tab.goto(f"{site.url}/projects/*/tasks")
        expect(tab.locator(".grid-row[data-task]").first).to_be_visible()
    seventh = context.new_page()
    seventh.goto(f"{site.url}/projects")
    expect(seventh.locator(".project-card").first).to_be_visible()
    expect(seventh.locator(".live")).to_have_attribute("data-kind", "live")
    assert streams == []
    tabs[0].evaluate("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    expect(tabs[0].locator(".live")).to_have_attribute("data-kind", "live")


def test_W5_a_long_parameter_is_shown_from_its_head(page: Page, filler: Filler, fresh: RunningServer) -> None:
    values = [
        "0.0025118864315095794",
        "0.1",
        "1e-3",
        "cosine with restarts and warm up 0.1 of it",
        "12345678901",
    ]
    for i, value in enumerate(values):
        filler.call(
            "tasks.create",
            name=f"parameter {i}",
            project_name="long values",
            hyperparams=parameters(rate=value),
        )
    task = filler.call("tasks.get_all_ex", name="^parameter 0$", only_fields=["id", "project"])["tasks"][0]
    page.goto(f"{fresh.url}/projects/{task['project']}/tasks?c=name~h:General:rate&s=name")
    cells = page.locator(".grid-row[data-task] [role=gridcell][aria-colindex='3']")
    expect(cells).to_have_text(["0.002512", "0.1", "1e-3", values[3], values[4]])
    for i, value in enumerate(values):
        expect(cells.nth(i)).to_have_attribute("title", value)
    # The head of a value that is too long is in its cell; only the end is cut.
    left = "getBoundingClientRect().left"
    head = cells.nth(3).evaluate(f"e => e.firstElementChild.{left} - e.{left}")
    assert head >= 0


def test_W7_an_opened_progress_bar_pushes_the_next_lines_down(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    task = filler.task("console", "bars")
    bar = "\r".join(f"epoch {i}" for i in range(8))
    messages = [bar if i == 3 else f"line {i}" for i in range(12)]
    filler.events(
        [
            {
                "type": "log",
                "task": task,
                "level": "info",
                "msg": text,
                "timestamp": 1_700_000_000_000 + 1000 * i,
            }
            for i, text in enumerate(messages)
        ]
    )
    page.goto(f"{fresh.url}/projects/*/tasks/{task}/output/log")
    page.get_by_role("button", name="× 8").click()
    opened, after = page.locator("[data-index='3']"), page.locator("[data-index='4']")
    expect(opened).to_contain_text("epoch 0")
    page.wait_for_function(
        """() => {
            const box = (i) => document.querySelector(`[data-index='${i}']`).getBoundingClientRect();
            return box(3).height >= 8 * 18 && box(4).top >= box(3).bottom - 1;
        }"""
    )
    expect(after).to_be_visible()


def test_W7_relative_times_count_from_the_first_line_wherever_the_view_stands(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    task = filler.task("console", "long")
    for start in range(0, 6000, 2000):
        filler.events(
            [
                {
                    "type": "log", "task": task, "level": "info", "msg": f"line {i}",
                    "timestamp": 1_700_000_000_000 + 1000 * i,
                }
                for i in range(start, start + 2000)
            ]
        )  # fmt: skip
    page.goto(f"{fresh.url}/projects/*/tasks/{task}/output/log?time=relative&line=5000")
    expect(page.locator("[data-index='5000'] .time")).to_have_text("1 h 23 m")


def test_W10_a_comparison_holds_all_its_runs_or_says_what_it_left_out(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    tasks = []
    for i in range(103):
        task = filler.call("tasks.create", name=f"compared {i:03}", project_name="hundred")["id"]
        tasks.append(task)
        filler.events(scalars(task, "loss", "train", [1.0, 0.5, float(i)]))
    page.goto(f"{fresh.url}/projects/*/compare-tasks?ids={'~'.join(tasks[:100])}")
    expect(page.locator(".compare-chip")).to_have_count(100)
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".chart-card .legend").first).to_have_attribute("data-points", re.compile(r"\d+"))
    page.goto(f"{fresh.url}/projects/*/compare-tasks?ids={'~'.join(tasks)}")
    expect(page.locator(".compare-chip")).to_have_count(100)
    expect(page.locator(".banner")).to_contain_text("The first 100 of the 103 tasks")
