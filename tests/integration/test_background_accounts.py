"""A bucket that only the program can open, and that is away when the run ends."""

import threading
from pathlib import Path

from tests.integration.program import Program, until
from tests.support.http_proxy import Fault, HttpProxy, Request
from tests.support.object_storages import S3Server
from tests.support.server import RunningServer

SOURCE = """
import os, sys, threading
from trialbook import Task
task = Task.init("Accounts", "given", reuse_last_task_id=False)
task.setup_aws_upload("kept", host=sys.argv[1], key="ours", secret="hidden secret", region="us-east-1", secure=False)
task.output_uri = f"s3://{sys.argv[1]}/kept"
print("READY", flush=True)
while not os.path.exists("go"):
    threading.Event().wait(0.05)
task.upload_artifact("x", {"k": 1})
print("TASK", task.id)
"""


def test_what_the_program_gave_reaches_the_process_that_sends_the_rest(
    server: RunningServer, tmp_path: Path
) -> None:
    s3 = S3Server()
    away, stored = threading.Event(), list[str]()

    def rule(request: Request) -> Fault | None:
        signed = {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")
        if away.is_set():
            return Fault()
        if "Credential=ours/" not in signed:
            return Fault(403)
        if request.method == "PUT":
            stored.append(request.path)
        return None

    proxy = HttpProxy(s3.url, rule)
    try:
        s3.make_bucket("kept")
        program = Program(SOURCE, server, tmp_path, (proxy.host,), TRIALBOOK_CLOSE_TIMEOUT="1")
        program.wait_for("READY")
        away.set()
        (tmp_path / "go").touch()
        assert program.wait() == 0, program.text
        assert "a background process continues to send" in program.text
        task = program.wait_for("TASK")
        away.clear()
        until(lambda: [path for path in stored if task in path], 60)
    finally:
        proxy.close()
        s3.stop()
    keepers = [path.name for path in tmp_path.rglob("*") if path.is_file() and b"hidden" in path.read_bytes()]
    assert keepers == ["train.py"], "the key is nowhere on the disk but in the program itself"
