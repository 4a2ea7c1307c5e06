"""A run of the real SDK while its pages are open."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ON_BOTH, Site

pytestmark = ON_BOTH

SCRIPT = """
import sys
from trialbook import Task

task = Task.init(project_name="live", task_name=sys.argv[1])
task.connect({"lr": 0.1})
logger = task.get_logger()
print("TASK", task.id, flush=True)
step = 0
for line in sys.stdin:
    if line.startswith("end"):
        break
    for _ in range(int(line)):
        logger.report_scalar("loss", "train", value=1 / (step + 1), iteration=step)
        step += 1
    print("reported up to", step, flush=True)
task.close()
"""


class LiveRun:
    """A training process that reports when it is told to."""

    def __init__(self, site: Site, folder: Path, name: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
        environment |= {
            "HOME": str(folder),
            "TRIALBOOK_API_HOST": site.url,
            "TRIALBOOK_FILES_HOST": site.server.files_url,
            "TRIALBOOK_API_ACCESS_KEY": site.server.access_key,
            "TRIALBOOK_API_SECRET_KEY": site.server.secret_key,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=folder,
        )
        assert self.process.stdout
        self.seen: list[str] = []
        for line in self.process.stdout:
            self.seen.append(line)
            found = re.search(r"TASK (\w{32})", line)
            if found:
                self.id = found[1]
                return
        raise RuntimeError("the run did not start: " + "".join(self.seen))

    def report(self, count: int) -> None:
        """Reports so many points."""
        assert self.process.stdin
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Closes the task and returns the exit status."""
        assert self.process.stdin
        self.process.stdin.write("end\n")
        self.process.stdin.close()
        return self.process.wait(60)


@pytest.fixture
def live_run(site: Site, tmp_path: Path) -> Iterator[LiveRun]:
    run = LiveRun(site, tmp_path, f"live {tmp_path.name}")
    yield run
    if run.process.poll() is None:
        run.process.kill()
        run.process.wait()


def test_pages_follow_a_run_from_its_start_to_its_end(page: Page, site: Site, live_run: LiveRun) -> None:
    table, console = page.context.new_page(), page.context.new_page()
    table.goto(f"{site.url}/projects/*/tasks?q={live_run.id}")
    row = table.locator(f".grid-row[data-task='{live_run.id}']")
    expect(row).to_contain_text("running")
    console.goto(f"{site.url}/projects/*/tasks/{live_run.id}/output/log")
    page.goto(f"{site.url}/projects/*/tasks/{live_run.id}/output/metrics/scalar")
    expect(page.get_by_role("heading", name="Waiting for the first scalar")).to_be_visible()

    live_run.report(100)
    legend = page.locator("[data-chart=loss] .legend")
    expect(legend).to_contain_text("0.01000")
    expect(legend).to_have_attribute("data-points", "100")
    expect(console.get_by_role("log")).to_contain_text("reported up to 100")
    expect(row).to_contain_text("99")

    live_run.report(200)
    expect(legend).to_have_attribute("data-points", re.compile("300|2[0-9][0-9]"))
    expect(legend).to_contain_text("0.003333")
    expect(console.get_by_role("log")).to_contain_text("reported up to 300")

    assert live_run.end() == 0
    for shown in (row, page.locator(".task-head .status"), console.locator(".task-head .status")):
        expect(shown).to_contain_text("completed")
    expect(page.locator(".badge")).to_contain_text("complete to 299")


def test_the_console_stays_where_a_person_scrolled_to(page: Page, site: Site, live_run: LiveRun) -> None:
    for _ in range(120):
        live_run.report(1)
    page.goto(f"{site.url}/projects/*/tasks/{live_run.id}/output/log")
    log = page.get_by_role("log")
    expect(log).to_contain_text("reported up to 120")
    log.hover()
    page.mouse.wheel(0, -100_000)
    expect(log).to_contain_text("TASK")
    live_run.report(1)
    expect(page.get_by_role("button", name=re.compile(r"new ↓"))).to_be_visible()
    assert log.evaluate("e => e.scrollTop") == 0
    page.get_by_role("button", name=re.compile(r"new ↓")).click()
    expect(log).to_contain_text("reported up to 121")


def test_a_lost_connection_is_told_and_comes_back(page: Page, site: Site, live_run: LiveRun) -> None:
    page.goto(f"{site.url}/projects/*/tasks/{live_run.id}/output/metrics/scalar")
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    page.route("**/stream", lambda route: route.abort())
    # The open stream is closed by leaving the tab's topics; the next one is refused.
    page.keyboard.press("1")
    page.goto(f"{site.url}/projects/*/tasks/{live_run.id}/output/metrics/scalar")
    expect(page.locator(".strip")).to_contain_text("Live updates paused, retrying in")
    live_run.report(50)
    # At once: the page also tries again by itself.
    page.unroute("**/stream")
    page.get_by_role("button", name="Retry now").click()
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    expect(page.locator("[data-chart=loss] .legend")).to_contain_text("0.02000")
