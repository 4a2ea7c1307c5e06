"""Tables and comparisons of more rows than are loaded at once."""

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, Response, expect

from tests.e2e.conftest import Site, until
from tests.e2e.filling import Filler, scalars


class Crowd(NamedTuple):
    """A project of more than two blocks of rows; tests may add to it and touch its rows."""

    address: str
    project: str
    rows: list[str]
    other: str


@pytest.fixture(scope="package")
def crowd(empty_site: Site) -> Crowd:
    filler = empty_site.filler
    project = filler.call("projects.create", name="crowd")["id"]
    rows = [filler.call("tasks.create", name=f"row {i:03}", project=project)["id"] for i in range(450)]
    other = filler.call("tasks.create", name="unlike", project=project)["id"]
    filler.events(
        [
            one
            for i, task in enumerate(rows[:103])
            for one in scalars(task, "loss", "train", [1.0, 0.5, float(i)])
        ]
    )
    return Crowd(f"{empty_site.url}/projects/{project}/tasks", project, rows, other)


@pytest.fixture
def filler(empty_site: Site) -> Filler:
    return empty_site.filler


def test_a_long_table_holds_few_rows_and_reaches_its_end(page: Page, crowd: Crowd) -> None:
    page.goto(f"{crowd.address}?s=name&q=row")
    rows = page.locator(".grid-row[data-task]")
    expect(rows.first).to_contain_text("row 000")
    expect(page.locator(".tasks-bar")).to_contain_text(re.compile(r"4[56]\d tasks"))
    page.locator(".grid").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(page.locator(".grid-row", has_text="row 449")).to_be_visible()
    assert page.locator(".grid-row").count() <= 60
    page.locator(".grid").evaluate("e => { e.scrollTop = e.scrollHeight / 2; }")
    expect(page.locator(".grid-row", has_text="row 225")).to_be_visible()


def test_W10_a_comparison_holds_all_its_runs_or_says_what_it_left_out(
    page: Page, empty_site: Site, crowd: Crowd
) -> None:
    tasks = crowd.rows[:103]
    page.goto(f"{empty_site.url}/projects/*/compare-tasks?ids={'~'.join(tasks[:100])}")
    expect(page.locator(".compare-chip")).to_have_count(100)
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".chart-card .legend").first).to_have_attribute("data-points", re.compile(r"\d+"))
    page.goto(f"{empty_site.url}/projects/*/compare-tasks?ids={'~'.join(tasks)}")
    expect(page.locator(".compare-chip")).to_have_count(100)
    expect(page.locator(".banner")).to_contain_text("The first 100 of the 103 tasks")


@pytest.mark.parametrize("view", ["", "?q=row", "?s=name&q=row"])
def test_W6_only_what_the_list_gains_counts_as_new(
    page: Page, filler: Filler, crowd: Crowd, view: str
) -> None:
    page.goto(f"{crowd.address}{view}")
    rows = page.locator(".grid-row[data-task]")
    expect(rows.first).to_be_visible()
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    rows.nth(3).hover()
    sizes: list[int] = []

    def measure(answer: Response) -> None:
        sizes.append(int(answer.headers.get("content-length", 0)))

    page.on("response", measure)
    # First, last and between: whatever the order, one of them is beyond the rows that are loaded.
    for task in (crowd.rows[0], crowd.rows[150 + len(view)], crowd.rows[-1], crowd.other):
        with page.expect_response(re.compile("get_all_ex")):
            filler.call("tasks.edit", task=task, comment="still here", force=True)
    filler.call("tasks.create", name="row of news", project=crowd.project)
    expect(page.locator(".new-pill")).to_have_text("1 new")
    page.remove_listener("response", measure)
    assert sum(sizes) < 20_000
    page.locator(".new-pill").click()
    expect(page.locator(".new-pill")).to_have_count(0)


def test_W11_back_and_reload_find_the_table_as_it_was_left(page: Page, crowd: Crowd) -> None:
    page.goto(f"{crowd.address}?s=name")
    expect(page.locator(".grid-row[data-task]").first).to_be_visible()
    name = page.get_by_role("columnheader", name="name")
    edge = name.locator(".resize").bounding_box()
    assert edge
    page.mouse.move(edge["x"] + 2, edge["y"] + 5)
    page.mouse.down()
    page.mouse.move(edge["x"] + 92, edge["y"] + 5)
    page.mouse.up()
    wide = name.bounding_box()
    assert wide
    # The wheel, as a person does it: half way down, past the first block of rows.
    page.locator(".grid").hover()
    page.mouse.wheel(0, 205 * 32)
    page.get_by_label("Select row 210").check()
    top = page.locator(".grid").evaluate("e => e.scrollTop")
    assert top > 190 * 32

    def as_it_was() -> None:
        expect(page.get_by_label("Select row 210")).to_be_checked()
        until(page, f"Math.abs(document.querySelector('.grid').scrollTop - {top}) <= 2")
        expect(page.locator(".bulk")).to_contain_text("1")
        box = name.bounding_box()
        assert box and abs(box["width"] - wide["width"]) <= 1

    page.get_by_role("link", name="row 211").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("row 211")
    page.go_back()
    as_it_was()
    page.reload()
    as_it_was()
    # A new visit starts at the top.
    page.get_by_role("link", name="Home", exact=True).click()
    page.goto(f"{crowd.address}?s=name")
    expect(page.get_by_label("Select row 000")).to_be_visible()
    expect(page.locator(".bulk")).to_have_count(0)
