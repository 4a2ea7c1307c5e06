"""A real browser on the built page, a real server behind it."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.e2e.filling import Filler, fill
from tests.support.server import RunningServer

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright  # noqa: E402

# Three test processes share two cores: five seconds, the default, are too few for a page that has to draw.
expect.set_options(timeout=15_000)
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


@pytest.fixture(scope="package")
def built_page() -> Path:
    """The page, built when its sources are newer."""
    folder: Path = _build_hook().build()
    return folder


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        if path is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: install it, or run playwright install chromium")
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


ON_BOTH = pytest.mark.parametrize(
    "site", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True, scope="package"
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


@pytest.fixture(scope="package")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, built_page: Path
) -> Iterator[Site]:
    """A filled server, shared by the tests of a database. On SQLite, unless a module asks for both (``ON_BOTH``): what
    only looks at drawing or at budgets needs one.
    """
    database = None
    if getattr(request, "param", "sqlite") == "postgresql":
        database = request.getfixturevalue("postgres").fresh_url()
    running = RunningServer(tmp_path_factory.mktemp("site"), database)
    filler = Filler(running.url, running.access_key, running.secret_key)
    yield Site(running, filler, fill(filler))
    running.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab. Any script error or refusal of the content policy in it fails the test."""
    tab = context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on(
        "console",
        lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield tab
    assert problems == []
