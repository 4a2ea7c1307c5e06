"""Fixtures of every tier: a database of each kind, and a real server on each."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from tests.support.postgres import Postgres, find_binaries
from tests.support.server import RunningServer

# No test asserts a time: an example may be slow on a busy machine.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def no_successors_left() -> Iterator[None]:
    """End what runs left behind to send their reports: it would look for a server of the tests for hours."""
    mine = os.environ["TEST_RUN"] = uuid.uuid4().hex
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "trialbook.sdk.recovery" in process.cmdline() and process.environ().get("TEST_RUN") == mine:
                process.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run."""
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A running server with an empty data folder, once on each database; shared by the tests of a module."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh_url()
    running = RunningServer(tmp_path_factory.mktemp("server"), database)
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server on SQLite for one test, which may kill it."""
    running = RunningServer(tmp_path / "server")
    yield running
    running.kill()
