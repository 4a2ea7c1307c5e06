"""The logger's switches, the model configuration as a file, packages as a whole, events in wire form."""

import logging
import math
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from tests.integration.program import Program, console, document
from tests.support.server import RunningServer
from trialbook import Logger, Task
from trialbook.errors import UsageError
from trialbook.sdk.reports import numbers
from trialbook.sdk.servers import connection as connections


@pytest.fixture
def task(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Task]:
    """A running task on the server, without console capture."""
    for name, value in server.client_environment(tmp_path).items():
        if name.startswith("TRIALBOOK_") or name == "HOME":
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("TRIALBOOK_PROC_MASTER_ID", raising=False)
    monkeypatch.setattr(numbers, "substitutes", {})
    connections.disconnect()
    begun = Task.init(f"Tests/{uuid.uuid4().hex[:8]}", "run", auto_connect_streams=False)
    yield begun
    begun.close()
    connections.disconnect()


def test_nan_and_infinite_values(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    logger = task.get_logger()
    logger.report_scalar("a", "kept", math.nan, 0)
    Logger.set_reporting_nan_value(-1.0, warn_period=2)
    Logger.set_reporting_inf_value(7.0, warn_period=0)
    for step in range(3):
        logger.report_scalar("a", "nan", math.nan, step)
    logger.report_scalar("a", "inf", numpy.float32("-inf"), 0)
    logger.report_scalar("a", "other", 10**400, 0)
    Logger.set_reporting_nan_value(None)
    logger.report_scalar("a", "kept", math.nan, 1)
    found = task.get_reported_scalars()["a"]
    assert all(math.isnan(value) for value in found["kept"]["y"])
    assert found["nan"]["y"] == [-1.0] * 3 and found["inf"]["y"] == [7.0]
    assert found["other"]["y"] == [math.inf]
    warnings = [record for record in caplog.records if "is reported as" in record.message]
    assert len(warnings) == 2


def test_capture_logging(task: Task, server: RunningServer) -> None:
    log = logging.getLogger("tests.capture")
    log.warning("before")
    with task.get_logger().capture_logging():
        log.warning("inside")
    log.warning("after")
    task.flush()
    text = console(server, task.id)
    assert text.count("inside") == 1 and "before" not in text and "after" not in text


def test_capture_logging_brings_nothing_twice(server: RunningServer, tmp_path: Path) -> None:
    source = """
import logging
from trialbook import Task
logging.basicConfig(level=logging.INFO)
task = Task.init("Logger", "capture", reuse_last_task_id=False)
silent = logging.getLogger("silent")
with task.get_logger().capture_logging():
    logging.info("printed as well")
    logging.getLogger().handlers[0].setLevel(logging.ERROR)
    logging.info("not printed")
print("TASK", task.id)
"""
    program = Program(source, server, tmp_path)
    assert program.wait() == 0, program.text
    text = console(server, program.wait_for("TASK"))
    assert text.count("printed as well") == 1 and text.count("not printed") == 1
    assert "not printed" not in program.text


def test_flush_period(task: Task) -> None:
    logger = task.get_logger()
    assert logger.get_flush_period() == 0.5
    logger.set_flush_period(0.1)
    assert logger.get_flush_period() == 0.1
    with pytest.raises(UsageError):
        logger.set_flush_period(0)


def test_figures_as_pictures_only(task: Task) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    axes.plot([1, 2], [3, 4])
    logger = task.get_logger()
    logger.report_matplotlib_figure("line", "interactive", figure)
    Logger.matplotlib_force_report_non_interactive(True)
    logger.report_matplotlib_figure("line", "picture", figure)
    Logger.matplotlib_force_report_non_interactive(False)
    logger.report_image_and_upload("old", "form", 3, matrix=numpy.zeros((4, 4, 3), "uint8"))
    task.flush(wait_for_uploads=True)
    plots = {plot["variant"]: plot["plot_str"] for plot in task.get_reported_plots()}
    assert '"scatter"' in plots["interactive"] and '"images"' in plots["picture"]
    assert task.get_debug_samples("old", "form")[0]["iter"] == 3
    pyplot.close(figure)


def test_model_configuration_as_a_file(task: Task, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model configuration"):
        task.save_exec_model_design_file()
    design = tmp_path / "net.prototxt"
    design.write_bytes("layer { größe: 1 }\r\n".encode())
    task.update_model_desc(str(design))
    assert task.get_model_design() == "layer { größe: 1 }\r\n"
    path = Path(task.save_exec_model_design_file())
    assert path == task.cache_dir / "model_design.txt" and path.read_bytes() == design.read_bytes()
    design.write_text("changed")
    task.update_model_desc(str(design))
    assert Path(task.save_exec_model_design_file(use_cache=True)).read_bytes() != b"changed"
    assert Path(task.save_exec_model_design_file()).read_bytes() == b"changed"
    task.flush()
    found = Task.get_task(task.id)
    assert found is not None and found.get_model_design() == "changed"
    for wrong in ("../x", "a/b"):
        with pytest.raises(UsageError, match="without folders"):
            task.save_exec_model_design_file(wrong)
    with pytest.raises(OSError):
        task.update_model_desc(str(tmp_path / "missing"))
    with pytest.raises(UsageError):
        task.update_model_desc()


def test_events_in_wire_form(task: Task, server: RunningServer) -> None:
    manager = task.metrics_manager
    assert task.metrics_manager is manager
    scalar = {"type": "training_stats_scalar", "metric": "m", "variant": "v", "iter": 4, "value": 2.5}
    manager.write_events(
        [
            {**scalar, "timestamp": 1_700_000_000_000},
            {"type": "log", "msg": "a line", "level": "error"},
            {
                "type": "plot",
                "metric": "p",
                "variant": "v",
                "iter": 1,
                "plot_str": '{"data": [], "layout": {}}',
            },
        ]
    )
    assert manager.flush()
    assert task.get_reported_scalars()["m"]["v"] == {"x": [4], "y": [2.5]}
    assert "a line" in console(server, task.id)
    assert [plot["metric"] for plot in task.get_reported_plots()] == ["p"]
    for wrong in ({"type": "other"}, {**scalar, "value": None}, {"type": "plot", "metric": "p"}):
        with pytest.raises(UsageError):
            manager.write_events([wrong])
    assert task.labels_stats == {}
    task._accumulate_label_stats({"cat": 2})
    task._accumulate_label_stats({"cat": 1, "dog": 1})
    assert task.labels_stats == {"cat": 3, "dog": 1}


@pytest.mark.parametrize("wish", ["", "requirements_file='needs.txt'", "force=False"])
def test_the_whole_environment(server: RunningServer, tmp_path: Path, wish: str) -> None:
    (tmp_path / "needs.txt").write_text("only==1.0\n")
    source = f"""
import numpy
from trialbook import Task
Task.ignore_requirements("pytest")
Task.add_requirements("added", ">=3")
Task.force_requirements_env_freeze({wish})
task = Task.init("Packages", "freeze", reuse_last_task_id=False)
Task.force_requirements_env_freeze()
print("TASK", task.id)
"""
    program = Program(source, server, tmp_path)
    assert program.wait() == 0, program.text
    assert "no effect" in program.text
    lines = document(server, program.wait_for("TASK"))["script"]["requirements"]["pip"].splitlines()
    if "file" in wish:
        assert lines[0] == "only==1.0" and lines[1].startswith("trialbook @ http") and len(lines) == 2
        return
    names = {line.partition("==")[0].lower() for line in lines}
    assert f"numpy=={numpy.__version__}" in lines and "added>=3" in lines and "pytest" not in names
    assert ("sqlalchemy" in names) is (wish == "")
