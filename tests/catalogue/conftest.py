"""Each test works in a project of its own."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support.server import RunningServer
from trialbook import Task
from trialbook.client import settings as settings_module
from trialbook.sdk.logger import Logger
from trialbook.sdk.process import seeds
from trialbook.sdk.reports import numbers
from trialbook.sdk.servers import connection as connections


class Begin(Protocol):
    """``Task.init`` in the project of the test, without what only costs time there."""

    def __call__(self, name: str = "run", **more: Any) -> Task: ...


def as_a_new_process(patch: pytest.MonkeyPatch) -> None:
    """Nothing that this process was told before holds, until ``patch`` is undone."""
    patch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    patch.setattr(numbers, "substitutes", {})
    patch.setattr(settings_module.reader, "_given", {})
    patch.setattr(settings_module.table._offline, "value", None)
    patch.setattr(settings_module.table._simulated, "value", "")
    patch.setattr(seeds._seed, "value", None)
    patch.setattr(Logger, "_history", None)
    connections.disconnect()


@pytest.fixture
def sdk(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """The SDK of this process on the server, with a home and a working directory of its own."""
    home = tmp_path / "home"
    home.mkdir()
    for name, value in server.client_environment(home).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    as_a_new_process(monkeypatch)
    monkeypatch.chdir(tmp_path)
    yield server
    running = Task.current_task()
    if running is not None:
        running.close()
    connections.disconnect()


@pytest.fixture
def project(sdk: RunningServer) -> str:
    """A project that no other test knows."""
    return f"Catalogue/{uuid.uuid4().hex[:10]}"


@pytest.fixture
def begin(project: str) -> Begin:
    """Begin a run in the project."""

    def start(name: str = "run", **more: Any) -> Task:
        quiet: dict[str, Any] = {
            "auto_connect_streams": False,
            "auto_connect_arg_parser": False,
            "auto_resource_monitoring": False,
            "auto_connect_frameworks": {"detect_repository": False},
        }
        return Task.init(more.pop("project", project), name, **{**quiet, **more})

    return start


@pytest.fixture
def task(begin: Begin) -> Task:
    """A run of this process; ended after the test."""
    return begin()


@pytest.fixture
def draft(project: str) -> Task:
    """A task that no process runs."""
    return Task.create(project, "draft")


def again(task: Task) -> Task:
    """The task as another program finds it, after what was reported has arrived."""
    assert task.flush(wait_for_uploads=True)
    found = Task.get_task(task.id)
    assert found is not None
    return found
