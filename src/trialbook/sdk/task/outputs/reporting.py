"""Reading back what a task reported."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from trialbook.base.clock import iso
from trialbook.base.unicode import storable
from trialbook.client import columns
from trialbook.errors import UsageError
from trialbook.sdk.logger import Logger
from trialbook.sdk.reports.metrics import Metrics
from trialbook.sdk.task.base import TaskBase

if TYPE_CHECKING:
    from trialbook.client.api import DebugImages, GetAllTasks, GetTaskLog, GetTaskPlots, ScalarHistogram

_AXES: tuple[Literal["iter", "timestamp", "iso_time"], ...] = ("iter", "timestamp", "iso_time")
_MOST_SAMPLES = 6000


class ReportingMixin(TaskBase):
    """Members that report, and that read metrics, plots and console."""

    _logger: Logger | None = None
    _metrics: Metrics | None = None
    _label_counts: dict[str, int] | None = None

    def get_logger(self) -> Logger:
        """The logger of this task; also for tasks that other processes run.

        Returns:
            The same object at each call.

        Example:
            >>> task.get_logger().report_scalar("loss", "train", value=0.5, iteration=1)
        """
        if self._logger is None:
            self._logger = Logger(
                self._record, lambda: self._run.watched_streams() if self._run is not None else []
            )
        return self._logger

    @property
    def logger(self) -> Logger:
        """The logger of this task.

        Example:
            >>> task.logger is task.get_logger()
            True
        """
        return self.get_logger()

    def get_reported_scalars(
        self, max_samples: int = 0, x_axis: str = "iter"
    ) -> Mapping[str, Mapping[str, Mapping[str, list[float]]]]:
        """Scalars as ``{title: {series: {"x": […], "y": […]}}}``; asked anew at each call.

        Args:
            max_samples: 0 gives every point; else at most so many per series, each the mean of its window.
            x_axis: "iter", "timestamp" (seconds since the first point) or "iso_time".

        Raises:
            UsageError: another ``x_axis``.

        Returns:
            The points in order of iterations; NaN where it was reported. Of several points of one iteration it is the
            newest; the charts of the web UI show them all.

        Example:
            >>> for step in (1, 2):
            ...     task.get_logger().report_scalar("loss", "train", 1 / step, step)
            >>> task.get_reported_scalars()
            {'loss': {'train': {'x': [1, 2], 'y': [1.0, 0.5]}}}
        """
        axis = next((known for known in _AXES if known == x_axis), None)
        if axis is None:
            raise UsageError(f"x_axis must be one of {', '.join(_AXES)}, not {x_axis!r}")
        self._record.flush()
        if not max_samples:
            return self._all_points(x_axis)
        ask: ScalarHistogram = {"task": self.id, "key": axis, "samples": min(max_samples, _MOST_SAMPLES)}
        answer = self._record.api.events.scalar_metrics_iter_histogram(ask)
        named: dict[str, dict[str, dict[str, Any]]] = {
            title: {series: {"x": found["x"], "y": _numbers(found["y"])} for series, found in group.items()}
            for title, group in answer.items()
        }
        return _from_start(named, 1000.0) if x_axis == "timestamp" else named

    def get_all_reported_scalars(self, x_axis: str = "iter") -> Any:
        """Every point of every scalar.

        Args:
            x_axis: as of ``get_reported_scalars``.

        Returns:
            As ``get_reported_scalars``.

        Raises:
            UsageError: another ``x_axis``.

        Example:
            >>> task.get_logger().report_scalar("loss", "train", value=0.5, iteration=1)
            >>> task.get_all_reported_scalars()
            {'loss': {'train': {'x': [1], 'y': [0.5]}}}
        """
        return self.get_reported_scalars(0, x_axis)

    def get_last_scalar_metrics(self) -> dict[str, dict[str, dict[str, float]]]:
        """The last, least and greatest value of each scalar, over all of its points.

        Returns:
            ``{title: {series: {"last": …, "min": …, "max": …}}}``.

        Example:
            >>> for step in range(3):
            ...     task.get_logger().report_scalar("loss", "train", step, step)
            >>> task.get_last_scalar_metrics()
            {'loss': {'train': {'last': 2.0, 'min': 0.0, 'max': 2.0}}}
        """
        metrics = self._record.fresh().get("last_metrics") or {}
        found: dict[str, dict[str, dict[str, float]]] = {}
        for group in metrics.values():
            for entry in group.values():
                values = {
                    "last": entry.get("value"),
                    "min": entry.get("min_value"),
                    "max": entry.get("max_value"),
                }
                found.setdefault(str(entry["metric"]), {})[str(entry["variant"])] = {
                    name: float("nan") if value is None else float(value) for name, value in values.items()
                }
        return found

    def get_last_iteration(self) -> int:
        """The greatest iteration that the server knows.

        Returns:
            The iteration; 0 when nothing was reported.

        Example:
            >>> task.get_logger().report_scalar("loss", "train", value=0.5, iteration=7)
            >>> task.get_last_iteration()
            7
        """
        self._record.flush()
        ask: GetAllTasks = {"id": [self.id], "only_fields": ["last_iteration"], "search_hidden": True}
        found = self._record.api.tasks.get_all(ask).get("tasks") or [{}]
        return int(found[0].get("last_iteration") or 0)

    def get_reported_console_output(self, number_of_reports: int = 1) -> list[str]:
        """The newest console entries.

        Args:
            number_of_reports: at most so many.

        Returns:
            Their text in reading order; empty when there are none.

        Example:
            >>> task.get_logger().report_text("epoch 1 is over", print_console=False)
            >>> task.get_reported_console_output()
            ['epoch 1 is over']
        """
        self._record.flush()
        ask: GetTaskLog = {
            "task": self.id,
            "batch_size": max(1, number_of_reports),
            "order": "asc",
            "navigate_earlier": True,
        }
        events = self._record.api.events.get_task_log(ask).get("events") or []
        return [str(event.get("msg") or "") for event in events][-number_of_reports:]

    def get_reported_plots(self, max_iterations: int | None = None) -> list[dict[str, Any]]:
        """The plots.

        Args:
            max_iterations: of so many last iterations; None is all.

        Returns:
            Dicts with ``metric``, ``variant``, ``iter`` and ``plot_str`` (JSON).

        Example:
            >>> task.get_logger().report_histogram("classes", "train", [12, 9], iteration=1)
            >>> [(plot["metric"], plot["variant"], plot["iter"]) for plot in task.get_reported_plots()]
            [('classes', 'train', 1)]
        """
        self._record.flush()
        ask: GetTaskPlots = {"task": self.id, "iters": max_iterations or 1_000_000, "no_scroll": True}
        return self._record.api.events.get_task_plots(ask).get("plots") or []

    def get_debug_samples(
        self, title: str, series: str, n_last_iterations: int | None = None
    ) -> list[dict[str, Any]]:
        """Pictures and media; one that is still being sent appears when it has arrived (see ``flush``).

        Args:
            title: of the reports.
            series: of the reports.
            n_last_iterations: of so many last iterations; None is all that are kept.

        Returns:
            Dicts with ``iter`` and ``url``, the newest iteration first.

        Example:
            >>> task.get_logger().report_image("digits", "first", 1, image=[[0, 255], [255, 0]])
            >>> _ = task.flush(wait_for_uploads=True)
            >>> [sample["iter"] for sample in task.get_debug_samples("digits", "first")]
            [1]
        """
        self._record.flush()
        ask: DebugImages = {
            "metrics": [{"task": self.id, "metric": title, "variants": [series]}],
            "iters": n_last_iterations or 100_000,
        }
        found: list[dict[str, Any]] = []
        for metric in self._record.api.events.debug_images(ask).get("metrics") or []:
            for iteration in metric.get("iterations") or []:
                found += iteration.get("events") or []
        return sorted(found, key=lambda event: -int(event.get("iter") or 0))

    def get_reported_single_values(self) -> dict[str, float]:
        """All single values.

        Returns:
            Names to values, in the order in which they were first reported; also what is not finite.

        Example:
            >>> task.get_logger().report_single_value("accuracy", 0.93)
            >>> task.get_reported_single_values()
            {'accuracy': 0.93}
        """
        self._record.flush()
        # Its numbers have words for what JSON cannot say.
        answer = self._record.api.series.catalog({"tasks": [self.id]})
        return {
            one["variant"]: float(one["single"])
            for one in answer["series"]
            if one["single_time"] is not None and one["single"] is not None
        }

    def get_reported_single_value(self, name: str) -> float | None:
        """One single value.

        Args:
            name: of the value.

        Returns:
            The value; None when it was not reported.

        Example:
            >>> task.get_logger().report_single_value("accuracy", 0.93)
            >>> task.get_reported_single_value("accuracy"), task.get_reported_single_value("recall")
            (0.93, None)
        """
        return self.get_reported_single_values().get(storable(name))

    def get_initial_iteration(self) -> int:
        """What is added to every reported iteration.

        Returns:
            0, or what ``set_initial_iteration`` or a continued run set.

        Example:
            >>> task.get_initial_iteration()
            0
        """
        return self._record.offset

    def set_initial_iteration(self, offset: int = 0) -> int:
        """Add a number to every later iteration.

        Args:
            offset: the number.

        Returns:
            The number.

        Raises:
            UsageError: it is not an integer.

        Example:
            >>> task.set_initial_iteration(100)
            100
            >>> task.get_logger().report_scalar("loss", "train", value=0.5, iteration=7)
            >>> task.get_last_iteration()
            107
        """
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise UsageError(f"the offset must be an integer, got {offset!r}")
        self._record.offset = offset
        return offset

    @property
    def metrics_manager(self) -> Metrics:
        """What writes the task's events in the form of the wire; the same object at each access.

        Example:
            >>> task.metrics_manager is task.metrics_manager
            True
        """
        if self._metrics is None:
            self._metrics = Metrics(self._record)
        return self._metrics

    @property
    def labels_stats(self) -> dict[str, int]:
        """How often each label was seen in the frames that were reported; empty when none were.

        Example:
            >>> task.labels_stats
            {}
        """
        return dict(self._label_counts or {})

    # -- inside ---

    def _accumulate_label_stats(self, roi_stats: Mapping[str, int], reset: bool = False) -> None:
        """Add the label counts of some frames; ``reset`` forgets the earlier ones."""
        counts = {} if reset or self._label_counts is None else self._label_counts
        for label, count in roi_stats.items():
            counts[label] = counts.get(label, 0) + int(count)
        self._label_counts = counts

    def _all_points(self, x_axis: str) -> dict[str, dict[str, dict[str, Any]]]:
        session = self._record.require_connection("reading scalars").session
        # Columns, because a million points as JSON take seconds to read.
        points = session.fetching(columns.TYPE).series.raw(
            {"series": {"tasks": [self.id]}, "format": "columns"}
        )
        found = [columns.newest_of_each(one) for one in columns.decode(points) if one.value]
        start = 0.0 if x_axis == "iter" else min((min(series.time) for series in found), default=0.0)
        named: dict[str, dict[str, dict[str, Any]]] = {}
        for series in found:
            if x_axis == "iter":
                x: list[Any] = series.iteration.tolist()
            elif x_axis == "timestamp":
                x = [moment - start for moment in series.time]
            else:
                x = [iso(moment) for moment in series.time]
            named.setdefault(series.metric, {})[series.variant] = {"x": x, "y": series.value.tolist()}
        return named


def _numbers(values: list[Any]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]


def _from_start(named: dict[str, dict[str, dict[str, Any]]], divisor: float) -> Any:
    start = min(
        (found["x"][0] for group in named.values() for found in group.values() if found["x"]), default=0.0
    )
    for group in named.values():
        for found in group.values():
            found["x"] = [(moment - start) / divisor for moment in found["x"]]
    return named
