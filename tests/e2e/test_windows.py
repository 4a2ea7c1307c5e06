"""Several windows of one browser, and a page that comes from another machine over plain HTTP."""

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.e2e.conftest import ELSEWHERE, Site, until
from tests.e2e.filling import Filler
from tests.support.length import LONG
from tests.support.server import RunningServer


@pytest.fixture
def fresh(empty_site: Site) -> RunningServer:
    return empty_site.server


@pytest.fixture
def filler(empty_site: Site) -> Filler:
    return empty_site.filler


def elsewhere(context: BrowserContext, server: RunningServer) -> str:
    """The server's address as if it were another machine's; the browser is logged in there afterwards."""
    url = f"http://{ELSEWHERE}:{server.port}"
    tab = context.new_page()
    tab.goto(f"{url}/login?stay=1&redirect={quote('/settings/profile')}")
    tab.get_by_label("Access key").fill(server.access_key)
    tab.get_by_label("Secret").fill(server.secret_key)
    tab.get_by_role("button", name="Log in").click()
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    expect(tab).to_have_url(re.compile("/settings/profile$"))
    assert tab.evaluate("isSecureContext") is False
    tab.close()
    return url


class Streams:
    """The streams that are open now, with the windows that read them."""

    def __init__(self) -> None:
        self.open: list[tuple[Page, Request]] = []

    def watch(self, tab: Page) -> Page:
        tab.on("request", self._began)
        tab.on("requestfinished", self._ended)
        tab.on("requestfailed", self._ended)
        return tab

    def _began(self, ask: Request) -> None:
        if ask.url.endswith("/stream"):
            self.open.append((ask.frame.page, ask))

    def _ended(self, ask: Request) -> None:
        self.open[:] = [one for one in self.open if one[1] is not ask]

    def gone(self, tab: Page) -> None:
        """A window was closed: nothing tells of its requests any more."""
        self.open[:] = [one for one in self.open if one[0] is not tab]

    def settle(self, tab: Page) -> None:
        """Waits for one stream; two may overlap for a moment while the lead changes hands."""
        deadline = time.monotonic() + 30
        while len(self.open) != 1 and time.monotonic() < deadline:
            tab.wait_for_timeout(20)
        assert len(self.open) == 1


def test_W4_tabs_in_the_background_hold_no_connection(context: BrowserContext, site: Site) -> None:
    hide = "Object.defineProperty(document, 'hidden', { get: () => window.seen !== true });"
    tabs = [context.new_page() for _ in range(6)]
    streams: list[str] = []
    for tab in tabs:
        tab.on("request", lambda ask: streams.append(ask.url) if ask.url.endswith("/stream") else None)
        tab.add_init_script(hide)
        tab.goto(f"{site.url}/projects/*/tasks")
        expect(tab.locator(".grid-row[data-task]").first).to_be_visible()
    seventh = context.new_page()
    seventh.goto(f"{site.url}/projects")
    expect(seventh.locator(".project-card").first).to_be_visible()
    expect(seventh.locator(".live")).to_have_attribute("data-kind", "live")
    assert streams == []
    tabs[0].evaluate("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    expect(tabs[0].locator(".live")).to_have_attribute("data-kind", "live")


@pytest.mark.parametrize(
    ("origin", "end"),
    [("here", "with a word"), ("elsewhere", "with a word"), ("elsewhere", "without a word")],
)
def test_W4_windows_that_are_looked_at_share_one_stream(
    browser: Browser, filler: Filler, fresh: RunningServer, origin: str, end: str
) -> None:
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    url = elsewhere(context, fresh) if origin == "elsewhere" else fresh.url
    project = filler.call("projects.create", name=f"shared stream {origin} {end}")["id"]
    streams = Streams()
    if end == "without a word":
        # As when a window's process dies: it does not tell the others.
        context.add_init_script(
            "addEventListener('pagehide', (event) => event.stopImmediatePropagation(), true)"
        )
    # A browser opens six connections to a server: one window more, once; of the other ways, a few windows.
    most = LONG or (origin, end) == ("elsewhere", "with a word")
    tabs = [streams.watch(context.new_page()) for _ in range(7 if most else 4)]
    for tab in tabs:
        tab.goto(f"{url}/projects/{project}/tasks")
        expect(tab.locator(".live")).to_have_attribute("data-kind", "live")
    # A silent end is noticed after seconds: once is enough.
    for i in range(1 if end == "without a word" else 2):
        streams.settle(tabs[0])
        filler.call("tasks.create", name=f"told to all {i}", project=project)
        for tab in tabs:
            expect(tab.get_by_role("link", name=f"told to all {i}")).to_be_visible()
        reader = streams.open[0][0]
        tabs.remove(reader)
        reader.close()
        streams.gone(reader)
        expect(tabs[0].locator(".live")).to_have_attribute("data-kind", "live")
        streams.settle(tabs[0])
    context.close()


def test_what_has_a_copy_button_is_copied_over_plain_http(
    browser: Browser, filler: Filler, fresh: RunningServer
) -> None:
    context = browser.new_context()
    url = elsewhere(context, fresh)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.add_init_script("addEventListener('copy', () => { window.copied = String(getSelection()); })")
    page.goto(f"{url}/settings/workspace-configuration")
    page.get_by_role("button", name="Create a key").click()
    key = page.locator("pre", has_text="access_key")
    copy = key.get_by_role("button", name="Copy the code")
    copy.click()
    until(page, "window.copied?.includes('secret_key')")
    assert page.evaluate("window.copied").strip() == key.inner_text().strip()
    expect(copy).to_be_focused()
    page.goto(f"{url}/projects/*/tasks/{filler.task('copies', 'shared')}/info?x=1")
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".toast")).to_contain_text("is copied")
    assert page.evaluate("window.copied") == page.url
    context.close()
    assert problems == []


