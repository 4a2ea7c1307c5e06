"""Adding events, and reading them the way the reference's clients do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.series import histogram, listing
from trialbook.server.series.columns import Points
from trialbook.server.series.erase import erase_owner
from trialbook.server.series.read import Spec, Tail, load_many
from trialbook.server.series.statistics import finite
from trialbook.server.stores import events as store
from trialbook.server.stores.series import of_owners
from trialbook.server.stores.tasks import task
from trialbook.wire import events as wire
from trialbook.wire.query import Empty
from trialbook.wire.table import RawBody


@handles("events.add")
def add(context: Context, ask: wire.Event) -> wire.AddReply:
    """One event."""
    return context.services.events.add(context, ask)


@handles("events.add_batch")
def add_batch(context: Context, ask: RawBody) -> wire.AddReply:
    """Events as json-lines."""
    return context.services.events.add_batch(context, ask.body)


@handles("events.add_points")
def add_points(context: Context, ask: RawBody) -> wire.AddPointsReply:
    """Frames of a journal."""
    return context.services.events.add_points(context, ask.body)


@handles("events.delete_for_task")
def delete_for_task(context: Context, ask: wire.DeleteForTask) -> wire.Deleted:
    """Forget what was reported to a task."""
    context.services.events.require_open(
        context.connection, ask.task, ask.model_events, ask.allow_locked, context.caller
    )
    erase_owner(context.connection, ask.task)
    for kind in ("series", "log", "events"):
        context.publish(f"{'model' if ask.model_events else 'task'}:{ask.task}", kind, [ask.task])
    return wire.Deleted(deleted=True)


def _metric_names(metrics: Sequence[Any] | None) -> list[str] | None:
    """Names out of ``["loss"]`` or ``[{"metric": "loss", "variants": […]}]``."""
    if not metrics:
        return None
    return [str(one.get("metric", "")) if isinstance(one, dict) else str(one) for one in metrics]


def wanted_metrics(metrics: Sequence[Any] | None) -> dict[str, Collection[str]] | None:
    """Metric → variants, none of which means all, out of what a request lists."""
    if not metrics:
        return None
    wanted: dict[str, Collection[str]] = {}
    for one in metrics:
        if isinstance(one, dict):
            wanted[str(one.get("metric", ""))] = [str(variant) for variant in one.get("variants") or ()]
        else:
            wanted[str(one)] = ()
    return wanted


def _series(
    context: Context, owners: Sequence[str], metrics: Sequence[Any] | None
) -> list[tuple[Any, Points]]:
    """Rows of series that have points, each with its points, by metric and variant."""
    wanted = wanted_metrics(metrics)
    rows = []
    for row in of_owners(context.connection, owners, _metric_names(metrics)):
        variants = (wanted or {}).get(row.metric, ())
        if row.count and (not variants or row.variant in variants):
            rows.append(row)
    tail = Tail(context.connection, {row.owner for row in rows})
    points = load_many(context.connection, [Spec(row.id, row.owner) for row in rows], tail)
    found = [(row, points[row.id]) for row in rows]
    return sorted(found, key=lambda pair: (pair[0].metric, pair[0].variant))


@handles("events.scalar_metrics_iter_histogram")
def scalar_metrics_iter_histogram(
    context: Context, ask: wire.ScalarHistogram
) -> dict[str, dict[str, wire.Curve]]:
    """Scalars of a task."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    samples = ask.samples or histogram.DEFAULT_SAMPLES
    reply: dict[str, dict[str, wire.Curve]] = {}
    for row, points in _series(context, [ask.task], ask.metrics):
        reply.setdefault(row.metric, {})[row.variant] = histogram.curve(row.variant, points, ask.key, samples)
    return reply


@handles("events.multi_task_scalar_metrics_iter_histogram")
def multi_task_scalar_metrics_iter_histogram(
    context: Context, ask: wire.MultiScalarHistogram
) -> wire.MultiScalarReply:
    """Scalars of several tasks."""
    names = names_of(context, ask.tasks, ask.model_events)
    samples = ask.samples or histogram.DEFAULT_SAMPLES
    reply: dict[str, dict[str, dict[str, wire.Curve]]] = {}
    for row, points in _series(context, ask.tasks, ask.metrics):
        variants = reply.setdefault(row.metric, {}).setdefault(row.variant, {})
        variants[row.owner] = histogram.curve(names[row.owner], points, ask.key, samples)
    return wire.MultiScalarReply(metrics=reply)


def names_of(context: Context, owners: Sequence[str], is_model: bool) -> dict[str, str]:
    """The names of tasks or models, all of which must exist."""
    services, connection = context.services, context.connection
    if is_model:
        return {owner: services.models.require(connection, owner).name for owner in owners}
    return {owner: services.tasks.require(connection, owner, task.c.name).name for owner in owners}


@handles("events.get_task_single_value_metrics")
def get_task_single_value_metrics(context: Context, ask: wire.TasksAsk) -> wire.SingleValuesReply:
    """Single values of tasks."""
    names = names_of(context, ask.tasks, ask.model_events)
    values: dict[str, list[wire.SingleValue]] = {owner: [] for owner in names}
    for row in of_owners(context.connection, ask.tasks):
        if row.single_time is not None:
            values[row.owner].append(
                wire.SingleValue(
                    metric=row.metric,
                    variant=row.variant,
                    value=finite(row.single_value),
                    timestamp=row.single_time // 1000,
                )
            )
    listed = [
        wire.TaskSingleValues(task=owner, task_name=name, values=values[owner])
        for owner, name in names.items()
        if values[owner]
    ]
    return wire.SingleValuesReply(tasks=listed)


