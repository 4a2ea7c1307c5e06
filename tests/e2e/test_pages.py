"""Walks the pages with a filled server behind them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.contract.test_events_journal import Journal
from tests.e2e.conftest import ON_BOTH, Site, until
from tests.e2e.filling import parameters, scalars
from tests.support import frames

pytestmark = ON_BOTH

TABS = {
    "execution": "git apply",
    "configuration": "learning rate|lr",
    "artifacts": "predictions",
    "info": "Timeline",
    "output/log": "epoch 79",
    "output/metrics/scalar": "loss",
    "output/metrics/plots": "confusion matrix",
    "output/debugImages": "misclassified",
}


def task_url(site: Site, run: str, tab: str, project: str = "*") -> str:
    return f"{site.url}/projects/{project}/tasks/{site.runs[run]}/{tab}"


def digits(site: Site) -> str:
    """The project of the five runs, to which no test adds any."""
    project: str = site.filler.call("tasks.get_by_id", task=site.runs["baseline"])["task"]["project"]
    return project


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_its_content(page: Page, site: Site, tab: str) -> None:
    page.goto(task_url(site, "baseline", tab))
    expect(page.get_by_label("Name", exact=True)).to_have_value("baseline")
    expect(page.locator(".tab")).to_contain_text(re.compile(TABS[tab]))
    expect(page.locator(".state.error")).to_have_count(0)


def test_home_names_what_runs_and_what_is_recent(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/")
    expect(page).to_have_url(re.compile("/dashboard$"))
    expect(page.locator(".running-card", has_text="long run")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("failed unstable")).first).to_be_visible()


def test_projects_count_tasks_by_status_and_filter(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects")
    card = page.locator(".project-card", has_text="digits")
    expect(card).to_contain_text("failed")
    page.keyboard.press("/")
    page.keyboard.type("tiny")
    expect(card).to_have_count(0)
    expect(page).to_have_url(re.compile(r"q=tiny"))
    page.reload()
    expect(page.locator(".project-card")).to_have_count(1)


def test_table_filters_sorts_and_keeps_its_view_in_the_address(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/{digits(site)}/tasks")
    rows = page.locator(".grid-row[data-task]")
    expect(rows).to_have_count(5)
    page.get_by_role("group", name="Status").get_by_text("completed").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Name").click()
    expect(page).to_have_url(re.compile(r"st=completed&s=-name"))
    expect(rows.first).to_contain_text("wide layers")
    page.get_by_role("button", name="Name").click()
    expect(rows.first).to_contain_text("baseline")
    page.reload()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("baseline")
    page.go_back()
    expect(rows.first).to_contain_text("wide layers")


def test_table_shows_any_metric_and_any_parameter(page: Page, site: Site) -> None:
    # In a project of its own: the choice of columns is kept for each.
    for name, rate, loss in (("baseline", 0.001, 0.2), ("wide layers", 0.003, 0.4)):
        task = site.filler.task("vision/columns", name, hyperparams=parameters(lr=rate))
        site.filler.events(scalars(task, "loss", "train", [1.0, loss]))
        site.filler.call("tasks.completed", task=task, force=True)
    project = site.filler.call("tasks.get_by_id", task=task)["task"]["project"]
    page.goto(f"{site.url}/projects/{project}/tasks?st=completed&c=name~status")
    page.get_by_role("button", name="Columns").click()
    page.get_by_placeholder("Find a metric or parameter").fill("loss")
    page.locator(".picker-list .row", has_text="loss / train").get_by_role("button", name="min").click()
    page.get_by_placeholder("Find a metric or parameter").fill("lr")
    page.get_by_label("General / lr").check()
    page.keyboard.press("Escape")
    header = page.get_by_role("columnheader")
    expect(header.filter(has_text="loss / train")).to_be_visible()
    expect(page.locator(".grid-row", has_text="baseline")).to_contain_text("0.001")
    header.filter(has_text="loss / train").get_by_role("button").click()
    expect(page).to_have_url(re.compile("s=-m:min:loss:train"))
    first = page.locator(".grid-row[data-task]").first
    expect(first).to_contain_text("wide layers")


def test_table_by_keyboard(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/{digits(site)}/tasks?s=name&c=name~status")
    expect(page.locator(".grid-row[data-task]").first).to_contain_text("baseline")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("toolbar", name="Selected tasks")).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar", name="Selected tasks")).to_have_count(0)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("baseline")
    page.keyboard.press("5")
    expect(page).to_have_url(re.compile("/output/log$"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("smoothing")


def test_a_key_finds_its_row_while_other_columns_load(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/{digits(site)}/tasks?s=name&c=name~status")
    rows = page.locator(".grid-row[data-task]")
    expect(rows.first).to_contain_text("baseline")
    held: list[Route] = []
    page.route("**/tasks.get_all_ex", lambda route: held.append(route))
    page.get_by_role("columnheader").filter(has_text="Status").get_by_role("button").click()
    expect(page).to_have_url(re.compile("s=-status"))
    until(page, "() => document.querySelector('[data-task]') !== null")
    for key in ("j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("toolbar", name="Selected tasks")).to_contain_text("1 selected")
    expect(rows.first).to_contain_text("baseline")
    assert held
    while held:
        held.pop().continue_()
    expect(rows.first).not_to_contain_text("baseline")


def test_bulk_archive_can_be_undone(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/*/tasks?q=draft&s=name")
    rows = page.locator(".grid-row[data-task]")
    expect(rows).to_have_count(3)
    page.get_by_label("Select draft 0").click()
    page.get_by_label("Select draft 1").click()
    page.get_by_role("toolbar", name="Selected tasks").get_by_text("Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive 2").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)


def test_new_rows_wait_while_the_pointer_is_in_the_table(page: Page, site: Site) -> None:
    project = site.filler.call("projects.create", name="arrivals")["id"]
    site.filler.call("tasks.create", name="first", project=project)
    page.goto(f"{site.url}/projects/{project}/tasks")
    rows = page.locator(".grid-row[data-task]")
    expect(rows).to_have_count(1)
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    rows.first.hover()
    site.filler.call("tasks.create", name="second", project=project)
    pill = page.get_by_role("button", name="1 new")
    expect(pill).to_be_visible()
    expect(rows).to_have_count(1)
    pill.click()
    expect(rows).to_have_count(2)
    page.mouse.move(700, 10)
    site.filler.call("tasks.create", name="third", project=project)
    expect(rows).to_have_count(3)


def test_tags_are_edited_on_the_task_page(page: Page, site: Site) -> None:
    page.goto(task_url(site, "draft 2", "info"))
    page.get_by_role("button", name="+ tag").click()
    page.get_by_label("New tag").fill("ready")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".task-head .chip", has_text="ready")).to_be_visible()
    assert site.filler.call("tasks.get_by_id", task=site.runs["draft 2"])["task"]["tags"] == ["ready"]


def test_palette_finds_a_task_by_its_name_and_by_its_id(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/dashboard")
    for text in ("unstab", site.runs["unstable"]):
        expect(page.get_by_role("heading", name="Recent")).to_be_visible()
        page.keyboard.press("Control+k")
        page.get_by_label("Name or id").fill(text)
        expect(page.get_by_role("option").first).to_contain_text("unstable")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Name", exact=True)).to_have_value("unstable")
        page.goto(f"{site.url}/dashboard")


def test_charts_are_drawn_zoomed_and_smoothed(page: Page, site: Site) -> None:
    page.goto(task_url(site, "unstable", "output/metrics/scalar"))
    chart = page.locator("[data-chart=loss]")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator(".legend")).to_contain_text("validation")
    box = chart.locator(".u-over").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"z=7[0-9][\d.]*:1[45][0-9]"))
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    expect(page.locator(".tooltip")).to_contain_text("iteration")
    page.get_by_role("button", name="Reset zoom").click()
    expect(page).not_to_have_url(re.compile("z="))
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("log=1"))
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile(r"sm=0\.1"))


def test_a_nan_is_marked_and_told(page: Page, site: Site) -> None:
    page.goto(task_url(site, "unstable", "output/metrics/scalar"))
    page.get_by_role("button", name="values").click()
    row = page.get_by_role("row", name=re.compile("^loss train"))
    expect(row.locator("td").last).to_have_text("1")


def test_console_searches_all_lines_and_links_to_one(page: Page, site: Site) -> None:
    page.goto(task_url(site, "baseline", "output/log"))
    expect(page.get_by_role("log")).to_contain_text("epoch 79")
    page.keyboard.press("/")
    page.keyboard.type("gradient norm is high")
    expect(page.locator(".hits button")).to_have_count(4)
    page.locator(".hits button").first.click()
    expect(page).to_have_url(re.compile("line=50"))
    expect(page.locator(".console-line[data-at=true]")).to_contain_text("gradient norm")
    page.reload()
    expect(page.locator(".console-line[data-at=true]")).to_contain_text("gradient norm")
    green = page.locator(".console-line span", has_text=re.compile("^loss$")).first
    assert green.evaluate("e => getComputedStyle(e).color") == "rgb(27, 122, 61)"


def test_console_counts_more_hits_than_it_lists(page: Page, site: Site) -> None:
    task = site.filler.task("vision/consoles", "talkative")
    site.filler.events(
        [
            {"type": "log", "task": task, "level": "info", "msg": f"line {i} {'Needle' if i % 2 else 'hay'}"}
            for i in range(2500)
        ]
    )
    site.filler.call("tasks.completed", task=task, force=True)
    page.goto(f"{site.url}/projects/*/tasks/{task}/output/log?q=needle")
    hits = page.locator(".hits button")
    expect(page.get_by_role("status").filter(has_text="lines")).to_have_text(re.compile(r"^1.250 lines$"))
    expect(hits).to_have_count(1001)
    hits.last.click()
    expect(hits).to_have_count(1250)
    hits.last.click()
    expect(page.locator(".console-line[data-at=true]")).to_contain_text("line 2499 Needle")
    page.get_by_role("button", name="Aa").click()
    expect(page.get_by_role("status").filter(has_text="lines")).to_have_text("0 lines")


def test_what_is_missing_is_told_with_place_and_reason(page: Page, site: Site) -> None:
    task = site.filler.task("vision/consoles", "gaps")
    journal = Journal(site.server, task)
    loss = {"kind": "frame", "why": "the disk of this host is full", "began": 1.7e9, "ended": 1.7e9 + 60}
    journal.send(frames.frame(6, json.dumps({**loss, "count": 7, "first": 100, "last": 140}).encode()))
    site.filler.call("tasks.completed", task=task, force=True)
    page.goto(f"{site.url}/projects/*/tasks/{task}/info")
    missing = page.get_by_role("region", name="Completeness").get_by_role("table", name="What is missing")
    expect(missing).to_contain_text("iterations 100 to 140")
    expect(missing).to_contain_text("the disk of this host is full")
    page.get_by_role("button", name="7 reports are missing").click()
    dialog = page.get_by_role("dialog", name="Not everything is here")
    expect(dialog.get_by_role("table", name="Where reports come from")).to_contain_text("host-a")
    page.goto(task_url(site, "baseline", "info"))
    expect(page.get_by_role("region", name="Completeness")).to_contain_text("keeps no journal")


def test_plots_draw_and_tables_sort(page: Page, site: Site) -> None:
    page.goto(task_url(site, "baseline", "output/metrics/plots"))
    expect(page.locator("[data-plot='confusion matrix'] .plotly-host")).to_have_attribute(
        "data-drawn", "true"
    )
    table = page.locator("[data-plot=predictions]")
    table.get_by_role("button", name="score").click()
    table.get_by_role("button", name="score").click()
    expect(table.locator("tbody tr").first).to_contain_text("39")


def test_images_follow_one_ruler_and_open_in_the_viewer(page: Page, site: Site) -> None:
    page.goto(task_url(site, "baseline", "output/debugImages"))
    tiles = page.locator(".image-tile")
    expect(tiles).to_have_count(6)
    expect(tiles.first).to_contain_text("300")
    assert tiles.first.locator("img").evaluate("e => e.decode().then(() => e.naturalWidth)") == 28
    page.keyboard.press("ArrowLeft")
    expect(tiles.first).to_contain_text("150")
    expect(page).to_have_url(re.compile("i=150"))
    tiles.first.click()
    expect(page.get_by_label("Image viewer")).to_contain_text("28 × 28 px")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Image viewer")).to_have_count(0)


def test_artifacts_are_previewed_and_downloaded(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(task_url(site, "baseline", "artifacts"))
    page.get_by_role("button", name=re.compile("^predictions")).click()
    expect(page.locator(".data-table")).to_contain_text("sample")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    target = tmp_path / "got.csv"
    download.value.save_as(target)
    assert target.read_bytes().startswith(b"sample,label,predicted\n0,0,0\n")


def test_secrets_are_masked_until_asked(page: Page, site: Site) -> None:
    page.goto(task_url(site, "baseline", "configuration"))
    expect(page.locator(".tab")).not_to_contain_text("s3cret")
    page.get_by_role("row", name=re.compile("api_token")).get_by_role("button").click()
    expect(page.locator(".tab")).to_contain_text("s3cret")


def test_compare_overlays_runs_and_lists_differences(page: Page, site: Site) -> None:
    ids = "~".join(site.runs[name] for name in ("baseline", "wide", "unstable"))
    page.goto(f"{site.url}/projects/*/compare-tasks?ids={ids}")
    legend = page.locator("[data-chart='loss / train'] .legend button")
    expect(legend).to_have_count(3)
    colours = legend.locator("i").evaluate_all("all => all.map(e => getComputedStyle(e).borderTopColor)")
    assert len(set(colours)) == 3
    page.get_by_role("button", name="details").click()
    expect(page.get_by_role("row", name=re.compile("^lr 0.001 0.003 0.01"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_and_the_switch(page: Page, site: Site, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{site.url}/settings/webapp-configuration")
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    other = "dark" if scheme == "light" else "light"
    page.get_by_role("group", name="Theme").get_by_role("button", name=other).click()
    expect(page.locator("html")).to_have_attribute("data-theme", other)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", other)
    page.get_by_role("group", name="Theme").get_by_role("button", name="system").click()
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)


def test_keys_are_made_shown_once_and_revoked(page: Page, site: Site) -> None:
    page.goto(f"{site.url}//settings/workspace-configuration")
    expect(page).to_have_url(f"{site.url}/settings/workspace-configuration")
    page.get_by_label("Label").fill("for the cluster")
    page.get_by_role("button", name="Create a key").click()
    expect(page.get_by_text('"secret_key" = ')).to_be_visible()
    row = page.get_by_role("row", name=re.compile("for the cluster"))
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    page.reload()
    expect(page.get_by_text('"secret_key" = ')).to_have_count(0)


LINKS = {
    "/projects/{project}/tasks/{task}/output/log": "/output/log",
    "/projects/{project}/experiments/{task}/output/log": "/output/log",
    "/projects/*/experiments/{task}/output/log?line=3": r"/output/log\?line=3",
    "/projects/*/tasks/{task}": "/output/metrics/scalar",
    "/projects/{project}/tasks/{task}/hyper-params/hyper-param/General": "/configuration",
    "/pipelines/*/experiments/{task}": "/output/metrics/scalar",
    "/datasets/simple/*/experiments/{task}": "/output/metrics/scalar",
}


@pytest.mark.parametrize("link", LINKS)
def test_links_of_every_age_open_the_right_page(page: Page, site: Site, link: str) -> None:
    task, project = site.runs["baseline"], digits(site)
    page.goto(site.url + link.format(project=project, task=task))
    expect(page.get_by_label("Name", exact=True)).to_have_value("baseline")
    expect(page).to_have_url(re.compile(f"/projects/{project}/tasks/{task}{LINKS[link]}$"))


def test_unknown_things_say_what_is_unknown(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/*/tasks/{'0' * 32}/execution")
    expect(page.get_by_role("heading", name="No task has this id")).to_be_visible()
    page.goto(f"{site.url}/projects/{'0' * 32}/tasks")
    expect(page.get_by_role("heading", name="No project has this id")).to_be_visible()
    page.goto(f"{site.url}/nowhere/at/all")
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
