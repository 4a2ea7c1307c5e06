"""Reading back what was reported; iterations; flushing."""

import json
import math
import re
from datetime import datetime, timedelta

import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import Task
from trialbook.errors import UsageError


@pytest.mark.covers("TK-022", "TK-032", "LG-18")
def test_flush(task: Task, draft: Task) -> None:
    assert draft.get_last_iteration() == 0
    logger = task.get_logger()
    logger.report_scalar("a", "b", 1.0, 41)
    logger.report_scalar("a", "c", 1.0, 7)
    assert task.flush() is True
    other = Task.get_task(task.id)
    assert other is not None and other.get_last_iteration() == 41
    task.upload_artifact("x", {"k": 1})
    logger.report_image("i", "s", 1, image=[[0, 255], [255, 0]])
    assert task.flush(wait_for_uploads=True) is True
    assert other.get_debug_samples("i", "s") and again(task).artifacts["x"].get() == {"k": 1}
    logger.report_scalar("a", "b", 2.0, 42)
    assert logger.flush(wait=True) is True
    assert other.get_last_iteration() == 42


@pytest.mark.covers("TK-033")
def test_last_values_are_exact_at_any_length(task: Task) -> None:
    logger = task.get_logger()
    count = 30_000
    for step in range(count):
        value = 99.0 if step == 17_771 else -55.0 if step == 4_242 else math.sin(step)
        logger.report_scalar("long", "s", value, step)
    last = again(task).get_last_scalar_metrics()["long"]["s"]
    assert last == {"last": pytest.approx(math.sin(count - 1)), "min": -55.0, "max": 99.0}
    assert all(type(value) is float for value in last.values())


@pytest.mark.covers("TK-050", "TI-9")
def test_scalars(task: Task) -> None:
    logger = task.get_logger()
    count = 12_000
    for step in range(count):
        logger.report_scalar("t", "s", float(step % 100), step)
    logger.report_scalar("t", "short", math.nan, 3)
    other = again(task)
    found = other.get_reported_scalars()
    assert found["t"]["s"] == {
        "x": list(range(count)),
        "y": [float(step % 100) for step in range(count)],
    }
    assert found["t"]["short"]["x"] == [3] and math.isnan(found["t"]["short"]["y"][0])
    assert other.get_all_reported_scalars()["t"]["s"] == found["t"]["s"]
    fewer = other.get_reported_scalars(max_samples=50)["t"]["s"]
    assert 25 <= len(fewer["x"]) <= 50
    assert sum(fewer["y"]) / len(fewer["y"]) == pytest.approx(49.5, abs=5), "means of windows"
    seconds = other.get_reported_scalars(x_axis="timestamp")["t"]["s"]["x"]
    assert seconds[0] == 0 and seconds == sorted(seconds) and 0 < seconds[-1] < 600
    assert 0 <= other.get_reported_scalars(50, "timestamp")["t"]["s"]["x"][-1] < 600
    iso = other.get_reported_scalars(x_axis="iso_time")["t"]["s"]["x"]
    assert iso[0][:3] == "202" and iso == sorted(iso)
    with pytest.raises(UsageError, match="x_axis"):
        other.get_reported_scalars(x_axis="steps")
    logger.report_scalar("t", "s", 5.0, count)
    logger.flush(wait=True)
    assert len(other.get_reported_scalars()["t"]["s"]["x"]) == count + 1, "asked anew each time"


@pytest.mark.covers("TK-049")
def test_console_entries(task: Task, draft: Task) -> None:
    assert draft.get_reported_console_output() == []
    for number in range(5):
        task.get_logger().report_text(f"line {number}", print_console=False)
        task.flush()
    other = again(task)
    assert other.get_reported_console_output() == ["line 4"]
    assert other.get_reported_console_output(3) == ["line 2", "line 3", "line 4"]
    assert other.get_reported_console_output(100) == [f"line {number}" for number in range(5)]


