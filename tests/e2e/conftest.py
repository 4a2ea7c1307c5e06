"""A real browser on the built page, a real server behind it."""

import contextlib
import importlib.util
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from tests.e2e.filling import Filler, fill
from tests.support.server import RunningServer
from tests.support.template import Templates

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import (  # noqa: E402
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError  # noqa: E402

PATIENCE = 15_000
"""For what a click waits for, in milliseconds."""
LOOKS: Any = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
"""Of a profile, unless a test wants another."""

# Three test processes share two cores: five seconds, the default, are too few for a page that has to draw.
expect.set_options(timeout=PATIENCE)
ELSEWHERE = "trialbook.test"
"""A name of this machine that the browser takes for another's: over plain HTTP its pages are no secure context."""

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Windows of one profile share a process: the page's code is compiled once for all of them.
    "--renderer-process-limit=1",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.browser)


def _build_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "web" / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The page, built when its sources are newer."""
    folder: Path = _build_hook().build()
    return folder


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of this folder: while Playwright is there, no other test may run an event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        if path is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: install it, or run playwright install chromium")
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


ON_BOTH = pytest.mark.parametrize(
    "site", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True, scope="session"
)
"""Runs the tests of a module on both databases."""


class Site(NamedTuple):
    """A server with runs in it."""

    server: RunningServer
    filler: Filler
    runs: dict[str, str]

    @property
    def url(self) -> str:
        return self.server.url


class Sites:
    """One filled server on each database, made when a test first wants it."""

    def __init__(self, make: Callable[[str], RunningServer]) -> None:
        self._make = make
        self._made: dict[str, Site] = {}

    def __getitem__(self, kind: str) -> Site:
        if kind not in self._made:
            running = self._make(kind)
            filler = Filler(running.url, running.access_key, running.secret_key)
            self._made[kind] = Site(running, filler, fill(filler))
        return self._made[kind]

    def stop(self) -> None:
        """Stop those that run."""
        for one in self._made.values():
            one.server.stop()


@pytest.fixture(scope="session")
def sites(
    request: pytest.FixtureRequest,
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
    built_page: Path,
) -> Iterator[Sites]:
    """The filled servers that the tests of this process share."""

    def make(kind: str) -> RunningServer:
        data = tmp_path_factory.mktemp("site")
        if kind == "postgresql":
            return RunningServer(data, templates.postgresql(request.getfixturevalue("postgres")))
        templates.sqlite(data / "trialbook.db")
        return RunningServer(data)

    pool = Sites(make)
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, sites: Sites) -> Site:
    """A filled server, shared by the tests of a database. On SQLite, unless a module asks for both (``ON_BOTH``): what
    only looks at drawing or at budgets needs one.
    """
    return sites[getattr(request, "param", "sqlite")]


@pytest.fixture(scope="session")
def empty_site(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory, built_page: Path
) -> Iterator[Site]:
    """A server that has only what the tests bring which share it."""
    data = tmp_path_factory.mktemp("fresh")
    templates.sqlite(data / "trialbook.db")
    running = RunningServer(data)
    yield Site(running, Filler(running.url, running.access_key, running.secret_key), {})
    running.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile."""
    made = browser.new_context(**LOOKS)
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


class Desk:
    """One tab that test after test uses. A profile of its own for each would start a process and compile the page's
    code for each, which is most of what a short test costs. Between two tests everything that a test can leave in a
    profile is taken out of it; where that cannot be, the next test begins with a fresh one.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tab: Page | None = None
        self._origins: set[str] = set()
        self.problems: list[str] = []

    def tab(self) -> Page:
        """The tab, as fresh as that of a new profile."""
        if self._tab is None:
            context = self._browser.new_context(**LOOKS)
            context.set_default_timeout(PATIENCE)
            self._tab = context.new_page()
            self._tab.on("pageerror", lambda error: self.problems.append(str(error)))
            self._tab.on("console", self._console)
            self._tab.on("framenavigated", lambda frame: self._seen(frame.url))
        self.problems.clear()
        return self._tab

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def _seen(self, url: str) -> None:
        if url.startswith("http"):
            self._origins.add("/".join(url.split("/")[:3]))

    def clear(self) -> None:
        """Leaves nothing for the next test."""
        assert self._tab is not None
        try:
            self._tab.unroute_all(behavior="ignoreErrors")
            for other in self._tab.context.pages:
                if other is not self._tab:
                    other.close()
            # The page remembers places when it is left, so it is left first, for something that runs no code.
            for origin in self._origins:
                self._tab.goto(f"{origin}/favicon.svg")
                self._tab.evaluate("localStorage.clear(); sessionStorage.clear()")
            self._origins.clear()
            self._tab.context.clear_cookies()
            self._tab.mouse.move(-10, -10)
            self._tab.set_viewport_size(LOOKS["viewport"])
            self._tab.emulate_media(color_scheme=LOOKS["color_scheme"], reduced_motion="null")
        except PlaywrightError:
            # A server that a test has ended cannot be asked for a document of its origin.
            self.drop()

    def drop(self) -> None:
        """Closes the profile."""
        if self._tab is not None:
            self._tab.context.close()
        self._tab = None
        self._origins.clear()


@pytest.fixture(scope="package")
def desk(browser: Browser) -> Iterator[Desk]:
    """The tab of this process."""
    made = Desk(browser)
    yield made
    made.drop()


@pytest.fixture
def page(request: pytest.FixtureRequest, desk: Desk) -> Iterator[Page]:
    """A tab like that of a fresh profile. Any script error or refusal of the content policy in it fails the test. What
    cannot be taken off again, such as an init script, wants a ``context``; for requests there is ``heard``.
    """
    failed = request.session.testsfailed
    yield desk.tab()
    problems = list(desk.problems)
    if problems or request.session.testsfailed != failed:
        desk.drop()
    else:
        desk.clear()
    assert problems == []


@contextlib.contextmanager
def heard(page: Page) -> Iterator[list[Request]]:
    """What the page asks for while the block runs."""
    asked: list[Request] = []

    def hear(request: Request) -> None:
        asked.append(request)

    page.on("request", hear)
    yield asked
    page.remove_listener("request", hear)


def until(page: Page, script: str, arg: Any = None, seconds: float = PATIENCE / 1000) -> None:
    """Waits until a script answers something true. The page's content policy refuses what ``wait_for_function`` would
    evaluate again and again inside it.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(PlaywrightError):  # The document may just be going.
            if page.evaluate(script, arg):
                return
        assert time.monotonic() < deadline, f"it did not become true: {script}"
        page.wait_for_timeout(20)