def test_who_looks_at_a_project_sees_it_renamed_moved_and_deleted(
    page: Page, filler: Filler, fresh: RunningServer
) -> None:
    project = filler.call("projects.create", name="looked at/before")["id"]
    task = filler.call("tasks.create", name="in it", project=project)["id"]
    page.goto(f"{fresh.url}/projects/{project}/tasks")
    path = page.get_by_role("navigation", name="Path")
    expect(path).to_contain_text("looked at/before")
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    filler.call("projects.update", project=project, name="looked at/after")
    expect(path).to_contain_text("looked at/after")
    page.get_by_role("link", name="in it").click()
    expect(page.locator(".task-head")).to_contain_text("looked at/after")
    other = filler.call("projects.create", name="another place")["id"]
    filler.call("projects.move", project=project, new_location="another place")
    expect(page.locator(".task-head")).to_contain_text("another place/after")
    page.goto(f"{fresh.url}/projects/{project}/tasks")
    expect(page.get_by_role("link", name="in it")).to_be_visible()
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    filler.call("projects.delete", project=other, force=True, delete_contents=True)
    expect(page.get_by_text("No project has this id")).to_be_visible()
    with pytest.raises(RuntimeError):
        filler.call("tasks.get_by_id", task=task)


def test_a_name_that_is_being_typed_survives_another_user(
    browser: Browser, page: Page, filler: Filler, fresh: RunningServer
) -> None:
    task = filler.call("tasks.create", name="first name", project_name="two people")["id"]
    address = f"{fresh.url}/projects/*/tasks/{task}/info"
    page.goto(address)
    name = page.get_by_label("Name", exact=True)
    expect(page.locator(".live")).to_have_attribute("data-kind", "live")
    name.fill("what I type")
    context = browser.new_context()
    theirs = context.new_page()
    theirs.goto(address)
    theirs.get_by_label("Name", exact=True).fill("theirs")
    theirs.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^theirs"))
    expect(name).to_have_value("what I type")
    name.press("Escape")
    expect(name).to_have_value("theirs")
    name.fill("mine")
    name.press("Enter")
    expect(theirs.get_by_label("Name", exact=True)).to_have_value("mine")
    theirs.get_by_role("button", name="Actions").click()
    theirs.get_by_role("menuitem", name="Delete").click()
    theirs.get_by_role("dialog").get_by_role("button", name="Delete").last.click()
    expect(page.get_by_text("This task was deleted. The page stays until you leave it.")).to_be_visible()
    name.fill("too late")
    name.press("Enter")
    expect(page.locator(".toast")).to_contain_text("there is no task")
    expect(name).to_have_value("mine")
    context.close()
