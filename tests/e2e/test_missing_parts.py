"""Answers that lack parts: a page shows nothing there, and does not break."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Site

CREATE = """
import sys
from trialbook import Task
task = Task.create(project_name="created", task_name="made by create")
print("TASK", task.id)
"""


def test_W3_a_task_that_was_only_created_has_its_tabs_and_can_be_compared(
    page: Page, site: Site, tmp_path: Path
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    environment |= {
        "HOME": str(tmp_path),
        "TRIALBOOK_API_HOST": site.url,
        "TRIALBOOK_FILES_HOST": site.server.files_url,
        "TRIALBOOK_API_ACCESS_KEY": site.server.access_key,
        "TRIALBOOK_API_SECRET_KEY": site.server.secret_key,
    }
    made = subprocess.run(
        [sys.executable, "-c", CREATE],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    created = re.search(r"TASK (\w{32})", made.stdout)
    assert created, made.stdout + made.stderr
    bare = site.filler.call("tasks.create", name="made by a call", project_name="created")["id"]
    for task in (created[1], bare):
        for tab in ("execution", "configuration", "artifacts", "info"):
            page.goto(f"{site.url}/projects/*/tasks/{task}/{tab}")
            expect(page.get_by_label("Name", exact=True)).to_have_value(re.compile("made by"))
            expect(page.locator(".tab .state, .tab .panel").first).to_be_visible()
            expect(page.locator(".state.error")).to_have_count(0)
    page.goto(
        f"{site.url}/projects/*/compare-tasks?tab=details&ids={created[1]}~{bare}~{site.runs['baseline']}"
    )
    expect(page.locator(".details-table").first).to_be_visible()
    expect(page.locator(".state.error")).to_have_count(0)


@pytest.mark.parametrize(
    "broken", [{"script": None}, {"script": {}, "tags": None, "container": [], "runtime": 7}]
)
def test_W3_parts_that_a_server_leaves_out_are_empty_parts(
    page: Page, site: Site, broken: dict[str, Any]
) -> None:
    def without(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        data = body["data"]
        # Before the browser is logged in there is neither.
        for task in data.get("tasks") or [data[name] for name in ("task",) if name in data]:
            for name in ("execution", "models", "hyperparams", "configuration", "output", "last_metrics"):
                task.pop(name, None)
            task.update(broken)
        route.fulfill(response=answer, json=body)

    task, other = site.runs["baseline"], site.runs["wide"]
    page.route(re.compile(r"/tasks\.get_(by_id|all_ex)$"), without)
    for place in (
        *(f"tasks/{task}/{tab}" for tab in ("execution", "configuration", "artifacts", "info")),
        f"compare-tasks?tab=details&ids={task}~{other}",
    ):
        page.goto(f"{site.url}/projects/*/{place}")
        expect(page.locator(".tab .state, .tab .panel, .details-table, .page").first).to_be_visible()
        expect(page.locator(".state.error")).to_have_count(0)
    # What is on its way is changed yet: with the page, its answer would go as well.
    page.unroute_all(behavior="wait")


def test_T44_an_address_without_a_tab_opens_what_there_is(page: Page, site: Site) -> None:
    silent = site.filler.call("tasks.create", name="nothing yet", project_name="created")["id"]
    page.goto(f"{site.url}/projects/*/tasks/{silent}")
    expect(page).to_have_url(re.compile(f"{silent}/output/log$"))
    expect(page.get_by_text("The console is empty")).to_be_visible()
    expect(page.get_by_role("link", name="The scalars of this run")).to_have_count(0)
    page.goto(f"{site.url}/projects/*/tasks/{site.runs['baseline']}")
    expect(page).to_have_url(re.compile("/output/metrics/scalar$"))
