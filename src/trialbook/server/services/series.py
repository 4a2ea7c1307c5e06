"""Series for charts, tables and export."""

from __future__ import annotations

from typing import Any

from trialbook.base.unicode import storable
from trialbook.errors import BadField
from trialbook.server.series import export, tiles
from trialbook.server.series.read import Spec, Tail, load_many
from trialbook.server.series.tiles import Wanted
from trialbook.server.services.call import Call
from trialbook.server.stores.series import of_owners
from trialbook.wire import series as wire
from trialbook.wire.table import RawReply

_MOST_SERIES = 10_000


_HEADERS = {"Cache-Control": "no-store"}


class Series:
    """Reads points: what a chart shows, and all of them."""

    def catalog(self, call: Call, ask: wire.CatalogAsk) -> wire.CatalogReply:
        """The series of tasks."""
        rows = of_owners(call.connection, ask.tasks, ask.metrics)
        return wire.CatalogReply(series=[export.entry(row) for row in rows])

    def tiles(self, call: Call, ask: wire.TilesAsk) -> RawReply | dict[str, object]:
        """What a chart shows."""
        span = _span(ask.range)
        found = tiles.read(call.connection, self._wanted(call, ask.series), ask.x, span, ask.buckets)
        if ask.format == "json" or (ask.format is None and call.accepts == "application/json"):
            return tiles.to_json(found)
        return RawReply("application/x-trialbook-tiles", tiles.to_bytes(found), _HEADERS)

    def raw(self, call: Call, ask: wire.RawAsk) -> RawReply | wire.RawSeriesReply:
        """All points."""
        span = _span(ask.range)
        wanted = self._wanted(call, ask.series)
        rows = [one.row for one in wanted if one.row is not None]
        tail = Tail(call.connection, {row.owner for row in rows})
        points = load_many(call.connection, [Spec(row.id, row.owner) for row in rows], tail)
        parts = [export.cut(one, points, span, ask.start, ask.limit) for one in wanted]
        if ask.format == "columns" or (ask.format is None and call.accepts == export.COLUMNS):
            return RawReply(export.COLUMNS, export.to_bytes(parts), _HEADERS)
        return wire.RawSeriesReply(series=[export.to_json(part) for part in parts])

    def _wanted(self, call: Call, series: list[wire.SeriesName] | wire.SeriesQuery) -> list[Wanted]:
        """The series that were asked for, in that order."""
        if isinstance(series, wire.SeriesQuery):
            rows = [row for row in of_owners(call.connection, series.tasks, series.metrics) if row.count]
            found = [Wanted(row.owner, row.metric, row.variant, row) for row in rows]
        else:
            metrics = {storable(one.metric) for one in series}
            known: dict[tuple[str, str, str], Any] = {
                (row.owner, row.metric, row.variant): row
                for row in of_owners(call.connection, {one.task for one in series}, metrics)
            }
            found = []
            for one in series:
                name = (one.task, storable(one.metric), storable(one.variant))
                found.append(Wanted(*name, known.get(name)))
        if len(found) > _MOST_SERIES:
            raise BadField(
                f"{len(found)} series at once are more than {_MOST_SERIES}: ask in parts", field="series"
            )
        return found


def _span(given: tuple[float, float] | None) -> tuple[float, float] | None:
    # Written so that NaN is refused too.
    if given is not None and not given[0] <= given[1]:
        raise BadField("range must be [from, to] with from ≤ to", field="range")
    return given
