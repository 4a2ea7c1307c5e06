"""Wire types and methods of series: the catalogue, the tiles of charts, all points."""

from typing import Annotated, Literal

import msgspec

from trialbook.wire.table import METHODS, Permission, owners

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A value of a series: JSON cannot say the three that are not a finite number, so they come as strings."""


class CatalogAsk(msgspec.Struct, frozen=True, kw_only=True):
    """The series of some tasks or models, or of some of their metrics."""

    tasks: list[str]
    metrics: list[str] | None = None


class SeriesEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A series with its exact statistics over all points. Minimum, maximum and mean are of the finite values
    and null when there is none; moments in seconds. A series without points (``count`` 0) is a single
    value."""

    task: str
    is_model: bool
    metric: str
    variant: str
    count: int
    nonfinite: int
    version: int
    first: Number | None = None
    first_iter: int | None = None
    last: Number | None = None
    last_iter: int | None = None
    last_time: float | None = None
    start_time: float | None = None
    end_time: float | None = None
    min: float | None = None
    min_iter: int | None = None
    max: float | None = None
    max_iter: int | None = None
    mean: float | None = None
    single: Number | None = None
    single_time: float | None = None


class CatalogReply(msgspec.Struct, frozen=True, kw_only=True):
    """By task, then in the order in which the series were first reported."""

    series: list[SeriesEntry]


class SeriesName(msgspec.Struct, frozen=True, kw_only=True):
    """One series of a task or model."""

    task: str
    metric: str
    variant: str
    is_model: bool = False


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Every series of some tasks, or of some of their metrics."""

    tasks: list[str]
    metrics: list[str] | None = None


class TilesAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart shows: series, the x axis, its range (null means all) and how many buckets it has room
    for.

    ``format`` or an ``Accept`` header of ``application/json`` asks for JSON in place of the binary reply.
    """

    series: list[SeriesName] | SeriesQuery
    x: Literal["iter", "time", "relative"] = "iter"
    range: tuple[float, float] | None = None
    buckets: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 512
    format: Literal["binary", "json"] | None = None


class TilePoints(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of buckets; null where a bucket has no finite value."""

    x_first: list[float]
    x_last: list[float]
    min: list[float | None]
    max: list[float | None]
    last: list[float | None]
    count: list[int]
    nonfinite: list[int]


class TileSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series of a reply; in the binary one ``offset`` and ``length`` say where its columns are."""

    task: str
    metric: str
    variant: str
    count: int
    nonfinite: int
    version: int
    length: int
    raw: bool
    last: float | None = None
    last_iter: int | None = None
    offset: int = 0
    points: TilePoints | None = None


class TilesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The directory of ``application/x-trialbook-tiles``, and the JSON form, which has ``points`` too."""

    x: str
    range: tuple[float, float]
    buckets: int
    series: list[TileSeries]


class RawAsk(msgspec.Struct, frozen=True, kw_only=True):
    """All points of series, in the order (iteration, time), from point ``start`` on.

    ``format`` "columns", or an ``Accept`` header of ``application/x-trialbook-columns``, asks for binary
    columns.
    """

    series: list[SeriesName] | SeriesQuery
    range: tuple[float, float] | None = None
    start: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    format: Literal["json", "columns"] | None = None


class RawSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Points as columns; ``time`` in seconds; ``total`` counts the points in the range."""

    task: str
    metric: str
    variant: str
    total: int
    iter: list[int]
    time: list[float]
    value: list[Number]


class RawSeriesReply(msgspec.Struct, frozen=True, kw_only=True):
    """All points."""

    series: list[RawSeries]


METHODS.add(
    "series.catalog",
    access=owners("tasks"),
    request=CatalogAsk,
    reply=CatalogReply,
    permit=Permission.READ,
    summary="The series of tasks with their exact statistics.",
)
METHODS.add(
    "series.tiles",
    access=owners("series"),
    request=TilesAsk,
    reply=TilesReply,
    permit=Permission.READ,
    summary="What a chart shows: buckets that hide no spike and no NaN.",
)
METHODS.add(
    "series.raw",
    access=owners("series"),
    request=RawAsk,
    reply=RawSeriesReply,
    permit=Permission.READ,
    summary="All points of series.",
)
