"""The main job, the way a newcomer runs it: nothing configured, one command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import RunningServer

pytest.importorskip("sklearn")


@pytest.mark.timeout(170)
def test_demo_keeps_the_whole_run(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "demo", "--exit", "--", "--epochs", "12"],
        env={**kept, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Trialbook results page: http" in done.stdout + done.stderr, "the run's page is printed"
    data = tmp_path / ".local" / "share" / "trialbook" / "server"
    assert not (data / "server.json").exists(), "the demo stops the server that it started"
    assert (data / "credentials.json").stat().st_mode & 0o777 == 0o600

    server = RunningServer(data)
    try:
        (task,) = server.call("tasks.get_all", name="^train a digit classifier$")["tasks"]
        assert task["status"] == "completed"
        assert task["hyperparams"]["Args"]["epochs"]["value"] == "12"
        assert task["hyperparams"]["Model"]["hidden_units"]["value"] == "48"
        scalars = server.call("events.scalar_metrics_iter_histogram", task=task["id"])
        assert scalars["loss"]["train"]["x"] == list(range(12))
        assert scalars["accuracy"]["validation"]["y"][-1] > 0.85, "the network really learned"
        assert len(scalars["batch"]["loss"]["x"]) == 12 * 22
        plots = server.call("events.get_task_plots", task=task["id"], iters=1)["plots"]
        matrix = next(json.loads(plot["plot_str"]) for plot in plots if plot["metric"] == "confusion")
        assert sum(map(sum, matrix["data"][0]["z"])) == 360
        images = server.call("events.get_task_events", task=task["id"], event_type="training_debug_image")[
            "events"
        ]
        assert images
        console = server.call("events.get_task_log", task=task["id"], order="asc")["events"]
        assert sum("epoch  12 of 12" in event["msg"] for event in console) == 1
        (artifact,) = (item for item in task["execution"]["artifacts"] if item["key"] == "predictions")
        table = server.ask(artifact["uri"].split("/", 3)[3], verb="GET", body=b"").data.decode()
        assert len(table.splitlines()) == 361
        (model,) = server.call("models.get_all", task=[task["id"]])["models"]
        assert model["framework"].lower().startswith("scikit")
        weights = server.ask(model["uri"].split("/", 3)[3], verb="HEAD", body=b"")
        assert int(weights.headers["Content-Length"]) > 10_000
    finally:
        server.stop()
