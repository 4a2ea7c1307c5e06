"""Fixtures of every tier: a database of each kind, and a real server on each."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from tests.support import length
from tests.support.object_storages import Storages
from tests.support.postgres import Databases, Shared, find_binaries
from tests.support.server import RunningServer
from tests.support.template import Templates

# No test asserts a time: an example may be slow on a busy machine.
settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=500)
settings.load_profile("long" if length.LONG else "short")

ON_EACH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
TESTS = Path(__file__).parent
_SHARED = "TEST_SHARED"
"""The environment variable with a folder that all workers of a run know."""


def pytest_configure(config: pytest.Config) -> None:
    """Make what the workers share; they inherit the environment."""
    if not hasattr(config, "workerinput"):
        os.environ[_SHARED] = tempfile.mkdtemp(prefix="tb-tests-")
        # Many images say so. The programs that tests start, thousands of them, would compile each module again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the workers shared."""
    if not hasattr(config, "workerinput") and _SHARED in os.environ:
        folder = Path(os.environ.pop(_SHARED))
        Shared(folder).end()
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to the long form what repeats a test of the SDK or of the page on the other database."""
    if length.LONG:
        return
    kept, left = [], []
    for item in items:
        spec = getattr(item, "callspec", None)
        repeats = spec is not None and "postgresql" in (spec.params.get("server"), spec.params.get("site"))
        tier = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        (left if repeats and tier in length.SQLITE_ENOUGH else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def no_successors_left() -> Iterator[None]:
    """End what runs left behind to send their reports: it would look for a server of the tests for hours."""
    mine = os.environ["TEST_RUN"] = uuid.uuid4().hex
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                "trialbook.sdk.offline.recovery" in process.cmdline()
                and process.environ().get("TEST_RUN") == mine
            ):
                process.kill()


@pytest.fixture(scope="session")
def postgres() -> Databases:
    """One PostgreSQL for the whole run."""
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    return Shared(Path(os.environ[_SHARED])).join()


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Databases whose tables exist already."""
    return Templates(Path(os.environ[_SHARED]))


@pytest.fixture(params=ON_EACH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Databases = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture(params=ON_EACH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> str:
    """The address of a database with empty tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{templates.sqlite(tmp_path / 'test.db')}"
    return templates.postgresql(request.getfixturevalue("postgres"))


class Servers:
    """One running server on each database, started when a test first wants it."""

    def __init__(
        self,
        request: pytest.FixtureRequest,
        templates: Templates,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        self._request, self._templates, self._folders = request, templates, tmp_path_factory
        self._running: dict[str, RunningServer] = {}

    def __getitem__(self, kind: str) -> RunningServer:
        if kind not in self._running:
            data = self._folders.mktemp("server")
            database = None
            if kind == "postgresql":
                database = self._templates.postgresql(self._request.getfixturevalue("postgres"))
            else:
                self._templates.sqlite(data / "trialbook.db")
            self._running[kind] = RunningServer(data, database)
        return self._running[kind]

    def stop(self) -> None:
        """Stop those that run."""
        for running in self._running.values():
            running.stop()


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """The servers that the tests of this process share."""
    pool = Servers(request, templates, tmp_path_factory)
    yield pool
    pool.stop()


@pytest.fixture(scope="session", params=ON_EACH)
def server(request: pytest.FixtureRequest, servers: Servers) -> RunningServer:
    """A running server, once on each database. All tests share it: each works with names and ids of its own, and kills
    or counts nothing that is not its own.
    """
    return servers[request.param]


@pytest.fixture(scope="session")
def storages() -> Iterator[Storages]:
    """The object storages that the tests of this process share."""
    pool = Storages()
    yield pool
    pool.stop()


@pytest.fixture
def own_server(tmp_path: Path, templates: Templates) -> Iterator[RunningServer]:
    """A server on SQLite for one test, which may kill it."""
    templates.sqlite(tmp_path / "server" / "trialbook.db")
    running = RunningServer(tmp_path / "server")
    yield running
    running.kill()
