"""Adding events, and reading them the way the reference's clients do."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from trialbook.base.clock import iso
from trialbook.errors import BadField, BadRequest
from trialbook.server.rpc.context import Context
from trialbook.server.rpc.registry import handles
from trialbook.server.series import histogram, listing
from trialbook.server.series.columns import Points
from trialbook.server.series.erase import erase_owner
from trialbook.server.series.read import Spec, Tail, load_many
from trialbook.server.series.statistics import finite
from trialbook.server.stores import events as store
from trialbook.server.stores import logs
from trialbook.server.stores.series import of_owners
from trialbook.server.stores.tasks import task
from trialbook.wire import events as wire
from trialbook.wire.table import RawBody, RawReply


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
    context.services.events.require_open(context.connection, ask.task, ask.model_events, ask.allow_locked)
    erase_owner(context.connection, ask.task)
    for kind in ("series", "log", "events"):
        context.publish(f"task:{ask.task}", kind, [ask.task])
    return wire.Deleted(deleted=True)


def _metric_names(metrics: Sequence[Any] | None) -> list[str] | None:
    """Names out of ``["loss"]`` or ``[{"metric": "loss", "variants": […]}]``."""
    if not metrics:
        return None
    return [str(one.get("metric", "")) if isinstance(one, dict) else str(one) for one in metrics]


def _filter(metrics: Sequence[Any] | None) -> dict[str, Collection[str]] | None:
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
    wanted = _filter(metrics)
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
    names = _names(context, ask.tasks, ask.model_events)
    samples = ask.samples or histogram.DEFAULT_SAMPLES
    reply: dict[str, dict[str, dict[str, wire.Curve]]] = {}
    for row, points in _series(context, ask.tasks, ask.metrics):
        variants = reply.setdefault(row.metric, {}).setdefault(row.variant, {})
        variants[row.owner] = histogram.curve(names[row.owner], points, ask.key, samples)
    return wire.MultiScalarReply(metrics=reply)


def _names(context: Context, owners: Sequence[str], is_model: bool) -> dict[str, str]:
    services, connection = context.services, context.connection
    if is_model:
        return {owner: services.models.require(connection, owner).name for owner in owners}
    return {owner: services.tasks.require(connection, owner, task.c.name).name for owner in owners}


@handles("events.get_task_single_value_metrics")
def get_task_single_value_metrics(context: Context, ask: wire.TasksAsk) -> wire.SingleValuesReply:
    """Single values of tasks."""
    names = _names(context, ask.tasks, ask.model_events)
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


@handles("events.get_task_log")
def get_task_log(context: Context, ask: wire.GetTaskLog) -> wire.EventsReply:
    """Console reports: the latest ones, unless ``navigate_earlier`` is false."""
    connection = context.connection
    context.services.events.require(connection, ask.task)
    total = logs.totals(connection, ask.task).entries
    if ask.from_timestamp is not None:
        read = logs.before if ask.navigate_earlier else logs.after
        found = read(connection, ask.task, int(ask.from_timestamp), ask.batch_size)
    elif ask.navigate_earlier:
        found = logs.entries(connection, ask.task, max(0, total - ask.batch_size), total)
    else:
        found = logs.entries(connection, ask.task, 0, ask.batch_size)
    order = ask.order or ("desc" if ask.navigate_earlier else "asc")
    shown = [listing.log_document(ask.task, entry, worker) for entry, worker in found]
    if order == "desc":
        shown.reverse()
    return wire.EventsReply(events=shown, returned=len(shown), total=total)


@handles("events.download_task_log")
def download_task_log(context: Context, ask: wire.DownloadTaskLog) -> RawReply:
    """The console as a file."""
    connection = context.connection
    context.services.events.require(connection, ask.task)
    total = logs.totals(connection, ask.task).entries
    rows = []
    for entry, worker in logs.entries(connection, ask.task, 0, total):
        document = listing.log_document(ask.task, entry, worker)
        if ask.line_type == "json":
            rows.append(msgspec.json.encode(document))
        else:
            rows.append(_line(ask.line_format, {**document, "asctime": iso(entry.time / 1e6)}).encode())
    rows.append(b"")
    name = f"task_{ask.task}.log"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return RawReply("text/plain; charset=utf-8", b"\n".join(rows), headers)


def _line(form: str, values: dict[str, Any]) -> str:
    # Not str.format: a format text from the network could read attributes.
    for name, value in values.items():
        form = form.replace(f"{{{name}}}", str(value)) if name != "msg" else form
    return form.replace("{msg}", values["msg"])


@handles("events.get_task_plots")
def get_task_plots(context: Context, ask: wire.GetTaskPlots) -> wire.PlotsReply:
    """The newest plots."""
    context.services.events.require(context.connection, ask.task, ask.model_events)
    if ask.scroll_id:
        return wire.PlotsReply(plots=[], returned=0, total=0, scroll_id=ask.scroll_id)
    plots = store.newest(context.connection, [ask.task], store.PLOT, ask.iters, _filter(ask.metrics))
    return wire.PlotsReply(plots=plots, returned=len(plots), total=len(plots), scroll_id="end")


@handles("events.debug_images")
def debug_images(context: Context, ask: wire.DebugImages) -> wire.DebugImagesReply:
    """Images, iterations at a time; the scroll id holds which iterations were shown."""
    shown = _shown(ask.scroll_id) if not ask.refresh else {}
    wanted: dict[str, dict[str, Collection[str]] | None] = {}
    for one in ask.metrics:
        context.services.events.require(context.connection, one.task, ask.model_events)
        chosen = wanted.setdefault(one.task, {})
        if one.metric is None:
            wanted[one.task] = None
        elif chosen is not None:
            chosen[one.metric] = [*chosen.get(one.metric, ()), *(one.variants or ())]
    listed = []
    for owner, names in wanted.items():
        seen = shown.get(owner)
        below = seen[0] if seen and ask.navigate_earlier else None
        above = seen[1] if seen and not ask.navigate_earlier else None
        found = store.iterations(
            context.connection, owner, store.IMAGE, names, ask.iters, below=below, above=above
        )
        images = store.at(context.connection, owner, store.IMAGE, names, found)
        if found:
            shown[owner] = (min(found), max(found))
        rows = [
            wire.ImageIteration(iter=number, events=images[number]) for number in sorted(found, reverse=True)
        ]
        listed.append(wire.TaskImages(task=owner, iterations=rows))
    text = base64.urlsafe_b64encode(msgspec.json.encode(shown)).decode()
    return wire.DebugImagesReply(metrics=listed, scroll_id=text)


def _shown(scroll_id: str | None) -> dict[str, tuple[int, int]]:
    if not scroll_id:
        return {}
    try:
        text = base64.urlsafe_b64decode(scroll_id)
        return msgspec.json.decode(text, type=dict[str, tuple[int, int]])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise BadRequest(f"{scroll_id!r} is no scroll id of this method: start again without one") from None


@handles("events.get_multi_task_plots")
def get_multi_task_plots(context: Context, ask: wire.MultiTaskPlots) -> wire.MultiTaskPlotsReply:
    """The newest plots of several tasks."""
    names = _names(context, ask.tasks, ask.model_events)
    if ask.scroll_id:
        return wire.MultiTaskPlotsReply(plots={}, returned=0, total=0, scroll_id=ask.scroll_id)
    found = store.newest(context.connection, ask.tasks, store.PLOT, ask.iters, _filter(ask.metrics))
    reply: dict[str, dict[str, dict[str, dict[str, wire.TaskPlots]]]] = {}
    for plot in found:
        tasks = reply.setdefault(plot["metric"], {}).setdefault(plot["variant"], {})
        iterations = tasks.setdefault(plot["task"], {})
        empty = wire.TaskPlots(name=names[plot["task"]], plots=[])
        iterations.setdefault(str(plot["iter"]), empty).plots.append(plot)
    return wire.MultiTaskPlotsReply(plots=reply, returned=len(found), total=len(found), scroll_id="end")


@handles("events.get_plot_sample")
def get_plot_sample(context: Context, ask: wire.PlotSample) -> wire.ImageSampleReply:
    """One plot."""
    return _sample(context, ask, store.PLOT)


@handles("events.get_debug_image_sample")
def get_debug_image_sample(context: Context, ask: wire.ImageSample) -> wire.ImageSampleReply:
    """One image."""
    return _sample(context, ask, store.IMAGE)


def _sample(context: Context, ask: wire.ImageSample | wire.PlotSample, kind: str) -> wire.ImageSampleReply:
    connection = context.connection
    context.services.events.require(connection, ask.task, ask.model_events)
    wanted = {ask.metric: [ask.variant]}
    between = store.ends(connection, ask.task, kind, wanted)
    if between is None:
        return wire.ImageSampleReply(event=None)
    if ask.iteration is not None and ask.iteration >= 2**63 - 1:
        raise BadField("iteration is out of range", field="iteration")
    below = None if ask.iteration is None else ask.iteration + 1
    nearest = store.iterations(connection, ask.task, kind, wanted, 1, below=below) or [between[0]]
    event = store.at(connection, ask.task, kind, wanted, nearest)[nearest[0]][-1]
    return wire.ImageSampleReply(event=event, min_iteration=between[0], max_iteration=between[1])