@pytest.mark.covers("TI-9", "LG-3")
def test_single_values_plots_and_pictures(task: Task) -> None:
    logger = task.get_logger()
    logger.report_single_value("accuracy", 0.5)
    logger.report_single_value("accuracy", 0.9)
    logger.report_single_value("size", 7)
    for name in ("inf", "-inf", "nan"):
        logger.report_single_value(name, float(name))
    for step in (1, 2, 3):
        logger.report_plotly("p", "s", {"data": [{"y": [step]}], "layout": {}}, step)
        logger.report_image("i", "s", step, image=[[0, step]])
    other = again(task)
    found = other.get_reported_single_values()
    assert math.isnan(found.pop("nan"))
    assert found == {"accuracy": 0.9, "size": 7.0, "inf": math.inf, "-inf": -math.inf}
    assert other.get_reported_single_value("accuracy") == 0.9
    assert other.get_reported_single_value("none") is None
    plots = other.get_reported_plots()
    assert {plot["iter"] for plot in plots} == {1, 2, 3} and plots[0]["metric"] == "p"
    assert [plot["iter"] for plot in other.get_reported_plots(max_iterations=1)] == [3]
    assert [sample["iter"] for sample in other.get_debug_samples("i", "s")] == [3, 2, 1]
    assert [sample["iter"] for sample in other.get_debug_samples("i", "s", n_last_iterations=1)] == [3]
    assert other.get_debug_samples("i", "none") == []


@pytest.mark.covers("TK-029", "TK-081", "CO-9")
def test_an_offset_shifts_everything(task: Task) -> None:
    assert task.get_initial_iteration() == 0
    assert task.set_initial_iteration(100) == 100 == task.get_initial_iteration()
    logger = task.get_logger()
    logger.report_scalar("a", "b", 1.0, 1)
    logger.report_plotly("p", "s", {"data": [], "layout": {}}, 1)
    logger.report_image("i", "s", 1, image=[[0]])
    other = again(task)
    assert other.get_reported_scalars()["a"]["b"]["x"] == [101]
    assert other.get_reported_plots()[0]["iter"] == 101
    assert other.get_debug_samples("i", "s")[0]["iter"] == 101
    for wrong in (1.5, "1", None, True):
        with pytest.raises(UsageError, match="integer"):
            task.set_initial_iteration(wrong)  # type: ignore[arg-type]
    task.set_initial_iteration()
    assert task.get_initial_iteration() == 0


@pytest.mark.covers("TK-034", "LG-29")
def test_reporting_to_a_task_that_another_runs(task: Task) -> None:
    task.get_logger().report_scalar("a", "here", 1.0, 1)
    task.flush()
    other = Task.get_task(task.id)
    assert other is not None
    other.get_logger().report_scalar("a", "there", 2.0, 2)
    other.get_logger().flush(wait=True)
    assert set(task.get_reported_scalars()["a"]) == {"here", "there"} and task.status == "in_progress"


@pytest.mark.covers("TK-067")
def test_events_of_ones_own(task: Task) -> None:
    manager = task.metrics_manager
    assert task.metrics_manager is manager
    manager.write_events(
        [{"type": "training_stats_scalar", "metric": "m", "variant": "v", "iter": 4, "value": 2.5}]
    )
    assert manager.flush()
    assert again(task).get_reported_scalars()["m"]["v"] == {"x": [4], "y": [2.5]}
    with pytest.raises(UsageError, match="type is one of"):
        manager.write_events([{"type": "sorcery"}])


@pytest.mark.covers("TK-062")
def test_counts_of_labels(draft: Task) -> None:
    assert draft.labels_stats == {}
    draft._accumulate_label_stats({"cat": 2})
    draft._accumulate_label_stats({"cat": 1, "dog": 1})
    assert draft.labels_stats == {"cat": 3, "dog": 1}
    draft.labels_stats.clear()
    assert draft.labels_stats == {"cat": 3, "dog": 1}, "a copy"


