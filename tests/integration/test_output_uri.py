"""A run whose files go to an object storage: they arrive, survive a kill, and go with the task."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_proxy import Fault, HttpProxy, Request
from tests.support.object_storages import S3Server
from tests.support.server import RunningServer
from tests.support.waiting import until
from trialbook.base.ids import new_id
from trialbook.blobs.buckets import direct, place

TRAIN = """
import sys
from pathlib import Path
from trialbook import Logger, OutputModel, Task
task = Task.init("Out", "run", output_uri=sys.argv[1])
print("TASK", task.id, flush=True)
task.upload_artifact("table", {"a": 1})
Path("weights.pt").write_bytes(b"weights")
OutputModel(task, name="net").update_weights("weights.pt")
Logger.current_logger().set_default_upload_destination(sys.argv[1])
import numpy
Logger.current_logger().report_image("pictures", "one", 0, image=numpy.zeros((4, 4, 3), "uint8"))
Logger.current_logger().report_scalar("loss", "train", 0.5, 1)
if len(sys.argv) > 2:
    task.flush()
    print("READY", flush=True)
    sys.stdin.readline()
task.close()
print("CLOSED", flush=True)
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    running = S3Server()
    yield running
    running.stop()


class Host:
    """A home folder with settings for a server and a storage."""

    def __init__(self, home: Path, server: RunningServer, s3: S3Server, host: str = "") -> None:
        self.home = home
        (home / "trialbook.conf").write_text(
            s3.configuration().replace(s3.host, host or s3.host)
            + f'api {{ api_server: "{server.url}", files_server: "{server.files_url}" }}\n'
        )
        skipped = ("TRIALBOOK_", "CLEARML_", "AWS_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(skipped)}
        self.environment.update(
            HOME=str(home), TRIALBOOK_AUTH_TOKEN=server.token, TRIALBOOK_CLOSE_TIMEOUT="5"
        )

    def start(self, *arguments: str, code: str = TRAIN) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: str = TRAIN) -> str:
        process = self.start(*arguments, code=code)
        out, _ = process.communicate(timeout=90)
        assert process.returncode == 0, out
        return out


def keys(s3: S3Server, bucket: str) -> list[str]:
    return [info.key for info in direct(place(bucket, s3.accounts()).bucket).list()]


def document(server: RunningServer, task: str) -> dict[str, object]:
    found: dict[str, object] = server.call("tasks.get_by_id", {"task": task})["task"]
    return found


def artifacts(server: RunningServer, task: str) -> list[dict[str, object]]:
    execution = document(server, task)["execution"]
    assert isinstance(execution, dict)
    return list(execution.get("artifacts") or [])


def task_of(out: str) -> str:
    return next(line.split()[1] for line in out.splitlines() if line.startswith("TASK"))


