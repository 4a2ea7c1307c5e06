"""Series for charts, tables and export."""

from __future__ import annotations

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import series as wire
from trialbook.wire.table import RawReply


@handles("series.catalog")
def catalog(services: Services, call: Call, ask: wire.CatalogAsk) -> wire.CatalogReply:
    """The series of tasks."""
    return services.series.catalog(call, ask)


@handles("series.tiles")
def read_tiles(services: Services, call: Call, ask: wire.TilesAsk) -> RawReply | dict[str, object]:
    """What a chart shows."""
    return services.series.tiles(call, ask)


@handles("series.raw")
def read_raw(services: Services, call: Call, ask: wire.RawAsk) -> RawReply | wire.RawSeriesReply:
    """All points."""
    return services.series.raw(call, ask)
