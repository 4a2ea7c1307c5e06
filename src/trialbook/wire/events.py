"""Wire types and methods of events: points, console, plots, images, vectors."""

from typing import Annotated, Any, Literal

import msgspec

from trialbook.wire.table import METHODS, Permission, RawBody, RawReply

I64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Key = Literal["iter", "timestamp", "iso_time"]
EventType = Literal["training_stats_scalar", "training_stats_vector", "training_debug_image", "plot", "log"]


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One report. ``timestamp`` is in milliseconds since the epoch; ``task`` is a model's id when
    ``model_event``."""

    task: str | None = None
    type: str | None = None
    timestamp: float | None = None
    metric: str | None = None
    variant: str | None = None
    iter: I64 | None = None
    value: float | None = None
    values: list[float] | None = None
    plot_str: str | None = None
    key: str | None = None
    url: str | None = None
    msg: str | None = None
    level: str | None = None
    worker: str | None = None
    model_event: bool | None = None
    allow_locked: bool | None = None
    x_axis_label: str | None = None
    skip_validation: bool | None = None


class AddReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many events were stored, how many were not, and why, with a count per reason."""

    added: int
    errors: int
    errors_info: dict[str, int]


class AddPointsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``acked`` is the stream offset up to which everything is stored."""

    acked: int
    points: int = 0
    events: int = 0
    texts: int = 0
    calls: int = 0
    warnings: list[str] = []


class ScalarHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Scalars of a task: at most ``samples`` points per series, each the mean of its window."""

    task: str
    key: Key = "iter"
    samples: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metrics: list[Any] | None = None
    model_events: bool = False


class MultiScalarHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Scalars of several tasks."""

    tasks: list[str]
    key: Key = "iter"
    samples: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metrics: list[Any] | None = None
    model_events: bool = False


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One series. ``x`` is the iteration, milliseconds, or a date; a value that JSON cannot say is null."""

    name: str
    x: list[int] | list[str]
    y: list[float | None]


class MultiScalarReply(msgspec.Struct, frozen=True, kw_only=True):
    """metric → variant → task → curve."""

    metrics: dict[str, dict[str, dict[str, Curve]]]


class TasksAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Some tasks."""

    tasks: list[str]
    model_events: bool = False


class SingleValue(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a task, such as a final score. ``timestamp`` is in milliseconds."""

    metric: str
    variant: str
    value: float | None
    timestamp: int


class TaskSingleValues(msgspec.Struct, frozen=True, kw_only=True):
    """The single values of a task."""

    task: str
    task_name: str
    values: list[SingleValue]


class SingleValuesReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task, in the order of the request."""

    tasks: list[TaskSingleValues]


class TaskAsk(msgspec.Struct, frozen=True, kw_only=True):
    """One task, or with ``model_events`` one model."""

    task: str
    model_events: bool = False


class MetricsAndVariantsReply(msgspec.Struct, frozen=True, kw_only=True):
    """metric → its variants."""

    metrics: dict[str, list[str]]


class TaskMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the metrics of a task."""

    task: str
    metrics: list[str]


class GetTaskMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Names of metrics of one event type, or of all types."""

    tasks: list[str]
    event_type: EventType | None = None
    model_events: bool = False


class TaskMetricsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task, in the order of the request."""

    metrics: list[TaskMetrics]


class LatestValue(msgspec.Struct, frozen=True, kw_only=True):
    """The last point of a series. ``timestamp`` is in milliseconds."""

    name: str
    last_value: float | None
    last_iter: int
    timestamp: int


class LatestMetric(msgspec.Struct, frozen=True, kw_only=True):
    """The last points of a metric."""

    name: str
    variants: list[LatestValue]


class LatestValuesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The last point of every series of a task."""

    metrics: list[LatestMetric]


class GetTaskEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a task, page after page: hand ``scroll_id`` back until nothing is returned."""

    task: str
    event_type: EventType | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    order: Literal["asc", "desc"] = "asc"
    scroll_id: str | None = None
    model_events: bool = False


class EventsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events; ``total`` is exact and stays the same for the whole scroll."""

    events: list[dict[str, Any]]
    returned: int
    total: int
    scroll_id: str | None = None


class GetTaskLog(msgspec.Struct, frozen=True, kw_only=True):
    """Console reports. ``from_timestamp`` (milliseconds) is not included itself."""

    task: str
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    order: Literal["asc", "desc"] | None = None
    navigate_earlier: bool = True
    from_timestamp: float | None = None


class DownloadTaskLog(msgspec.Struct, frozen=True, kw_only=True):
    """The whole console as a file: lines of text, or of JSON."""

    task: str
    line_type: Literal["text", "json"] = "text"
    line_format: str = "{asctime} {worker} {level} {msg}"


class GetTaskPlots(msgspec.Struct, frozen=True, kw_only=True):
    """Plots of the last ``iters`` iterations of every metric and variant."""

    task: str
    iters: Annotated[int, msgspec.Meta(ge=1)] = 1
    metrics: list[Any] | None = None
    no_scroll: bool = True
    scroll_id: str | None = None
    model_events: bool = False


class PlotsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Plot events; everything comes at once, so there is no further page."""

    plots: list[dict[str, Any]]
    returned: int
    total: int
    scroll_id: str | None = None


class ImageMetric(msgspec.Struct, frozen=True, kw_only=True):
    """Which images: of a task, a metric (all when absent), and variants (all when absent)."""

    task: str
    metric: str | None = None
    variants: list[str] | None = None


class DebugImages(msgspec.Struct, frozen=True, kw_only=True):
    """Images by iteration, newest iterations first; a further call with ``scroll_id`` goes on to earlier
    ones."""

    metrics: list[ImageMetric]
    iters: Annotated[int, msgspec.Meta(ge=1)] = 1
    scroll_id: str | None = None
    navigate_earlier: bool = True
    refresh: bool = False
    model_events: bool = False


class ImageIteration(msgspec.Struct, frozen=True, kw_only=True):
    """Images of one iteration."""

    iter: int
    events: list[dict[str, Any]]


class TaskImages(msgspec.Struct, frozen=True, kw_only=True):
    """Images of one task."""

    task: str
    iterations: list[ImageIteration]


class DebugImagesReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task. When there is nothing further, every ``iterations`` is empty."""

    metrics: list[TaskImages]
    scroll_id: str


class ImageSample(msgspec.Struct, frozen=True, kw_only=True):
    """The image of a metric and variant at an iteration, or the nearest earlier one; the last one when
    absent."""

    task: str
    metric: str
    variant: str
    iteration: I64 | None = None
    model_events: bool = False


class ImageSampleReply(msgspec.Struct, frozen=True, kw_only=True):
    """The image, and between which iterations there are such images."""

    event: dict[str, Any] | None
    min_iteration: int | None = None
    max_iteration: int | None = None


class MultiTaskPlots(msgspec.Struct, frozen=True, kw_only=True):
    """Plots of the last ``iters`` iterations of every metric and variant of several tasks."""

    tasks: list[str]
    iters: Annotated[int, msgspec.Meta(ge=1)] = 1
    metrics: list[Any] | None = None
    no_scroll: bool = True
    scroll_id: str | None = None
    model_events: bool = False


class TaskPlots(msgspec.Struct, frozen=True, kw_only=True):
    """The plots of one task under one metric, variant and iteration."""

    name: str
    plots: list[dict[str, Any]]


class MultiTaskPlotsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Metric → variant → task → iteration → plots; everything comes at once."""

    plots: dict[str, dict[str, dict[str, dict[str, TaskPlots]]]]
    returned: int
    total: int
    scroll_id: str


class PlotSample(msgspec.Struct, frozen=True, kw_only=True):
    """The plot of a metric and variant at an iteration, or the nearest earlier one; the last one when absent."""

    task: str
    metric: str
    variant: str
    iteration: I64 | None = None
    model_events: bool = False


class DeleteForTask(msgspec.Struct, frozen=True, kw_only=True):
    """All events of a task."""

    task: str
    allow_locked: bool = False
    model_events: bool = False


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it was deleted."""

    deleted: bool


class ReadLines(msgspec.Struct, frozen=True, kw_only=True):
    """Console lines by number, from 0; a negative ``start`` counts from the end."""

    task: str
    start: int = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 1000


class ConsoleLine(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` never changes; ``time`` in seconds; level 10 debug … 50 critical; stream 0 report_text, 1
    stdout, 2 stderr, 3 logging."""

    number: int
    time: float
    level: int
    stream: int
    text: str
    worker: str


class LinesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Lines in order; ``total`` is the number of lines of the console."""

    lines: list[ConsoleLine]
    total: int


class SearchLines(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a console that contain a text, or match a regular expression."""

    task: str
    text: str
    regex: bool = False
    match_case: bool = False
    start: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 200


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` lines match in what was searched; ``next_line`` says where to go on when time was over
    before the end."""

    lines: list[ConsoleLine]
    count: int
    total: int
    next_line: int | None = None


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Reports that a disk budget dropped."""

    kind: str
    count: int
    why: str


class JournalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One journal: ``backlog`` is how many bytes its host still held when it last sent; moments in
    seconds."""

    journal: str
    host: str
    pid: int
    acked: int
    backlog: int
    first_seen: float
    last_seen: float
    losses: list[Loss]


class TaskJournals(msgspec.Struct, frozen=True, kw_only=True):
    """The journals of a task; ``complete`` when none has a backlog and nothing was dropped."""

    task: str
    complete: bool
    backlog: int
    lost: int
    journals: list[JournalStatus]


class JournalsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task, in the order of the request."""

    tasks: list[TaskJournals]


def _declare(name: str, request: Any, reply: Any, summary: str, since: str = "2.1") -> None:
    METHODS.add(name, request=request, reply=reply, permit=Permission.READ, since=since, summary=summary)


METHODS.add(
    "events.add",
    request=Event,
    reply=AddReply,
    permit=Permission.WORK,
    changes=True,
    summary="Add one event.",
)
METHODS.add(
    "events.add_batch",
    request=RawBody,
    reply=AddReply,
    permit=Permission.WORK,
    changes=True,
    transaction="own",
    summary="Add events, one JSON object a line (application/json-lines).",
)
METHODS.add(
    "events.add_points",
    request=RawBody,
    reply=AddPointsReply,
    permit=Permission.WORK,
    changes=True,
    transaction="own",
    summary="Add frames of a journal, exactly once and in order (application/x-trialbook-points).",
)
METHODS.add(
    "events.delete_for_task",
    request=DeleteForTask,
    reply=Deleted,
    permit=Permission.WRITE,
    changes=True,
    summary="Delete all events of a task.",
)
_declare(
    "events.scalar_metrics_iter_histogram",
    ScalarHistogram,
    dict[str, dict[str, Curve]],
    "Scalars of a task, thinned to a number of samples: metric → variant → curve.",
)
_declare(
    "events.multi_task_scalar_metrics_iter_histogram",
    MultiScalarHistogram,
    MultiScalarReply,
    "Scalars of several tasks, thinned to a number of samples.",
)
_declare(
    "events.get_task_single_value_metrics",
    TasksAsk,
    SingleValuesReply,
    "Single values of tasks.",
    since="2.20",
)
_declare(
    "events.get_task_latest_scalar_values", TaskAsk, LatestValuesReply, "The last point of every series."
)
_declare(
    "events.get_scalar_metrics_and_variants",
    TaskAsk,
    MetricsAndVariantsReply,
    "Names of the scalars of a task.",
)
_declare("events.get_task_metrics", GetTaskMetrics, TaskMetricsReply, "Names of the metrics of tasks.")
_declare("events.get_task_events", GetTaskEvents, EventsReply, "Events of a task, page after page.")
_declare("events.get_task_log", GetTaskLog, EventsReply, "Console reports of a task.")
_declare("events.download_task_log", DownloadTaskLog, RawReply, "The whole console of a task as a file.")
_declare("events.get_task_plots", GetTaskPlots, PlotsReply, "The newest plots of a task.")
_declare("events.debug_images", DebugImages, DebugImagesReply, "Images of tasks by iteration.")
_declare("events.get_debug_image_sample", ImageSample, ImageSampleReply, "One image of a metric and variant.")
_declare(
    "events.get_multi_task_plots", MultiTaskPlots, MultiTaskPlotsReply, "The newest plots of several tasks."
)
_declare("events.get_plot_sample", PlotSample, ImageSampleReply, "One plot of a metric and variant.", "2.20")
_declare("logs.range", ReadLines, LinesReply, "Console lines by number.")
_declare("logs.search", SearchLines, SearchReply, "Search the whole console of a task.")
_declare("journals.status", TasksAsk, JournalsReply, "Whether everything that was reported has arrived.")
