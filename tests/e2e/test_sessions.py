"""Log-in, and what a cookie may not do."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import ON_BOTH, Site, heard
from tests.support.server import RunningServer

pytestmark = ON_BOTH


def test_a_key_logs_in_and_the_link_is_kept(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/login?stay=1&redirect=/projects/*/tasks%3Fst%3Dfailed")
    page.get_by_label("Access key").fill(site.server.access_key)
    page.get_by_label("Secret").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Secret").fill(site.server.secret_key)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/projects/\*/tasks\?st=failed$"))
    expect(page.locator(".grid-row[data-task]")).to_have_count(1)


def test_logging_out_ends_the_session_in_every_tab(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/dashboard")
    other = page.context.new_page()
    told: list[str] = []
    other.on("console", lambda message: told.append(message.text))
    other.goto(f"{site.url}/projects/*/tasks")
    expect(other.locator(".grid-row[data-task]").first).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    reply = page.request.post(f"{site.url}/users.get_current_user", headers={"X-Trialbook-Web": "1"}, data={})
    assert reply.status == 401
    expect(other.get_by_role("button", name="Log in")).to_be_visible()
    told.clear()
    other.goto(f"{site.url}/projects/*/tasks/{site.runs['draft 0']}/info?stay=1")
    expect(other.get_by_role("button", name="Log in")).to_be_visible()
    assert told == []


def test_two_servers_of_one_machine_keep_their_sessions(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_role("heading", name="Recent")).to_be_visible()
    other = RunningServer(tmp_path / "other")
    try:
        page.goto(f"{other.url}/dashboard")
        expect(page.get_by_text("from trialbook import Task").first).to_be_visible()
        asked = {"headers": {"X-Trialbook-Web": "1"}, "data": {}}
        for url in (site.url, other.url):
            assert page.request.post(f"{url}/users.get_current_user", **asked).status == 200
    finally:
        other.stop()


def test_a_redirect_never_leaves_this_origin(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/login?redirect=//example.org/")
    expect(page).to_have_url(f"{site.url}/dashboard")


def test_a_cookie_cannot_change_anything_by_a_link_or_a_foreign_form(
    context: BrowserContext, site: Site
) -> None:
    page = context.new_page()
    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_role("heading", name="Recent")).to_be_visible()
    task = site.runs["draft 0"]
    by_link = page.request.get(f"{site.url}/tasks.delete?task={task}&force=true")
    assert by_link.status == 403
    without_header = page.request.post(f"{site.url}/tasks.delete", data={"task": task, "force": True})
    assert without_header.status == 403
    foreign = page.request.post(
        f"{site.url}/tasks.delete",
        data={"task": task, "force": True},
        headers={"X-Trialbook-Web": "1", "Sec-Fetch-Site": "cross-site"},
    )
    assert foreign.status == 403
    assert site.filler.call("tasks.get_by_id", task=task)["task"]["name"] == "draft 0"


def test_hostile_texts_stay_texts(page: Page, site: Site) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    task = site.filler.task("hostile", f"name {evil}", tags=[evil], comment=evil)
    figure = (
        '{"data":[{"type":"bar","x":["<a href=\\"javascript:document.title=1\\">x</a>"],"y":[1]}],'
        '"layout":{"title":{"text":"<a href=\\"https://example.org\\">click</a>"},'
        '"images":[{"source":"https://example.org/spy.png"}]}}'
    )
    base = {"task": task, "timestamp": 1, "metric": evil, "variant": evil, "iter": 1}
    site.filler.events([{**base, "type": "plot", "plot_str": figure}, {**base, "type": "log", "msg": evil}])
    with heard(page) as asked:
        for tab in ("info", "output/log", "output/metrics/plots"):
            page.goto(f"{site.url}/projects/*/tasks/{task}/{tab}")
            expect(page.get_by_label("Name", exact=True)).to_have_value(f"name {evil}")
        expect(page.locator(".plotly-host")).to_have_attribute("data-drawn", "true")
    assert page.locator(".plotly-host a").count() == 0
    assert not page.title().startswith("owned")
    assert not [one.url for one in asked if "example.org" in one.url]
