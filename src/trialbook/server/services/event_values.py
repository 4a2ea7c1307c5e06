"""Scalars, vectors and events of a run, the way the released clients read them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from trialbook.server.series import histogram, listing
from trialbook.server.series.columns import Points
from trialbook.server.series.read import Spec, Tail, load_many
from trialbook.server.series.statistics import finite
from trialbook.server.services.call import Call
from trialbook.server.services.events import Events
from trialbook.server.stores import events as store
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.series import of_owners
from trialbook.server.stores.tasks import TaskStore, task
from trialbook.wire import events as wire


class EventValues:
    """Reads what was reported.

    Args:
        events: knows what there is.
        tasks, models: the stores.
    """

    def __init__(self, events: Events, tasks: TaskStore, models: ModelStore) -> None:
        self._events = events
        self._tasks = tasks
        self._models = models

    def _series(
        self, call: Call, owners: Sequence[str], metrics: Sequence[Any] | None
    ) -> list[tuple[Any, Points]]:
        """Rows of series that have points, each with its points, by metric and variant."""
        wanted = wanted_metrics(metrics)
        rows = []
        for row in of_owners(call.connection, owners, _metric_names(metrics)):
            variants = (wanted or {}).get(row.metric, ())
            if row.count and (not variants or row.variant in variants):
                rows.append(row)
        tail = Tail(call.connection, {row.owner for row in rows})
        points = load_many(call.connection, [Spec(row.id, row.owner) for row in rows], tail)
        found = [(row, points[row.id]) for row in rows]
        return sorted(found, key=lambda pair: (pair[0].metric, pair[0].variant))

    def scalar_metrics_iter_histogram(
        self, call: Call, ask: wire.ScalarHistogram
    ) -> dict[str, dict[str, wire.Curve]]:
        """Scalars of a task."""
        self._events.require(call.connection, ask.task, ask.model_events)
        samples = ask.samples or histogram.DEFAULT_SAMPLES
        reply: dict[str, dict[str, wire.Curve]] = {}
        for row, points in self._series(call, [ask.task], ask.metrics):
            reply.setdefault(row.metric, {})[row.variant] = histogram.curve(
                row.variant, points, ask.key, samples
            )
        return reply

    def multi_task_scalar_metrics_iter_histogram(
        self, call: Call, ask: wire.MultiScalarHistogram
    ) -> wire.MultiScalarReply:
        """Scalars of several tasks."""
        names = self.names_of(call, ask.tasks, ask.model_events)
        samples = ask.samples or histogram.DEFAULT_SAMPLES
        reply: dict[str, dict[str, dict[str, wire.Curve]]] = {}
        for row, points in self._series(call, ask.tasks, ask.metrics):
            variants = reply.setdefault(row.metric, {}).setdefault(row.variant, {})
            variants[row.owner] = histogram.curve(names[row.owner], points, ask.key, samples)
        return wire.MultiScalarReply(metrics=reply)

    def names_of(self, call: Call, owners: Sequence[str], is_model: bool) -> dict[str, str]:
        """The names of tasks or models, all of which must exist."""
        connection = call.connection
        if is_model:
            return {owner: self._models.require(connection, owner).name for owner in owners}
        return {owner: self._tasks.require(connection, owner, task.c.name).name for owner in owners}

    def get_task_single_value_metrics(self, call: Call, ask: wire.TasksAsk) -> wire.SingleValuesReply:
        """Single values of tasks."""
        names = self.names_of(call, ask.tasks, ask.model_events)
        values: dict[str, list[wire.SingleValue]] = {owner: [] for owner in names}
        for row in of_owners(call.connection, ask.tasks):
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

    def get_task_latest_scalar_values(self, call: Call, ask: wire.TaskAsk) -> wire.LatestValuesReply:
        """The last point of every series."""
        self._events.require(call.connection, ask.task, ask.model_events)
        metrics: dict[str, list[wire.LatestValue]] = {}
        for row in of_owners(call.connection, [ask.task]):
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

    def get_scalar_metrics_and_variants(self, call: Call, ask: wire.TaskAsk) -> wire.MetricsAndVariantsReply:
        """Names of scalars."""
        self._events.require(call.connection, ask.task, ask.model_events)
        metrics: dict[str, list[str]] = {}
        for row in of_owners(call.connection, [ask.task]):
            metrics.setdefault(row.metric, []).append(row.variant)
        return wire.MetricsAndVariantsReply(metrics={name: sorted(metrics[name]) for name in sorted(metrics)})

    def get_task_metrics(self, call: Call, ask: wire.GetTaskMetrics) -> wire.TaskMetricsReply:
        """Names of metrics."""
        found: dict[str, set[str]] = {owner: set() for owner in ask.tasks}
        for owner in ask.tasks:
            self._events.require(call.connection, owner, ask.model_events)
        if ask.event_type in (None, "training_stats_scalar"):
            for row in of_owners(call.connection, ask.tasks):
                found[row.owner].add(row.metric)
        if ask.event_type not in ("training_stats_scalar", "log"):
            kind = None if ask.event_type is None else store.KINDS[ask.event_type]
            for owner, metric, _ in store.names(call.connection, ask.tasks, kind):
                found[owner].add(metric)
        listed = [wire.TaskMetrics(task=owner, metrics=sorted(names)) for owner, names in found.items()]
        return wire.TaskMetricsReply(metrics=listed)

    def get_task_events(self, call: Call, ask: wire.GetTaskEvents) -> wire.EventsReply:
        """Events, page after page."""
        self._events.require(call.connection, ask.task, ask.model_events)
        parts = listing.sources(call.connection, ask.task, ask.event_type)
        total = sum(part.count for part in parts)
        place = listing.place_of(ask.scroll_id) if ask.scroll_id else listing.Place(0, total)
        stop = min(place.at + ask.batch_size, place.total)
        if ask.order == "asc":
            found = listing.piece(parts, place.at, stop)
        else:
            found = listing.piece(parts, place.total - stop, place.total - place.at)[::-1]
        following = listing.Place(place.at + len(found), place.total)
        return wire.EventsReply(
            events=found, returned=len(found), total=place.total, scroll_id=following.text()
        )

    def vector_metrics_iter_histogram(
        self, call: Call, ask: wire.VectorHistogram
    ) -> wire.VectorHistogramReply:
        """Vectors by iteration."""
        self._events.require(call.connection, ask.task, ask.model_events)
        found = store.vectors(call.connection, ask.task, ask.metric, ask.variant, ask.samples)
        return wire.VectorHistogramReply(
            metric=ask.metric,
            variant=ask.variant,
            iterations=[iteration for iteration, _ in found],
            vectors=[values for _, values in found],
        )

    def _all_names(self, call: Call, owners: Sequence[str], event_type: str | None) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        if event_type in (None, "training_stats_scalar"):
            for row in of_owners(call.connection, owners):
                found.setdefault(row.metric, set()).add(row.variant)
        if event_type not in ("training_stats_scalar", "log"):
            kind = None if event_type is None else store.KINDS[event_type]
            for _, metric, variant in store.names(call.connection, owners, kind):
                found.setdefault(metric, set()).add(variant)
        return found

    def get_vector_metrics_and_variants(self, call: Call, ask: wire.TaskAsk) -> wire.MetricsAndVariantsReply:
        """Names of vectors."""
        self._events.require(call.connection, ask.task, ask.model_events)
        found = self._all_names(call, [ask.task], "training_stats_vector")
        return wire.MetricsAndVariantsReply(metrics={name: sorted(found[name]) for name in sorted(found)})

    def get_multi_task_metrics(self, call: Call, ask: wire.MultiTaskMetrics) -> wire.MultiTaskMetricsReply:
        """Names that any of the tasks has."""
        self.names_of(call, ask.tasks, ask.model_events)
        found = self._all_names(call, ask.tasks, ask.event_type)
        return wire.MultiTaskMetricsReply(
            metrics=[wire.MetricNames(metric=name, variants=sorted(found[name])) for name in sorted(found)]
        )

    def get_scalar_metric_data(self, call: Call, ask: wire.ScalarMetricData) -> wire.EventsReply:
        """Points of a metric."""
        self._events.require(call.connection, ask.task, ask.model_events)
        parts = listing.sources(call.connection, ask.task, "training_stats_scalar", ask.metric)
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
