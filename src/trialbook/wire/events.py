"""Wire types and methods of events: adding them, and reading what is neither a picture nor console."""

from typing import Annotated, Any, Literal

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import METHODS, Permission, RawBody, domain, owners, reads

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


class DeleteForTask(msgspec.Struct, frozen=True, kw_only=True):
    """All events of a task."""

    task: str
    allow_locked: bool = False
    model_events: bool = False


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it was deleted."""

    deleted: bool


METHODS.add(
    "events.add",
    access=owners("task"),
    request=Event,
    reply=AddReply,
    permit=Permission.WORK,
    changes=True,
    summary="Add one event.",
)


METHODS.add(
    "events.add_batch",
    access=owners(""),
    request=RawBody,
    reply=AddReply,
    permit=Permission.WORK,
    changes=True,
    transaction="own",
    summary="Add events, one JSON object a line (application/json-lines).",
)


METHODS.add(
    "events.add_points",
    access=owners(""),
    request=RawBody,
    reply=AddPointsReply,
    permit=Permission.WORK,
    changes=True,
    transaction="own",
    summary="Add frames of a journal, exactly once and in order (application/x-trialbook-points).",
)


METHODS.add(
    "events.delete_for_task",
    access=owners("task"),
    request=DeleteForTask,
    reply=Deleted,
    permit=Permission.WRITE,
    changes=True,
    summary="Delete all events of a task.",
)


reads(
    "events.scalar_metrics_iter_histogram",
    owners("task"),
    ScalarHistogram,
    dict[str, dict[str, Curve]],
    "Scalars of a task, thinned to a number of samples: metric → variant → curve.",
)


reads(
    "events.multi_task_scalar_metrics_iter_histogram",
    owners("tasks"),
    MultiScalarHistogram,
    MultiScalarReply,
    "Scalars of several tasks, thinned to a number of samples.",
)


reads(
    "events.get_task_single_value_metrics",
    owners("tasks"),
    TasksAsk,
    SingleValuesReply,
    "Single values of tasks.",
    since="2.20",
)


reads(
    "events.get_task_latest_scalar_values",
    owners("task"),
    TaskAsk,
    LatestValuesReply,
    "The last point of every series.",
)


reads(
    "events.get_scalar_metrics_and_variants",
    owners("task"),
    TaskAsk,
    MetricsAndVariantsReply,
    "Names of the scalars of a task.",
)


reads(
    "events.get_task_metrics",
    owners("tasks"),
    GetTaskMetrics,
    TaskMetricsReply,
    "Names of the metrics of tasks.",
)


reads(
    "events.get_task_events", owners("task"), GetTaskEvents, EventsReply, "Events of a task, page after page."
)


class VectorHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors of one metric and variant; the last ``samples`` iterations."""

    task: str
    metric: str
    variant: str
    samples: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    model_events: bool = False


class VectorHistogramReply(msgspec.Struct, frozen=True, kw_only=True):
    """Row k of ``vectors`` belongs to ``iterations[k]``; iterations rise."""

    metric: str
    variant: str
    iterations: list[int]
    vectors: list[list[float]]


class MultiTaskMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Names that any of some tasks has, of one event type or of all."""

    tasks: list[str]
    event_type: EventType | None = None
    model_events: bool = False


class MetricNames(msgspec.Struct, frozen=True, kw_only=True):
    """A metric and its variants, sorted."""

    metric: str
    variants: list[str]


class MultiTaskMetricsReply(msgspec.Struct, frozen=True, kw_only=True):
    """By metric."""

    metrics: list[MetricNames]


class ScalarMetricData(msgspec.Struct, frozen=True, kw_only=True):
    """The points of one metric of a task as events, page after page."""

    task: str
    metric: str
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    no_scroll: bool = False
    scroll_id: str | None = None
    model_events: bool = False


class ClearScroll(msgspec.Struct, frozen=True, kw_only=True):
    """A scroll id of this server holds nothing, so nothing is cleared."""

    scroll_id: str


reads(
    "events.vector_metrics_iter_histogram",
    owners("task"),
    VectorHistogram,
    VectorHistogramReply,
    "Vectors of a metric and variant by iteration.",
)
reads(
    "events.get_vector_metrics_and_variants",
    owners("task"),
    TaskAsk,
    MetricsAndVariantsReply,
    "Names of the vectors of a task.",
)
reads(
    "events.get_multi_task_metrics",
    owners("tasks"),
    MultiTaskMetrics,
    MultiTaskMetricsReply,
    "Names that any of some tasks has.",
    "2.23",
)
reads(
    "events.get_scalar_metric_data",
    owners("task"),
    ScalarMetricData,
    EventsReply,
    "The points of a metric as events.",
)
reads("events.clear_scroll", domain("task"), ClearScroll, Empty, "Forget a scroll.", "2.18")
