"""Accessibility, scale, and what a page says when something fails."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.accessibility import IN_EACH_SCHEME, findings, findings_in_both_schemes, load_calm
from tests.e2e.conftest import Site
from tests.e2e.filling import Filler, scalars
from tests.support.server import RunningServer

PLACES = {
    "home": "/dashboard",
    "projects": "/projects",
    "tasks": "/projects/*/tasks",
    "scalars": "/projects/*/tasks/{baseline}/output/metrics/scalar",
    "values": "/projects/*/tasks/{baseline}/output/metrics/scalar?view=values",
    "plots": "/projects/*/tasks/{baseline}/output/metrics/plots",
    "images": "/projects/*/tasks/{baseline}/output/debugImages",
    "console": "/projects/*/tasks/{baseline}/output/log?q=norm",
    "configuration": "/projects/*/tasks/{baseline}/configuration",
    "artifacts": "/projects/*/tasks/{baseline}/artifacts",
    "info": "/projects/*/tasks/{baseline}/info",
    "execution": "/projects/*/tasks/{baseline}/execution",
    "compare": "/projects/*/compare-tasks?ids={baseline}~{wide}",
    "details": "/projects/*/compare-tasks?tab=details&ids={baseline}~{wide}",
    "compared values": "/projects/*/compare-tasks?view=values&ids={baseline}~{wide}",
    "models": "/projects/*/models",
    "draft": "/projects/*/tasks/{draft 0}/output/metrics/scalar",
    "no task": "/projects/*/tasks/00000000000000000000000000000000",
    "filtered": "/projects/*/tasks?q=zzzz",
    "profile": "/settings/profile",
    "log in": "/login?stay=1",
    "widget": "/widgets?type=scalar&objects={baseline}",
    "datasets": "/datasets",
    "keys": "/settings/workspace-configuration",
    "people": "/settings/users",
    "preferences": "/settings/webapp-configuration",
    "missing": "/nowhere",
}


@IN_EACH_SCHEME
@pytest.mark.parametrize("place", PLACES)
def test_W12_no_accessibility_finding(page: Page, site: Site, place: str, scheme: str) -> None:
    load_calm(page, site.url + PLACES[place].format(**site.runs), scheme)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator(".skeleton, .progress-line")).to_have_count(0)
    assert findings_in_both_schemes(page, scheme) == []


def test_W12_the_keyboard_reaches_the_content_and_reads_a_chart(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/output/metrics/scalar")
    chart = page.locator("[data-chart=loss] .plot")
    expect(chart.locator("canvas")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    address = page.url
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.url == address
    chart.focus()
    page.keyboard.press("Home")
    words = chart.locator("[aria-live]")
    expect(words).to_have_text(re.compile(r"^iteration 0: .*train \d"))
    page.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(re.compile("^iteration 0:"))
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"[?&]z="))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile(r"[?&]z="))
    expect(page.locator(".tooltip")).to_have_count(0)


OVER = {
    "chart": ("output/metrics/scalar", "[data-chart=loss] [aria-label='Full screen']"),
    "plot": ("output/metrics/plots", ".plot-card [aria-label='Full screen']"),
    "image": ("output/debugImages", ".image-tile"),
}


@pytest.mark.parametrize("kind", OVER)
def test_W12_what_lies_over_the_page_keeps_the_keyboard_inside(page: Page, site: Site, kind: str) -> None:
    tab, opener = OVER[kind]
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/{tab}")
    button = page.locator(opener).first
    button.focus()
    page.keyboard.press("Enter")
    over = page.locator("[aria-modal=true]")
    expect(over).to_be_visible()
    assert findings(page) == []
    outside = (
        "document.activeElement !== document.body && !document.activeElement.closest('[aria-modal=true]')"
    )
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(outside) is False, page.evaluate("document.activeElement.outerHTML")
    page.keyboard.press("Escape")
    expect(over).to_have_count(0)
    expect(button).to_be_focused()
    assert page.locator("[inert]").count() == 0


@pytest.mark.parametrize("tab", ["execution", "output/metrics/scalar", "output/debugImages", "info"])
def test_W12_a_telephone_shows_the_tab_that_is_open(page: Page, site: Site, tab: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/{tab}")
    chosen = page.get_by_role("navigation", name="Parts of the task").locator("[aria-current=page]")
    expect(chosen).to_be_visible()
    box = chosen.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390


NARROW = {
    "/dashboard": ".running-card",
    "/projects/*/tasks/{baseline}/output/metrics/scalar": ".chart-card canvas",
    "/projects/*/tasks/{baseline}/output/log": ".console-line[data-index='399']",
    "/projects/*/models": ".grid-row[data-task]",
}


@pytest.mark.parametrize("place", NARROW)
def test_a_telephone_shows_the_page_without_scrolling_sideways(page: Page, site: Site, place: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url + place.format(**site.runs))
    expect(page.locator(NARROW[place]).first).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    rail = page.get_by_role("navigation", name="Main").get_by_role("link")
    for link in rail.all():
        box = link.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844


def test_thousands_of_charts_mount_a_screenful(page: Page, site: Site) -> None:
    task = site.filler.task("many", "three thousand metrics")
    for start in range(0, 3000, 500):
        events = [
            one
            for m in range(start, start + 500)
            for one in scalars(task, f"grads/layer {m:04}", "norm", [1.0, 2.0, 3.0])
        ]
        site.filler.events(events)
    page.goto(f"{site.url}/projects/*/tasks/{task}/output/metrics/scalar")
    cards = page.locator(".chart-card")
    expect(cards.first.locator("canvas")).to_be_visible()
    assert cards.count() <= 60
    page.locator(".tab > .scroll").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    last = page.locator("[data-chart='grads/layer 2999']")
    expect(last.locator("canvas")).to_be_visible()
    expect(last.locator(".legend")).to_have_attribute("data-points", "3")
    assert cards.count() <= 60
    page.get_by_label("Filter metrics").fill("layer 001[0-4]")
    expect(cards).to_have_count(5)


def test_a_failing_server_is_told_in_its_panel_and_retried(page: Page, site: Site) -> None:
    def refuse(route: Route) -> None:
        body = '{"meta": {"id": "req-77", "result_code": 500, "result_subcode": 0, "result_msg": "the disk is full"}}'
        route.fulfill(status=500, content_type="application/json", body=body)

    page.route("**/events.get_task_plots", refuse)
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/output/metrics/plots")
    panel = page.get_by_role("alert")
    expect(panel).to_contain_text("the disk is full")
    expect(panel).to_contain_text("req-77")
    expect(page.get_by_label("Name", exact=True)).to_have_value("baseline")
    page.unroute("**/events.get_task_plots")
    panel.get_by_role("button", name="Try again").click()
    expect(page.locator(".plotly-host").first).to_have_attribute("data-drawn", "true")


def test_a_dead_server_is_told_and_the_page_stays(
    own_server: RunningServer, page: Page, built_page: Path
) -> None:
    filler = Filler(own_server.url, own_server.access_key, own_server.secret_key)
    task = filler.task("fragile", "lonely run")
    page.goto(f"{own_server.url}/projects/*/tasks/{task}/info")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    own_server.kill()
    expect(page.locator(".strip")).to_contain_text("Live updates paused")
    page.get_by_role("link", name="Plots").click()
    expect(page.locator(".tab .state.error")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("Name", exact=True)).to_have_value("lonely run")
    own_server.start()
    # The page finds the server by itself, and what had failed comes without a click.
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    expect(page.get_by_role("heading", name="No plot was reported")).to_be_visible()


def test_W9_a_page_that_was_not_loaded_yet_waits_for_the_server_in_its_place(
    own_server: RunningServer, page: Page, built_page: Path
) -> None:
    filler = Filler(own_server.url, own_server.access_key, own_server.secret_key)
    task = filler.task("fragile", "kept run")
    page.goto(f"{own_server.url}/projects/*/tasks/{task}/info")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    own_server.kill()
    away = page.get_by_role("heading", name="The server cannot be reached").first
    rail = page.get_by_role("navigation", name="Main")
    page.get_by_role("navigation", name="Parts of the task").get_by_role("link", name="Execution").click()
    expect(away).to_be_visible()
    for place in ("Models", "Datasets", "Home", "Projects", "Settings"):
        rail.get_by_role("link", name=place).click()
        expect(rail.get_by_role("link", name=place)).to_have_attribute("aria-current", "page")
        expect(away).to_be_visible()
    rail.get_by_role("link", name="Models").click()
    expect(away).to_be_visible()
    own_server.start()
    expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
    page.go_back()
    expect(page.locator("main")).to_contain_text("Settings")
    expect(away).to_have_count(0)
    assert page.evaluate("window.sameDocument") is True


def test_W9_a_figure_whose_code_did_not_come_is_drawn_when_it_comes(page: Page, site: Site) -> None:
    page.route("**/assets/plotly-*", lambda route: route.abort())
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/output/metrics/plots")
    expect(page.get_by_text("The figure is drawn as soon as it answers.").first).to_be_visible()
    expect(page.locator(".state.error")).to_have_count(0)
    page.unroute("**/assets/plotly-*")
    expect(page.locator(".plotly-host[data-drawn=true]").first).to_be_visible()


def test_an_empty_server_shows_how_to_make_one(
    own_server: RunningServer, page: Page, built_page: Path
) -> None:
    page.goto(f"{own_server.url}/datasets")
    expect(page.get_by_role("heading", name="No dataset yet")).to_be_visible()
    expect(page.locator(".snippet")).to_contain_text("Dataset.create(")


def test_a_session_that_ends_leads_to_the_log_in_and_back(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/projects")
    expect(page.locator(".project-card").first).to_be_visible()
    page.context.clear_cookies()
    # On the machine of a private server the way through the log-in page is automatic.
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page).to_have_url(re.compile(r"/projects/\*/tasks$"))
    expect(page.locator(".grid-row[data-task]").first).to_be_visible()
