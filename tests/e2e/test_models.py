"""Models in the browser: found, read, published, deleted with a look at who uses them."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessibility import IN_EACH_SCHEME, findings_in_both_schemes, load_calm
from tests.e2e.conftest import ON_BOTH, Site

pytestmark = ON_BOTH


@pytest.fixture
def weights(site: Site) -> dict[str, str]:
    """A model with everything, the task that made it, and a task that reads it."""
    filler = site.filler
    task = filler.task("vision/models", "maker")
    uri = filler.file(f"vision/models/maker.{task}/models/net.bin", b"weights" * 100)
    model = filler.call(
        "models.create",
        name="net",
        uri=uri,
        framework="PyTorch",
        task=task,
        labels={"background": 0, "cat": 1},
        design={"design": "conv 3x3"},
        tags=["candidate"],
        comment="The best so far.",
    )["id"]
    filler.call("tasks.add_or_update_model", task=task, name="net", type="output", model=model)
    filler.call(
        "models.add_or_update_metadata", model=model, metadata=[{"key": "dataset", "value": "pets 1.0.1"}]
    )
    reader = filler.task("vision/models", "reader")
    filler.call("tasks.add_or_update_model", task=reader, name="net", type="input", model=model)
    for one in (task, reader):
        filler.call("tasks.completed", task=one, force=True)
    return {"model": model, "task": task, "reader": reader, "uri": uri}


def test_the_table_finds_sorts_and_selects(page: Page, site: Site, weights: dict[str, str]) -> None:
    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_role("heading", name="Recent")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile(r"/projects/\*/models$"))
    rows = page.locator(".grid-row[data-task]")
    expect(rows.filter(has_text="baseline weights")).to_have_count(1)
    page.get_by_role("button", name="Framework").first.click()
    page.get_by_role("menuitem", name="PyTorch").click()
    expect(rows.first).to_contain_text("net")
    expect(rows.filter(has_text="baseline weights")).to_have_count(0)
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("columnheader").filter(has_text="Name").get_by_role("button").click()
    page.get_by_role("columnheader").filter(has_text="Name").get_by_role("button").click()
    expect(page).to_have_url(re.compile("s=name"))
    expect(rows.first).to_contain_text("baseline weights")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar", name="Selected models")).to_contain_text("1 selected")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("baseline weights")


def test_any_metadata_key_becomes_a_column(page: Page, site: Site, weights: dict[str, str]) -> None:
    page.goto(f"{site.url}/projects/*/models?q={weights['model']}")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitem", name="metadata dataset").click()
    expect(page.locator(".grid-row[data-task]")).to_contain_text("pets 1.0.1")
    page.reload()
    expect(page.locator(".grid-row[data-task]")).to_contain_text("pets 1.0.1")


def test_a_model_shows_where_it_comes_from_and_goes(page: Page, site: Site, weights: dict[str, str]) -> None:
    page.goto(f"{site.url}/models/{weights['model']}")
    expect(page).to_have_url(re.compile(f"/projects/[0-9a-f]{{32}}/models/{weights['model']}$"))
    lineage = page.get_by_role("region", name="Lineage")
    expect(lineage).to_contain_text("maker")
    expect(lineage).to_contain_text("reader")
    expect(page.get_by_role("region", name="Labels")).to_contain_text("background")
    expect(page.get_by_role("region", name="Design")).to_contain_text("conv 3x3")
    metadata = page.get_by_role("region", name="Metadata")
    metadata.get_by_label("Key").fill("license")
    metadata.get_by_label("Value").fill("MIT")
    metadata.get_by_role("button", name="Set", exact=True).click()
    expect(metadata.get_by_role("row", name=re.compile("license MIT"))).to_be_visible()
    metadata.get_by_label("Remove dataset").click()
    expect(metadata).not_to_contain_text("pets 1.0.1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == b"weights" * 100
    lineage.get_by_role("link", name="maker").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("maker")
    page.locator(".panel header").get_by_role("link", name="net").click()
    expect(page).to_have_url(re.compile(f"models/{weights['model']}"))


def test_publishing_and_archiving(page: Page, site: Site, weights: dict[str, str]) -> None:
    page.goto(f"{site.url}/models/{weights['model']}")
    for verb in ("Publish", "Archive"):
        page.get_by_role("button", name="Actions").click()
        page.get_by_role("menuitem", name=verb).click()
        page.get_by_role("dialog").get_by_role("button", name=verb).click()
    expect(page.locator(".task-head")).to_contain_text("published")
    expect(page.locator(".task-head")).to_contain_text("archived")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".task-head .chip", has_text="archived")).to_have_count(0)
    found = site.filler.call("models.get_by_id", model=weights["model"])["model"]
    assert found["ready"] and "archived" not in found["system_tags"]


def test_deleting_counts_the_users_and_frees_the_file(
    page: Page, site: Site, weights: dict[str, str]
) -> None:
    page.goto(f"{site.url}/models/{weights['model']}")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 task takes it as input: reader")
    button = dialog.get_by_role("button", name="Delete")
    expect(button).to_be_disabled()
    dialog.get_by_label("Confirm").fill("net")
    button.click()
    expect(page).to_have_url(re.compile("/models$"))
    assert page.request.get(weights["uri"]).status == 404
    page.goto(f"{site.url}/models/{weights['model']}")
    expect(page.get_by_role("heading", name="No model has this id")).to_be_visible()


@IN_EACH_SCHEME
@pytest.mark.parametrize("place", ["/projects/*/models", "/models/{model}"])
def test_no_serious_accessibility_finding(
    page: Page, site: Site, weights: dict[str, str], place: str, scheme: str
) -> None:
    load_calm(page, site.url + place.format(**weights), scheme)
    expect(page.locator(".grid-row, .panel").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    assert findings_in_both_schemes(page, scheme) == []
