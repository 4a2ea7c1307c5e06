"""A server that is reached under another address than before: what was stored is found, and goes on."""

from pathlib import Path

from tests.integration.program import Program
from tests.support.server import RunningServer

BEFORE = """
from pathlib import Path
from trialbook import Dataset, OutputModel, Task
task = Task.init("Moved", "first", reuse_last_task_id=False, output_uri=True)
task.upload_artifact("numbers", {"one": 1})
Path("net.pt").write_bytes(b"weights")
OutputModel(task, name="net").update_weights("net.pt")
Path("data").mkdir()
Path("data/a.txt").write_text("first")
data = Dataset.create("set", "Moved")
data.add_files("data")
data.finalize(auto_upload=True)
task.close()
print("TASK", task.id)
"""

AFTER = """
import sys
from pathlib import Path
from trialbook import Dataset, Task
found = Task.get_task(task_id=sys.argv[1])
print("ARTIFACT", found.artifacts["numbers"].get(), found.artifacts["numbers"].url)
print("MODEL", Path(found.models.output["net"].get_weights(force_download=True)).read_bytes())
data = Dataset.get(dataset_project="Moved", dataset_name="set")
print("DATA", Path(data.get_local_copy(), "a.txt").read_text())
Path("more").mkdir()
Path("more/b.txt").write_text("second")
child = Dataset.create("set", "Moved", parent_datasets=[data])
child.add_files("more")
child.finalize(auto_upload=True)
copy = Path(child.get_local_copy())
print("CHILD", sorted(path.name for path in copy.iterdir()))
more = Task.init("Moved", "first", continue_last_task=sys.argv[1])
more.upload_artifact("later", {"two": 2})
more.flush(wait_for_uploads=True)
print("LATER", more.artifacts["later"].get())
more.close()
kept = [url for url in (found.artifacts["numbers"].url, found.models.output["net"].url)]
assert found.delete(delete_artifacts_and_models=True)
from trialbook.sdk.servers import connection
print("LEFT", [url for url in kept if connection.connect().files.facts(url)])
"""


def test_a_server_on_another_port_finds_what_was_stored(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "server")
    try:
        before = Program(BEFORE, server, tmp_path / "before")
        assert before.wait() == 0, before.text
        task, old = before.wait_for("TASK"), server.url
    finally:
        server.stop()
    server = RunningServer(tmp_path / "server")
    try:
        assert server.url != old
        after = Program(AFTER, server, tmp_path / "after", (task,))
        assert after.wait() == 0, after.text
        assert (
            after.wait_for("ARTIFACT")
            == f"{{'one': 1}} {old}/files/" + after.wait_for("ARTIFACT").partition("/files/")[2]
        ), "the record is not changed"
        assert after.wait_for("MODEL") == "b'weights'"
        assert after.wait_for("DATA") == "first"
        assert after.wait_for("CHILD") == "['a.txt', 'b.txt']"
        assert after.wait_for("LATER") == "{'two': 2}"
        assert after.wait_for("LEFT") == "[]"
    finally:
        server.stop()


def test_D1_two_addresses_of_one_server_are_one_server(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "server")
    try:
        before = Program(BEFORE, server, tmp_path / "before")
        assert before.wait() == 0, before.text
        task = before.wait_for("TASK")
        other = server.url.replace("127.0.0.1", "localhost")
        assert other != server.url
        after = Program(AFTER, server, tmp_path / "after", (task,), TRIALBOOK_API_HOST=other)
        assert after.wait() == 0, after.text
        assert after.wait_for("ARTIFACT").startswith(f"{{'one': 1}} {server.url}/files/")
        assert after.wait_for("MODEL") == "b'weights'"
        assert after.wait_for("DATA") == "first"
        assert after.wait_for("CHILD") == "['a.txt', 'b.txt']"
        assert after.wait_for("LATER") == "{'two': 2}"
        assert after.wait_for("LEFT") == "[]"
    finally:
        server.stop()