@handles("events.get_task_latest_scalar_values")
def get_task_latest_scalar_values(context: Context, ask: wire.TaskAsk) -> wire.LatestValuesReply:
    """The last point of every series."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    metrics: dict[str, list[wire.LatestValue]] = {}
    for row in of_owners(context.connection, [ask.task]):
        if row.count:
            metrics.setdefault(row.metric, []).append(
                wire.LatestValue(
                    name=row.variant,
                    last_value=finite(row.last_value),
                    last_iter=row.last_iter,
                    timestamp=row.last_time // 1000,
                )
            )
    return wire.LatestValuesReply(
        metrics=[
            wire.LatestMetric(name=name, variants=variants) for name, variants in sorted(metrics.items())
        ]
    )


@handles("events.get_scalar_metrics_and_variants")
def get_scalar_metrics_and_variants(context: Context, ask: wire.TaskAsk) -> wire.MetricsAndVariantsReply:
    """Names of scalars."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    metrics: dict[str, list[str]] = {}
    for row in of_owners(context.connection, [ask.task]):
        metrics.setdefault(row.metric, []).append(row.variant)
    return wire.MetricsAndVariantsReply(metrics={name: sorted(metrics[name]) for name in sorted(metrics)})


@handles("events.get_task_metrics")
def get_task_metrics(context: Context, ask: wire.GetTaskMetrics) -> wire.TaskMetricsReply:
    """Names of metrics."""
    found: dict[str, set[str]] = {owner: set() for owner in ask.tasks}
    for owner in ask.tasks:
        context.services.events.require(context.connection, owner, ask.model_events)
    if ask.event_type in (None, "training_stats_scalar"):
        for row in of_owners(context.connection, ask.tasks):
            found[row.owner].add(row.metric)
    if ask.event_type not in ("training_stats_scalar", "log"):
        kind = None if ask.event_type is None else store.KINDS[ask.event_type]
        for owner, metric, _ in store.names(context.connection, ask.tasks, kind):
            found[owner].add(metric)
    listed = [wire.TaskMetrics(task=owner, metrics=sorted(names)) for owner, names in found.items()]
    return wire.TaskMetricsReply(metrics=listed)


@handles("events.get_task_events")
def get_task_events(context: Context, ask: wire.GetTaskEvents) -> wire.EventsReply:
    """Events, page after page."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    parts = listing.sources(context.connection, ask.task, ask.event_type)
    total = sum(part.count for part in parts)
    place = listing.place_of(ask.scroll_id) if ask.scroll_id else listing.Place(0, total)
    stop = min(place.at + ask.batch_size, place.total)
    if ask.order == "asc":
        found = listing.piece(parts, place.at, stop)
    else:
        found = listing.piece(parts, place.total - stop, place.total - place.at)[::-1]
    following = listing.Place(place.at + len(found), place.total)
    return wire.EventsReply(events=found, returned=len(found), total=place.total, scroll_id=following.text())


@handles("events.vector_metrics_iter_histogram")
def vector_metrics_iter_histogram(context: Context, ask: wire.VectorHistogram) -> wire.VectorHistogramReply:
    """Vectors by iteration."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    found = store.vectors(context.connection, ask.task, ask.metric, ask.variant, ask.samples)
    return wire.VectorHistogramReply(
        metric=ask.metric,
        variant=ask.variant,
        iterations=[iteration for iteration, _ in found],
        vectors=[values for _, values in found],
    )


def _all_names(context: Context, owners: Sequence[str], event_type: str | None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if event_type in (None, "training_stats_scalar"):
        for row in of_owners(context.connection, owners):
            found.setdefault(row.metric, set()).add(row.variant)
    if event_type not in ("training_stats_scalar", "log"):
        kind = None if event_type is None else store.KINDS[event_type]
        for _, metric, variant in store.names(context.connection, owners, kind):
            found.setdefault(metric, set()).add(variant)
    return found


@handles("events.get_vector_metrics_and_variants")
def get_vector_metrics_and_variants(context: Context, ask: wire.TaskAsk) -> wire.MetricsAndVariantsReply:
    """Names of vectors."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    found = _all_names(context, [ask.task], "training_stats_vector")
    return wire.MetricsAndVariantsReply(metrics={name: sorted(found[name]) for name in sorted(found)})


@handles("events.get_multi_task_metrics")
def get_multi_task_metrics(context: Context, ask: wire.MultiTaskMetrics) -> wire.MultiTaskMetricsReply:
    """Names that any of the tasks has."""
    names_of(context, ask.tasks, ask.model_events)
    found = _all_names(context, ask.tasks, ask.event_type)
    return wire.MultiTaskMetricsReply(
        metrics=[wire.MetricNames(metric=name, variants=sorted(found[name])) for name in sorted(found)]
    )


@handles("events.get_scalar_metric_data")
def get_scalar_metric_data(context: Context, ask: wire.ScalarMetricData) -> wire.EventsReply:
    """Points of a metric."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    parts = listing.sources(context.connection, ask.task, "training_stats_scalar", ask.metric)
    total = sum(part.count for part in parts)
    place = listing.place_of(ask.scroll_id) if ask.scroll_id else listing.Place(0, total)
    found = listing.piece(parts, place.at, min(place.at + ask.batch_size, place.total))
    following = listing.Place(place.at + len(found), place.total)
    return wire.EventsReply(
        events=found,
        returned=len(found),
        total=place.total,
        scroll_id=None if ask.no_scroll else following.text(),
    )


@handles("events.clear_scroll")
def clear_scroll(_context: Context, _ask: wire.ClearScroll) -> Empty:
    """Nothing to do."""
    return Empty()