def test_files_of_a_run_arrive_and_go_with_the_task(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(f"r{new_id()[:10]}")
    host = Host(tmp_path, own_server, s3)
    out = host.run(f"{bucket}/team")
    task = task_of(out)
    assert "CLOSED" in out
    stored = keys(s3, bucket)
    assert len(stored) == 3
    assert all(key.startswith(f"team/Out/run.{task}/") for key in stored)
    assert {key.split("/")[3] for key in stored} == {"artifacts", "models", "metrics"}
    (entry,) = artifacts(own_server, task)
    assert str(entry["uri"]).startswith(f"{bucket}/team/Out/run.{task}/artifacts/")
    read = "from trialbook import Task; import sys; t = Task.get_task(sys.argv[1]);"
    out = host.run(
        task, code=f"{read} print('GOT', t.artifacts['table'].get(), t.models['output'][0].get_weights())"
    )
    assert "GOT {'a': 1} " in out and "weights.pt" in out
    remove = "from trialbook import Model; m = t.models['output'][0]; assert Model.remove(m, force=True)"
    host.run(task, code=f"{read} {remove}; assert t.delete_artifacts(['table'])")
    assert [key.split("/")[3] for key in keys(s3, bucket)] == ["metrics"]
    host.run(task, code=f"{read} assert t.delete(raise_on_error=True)")
    assert keys(s3, bucket) == []


def test_a_storage_that_is_away_breaks_no_run_and_gets_its_files_later(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(f"r{new_id()[:10]}")
    away = True

    def rule(_: Request) -> Fault | None:
        return Fault(503) if away else None

    proxy = HttpProxy(s3.url, rule)
    try:
        host = Host(tmp_path, own_server, s3, proxy.host)
        host.environment["TRIALBOOK_CONNECT_TIMEOUT"] = "1"
        out = host.run(bucket.replace(s3.host, proxy.host))
        task = task_of(out)
        assert "CLOSED" in out and "kept on this host" in out
        # The reports did not wait for the storage.
        until(lambda: document(own_server, task)["status"] == "completed")
        assert artifacts(own_server, task) == []
        away = False

        def arrived() -> bool:
            # The background process of the run may be at it already.
            sync(host)
            return len(keys(s3, bucket)) == 3

        until(arrived, 60)
        until(lambda: len(artifacts(own_server, task)) == 1)
    finally:
        proxy.close()


def sync(host: Host) -> None:
    subprocess.run(
        [sys.executable, "-m", "trialbook", "sync"],
        env=host.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_files_of_a_killed_run_arrive_once_it_is_recovered(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(f"r{new_id()[:10]}")
    away = True

    def rule(request: Request) -> Fault | None:
        return (
            Fault(503)
            if away and request.method in ("PUT", "POST") and ".trialbook-probe" not in request.path
            else None
        )

    proxy = HttpProxy(s3.url, rule)
    try:
        host = Host(tmp_path, own_server, s3, proxy.host)
        process = host.start(bucket.replace(s3.host, proxy.host), "wait")
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("READY"):
                break
        task = task_of("".join(lines))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert keys(s3, bucket) == [] and artifacts(own_server, task) == []
        away = False
        sync(host)
        assert len(keys(s3, bucket)) == 3
        assert [entry["key"] for entry in artifacts(own_server, task)] == ["table"]
        before = len(proxy.seen)
        sync(host)
        assert len(proxy.seen) == before
    finally:
        proxy.close()


def test_a_wrong_destination_is_refused_at_the_start(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    host = Host(tmp_path, own_server, s3)
    process = host.start(f"s3://{s3.host}/no-such-bucket")
    out, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "no-such-bucket does not exist" in out


FORK = """
import os, sys
from trialbook import StorageManager, Task
task = Task.init("Out", "forked", output_uri=sys.argv[1])
print("TASK", task.id, flush=True)
task.upload_artifact("parent", {"a": 1}, wait_on_upload=True)
pid = os.fork()
if pid == 0:
    # The driver's threads stayed with the parent.
    path = StorageManager.get_local_copy(task.artifacts["parent"].url)
    open("seen", "w").write(open(path).read())
    task.upload_artifact("child", {"b": 2}, wait_on_upload=True)
    task.flush()
    os._exit(0)
print("CHILD", os.waitpid(pid, 0)[1], flush=True)
task.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forked_child_stores_and_fetches_too(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(f"r{new_id()[:10]}")
    host = Host(tmp_path, own_server, s3)
    out = host.run(bucket, code=FORK)
    assert "CHILD 0" in out
    assert (tmp_path / "seen").read_text().split() == ["{", '"a":', "1", "}"]
    assert sorted(str(entry["key"]) for entry in artifacts(own_server, task_of(out))) == ["child", "parent"]
    assert len(keys(s3, bucket)) == 2


LARGE = """
import os, sys
from pathlib import Path
from trialbook import Task
task = Task.init("Out", "large")
print("TASK", task.id, flush=True)
Path("big.bin").write_bytes(os.urandom(1 << 20) * 40)
task.upload_artifact("big", "big.bin")
Path("big.bin").write_bytes(b"the next checkpoint")
sys.stdin.readline()
"""


def test_a_large_artifact_goes_on_where_a_kill_left_it(
    own_server: RunningServer, s3: S3Server, tmp_path: Path
) -> None:
    sent: list[int] = []
    broken = True

    def rule(request: Request) -> Fault | None:
        if request.method != "PUT" or not request.body:
            return None
        if not broken:
            sent.append(len(request.body))
            return None
        if sent:
            return Fault(503)
        sent.append(len(request.body))
        half = len(request.body) // 2
        request.body = request.body[:half]
        request.headers["Content-Length"] = str(half)
        return Fault(after=0)

    proxy = HttpProxy(own_server.url, rule)
    try:
        host = Host(tmp_path, own_server, s3)
        text = (tmp_path / "trialbook.conf").read_text().replace(own_server.url, proxy.url)
        (tmp_path / "trialbook.conf").write_text(text)
        process = host.start(code=LARGE)
        assert process.stdout is not None
        task = task_of(next(line for line in process.stdout if line.startswith("TASK")))
        until(lambda: len(sent) == 1, 60)
        # The server has its half when the next try is refused.
        until(lambda: sum(method == "PUT" for method, _ in proxy.seen) >= 3, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        broken = False
        sync(host)
        (entry,) = artifacts(own_server, task)
        assert sent == [40 << 20, 20 << 20]
        stored = next((own_server.data / "files").rglob("big.bin"))
        data = stored.read_bytes()
        assert len(data) == 40 << 20 == entry["content_size"]
        assert hashlib.sha256(data).hexdigest() == entry["hash"]
    finally:
        proxy.close()
