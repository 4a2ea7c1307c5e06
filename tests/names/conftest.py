"""A process of this one's SDK, and every storage that a name may have to pass."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.names.hostile import NAMES
from tests.support.length import LONG
from tests.support.object_storages import Storages
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.sdk.servers import connection as connections

STORAGES = ("server", "folder", "file", "s3", "azure", *(["gs"] if LONG else []))


@pytest.fixture(params=["sqlite", *(["postgresql"] if LONG else [])])
def sdk(
    request: pytest.FixtureRequest, servers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    """A server that this process reports to. Which database is below it is the business of the nouns' tests."""
    server: RunningServer = servers[request.param]
    for name, value in server.client_environment(tmp_path / "home").items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    connections.disconnect()
    yield server
    running = Task.current_task()
    if running is not None:
        running.close()
    connections.disconnect()


@pytest.fixture
def project(sdk: RunningServer) -> str:
    """A project that no other test knows."""
    return f"Names/{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=STORAGES)
def place(
    request: pytest.FixtureRequest,
    sdk: RunningServer,
    storages: Storages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The address of an empty folder on each kind of storage, with what opens it in the configuration file."""
    kind, unique = str(request.param), uuid.uuid4().hex[:12]
    if kind == "server":
        return f"{sdk.files_url}/names/{unique}"
    if kind in ("folder", "file"):
        folder = tmp_path / "store"
        folder.mkdir()
        return folder.as_uri() if kind == "file" else str(folder)
    configuration = tmp_path / "trialbook.conf"
    configuration.write_text(storages[kind].configuration())
    monkeypatch.setenv("TRIALBOOK_CONFIG_FILE", str(configuration))
    connections.disconnect()
    return storages[kind].make_bucket(f"n{unique}")


def file_names() -> list[str]:
    """Names that a file may have on this system, of one part and of several."""
    return [
        name
        for name in NAMES.values()
        if name.strip("/") == name != "" and "\0" not in name and len(name.encode(errors="replace")) < 256
        if not {".", ".."} & set(name.split("/"))
    ]
