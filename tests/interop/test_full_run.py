"""One script, both SDKs, the same records; and the released SDK reads them back as they were reported."""

import hashlib
import json

import pytest

from tests.interop.conftest import Run
from tests.support.server import RunningServer

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

PLOTS = {
    ("figure", "line"),
    ("table", "frame"),
    ("histogram", "counts"),
    ("confusion", "val"),
    ("scatter", "points"),
}


def check(record: dict, single_plots: bool = True) -> None:
    """What both SDKs must have left behind."""
    assert record["name"] == "full run (1.0)"
    assert record["project"] == "Interop/Säge & Co"
    assert record["status"] == "completed"
    assert record["type"] == "training"
    assert record["tags"] == ["alpha", "beta"]
    assert record["comment"] == "a comment with Ümlaut"
    parameters = record["parameters"]
    assert parameters["Args/epochs"] == "5"
    assert parameters["Args/rate"] == "0.5"
    assert parameters["General/lr"] == "0.1"
    assert parameters["General/layers"] == "[1, 2]"
    assert parameters["General/nested/depth"] == "3"
    assert parameters["General/flag"] == "True"
    assert parameters["General/path/with.dots"] == "x"
    assert "width = 64" in record["configuration"] or '"width": 64' in record["configuration"]
    assert record["properties"] == {"backbone": "great", "stable": "True"}
    for series, top in (("train", 1.0), ("val/über.a$b", 2.0)):
        points = record["scalars"]["loss"][series]
        assert points["x"] == list(range(300))
        assert points["y"] == pytest.approx([top / (step + 1) for step in range(300)])
        last = record["last"]["loss"][series]
        assert last["last"] == pytest.approx(top / 300)
        assert last["max"] == pytest.approx(top)
        assert last["min"] == pytest.approx(top / 300)
    assert record["single"] == {"best": 0.25}
    assert record["last_iteration"] == 299
    assert record["console"].count("hello from report_text") == 1
    assert record["console"].count("hello from print") == 1
    plots = {(metric, variant): figure for metric, variant, figure in record["plots"]}
    assert set(plots) == PLOTS
    assert plots["figure", "line"]["data"][0]["y"] == [4, 5, 6]
    assert plots["confusion", "val"]["data"][0]["z"] == [[5, 1], [2, 7]]
    artifacts = record["artifacts"]
    assert artifacts["a dict"] == {"b": 2, "a": [1, 2]}
    assert artifacts["array"] == {"ndarray": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], "dtype": "float32"}
    assert artifacts["frame"]["frame"]["b"] == [0.5, 1.5]
    assert artifacts["file"] == {"file": "plain file\n"}
    assert artifacts["object"] == {"set": [1, 2, 3]}
    assert "notes with blank.txt" in artifacts["folder"]["folder"]
    assert record["artifact_metadata"]["file"] == {"kind": "notes"}
    (model,) = record["models"]
    assert model["name"] == "my model"
    assert model["framework"] == "PyTorch"
    assert model["labels"] == {"cat": 0, "dog": 1}
    assert model["weights"] == hashlib.sha256(bytes(range(256)) * 40).hexdigest()


def images(server: RunningServer, task: str) -> dict[tuple[str, str], bytes]:
    """The debug samples of a task: (metric, variant) → the file's bytes."""
    events = server.call(
        "events.get_task_events", task=task, event_type="training_debug_image", batch_size=100
    )["events"]
    found = {}
    for event in events:
        path = event["url"].removeprefix(server.url)
        reply = server.ask(path.lstrip("/"), verb="GET", body=b"")
        assert reply.status == 200, event["url"]
        found[event["metric"], event["variant"]] = reply.data
    return found


def test_released_sdk(server: RunningServer, run_clearml: Run) -> None:
    run = run_clearml("full_run.py")
    assert run["epochs"] == 5
    record = run_clearml("read_back.py", run["id"])
    check(record)
    assert images(server, run["id"])["image", "gradient"][:2] in (b"\xff\xd8", b"\x89P")


def test_drop_in_leaves_the_same_records(server: RunningServer, run_clearml: Run, run_trialbook: Run) -> None:
    run = run_trialbook("full_run.py")
    record = run_clearml("read_back.py", run["id"])
    check(record)
    assert images(server, run["id"])["image", "gradient"][:2] in (b"\xff\xd8", b"\x89P")


def test_drop_in_reads_what_the_released_sdk_wrote(run_clearml: Run, run_trialbook: Run) -> None:
    run = run_clearml("full_run.py")
    theirs = run_clearml("read_back.py", run["id"])
    ours = run_trialbook("read_back.py", run["id"])
    for record in (theirs, ours):
        record.pop("output")
        # The page documents x and y; the released SDK also hands on the name that the server repeats.
        record["scalars"] = {
            m: {v: {k: s[k] for k in "xy"} for v, s in g.items()} for m, g in record["scalars"].items()
        }
        record["plots"] = json.dumps(record["plots"], sort_keys=True)
    assert ours == theirs
