"""What leaves the page: files, pictures, links, embedded charts."""

import csv
import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site


def scalars_of(site: Site, run: str) -> str:
    return f"{site.url}/projects/*/tasks/{site.runs[run]}/output/metrics/scalar"


def test_a_chart_exports_every_point_and_a_picture(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(scalars_of(site, "unstable"))
    chart = page.locator("[data-chart=loss]")
    expect(chart.locator("canvas")).to_be_visible()
    chart.hover()
    with page.expect_download() as table:
        chart.get_by_role("button", name="Download CSV").click()
    table.value.save_as(tmp_path / "loss.csv")
    with (tmp_path / "loss.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    train = [row for row in rows if row["series"] == "train"]
    assert [int(row["iteration"]) for row in train] == list(range(300))
    assert train[150]["value"] == "NaN"
    assert len(rows) == 600
    with page.expect_download() as picture:
        chart.get_by_role("button", name="Download PNG").click()
    picture.value.save_as(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_full_screen_keeps_the_colours_and_closes_with_escape(page: Page, site: Site) -> None:
    page.goto(scalars_of(site, "baseline"))
    chart = page.locator(".chart-card[data-chart=loss]")
    expect(chart.locator("canvas")).to_be_visible()
    swatch = "all => all.map(e => getComputedStyle(e).borderTopColor)"
    colours = chart.locator(".legend i").evaluate_all(swatch)
    chart.hover()
    chart.get_by_role("button", name="Full screen").click()
    full = page.locator(".full-chart")
    expect(full.locator("canvas")).to_be_visible()
    assert full.locator(".legend i").evaluate_all(swatch) == colours
    page.keyboard.press("Escape")
    expect(full).to_have_count(0)


def test_the_console_is_downloaded_whole(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}/output/log")
    expect(page.get_by_role("log")).to_contain_text("epoch 79")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "run.log")
    text = (tmp_path / "run.log").read_text()
    assert "epoch 0 step 0" in text and "epoch 79 step 399" in text


def test_a_shared_link_shows_the_same_view_to_somebody_else(page: Page, site: Site) -> None:
    page.goto(scalars_of(site, "baseline") + "?log=1&sm=0.5&x=relative&z=10:60&q=loss&n=2")
    expect(page.locator(".chart-card")).to_have_count(1)
    address = page.url
    assert page.context.browser
    other = page.context.browser.new_context()
    guest = other.new_page()
    guest.goto(address)
    expect(guest.locator(".chart-card")).to_have_count(1)
    expect(guest.get_by_label("Smoothing")).to_have_value("0.5")
    expect(guest.get_by_role("button", name="relative")).to_have_attribute("aria-pressed", "true")
    expect(guest.get_by_role("button", name="Reset zoom").first).to_be_visible()
    assert guest.url == address
    other.close()


@pytest.mark.parametrize("path", ["/widgets/", "/widget"])
def test_an_embedded_chart_has_no_frame(page: Page, site: Site, path: str) -> None:
    metric = hashlib.md5(b"loss").hexdigest()
    which = f"objects={site.runs['baseline']}&metrics={metric}&variants=train"
    page.goto(f"{site.url}{path}?type=scalar&objectType=task&{which}&xaxis=iter&company=&light")
    expect(page.locator("[data-chart=loss] canvas")).to_be_visible()
    expect(page.locator(".legend button")).to_have_count(1)
    expect(page.locator(".topbar")).to_have_count(0)


def test_embedded_plots_samples_and_numbers(page: Page, site: Site) -> None:
    base = f"{site.url}/widgets?objects={site.runs['baseline']}"
    page.goto(f"{base}&type=plot&metrics=confusion+matrix")
    expect(page.locator(".plotly-host")).to_have_attribute("data-drawn", "true")
    page.goto(f"{base}&type=sample&variants=sample+2")
    expect(page.locator(".widget-samples img")).to_have_count(1)
    page.goto(f"{base}&type=single&variants=best+accuracy")
    expect(page.locator(".big")).to_have_text("0.9712")
    page.goto(f"{base}&type=parcoords")
    expect(page.get_by_role("heading", name=re.compile("parcoords"))).to_be_visible()
