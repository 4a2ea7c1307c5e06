"""What a page shows before anyone has chosen anything."""

import json
import re
import time

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site, heard
from tests.e2e.filling import Filler, curve, parameters, scalars
from tests.support.server import RunningServer


def heads(page: Page) -> list[str]:
    return page.locator(".grid-head [role=columnheader]").all_inner_texts()


def test_the_table_chooses_shared_metrics_and_differing_parameters(page: Page, site: Site) -> None:
    project = site.filler.call("tasks.get_by_id", task=site.runs["baseline"])["task"]["project"]
    page.goto(f"{site.url}/projects/{project}/tasks")
    head = page.locator(".grid-head")
    for name in ("accuracy / validation", "loss / validation", "lr", "width"):
        expect(head).to_contain_text(name)
    assert "?" not in page.url
    assert not any("batch" in text or "api_token" in text for text in heads(page))
    row = page.locator(f"[data-task='{site.runs['baseline']}']")
    expect(row).to_contain_text("0.001")


def test_a_choice_of_columns_wins_and_lives_in_the_address(page: Page, site: Site) -> None:
    project = site.filler.call("tasks.get_by_id", task=site.runs["baseline"])["task"]["project"]
    page.goto(f"{site.url}/projects/{project}/tasks")
    expect(page.locator(".grid-head")).to_contain_text("loss / validation")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("dialog").get_by_label("Comment").check()
    page.get_by_role("dialog").get_by_label("User").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("comment"))
    page.reload()
    page.get_by_role("grid").evaluate("e => { e.scrollLeft = e.scrollWidth }")
    expect(page.locator(".grid-head")).to_contain_text("Comment")
    assert not any(text.startswith("User") for text in heads(page))


def test_runs_of_one_name_can_be_told_apart(page: Page, site: Site) -> None:
    for rate in (0.1, 0.2, 0.4):
        site.filler.task("sweeps/one name", "sweep", hyperparams=parameters(lr=rate, depth=3))
    task = site.filler.call("tasks.get_all", name="^sweep$", only_fields=["project"])["tasks"][0]
    page.goto(f"{site.url}/projects/{task['project']}/tasks")
    expect(page.locator(".grid-head")).to_contain_text("lr")
    assert not any("depth" in text for text in heads(page))
    for text in ("0.1", "0.2", "0.4"):
        expect(page.locator(".grid-row", has_text=text)).to_have_count(1)


def test_home_draws_the_curve_of_what_runs_in_one_request(page: Page, site: Site) -> None:
    with heard(page) as asked:
        page.goto(f"{site.url}/dashboard")
        card = page.locator(".running-card", has_text="long run")
        expect(card.locator(".sparkline path")).to_have_attribute("d", re.compile("(L.*){20}"))
        expect(card).to_contain_text("accuracy / validation")
        expect(page.get_by_role("heading", name="Failed in the last 24 hours")).to_be_visible()
        expect(page.locator("table").first).to_contain_text("out of memory")
    assert len([one for one in asked if "series.tiles" in one.url]) == 1


def test_the_first_visit_ticks_itself_off(own_server: RunningServer, page: Page, built_page: object) -> None:
    page.goto(f"{own_server.url}/dashboard")
    steps = page.locator(".welcome li")
    expect(steps).to_have_count(3)
    expect(page.locator(".welcome li[data-done=true]")).to_have_count(1)
    filler = Filler(own_server.url, own_server.access_key, own_server.secret_key)
    task = filler.task("examples", "first run")
    expect(steps.nth(1)).to_have_attribute("data-done", "true")
    expect(steps.nth(1)).to_contain_text("first run")
    expect(steps.nth(2)).to_have_attribute("data-done", "false")
    filler.events(scalars(task, "loss", "train", curve(5, 1, 0.1, 0.01, 1), time.time()))
    expect(steps.nth(2)).to_have_attribute("data-done", "true")
    page.get_by_role("link", name="Open the run").click()
    expect(page.locator("[data-chart=loss] canvas").first).to_be_visible()


def test_a_menu_is_walked_by_keyboard(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/info")
    button = page.get_by_role("button", name="Actions")
    button.focus()
    page.keyboard.press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(items.last).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(button).to_be_focused()


def test_what_is_asked_ahead_is_asked_once(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/dashboard")
    expect(page.locator(".running-card").first).to_be_visible()
    task = site.runs["baseline"]
    with heard(page) as asked:
        page.goto(f"{site.url}/projects/*/tasks/{task}/output/metrics/scalar")
        expect(page.locator("[data-chart=loss] canvas").first).to_be_visible()
    for method, params in (
        ("users.whoami", {}),
        ("tasks.get_by_id", {"task": task}),
        ("series.catalog", {"tasks": [task]}),
    ):
        body = json.dumps(params, separators=(",", ":"))
        assert sum(one.url.endswith(f"/{method}") and one.post_data == body for one in asked) == 1, method


def test_a_table_of_two_hundred_columns_mounts_only_those_in_view(page: Page, site: Site) -> None:
    names = [f"probe {i}" for i in range(200)]
    task = site.filler.task("wide/table", "many metrics")
    site.filler.events([event for name in names for event in scalars(task, name, name, [1.0])])
    project = site.filler.call("tasks.get_by_id", task=task)["task"]["project"]
    ids = "~".join(["name", *(f"m:last:{name}:{name}" for name in names)])
    page.goto(f"{site.url}/projects/{project}/tasks?c={ids.replace(' ', '+')}")
    cells = page.locator(f"[data-task='{task}'] > [role=gridcell]")
    expect(cells.nth(3)).to_contain_text("1")
    assert cells.count() <= 40
    expect(page.get_by_role("grid")).to_have_attribute("aria-colcount", "202")
    page.get_by_role("grid").evaluate("e => { e.scrollLeft = e.scrollWidth }")
    expect(page.locator(".grid-head")).to_contain_text("probe 199")
    expect(cells.first).to_be_in_viewport()
    expect(page.locator(f"[data-task='{task}'] a")).to_be_in_viewport()
    assert cells.count() <= 40
    head = page.locator(".grid-head [role=columnheader]", has_text="probe 199").bounding_box()
    cell = page.locator(f"[data-task='{task}'] [aria-colindex='202']").bounding_box()
    assert head and cell and head["x"] == cell["x"] and head["width"] == cell["width"]
