"""Adding events, and reading them the way clients of ClearML do."""

from __future__ import annotations

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import events as wire
from trialbook.wire.query import Empty
from trialbook.wire.table import RawBody


@handles("events.add")
def add(services: Services, call: Call, ask: wire.Event) -> wire.AddReply:
    """One event."""
    return services.events.add(call, ask)


@handles("events.add_batch")
def add_batch(services: Services, call: Call, ask: RawBody) -> wire.AddReply:
    """Events as json-lines."""
    return services.events.add_batch(call, ask.body)


@handles("events.add_points")
def add_points(services: Services, call: Call, ask: RawBody) -> wire.AddPointsReply:
    """Frames of a journal."""
    return services.events.add_points(call, ask.body)


@handles("events.delete_for_task")
def delete_for_task(services: Services, call: Call, ask: wire.DeleteForTask) -> wire.Deleted:
    """Forget what was reported to a task."""
    services.events.erase(call, ask)
    return wire.Deleted(deleted=True)


@handles("events.scalar_metrics_iter_histogram")
def scalar_metrics_iter_histogram(
    services: Services, call: Call, ask: wire.ScalarHistogram
) -> dict[str, dict[str, wire.Curve]]:
    """Scalars of a task."""
    return services.event_values.scalar_metrics_iter_histogram(call, ask)


@handles("events.multi_task_scalar_metrics_iter_histogram")
def multi_task_scalar_metrics_iter_histogram(
    services: Services, call: Call, ask: wire.MultiScalarHistogram
) -> wire.MultiScalarReply:
    """Scalars of several tasks."""
    return services.event_values.multi_task_scalar_metrics_iter_histogram(call, ask)


@handles("events.get_task_single_value_metrics")
def get_task_single_value_metrics(
    services: Services, call: Call, ask: wire.TasksAsk
) -> wire.SingleValuesReply:
    """Single values of tasks."""
    return services.event_values.get_task_single_value_metrics(call, ask)


@handles("events.get_task_latest_scalar_values")
def get_task_latest_scalar_values(
    services: Services, call: Call, ask: wire.TaskAsk
) -> wire.LatestValuesReply:
    """The last point of every series."""
    return services.event_values.get_task_latest_scalar_values(call, ask)


@handles("events.get_scalar_metrics_and_variants")
def get_scalar_metrics_and_variants(
    services: Services, call: Call, ask: wire.TaskAsk
) -> wire.MetricsAndVariantsReply:
    """Names of scalars."""
    return services.event_values.get_scalar_metrics_and_variants(call, ask)


@handles("events.get_task_metrics")
def get_task_metrics(services: Services, call: Call, ask: wire.GetTaskMetrics) -> wire.TaskMetricsReply:
    """Names of metrics."""
    return services.event_values.get_task_metrics(call, ask)


@handles("events.get_task_events")
def get_task_events(services: Services, call: Call, ask: wire.GetTaskEvents) -> wire.EventsReply:
    """Events, page after page."""
    return services.event_values.get_task_events(call, ask)


@handles("events.vector_metrics_iter_histogram")
def vector_metrics_iter_histogram(
    services: Services, call: Call, ask: wire.VectorHistogram
) -> wire.VectorHistogramReply:
    """Vectors by iteration."""
    return services.event_values.vector_metrics_iter_histogram(call, ask)


@handles("events.get_vector_metrics_and_variants")
def get_vector_metrics_and_variants(
    services: Services, call: Call, ask: wire.TaskAsk
) -> wire.MetricsAndVariantsReply:
    """Names of vectors."""
    return services.event_values.get_vector_metrics_and_variants(call, ask)


@handles("events.get_multi_task_metrics")
def get_multi_task_metrics(
    services: Services, call: Call, ask: wire.MultiTaskMetrics
) -> wire.MultiTaskMetricsReply:
    """Names that any of the tasks has."""
    return services.event_values.get_multi_task_metrics(call, ask)


@handles("events.get_scalar_metric_data")
def get_scalar_metric_data(services: Services, call: Call, ask: wire.ScalarMetricData) -> wire.EventsReply:
    """Points of a metric."""
    return services.event_values.get_scalar_metric_data(call, ask)


@handles("events.clear_scroll")
def clear_scroll(_services: Services, _call: Call, _ask: wire.ClearScroll) -> Empty:
    """Nothing to do."""
    return Empty()