@pytest.mark.covers("TK-091")
def test_the_patience_of_the_monitor(begin: Begin) -> None:
    from trialbook.sdk.process import monitor

    before = monitor._timeout.value
    assert Task.set_resource_monitor_iteration_timeout(60) is True
    task = begin()
    assert task.set_resource_monitor_iteration_timeout(seconds_from_start=0.5) is True
    assert monitor._timeout.value == 0.5
    for wrong in (-1, "x", None, True, math.nan):
        assert Task.set_resource_monitor_iteration_timeout(wrong) is False  # type: ignore[arg-type]
    assert monitor._timeout.value == 0.5
    monitor.set_timeout(before)


@pytest.mark.parametrize("sent_apart", [False, True])
def test_T25_of_equal_iterations_the_newest(task: Task, sent_apart: bool) -> None:
    logger = task.get_logger()
    for value, step in [(1.0, 0), (2.0, 1), (3.0, 1), (4.0, 2), (9.0, 0), (math.nan, 3), (5.0, 3), (7.0, -1)]:
        logger.report_scalar("t", "s", value, step)
        if sent_apart:
            task.flush()
    wanted = {"x": [-1, 0, 1, 2, 3], "y": [7.0, 9.0, 3.0, 4.0, 5.0]}
    other = again(task)
    assert other.get_reported_scalars()["t"]["s"] == wanted
    assert other.get_reported_scalars(max_samples=10)["t"]["s"] == wanted
    assert other.get_all_reported_scalars()["t"]["s"] == wanted
    by_time = {
        axis: other.get_reported_scalars(x_axis=axis)["t"]["s"]["y"] for axis in ("timestamp", "iso_time")
    }
    fewer = other.get_reported_scalars(10, x_axis="iso_time")["t"]["s"]["y"]
    assert {axis: sorted(values) for axis, values in by_time.items()} == dict.fromkeys(
        by_time, sorted(wanted["y"])
    )
    assert sorted(fewer) == sorted(wanted["y"])
    assert other.get_last_scalar_metrics()["t"]["s"]["min"] == 1.0, "statistics keep all"


def test_T24_moments_are_datetimes(begin: Begin) -> None:
    task = begin()
    task.close()
    found = again(task)
    data = found.data
    moments = ("created", "started", "completed", "last_update", "last_change", "status_changed")
    for name in moments:
        moment = getattr(data, name)
        assert isinstance(moment, datetime) and moment.tzinfo is not None, name
        assert moment == datetime.fromisoformat(data[name])
    assert data.completed - data.started >= timedelta(0)
    assert data.published is None and begin("other").data.completed is None
    project = Task.get_projects(name=f"^{re.escape(found.get_project_name())}$")[0]
    assert isinstance(project.created, datetime) and isinstance(project.last_update, datetime)
    tasks = Task.get_all(id=[found.id], search_hidden=True).tasks
    assert tasks[0].started == data.started


def test_T24_the_document_has_attributes_as_deep_as_it_goes(begin: Begin) -> None:
    task = begin()
    task.connect({"lr": 0.1})
    task.connect_configuration({"a": 1}, name="net")
    task.get_logger().report_scalar("loss", "train", 2.0, 1)
    task.close()
    data = again(task).data
    assert data.configuration["net"].type == data.configuration.get("net").type == "dictionary"
    assert [one.type for one in data.configuration.values()] == ["dictionary"]
    assert [(name, one.value) for name, one in data.hyperparams["General"].items()] == [("lr", "0.1")]
    assert [line.value for chart in data["last_metrics"].values() for line in chart.values()] == [2.0]
    assert data.hyperparams.get("none") is None and data.hyperparams.get("none", 3) == 3
    data.configuration["net"]["value"] = "x"
    assert data.configuration["net"].value == "x"
    assert json.loads(json.dumps(data))["configuration"]["net"]["name"] == "net"
