"""Offline sessions of datasets that the released SDK left: imported with the files that are still on this host."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets.support import tree
from tests.interop.conftest import CONFIGURATION, SCRIPTS
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections

pytestmark = pytest.mark.interop
FILES = {"a.txt": b"hello", "sub/b c.txt": b"two", "sub/ü%20#.bin": os.urandom(300_000), "empty": b""}
LINKED = b"behind a link"


@pytest.fixture(scope="module")
def made(clearml_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a session, made once, and that of the files that it names."""
    home = tmp_path_factory.mktemp("away")
    (home / "clearml.conf").write_text(CONFIGURATION)
    source = home / "files"
    (home / "linked.bin").write_bytes(LINKED)
    for name, data in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    # Outside of this repository, whose uncommitted changes it would record.
    script = shutil.copy(SCRIPTS / "offline_dataset.py", home / "make.py")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    done = subprocess.run(
        [clearml_python, script, source, home / "folder"],
        env={**kept, "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path((home / "folder").read_text()), source


@pytest.fixture(autouse=True)
def home(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own for the SDK of this process."""
    for name, value in server.client_environment(tmp_path / "importer").items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    connections.disconnect()
    yield
    connections.disconnect()


@pytest.mark.parametrize("zipped", [True, False])
def test_D21_a_session_of_the_released_sdk_becomes_a_version(made: tuple[Path, Path], zipped: bool) -> None:
    session = Path(f"{made[0]}.zip") if zipped else made[0]
    before = tree(made[0])
    found = Dataset.get(Dataset.import_offline_session(str(session), finalize=True))
    assert (found.name, found.project, found.version) == ("away", "Away/nested", "2.3.4")
    assert found.is_final() and "one" in found.tags and found._opened.task.comment == "a text"
    assert tree(found.get_local_copy()) == {**FILES, "links/linked.bin": LINKED}
    assert found.verify_storage() == [] and found.list_added_files() == found.list_files()
    assert tree(made[0]) == before, "the session is only read"
    Dataset.delete(found.id, force=True)


def test_D21_it_may_stay_open_and_be_changed(made: tuple[Path, Path]) -> None:
    identity = Dataset.import_offline_session(str(made[0]))
    found = Dataset.get(identity)
    assert not found.is_final() and not found.is_dirty()
    found.remove_files("sub/*")
    assert found.finalize()
    assert tree(Dataset.get(identity).get_local_copy()) == {
        "a.txt": b"hello",
        "empty": b"",
        "links/linked.bin": LINKED,
    }
    Dataset.delete(identity, force=True)


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_D21_without_its_files_nothing_is_made(
    server: RunningServer, made: tuple[Path, Path], how: str
) -> None:
    file = made[1] / "a.txt"
    file.unlink()
    if how == "changed":
        file.write_bytes(b"HELLO")
    before = len(server.call("tasks.get_all", {"only_fields": ["id"], "search_hidden": True})["tasks"])
    try:
        with pytest.raises(UsageError, match=r"a\.txt"):
            Dataset.import_offline_session(str(made[0]))
    finally:
        file.write_bytes(FILES["a.txt"])
    after = len(server.call("tasks.get_all", {"only_fields": ["id"], "search_hidden": True})["tasks"])
    assert after == before
