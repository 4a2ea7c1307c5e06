"""The demo, seen in the browser; with UPDATE_SCREENSHOTS=1 it also takes the README's pictures."""

import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.e2e.conftest import ROOT
from tests.support.length import LONG
from tests.support.server import RunningServer

PICTURES = {
    "scalars": "output/metrics/scalar",
    "plots": "output/metrics/plots",
    "console": "output/log",
    "images": "output/debugImages",
}
SHOWS = {
    "output/metrics/scalar": ".legend[data-points]:not([data-points='0'])",
    "output/metrics/plots": ".plotly-host[data-drawn=true]",
    "output/log": ".console-line .text >> text=epoch",
    "output/debugImages": ".image-tile img",
}
SIZE = {"width": 1280, "height": 640}
# Where little is shown, the empty rest is left out.
SHORT = 330


def start_demo(server: RunningServer, home: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    environment |= {
        "HOME": str(home),
        "TRIALBOOK_API_HOST": server.url,
        "TRIALBOOK_WEB_HOST": server.url,
        "TRIALBOOK_FILES_HOST": server.files_url,
        "TRIALBOOK_API_ACCESS_KEY": server.access_key,
        "TRIALBOOK_API_SECRET_KEY": server.secret_key,
        # The network is small: a second thread would only spin.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "trialbook", "demo", "--exit", "--", *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def task_of(demo: "subprocess.Popen[str]") -> str:
    """The id in the first link that the run prints."""
    assert demo.stdout
    seen = []
    for line in demo.stdout:
        seen.append(line)
        found = re.search(r"/tasks/([0-9a-f]{32})", line)
        if found:
            return found[1]
    raise AssertionError("the demo printed no link:\n" + "".join(seen))


def settle(page: Page, tab: str) -> None:
    """Until what the tab shows has been drawn."""
    expect(page.locator(SHOWS[tab]).first).to_be_visible()
    expect(page.locator(".badge")).to_contain_text("complete to")
    for picture in page.locator(".image-tile img").all():
        assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0
    expect(page.locator(".skeleton")).to_have_count(0)


def test_the_demo_appears_while_it_trains(
    browser: Browser, own_server: RunningServer, page: Page, built_page: Path, tmp_path: Path
) -> None:
    pictures = os.environ.get("UPDATE_SCREENSHOTS") == "1"
    demo = start_demo(own_server, tmp_path, *([] if pictures or LONG else ["--epochs", "20"]))
    try:
        task = task_of(demo)
        page.goto(f"{own_server.url}/projects/*/tasks/{task}/output/metrics/scalar")
        chart = page.locator("[data-chart] canvas").first
        # The first run of a server stores the images as a dataset before it trains.
        expect(chart).to_be_visible(timeout=120_000)
        assert demo.stdout
        rest = demo.stdout.read()
        assert demo.wait(120) == 0, rest
        expect(page.locator(".task-head .status")).to_contain_text("completed")
        for tab in PICTURES.values():
            page.goto(f"{own_server.url}/projects/*/tasks/{task}/{tab}")
            settle(page, tab)
            expect(page.locator(".state.error")).to_have_count(0)
            expect(page.locator(".tab .state")).to_have_count(0)
        page.goto(f"{own_server.url}/projects/*/tasks/{task}/artifacts")
        expect(page.locator(".tab")).to_contain_text("predictions")
        if pictures:
            others = []
            for rate in ("0.0005", "0.008", "0.02"):
                other = start_demo(own_server, tmp_path, "--learning-rate", rate)
                others.append(task_of(other))
                other.communicate(timeout=120)
                assert other.returncode == 0
            take_pictures(browser, own_server.url, [task, *others])
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()


def clip(height: int) -> FloatRect:
    return {"x": 0, "y": 0, "width": SIZE["width"], "height": height}


def take_pictures(browser: Browser, url: str, tasks: list[str]) -> None:
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        ending = "" if scheme == "light" else "-dark"
        for name, tab in PICTURES.items():
            page.goto(f"{url}/projects/*/tasks/{tasks[0]}/{tab}")
            settle(page, tab)
            height = SHORT if name == "console" else SIZE["height"]
            page.screenshot(path=str(folder / f"{name}{ending}.png"), clip=clip(height))
        page.goto(f"{url}/projects/*/compare-tasks?ids={'~'.join(tasks)}")
        expect(page.locator(".compare-chip")).to_have_count(len(tasks))
        expect(page.locator(SHOWS["output/metrics/scalar"]).first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        page.screenshot(path=str(folder / f"compare{ending}.png"))
        page.goto(f"{url}/projects/*/tasks")
        expect(page.locator(".grid-row[data-task]")).to_have_count(len(tasks))
        expect(page.locator(".grid-row[data-task]").first).to_contain_text("Examples/Digits")
        expect(page.locator(".grid-head")).to_contain_text("learning_rate")
        page.screenshot(
            path=str(folder / f"tasks{ending}.png"), clip={"x": 0, "y": 0, "width": 1280, "height": 320}
        )
        page.goto(f"{url}/datasets")
        page.locator(".dataset-card", has_text="handwritten digits").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("handwritten digits 1.0.0")
        page.goto(f"{page.url}?open=images&at=images/3/")
        expect(page.locator(".tree-row", has_text=re.compile("^9"))).to_be_visible()
        expect(page.locator(".thumbs img").nth(19)).to_be_visible()
        for picture in page.locator(".thumbs img").all()[:20]:
            picture.evaluate("e => e.decode()")
        page.screenshot(path=str(folder / f"dataset{ending}.png"), clip=clip(SIZE["height"]))
        context.close()
