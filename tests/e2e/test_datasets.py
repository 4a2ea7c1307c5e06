"""Datasets in the browser: made by the SDK, looked into, compared, deleted."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessibility import IN_EACH_SCHEME, findings_in_both_schemes, load_calm
from tests.e2e.conftest import ON_BOTH, Site
from tests.e2e.dataset_filling import MANY, fill_datasets, fill_history

pytestmark = ON_BOTH


@pytest.fixture(scope="package")
def pets(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two versions that the SDK made, and a task that read the second."""
    home = tmp_path_factory.mktemp("pets")

    def run(command: list[str]) -> str:
        done = subprocess.run(
            command,
            env=site.server.client_environment(home),
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return fill_datasets(run, home)


def version_url(site: Site, id: str, rest: str = "") -> str:
    return f"{site.url}/datasets/*/{id}{rest}"


def test_the_list_names_the_newest_version_and_filters(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_role("heading", name="Recent")).to_be_visible()
    # A version is a task too, but no run that a person would look for here.
    expect(page.get_by_role("row", name=re.compile("pets"))).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/datasets$"))
    card = page.locator(".dataset-card", has_text="pets")
    expect(card).to_contain_text("1.0.1")
    expect(card).to_contain_text("2 versions")
    expect(card).to_contain_text("479 files")
    page.keyboard.press("/")
    page.keyboard.type("no such")
    expect(page.get_by_role("heading", name="No dataset passes the filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("button", name="list", exact=True).click()
    row = page.get_by_role("row", name=re.compile("animals . pets"))
    expect(row).to_contain_text("images")
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/datasets/[0-9a-f]{{32}}/{pets['second']}"))


@pytest.mark.parametrize(
    "shape",
    ["/datasets/simple/*/experiments/{id}", "/datasets/simple/{project}/experiments/{id}/output/log"],
)
def test_links_of_other_programs_open_the_version(
    page: Page, site: Site, pets: dict[str, str], shape: str
) -> None:
    project = site.filler.call("tasks.get_by_id", task=pets["first"])["task"]["project"]
    page.goto(site.url + shape.format(id=pets["first"], project=project))
    expect(page).to_have_url(f"{site.url}/datasets/{project}/{pets['first']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("pets 1.0.0")


def test_the_tree_shows_sizes_and_changes_and_is_paged(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"]))
    tree = page.get_by_role("treegrid")
    expect(tree.locator("[data-path='labels.csv']")).to_contain_text("~ changed")
    expect(tree.locator("[data-path='new.txt']")).to_contain_text("+ added")
    expect(tree.locator("[data-path='README.md'] .change")).to_have_text("")
    expect(tree.locator("[data-path=images]")).to_contain_text("23")
    tree.locator("[data-path=images]").get_by_label("Unfold").click()
    tree.locator("[data-path='images/cats']").get_by_label("Unfold").click()
    expect(tree.locator("[data-path='images/cats/cats_00.png']")).to_contain_text("− removed")
    page.get_by_label("Compare with").select_option("none")
    expect(tree.locator("[data-path='new.txt'] .change")).to_have_text("")
    tree.locator("[data-path=parts]").get_by_label("Unfold").click()
    # The end is where it belongs when the folder has answered.
    expect(tree.locator("[data-path='parts/part_0000.txt']")).to_be_visible()
    tree.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(tree.locator("[data-path='vectors.npy']")).to_be_visible()
    expect(tree.locator(f"[data-path='parts/part_{MANY - 1:04}.txt']")).to_be_visible()
    assert tree.get_by_role("row").count() <= 80
    page.reload()
    # What was open is open, and the place is kept.
    expect(tree.locator("[data-path='vectors.npy']")).to_be_visible()
    tree.evaluate("e => { e.scrollTop = 0; }")
    expect(tree.locator("[data-path='images/cats/cats_01.png']")).to_be_visible()


def test_paths_are_found_and_changes_stand_alone(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"]))
    tree = page.get_by_role("treegrid")
    rows = tree.locator("[data-path]")
    find = page.get_by_label("Find a path below this folder")
    find.fill("CATS_01")
    expect(rows).to_have_count(1)
    tree.locator("[data-path='images/cats/cats_01.png']").click()
    expect(page.get_by_label("File cats_01.png")).to_be_visible()
    page.keyboard.press("Escape")
    find.fill("no such file")
    expect(page.get_by_text("No path contains this text")).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    page.get_by_label("changes only").check()
    expect(tree.locator("[data-path='new.txt']")).to_be_visible()
    expect(tree.locator("[data-path='README.md']")).to_have_count(0)
    find.fill("cats")
    expect(tree.locator("[data-path='images/cats/cats_00.png']")).to_contain_text("− removed")
    expect(tree.locator("[data-path='images/cats/cats_01.png']")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("changes only")).to_be_checked()
    expect(rows).to_have_count(1)


def test_the_tree_by_keyboard(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"]))
    tree = page.get_by_role("treegrid")
    expect(tree.locator("[data-path=images]")).to_be_visible()
    tree.focus()
    here = tree.locator("[data-at=true]")
    page.keyboard.press("ArrowRight")
    expect(tree.locator("[data-path='images/cats']")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(here).to_have_attribute("data-path", "images/cats")
    page.keyboard.press("ArrowRight")
    expect(tree.locator("[data-path='images/cats/cats_01.png']")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(here).to_have_attribute("data-path", "images/cats/cats_01.png")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="File cats_01.png")
    expect(panel).to_contain_text("48 × 48 px")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tree.locator("[data-path='images/cats/cats_01.png']")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.keyboard.press("End")
    expect(tree.locator("[data-path='vectors.npy']")).to_have_attribute("data-at", "true")


def test_files_are_looked_into(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"], "?at=labels.csv"))
    panel = page.get_by_role("complementary")
    label = panel.get_by_role("row", name=re.compile("^label"))
    expect(label).to_contain_text(re.compile(r"cat \(\d+\), dog"))
    score = panel.get_by_role("row", name=re.compile("^score"))
    expect(score).to_contain_text("15 missing")
    expect(score.locator("rect")).to_have_count(16)
    expect(panel.locator(".data-table")).to_contain_text("301 × 4")
    tree = page.get_by_role("treegrid")
    for name, text in {
        "README.md": "Pictures of cats and dogs",
        "meta.jsonl": "20 × 2",
        "vectors.npy": "10 × 3",
        "blob.bin": "no preview of this kind",
    }.items():
        tree.locator(f"[data-path='{name}']").click()
        expect(page.get_by_role("complementary", name=f"File {name}")).to_contain_text(text)
    tree.locator("[data-path=images]").click()
    page.get_by_role("button", name="Open as the top").click()
    tree.locator("[data-path='images/dogs']").click()
    thumbs = page.locator(".thumb img")
    expect(thumbs).to_have_count(12)
    assert thumbs.first.evaluate("e => e.decode().then(() => e.naturalWidth)") == 48
    page.locator(".thumb").first.click()
    expect(page.get_by_role("complementary", name="File dogs_00.png")).to_contain_text("48 × 48 px")


KINDS = """
import pathlib, wave
from trialbook import Dataset
top = pathlib.Path("kinds"); top.mkdir()
(top / "facts.json").write_text('{"animals": 2}')
with wave.open(str(top / "sound.wav"), "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", "")); sound.writeframes(bytes(8000))
data = Dataset.create("kinds", "vision/kinds")
data.add_files(top)
data.upload(show_progress=False)
data.finalize()
print("ID", data.id)
"""


def test_samples_of_every_kind(page: Page, site: Site, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KINDS],
        env=site.server.client_environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    id = done.stdout.split("ID ")[1].split()[0]
    page.goto(version_url(site, id, "/previews"))
    expect(page.frame_locator("iframe").get_by_text("animals")).to_be_visible()
    expect(page.locator("audio")).to_be_visible()


def test_one_file_is_downloaded_byte_for_byte(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"], "?at=blob.bin"))
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Download")).click()
    assert download.value.suggested_filename == "blob.bin"
    assert Path(download.value.path()).read_bytes() == bytes(range(256)) * 40


def test_lineage_names_parents_and_who_used_it(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["second"], "/lineage"))
    history = page.get_by_role("table").first
    expect(history.locator(".history-row[data-current=true]")).to_contain_text("1.0.1")
    expect(history.locator(f"[data-version='{pets['first']}']")).to_contain_text("1.0.0")
    expect(page.get_by_role("region", name="Used by")).to_contain_text("classifier")
    history.locator(f"[data-version='{pets['first']}']").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pets 1.0.0")
    page.get_by_role("link", name="Info").click()
    expect(page.locator(".tab")).to_contain_text("Cats and dogs.")


def test_a_history_of_many_versions_stays_readable(page: Page, site: Site) -> None:
    ids = fill_history(site.filler, 70)
    page.goto(version_url(site, ids[3], "/lineage"))
    current = page.locator(".history-row[data-current=true]")
    expect(current).to_be_in_viewport()
    expect(current).to_contain_text("1.3.0")
    expect(page.get_by_role("region", name="Lineage")).to_contain_text("76 in its lineage")
    rows = page.locator(".history [data-version]")
    assert rows.count() <= 60
    merged = page.locator(f".history [data-version='{ids[15]}']")
    # A merge has two lines below it, and no two names lie on each other.
    assert merged.locator("path").count() >= 3
    tops = [row.bounding_box() for row in rows.all()]
    boxes = sorted(box["y"] for box in tops if box)
    assert all(b - a >= 20 for a, b in pairwise(boxes))
    expect(page.get_by_role("navigation", name="Versions").locator("[aria-current=page]")).to_be_in_viewport()


def test_the_palette_finds_datasets(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(f"{site.url}/datasets")
    expect(page.locator(".dataset-card").first).to_be_visible()
    for text, found in (("pets", "dataset in vision/animals"), (pets["first"], "pets 1.0.0")):
        page.keyboard.press("Control+k")
        page.get_by_label("Name or id").fill(text)
        option = page.get_by_role("option", name=re.compile("pets")).filter(has_text=found)
        expect(option).to_have_count(1)
        option.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("pets")


@IN_EACH_SCHEME
@pytest.mark.parametrize("rest", ["?at=labels.csv&open=images", "?at=images/cats/", "/lineage", "/info"])
def test_no_serious_accessibility_finding(
    page: Page, site: Site, pets: dict[str, str], rest: str, scheme: str
) -> None:
    load_calm(page, version_url(site, pets["second"], rest), scheme)
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    assert findings_in_both_schemes(page, scheme) == []


def test_a_narrow_window_keeps_tree_and_panel(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(version_url(site, pets["second"], "?at=README.md"))
    expect(page.get_by_role("complementary")).to_contain_text("Pictures of cats")
    expect(page.locator("[data-path='labels.csv']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Version", exact=True).select_option(label="1.0.0")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1.0.0")


def test_deleting_shows_its_receipt_first(page: Page, site: Site, pets: dict[str, str]) -> None:
    page.goto(version_url(site, pets["first"]))
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog")
    # The second version still needs most of what the first one brought.
    expect(dialog).to_contain_text("that another version needs: 1.0.1")
    expect(dialog).to_contain_text("Descend from it")
    button = dialog.get_by_role("button", name="Delete")
    expect(button).to_be_disabled()
    dialog.get_by_label("Confirm").fill("1.0.0")
    expect(button).to_be_enabled()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert site.filler.call("datasets.get_all", ids=[pets["first"]])["total"] == 1

    lonely = site.filler.call("datasets.create", name="lonely", project="vision/animals")["dataset"]["id"]
    site.filler.call("datasets.commit", dataset=lonely, root="", repository="")
    page.goto(version_url(site, lonely))
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(dialog).to_contain_text("no other version and no task")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog", name=re.compile("^Deleted"))).to_contain_text("Freed")
    page.get_by_role("button", name="Done").click()
    expect(page).to_have_url(re.compile("/datasets$"))
    expect(page.locator(".dataset-card", has_text="lonely")).to_have_count(0)
    assert site.filler.call("datasets.get_all", ids=[lonely])["total"] == 0


def test_tags_and_name_are_changed(page: Page, site: Site) -> None:
    id = site.filler.call("datasets.create", name="draft set", project="vision/animals")["dataset"]["id"]
    site.filler.call("datasets.commit", dataset=id, root="", repository="")
    page.goto(version_url(site, id))
    page.get_by_role("button", name="+ tag").click()
    page.get_by_label("New tag").fill("checked")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".task-head .chip", has_text="checked")).to_be_visible()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("better set")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("better set")
    found = site.filler.call("datasets.get_all", ids=[id])["versions"][0]
    assert (found["name"], found["tags"]) == ("better set", ["checked"])
    site.filler.call("datasets.delete", dataset=id, force=True)
