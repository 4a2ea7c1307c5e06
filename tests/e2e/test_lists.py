"""Tables, queues, comparisons and the console, where a list is short, long, empty, or filled while it is looked at."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site, until
from tests.e2e.filling import Filler, parameters, scalars
from tests.support.server import RunningServer


@pytest.fixture
def fresh(empty_site: Site) -> RunningServer:
    return empty_site.server


@pytest.fixture
def filler(empty_site: Site) -> Filler:
    return empty_site.filler


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
def test_escape_closes_a_menu_over_a_table_and_leaves_the_selection(
    page: Page, site: Site, kind: str
) -> None:
    page.goto(f"{site.url}/projects/*/{kind}")
    page.locator(".grid-row[data-task] input").first.check()
    menu = page.get_by_role("menu")
    page.locator("[aria-haspopup=menu]", has_text="Tags").click()
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(page.locator(".grid-row[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".grid-row[aria-selected=true]")).to_have_count(0)


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
    until(page, "document.querySelectorAll('.grid-row[data-task]').length >= 25")


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
    until(
        page,
        """() => {
            const box = (i) => document.querySelector(`[data-index='${i}']`).getBoundingClientRect();
            return box(3).height >= 8 * 18 && box(4).top >= box(3).bottom - 1;
        }""",
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


def test_W6_a_row_that_leaves_the_filter_leaves_the_list(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    project = filler.call("projects.create", name="leaving")["id"]
    tasks = [filler.call("tasks.create", name=f"draft {i}", project=project)["id"] for i in range(3)]
    page.goto(f"{fresh.url}/projects/{project}/tasks?st=created")
    rows = page.locator(".grid-row[data-task]")
    expect(rows).to_have_count(3)
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    filler.call("tasks.started", task=tasks[1])
    expect(rows).to_have_count(2)


def test_W11_hidden_lines_and_the_place_among_the_charts_stay(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    task = filler.task("kept charts", "many charts")
    filler.events(
        [
            one
            for m in range(11)
            for v in ("train", "test")
            for one in scalars(task, f"metric {m:02}", v, [1.0, 0.5])
        ]
    )
    page.goto(f"{fresh.url}/projects/*/tasks/{task}/output/metrics/scalar?n=1")
    expect(page.locator(".chart-card canvas").first).to_be_visible()
    page.locator(".tab > .scroll").hover()
    page.mouse.wheel(0, 1500)
    hidden = page.locator("[data-chart='metric 05'] .legend button", has_text="test")
    hidden.click()
    expect(hidden).to_have_attribute("aria-pressed", "false")
    top = page.locator(".tab > .scroll").evaluate("e => e.scrollTop")
    assert top > 1000

    def as_it_was() -> None:
        expect(hidden).to_have_attribute("aria-pressed", "false")
        until(page, f"Math.abs(document.querySelector('.tab > .scroll').scrollTop - {top}) <= 2")

    page.get_by_role("navigation", name="Parts of the task").get_by_role("link", name="Info").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.go_back()
    as_it_was()
    page.reload()
    as_it_was()


def test_W8_filters_change_no_column_and_a_choice_follows_its_user(
    browser: Browser, filler: Filler, fresh: RunningServer
) -> None:
    project = filler.call("projects.create", name="columns")["id"]
    for i in range(4):
        rate = {"learning_rate": 10.0**-i, "seed": i}
        task = filler.call("tasks.create", name=f"c{i}", project=project, hyperparams=parameters(**rate))[
            "id"
        ]
        filler.call("tasks.started", task=task)
        filler.events(scalars(task, "loss", "validation", [1.0, float(i)]))
        filler.call(f"tasks.{'failed' if i % 2 else 'stopped'}", task=task)
    first, second = (browser.new_context(viewport={"width": 1440, "height": 900}) for _ in range(2))
    page = first.new_page()
    heads = page.get_by_role("columnheader")
    page.goto(f"{fresh.url}/projects/{project}/tasks?s=h:General:learning_rate")
    rows = page.locator(".grid-row[data-task]")
    expect(rows).to_have_count(4)
    expect(heads.filter(has_text="learning_rate")).to_be_visible()
    expect(heads.filter(has_text="loss / validation")).to_be_visible()
    before = heads.all_text_contents()
    page.get_by_role("group", name="Status").get_by_role("button", name="failed").click()
    expect(rows).to_have_count(2)
    expect(heads).to_have_text(before)
    expect(rows.first).to_contain_text("c3")
    expect(page).to_have_url(re.compile(r"s=h(:|%3A)General(:|%3A)learning_rate.*st=failed"))
    expect(heads.filter(has_text="learning_rate")).to_have_attribute("aria-sort", "ascending")
    # How wide a column is belongs to the choice.
    edge = heads.filter(has_text="learning_rate").locator(".resize")
    edge.hover()
    page.mouse.down()
    handle = edge.bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 60, handle["y"] + 5, steps=3)
    with page.expect_response(lambda answer: answer.url.endswith("users.set_preferences")):
        page.mouse.up()
    wide = heads.filter(has_text="learning_rate").evaluate("head => head.style.width")
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog")
    with page.expect_response(lambda answer: answer.url.endswith("users.set_preferences")):
        dialog.get_by_label("Worker").check()
    page.keyboard.press("Escape")
    expect(heads.filter(has_text="Worker")).to_have_count(1)
    # Another browser of the same user, an address that says nothing of columns.
    other = second.new_page()
    theirs = other.get_by_role("columnheader")
    other.goto(f"{fresh.url}/projects/{project}/tasks")
    expect(theirs.filter(has_text="Worker")).to_have_count(1)
    expect(theirs.filter(has_text="learning_rate")).to_have_css("width", wide)
    other.goto(f"{fresh.url}/projects/*/tasks")
    expect(theirs.filter(has_text="Name")).to_have_count(1)
    expect(theirs.filter(has_text="Worker")).to_have_count(0)
    other.goto(f"{fresh.url}/projects/{project}/tasks")
    other.get_by_role("button", name="Columns").click()
    with other.expect_response(lambda answer: answer.url.endswith("users.set_preferences")):
        other.get_by_role("button", name="Automatic").click()
    expect(theirs.filter(has_text="Worker")).to_have_count(0)
    kept = filler.call("users.get_preferences")["preferences"]
    assert [name for name in kept if project in name] == [f"trialbook_widths:{project}"]
    # The table of models has a choice of its own.
    filler.call("models.create", name="m", project=project, uri="https://example.org/m", framework="torch")
    page.goto(f"{fresh.url}/projects/{project}/models")
    page.get_by_role("button", name="Columns").click()
    with page.expect_response(lambda answer: answer.url.endswith("users.set_preferences")):
        page.get_by_role("menuitem", name="Framework").click()
    expect(heads.filter(has_text="Framework")).to_have_count(0)
    other.goto(f"{fresh.url}/projects/{project}/models")
    expect(theirs.filter(has_text="Name")).to_have_count(1)
    expect(theirs.filter(has_text="Framework")).to_have_count(0)
    first.close()
    second.close()
