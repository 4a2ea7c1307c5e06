"""Runs beside each other: chips and lines belong together."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site, until
from tests.e2e.filling import scalars

CHART = "[data-chart='loss / validation']"


def compare(page: Page, site: Site, *names: str) -> None:
    ids = "~".join(site.runs[name] for name in names)
    page.goto(f"{site.url}/projects/*/compare-tasks?ids={ids}")
    expect(page.locator(f"{CHART} .legend button")).to_have_count(len(names))
    expect(page.locator(f"{CHART} canvas")).to_be_visible()


def picture(page: Page) -> str:
    drawn: str = page.locator(f"{CHART} canvas").evaluate("e => e.toDataURL()")
    return drawn


def test_chips_name_what_differs_and_no_secret(page: Page, site: Site) -> None:
    compare(page, site, "baseline", "wide", "unstable")
    chips = page.locator(".compare-chip")
    expect(chips.nth(0)).to_contain_text("lr 0.001")
    expect(chips.nth(1)).to_contain_text("lr 0.003")
    expect(chips.nth(1)).to_contain_text("width 160")
    expect(page.locator(".compare-set")).not_to_contain_text("batch")
    expect(page.locator(".compare-set")).not_to_contain_text("s3cret")


def test_a_chip_lifts_its_line_and_a_line_its_chip(page: Page, site: Site) -> None:
    compare(page, site, "baseline", "wide", "unstable")
    chips = page.locator(".compare-chip")
    calm = picture(page)
    chips.nth(1).hover()
    expect(chips.nth(1)).to_have_attribute("data-lit", "true")
    expect(chips.nth(0)).to_have_attribute("data-lit", "false")
    until(
        page,
        "([chart, calm]) => document.querySelector(chart + ' canvas').toDataURL() !== calm",
        [CHART, calm],
    )
    page.mouse.move(5, 5)
    expect(page.locator(".compare-chip[data-lit]")).to_have_count(0)
    until(
        page,
        "([chart, calm]) => document.querySelector(chart + ' canvas').toDataURL() === calm",
        [CHART, calm],
    )
    box = page.locator(f"{CHART} .u-over").bounding_box()
    assert box
    for share in range(5, 100, 5):
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + share / 100 * box["height"])
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if page.locator(".compare-chip[data-lit=true]").count() == 1:
            break
    expect(page.locator(".compare-chip[data-lit=true]")).to_have_count(1)


def test_adding_a_run_changes_no_colour(page: Page, site: Site) -> None:
    names = ["baseline", "wide", "unstable", "stopped", "running"]
    colours: list[str] = []
    for count in range(1, len(names) + 1):
        compare(page, site, *names[:count])
        now = page.locator(".compare-chip > i").evaluate_all(
            "all => all.map(e => getComputedStyle(e).backgroundColor)"
        )
        assert now[: len(colours)] == colours
        assert len(set(now)) == count
        colours = now


def test_a_long_legend_says_how_much_it_hides_and_unfolds(page: Page, site: Site) -> None:
    ids = []
    for i in range(14):
        task = site.filler.task("vision/legends", f"a run with a long name, number {i}")
        site.filler.events(scalars(task, "loss", "train", [1.0, 0.5, 0.2 + i / 100]))
        site.filler.call("tasks.completed", task=task, force=True)
        ids.append(task)
    page.goto(f"{site.url}/projects/*/compare-tasks?ids={'~'.join(ids)}")
    card = page.locator("[data-chart='loss / train']")
    expect(card.locator(".legend button")).to_have_count(14)
    more = card.locator(".legend-more")
    expect(more).to_have_text("+12")
    last = card.locator(".legend button").last
    expect(last).not_to_be_in_viewport()
    more.click()
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    last.click()
    expect(last).to_have_attribute("aria-pressed", "false")
    more.click()
    expect(more).to_have_text("+12")


def test_a_comparison_of_runs_without_scalars_says_so(page: Page, site: Site) -> None:
    ids = f"{site.runs['draft 0']}~{site.runs['draft 1']}"
    page.goto(f"{site.url}/projects/*/compare-tasks?ids={ids}")
    expect(page.get_by_role("heading", name="None of these tasks has reported a scalar")).to_be_visible()
