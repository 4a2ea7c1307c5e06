"""A project of its own per test on a server of either kind, and folders of files."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets.support import Write, writer
from tests.support.server import RunningServer
from trialbook import Dataset, Task
from trialbook.client import settings
from trialbook.sdk.servers import connection as connections


@pytest.fixture
def home(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for the SDK of this process."""
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    connections.disconnect()
    yield tmp_path
    running = Task.current_task()
    if running is not None:
        running.close()
    settings.set_offline(None)
    connections.disconnect()


@pytest.fixture
def project(home: Path) -> str:
    """A fresh project."""
    return f"Tests/{uuid.uuid4().hex[:8]}"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a folder of files."""
    return writer(tmp_path / "sources")


@pytest.fixture
def closed(project: str, write: Write) -> "Close":
    """Makes a finished version."""
    return Close(project, write)


class Close:
    """Callable: files and parents in, a finished version out."""

    def __init__(self, project: str, write: Write) -> None:
        self._project, self._write = project, write

    def __call__(
        self, files: dict[str, bytes], *parents: Dataset, name: str = "data", **more: str
    ) -> Dataset:
        made = Dataset.create(name, self._project, parent_datasets=parents, **more)  # type: ignore[arg-type]
        made.add_files(self._write(files))
        assert made.finalize(auto_upload=True)
        return made
