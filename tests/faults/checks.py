"""What must be true after every fault: everything acknowledged is there, nothing twice, nothing out of order."""

import json
from pathlib import Path
from typing import Any

import urllib3

from tests.faults.trainer import ARTIFACTS, LINES, PARAMETERS, PLOTS, THREADS, Note, value
from tests.integration.program import console, document
from tests.support.server import RunningServer


def journals(home: Path, task: str = "") -> list[Path]:
    """The journals that are still on the host."""
    return sorted((home / ".cache/trialbook/journal").glob(f"{task or '*'}/*/journal.json"))


def everything(server: RunningServer, task: str, note: Note, exact: bool) -> None:
    """Compare the server with the note.

    Args:
        server: has recovered.
        task: of the trainer.
        note: what the trainer was told to be safe.
        exact: the trainer ended by itself, so that nothing more than the note says may be there either.
    """
    _scalars(server, task, note, exact)
    lines = [line for line in console(server, task).splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(len(lines))], "console lines out of order or twice"
    _enough("console lines", len(lines), note[LINES], exact)
    found = server.call("events.get_task_plots", {"task": task, "iters": 100_000})["plots"]
    iterations = sorted(plot["iter"] for plot in found)
    assert iterations == list(range(len(iterations))), "plots missing or twice"
    _enough("plots", len(iterations), note[PLOTS], exact)
    _document(server, document(server, task), note, exact)
    (state,) = server.call("journals.status", {"tasks": [task]})["tasks"]
    assert state["complete"], state


def _scalars(server: RunningServer, task: str, note: Note, exact: bool) -> None:
    reply = server.call("series.raw", {"series": {"tasks": [task]}, "format": "json"})
    series = {one["variant"]: one for one in reply["series"] if one["metric"] == "loss"}
    for stream in range(THREADS):
        one = series.get(f"t{stream}", {"iter": [], "value": [], "time": []})
        steps = len(one["iter"])
        assert one["iter"] == list(range(steps)), f"thread {stream}: points missing, twice or out of order"
        assert one["value"] == [value(stream, step) for step in range(steps)]
        times = one.get("time") or []
        assert times == sorted(times)
        _enough(f"points of thread {stream}", steps, note[stream], exact)


def _document(server: RunningServer, found: dict[str, Any], note: Note, exact: bool) -> None:
    artifacts = {entry["key"]: entry for entry in (found.get("execution") or {}).get("artifacts") or []}
    numbers = sorted(int(key.split()[-1]) for key in artifacts)
    assert numbers == list(range(len(numbers)))
    _enough("artifacts", len(numbers), note[ARTIFACTS], exact)
    http = urllib3.PoolManager(retries=False)
    for number in numbers:
        reply = http.request(
            "GET",
            artifacts[f"artifact {number}"]["uri"],
            headers={"Authorization": f"Bearer {server.token}"},
        )
        assert reply.status == 200 and json.loads(reply.data) == {"number": number}
    parameters = ((found.get("hyperparams") or {}).get("General") or {}).values()
    set_to = sorted(int(one["value"]) for one in parameters)
    assert set_to == list(range(len(set_to)))
    _enough("parameters", len(set_to), note[PARAMETERS], exact)


def _enough(what: str, found: int, told: int, exact: bool) -> None:
    if exact:
        assert found == told, f"{what}: {found} there, {told} reported"
    else:
        # A call that was cut short by the kill may have been kept as well.
        assert told <= found <= told + 1, f"{what}: {found} there, {told} acknowledged"
