"""Wire types and methods of plots and images."""

from typing import Annotated, Any

import msgspec

from trialbook.wire.events import I64
from trialbook.wire.table import owners, reads


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
    scroll_id: str | None = None
    navigate_current_metric: bool = True
    model_events: bool = False


class NextSample(msgspec.Struct, frozen=True, kw_only=True):
    """The neighbour of the sample that ``scroll_id`` stands at: the previous or the next one by (iteration, metric,
    variant), or with ``next_iteration`` one of the neighbouring iteration."""

    task: str
    scroll_id: str
    navigate_earlier: bool = True
    next_iteration: bool = False
    model_events: bool = False


class ImageSampleReply(msgspec.Struct, frozen=True, kw_only=True):
    """The image, or the plots of a metric (``event`` is the last of ``events``), between which iterations there
    are such, and a mark from which to go on."""

    event: dict[str, Any] | None
    events: list[dict[str, Any]] = []
    min_iteration: int | None = None
    max_iteration: int | None = None
    scroll_id: str | None = None


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
    """The plots of a metric at an iteration, or the nearest earlier one; the last one when absent. With ``variant``
    that one alone."""

    task: str
    metric: str
    variant: str | None = None
    iteration: I64 | None = None
    scroll_id: str | None = None
    navigate_current_metric: bool = True
    model_events: bool = False


reads("events.get_task_plots", owners("task"), GetTaskPlots, PlotsReply, "The newest plots of a task.")


reads(
    "events.debug_images", owners("metrics"), DebugImages, DebugImagesReply, "Images of tasks by iteration."
)


reads(
    "events.get_debug_image_sample",
    owners("task"),
    ImageSample,
    ImageSampleReply,
    "One image of a metric and variant.",
)


reads(
    "events.get_multi_task_plots",
    owners("tasks"),
    MultiTaskPlots,
    MultiTaskPlotsReply,
    "The newest plots of several tasks.",
)


reads(
    "events.get_plot_sample",
    owners("task"),
    PlotSample,
    ImageSampleReply,
    "One plot of a metric and variant.",
    "2.20",
)

reads(
    "events.next_debug_image_sample",
    owners("task"),
    NextSample,
    ImageSampleReply,
    "The image before or after another one.",
)
reads(
    "events.next_plot_sample",
    owners("task"),
    NextSample,
    ImageSampleReply,
    "The plot before or after another one.",
    "2.20",
)
