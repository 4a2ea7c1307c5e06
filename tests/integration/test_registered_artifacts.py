"""Tables that are followed, and the record of artifacts as a whole."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pandas
import pytest

from tests.integration.program import Program, document, until
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections


@pytest.fixture
def task(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Task]:
    """A running task on the server."""
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    connections.disconnect()
    begun = Task.init(f"Tests/{uuid.uuid4().hex[:8]}", "run", auto_connect_streams=False)
    yield begun
    begun.close()
    connections.disconnect()


def stored(task: Task, name: str) -> pandas.DataFrame:
    assert task.flush(wait_for_uploads=True)
    found = Task.get_task(task.id)
    assert found is not None
    frame = found.artifacts[name].get()
    assert isinstance(frame, pandas.DataFrame)
    return frame


def test_a_registered_table_is_followed(task: Task) -> None:
    frame = pandas.DataFrame({"a": [1, 2, 2], "b": ["x", "y", "y"]})
    task.register_artifact("table", frame, metadata={"why": "test"})
    assert task.get_registered_artifacts()["table"] is frame
    pandas.testing.assert_frame_equal(stored(task, "table"), frame)
    first = task.artifacts["table"]
    assert first.metadata == {"why": "test"}
    assert "3 rows × 2 columns; 2 unique rows (66.7 %)" in first.preview

    frame.loc[3] = [9, "z"]
    pandas.testing.assert_frame_equal(stored(task, "table"), frame)
    changed = task.artifacts["table"]
    assert changed.hash != first.hash

    task.register_artifact("other", frame.head(2), uniqueness_columns=["b"])
    task.flush(wait_for_uploads=True)
    assert "2 of them are also in 'table'" in task.artifacts["other"].preview

    frame.loc[0, "a"] = 100
    task.unregister_artifact("table")
    assert stored(task, "table")["a"].tolist() == [100, 2, 2, 9]
    frame.loc[0, "a"] = 200
    assert stored(task, "table")["a"].tolist() == [100, 2, 2, 9]
    assert list(task.get_registered_artifacts()) == ["other"]
    task.unregister_artifact("table")


def test_an_unchanged_table_is_stored_once(task: Task) -> None:
    frame = pandas.DataFrame({"a": [[1], [2]]})
    task.register_artifact("lists", frame)
    before = task.artifacts["lists"].entry
    task.flush()
    assert task.artifacts["lists"].entry is not None
    assert task.artifacts["lists"].entry == before
    known = task._record.document["execution"]["artifacts"]
    task.flush()
    assert task._record.document["execution"]["artifacts"] is known, "nothing was stored anew"
    frame.at[0, "a"] = [7]
    task.flush()
    assert task._record.document["execution"]["artifacts"] is not known


def test_what_cannot_be_registered(task: Task) -> None:
    frame = pandas.DataFrame({"a": [1]})
    with pytest.raises(UsageError, match="DataFrame"):
        task.register_artifact("x", {"a": 1})
    with pytest.raises(UsageError, match="no column 'b'"):
        task.register_artifact("x", frame, uniqueness_columns=["b"])
    with pytest.raises(UsageError, match="uniqueness_columns"):
        task.register_artifact("x", frame, uniqueness_columns=False)
    task.register_artifact("x", frame)
    with pytest.raises(UsageError, match="registered"):
        task.upload_artifact("x", {"a": 1})


def test_the_last_change_is_stored_at_the_end(server: RunningServer, tmp_path: Path) -> None:
    program = Program(
        """
import pandas
from trialbook import Task
task = Task.init("Registered", "end", reuse_last_task_id=False)
frame = pandas.DataFrame({"a": [1]})
task.register_artifact("table", frame)
frame.loc[1] = [2]
print("TASK", task.id)
""",
        server,
        tmp_path,
    )
    assert program.wait() == 0, program.text
    found = document(server, program.wait_for("TASK"))
    (artifact,) = found["execution"]["artifacts"]
    assert artifact["type_data"]["preview"].startswith("2 rows × 1 columns")
    until(lambda: found["status"] == "completed")
