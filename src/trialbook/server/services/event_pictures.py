"""Plots and images of a run, the way the released clients read them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection

import msgspec

from trialbook.errors import BadField, BadRequest
from trialbook.server.services.call import Call
from trialbook.server.services.event_values import EventValues, wanted_metrics
from trialbook.server.services.events import Events
from trialbook.server.stores import events as store
from trialbook.wire import event_pictures as wire


class EventPictures:
    """Reads plots and images.

    Args:
        events, values: know what there is.
    """

    def __init__(self, events: Events, values: EventValues) -> None:
        self._events = events
        self._values = values

    def get_task_plots(self, call: Call, ask: wire.GetTaskPlots) -> wire.PlotsReply:
        """The newest plots."""
        self._events.require(call.connection, ask.task, ask.model_events)
        if ask.scroll_id:
            return wire.PlotsReply(plots=[], returned=0, total=0, scroll_id=ask.scroll_id)
        plots = store.newest(call.connection, [ask.task], store.PLOT, ask.iters, wanted_metrics(ask.metrics))
        return wire.PlotsReply(plots=plots, returned=len(plots), total=len(plots), scroll_id="end")

    def debug_images(self, call: Call, ask: wire.DebugImages) -> wire.DebugImagesReply:
        """Images, iterations at a time; the scroll id holds which iterations were shown."""
        shown = _shown(ask.scroll_id) if not ask.refresh else {}
        wanted: dict[str, dict[str, Collection[str]] | None] = {}
        for one in ask.metrics:
            self._events.require(call.connection, one.task, ask.model_events)
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
                call.connection, owner, store.IMAGE, names, ask.iters, below=below, above=above
            )
            images = store.at(call.connection, owner, store.IMAGE, names, found)
            if found:
                shown[owner] = (min(found), max(found))
            rows = [
                wire.ImageIteration(iter=number, events=images[number])
                for number in sorted(found, reverse=True)
            ]
            listed.append(wire.TaskImages(task=owner, iterations=rows))
        text = base64.urlsafe_b64encode(msgspec.json.encode(shown)).decode()
        return wire.DebugImagesReply(metrics=listed, scroll_id=text)

    def get_multi_task_plots(self, call: Call, ask: wire.MultiTaskPlots) -> wire.MultiTaskPlotsReply:
        """The newest plots of several tasks."""
        names = self._values.names_of(call, ask.tasks, ask.model_events)
        if ask.scroll_id:
            return wire.MultiTaskPlotsReply(plots={}, returned=0, total=0, scroll_id=ask.scroll_id)
        found = store.newest(call.connection, ask.tasks, store.PLOT, ask.iters, wanted_metrics(ask.metrics))
        reply: dict[str, dict[str, dict[str, dict[str, wire.TaskPlots]]]] = {}
        for plot in found:
            tasks = reply.setdefault(plot["metric"], {}).setdefault(plot["variant"], {})
            iterations = tasks.setdefault(plot["task"], {})
            empty = wire.TaskPlots(name=names[plot["task"]], plots=[])
            iterations.setdefault(str(plot["iter"]), empty).plots.append(plot)
        return wire.MultiTaskPlotsReply(plots=reply, returned=len(found), total=len(found), scroll_id="end")

    def get_plot_sample(self, call: Call, ask: wire.PlotSample) -> wire.ImageSampleReply:
        """One plot."""
        return self._sample(call, ask, store.PLOT)

    def get_debug_image_sample(self, call: Call, ask: wire.ImageSample) -> wire.ImageSampleReply:
        """One image."""
        return self._sample(call, ask, store.IMAGE)

    def _sample(
        self, call: Call, ask: wire.ImageSample | wire.PlotSample, kind: str
    ) -> wire.ImageSampleReply:
        connection = call.connection
        self._events.require(connection, ask.task, ask.model_events)
        wanted: dict[str, Collection[str]] = {ask.metric: () if ask.variant is None else [ask.variant]}
        between = store.ends(connection, ask.task, kind, wanted)
        if between is None:
            return wire.ImageSampleReply(event=None)
        if ask.iteration is not None and ask.iteration >= 2**63 - 1:
            raise BadField("iteration is out of range", field="iteration")
        below = None if ask.iteration is None else ask.iteration + 1
        nearest = store.iterations(connection, ask.task, kind, wanted, 1, below=below) or [between[0]]
        events = store.at(connection, ask.task, kind, wanted, nearest)[nearest[0]]
        mark = _Mark(ask.metric, ask.variant, nearest[0], ask.navigate_current_metric)
        return wire.ImageSampleReply(
            event=events[-1],
            events=events,
            min_iteration=between[0],
            max_iteration=between[1],
            scroll_id=mark.text(),
        )

    def next_debug_image_sample(self, call: Call, ask: wire.NextSample) -> wire.ImageSampleReply:
        """The image before or after."""
        return self._next(call, ask, store.IMAGE)

    def next_plot_sample(self, call: Call, ask: wire.NextSample) -> wire.ImageSampleReply:
        """The plot before or after."""
        return self._next(call, ask, store.PLOT)

    def _next(self, call: Call, ask: wire.NextSample, kind: str) -> wire.ImageSampleReply:
        connection = call.connection
        self._events.require(connection, ask.task, ask.model_events)
        try:
            mark = msgspec.json.decode(base64.urlsafe_b64decode(ask.scroll_id), type=_Mark)
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            raise BadRequest(
                f"{ask.scroll_id!r} is not a scroll id of this method: get a sample first"
            ) from None
        wanted: dict[str, Collection[str]] | None = {mark.metric: ()} if mark.own_metric else None
        beside = None
        if not ask.next_iteration:
            variant = mark.variant
            if variant is None:
                # All variants of the metric were shown at once: the next place is behind, or before, all of them.
                here = store.at(connection, ask.task, kind, {mark.metric: ()}, [mark.iteration])[
                    mark.iteration
                ]
                variant = (here[0] if ask.navigate_earlier else here[-1])["variant"] if here else ""
            beside = (mark.metric, variant)
        found = store.neighbour(
            connection, ask.task, kind, wanted, mark.iteration, beside, earlier=ask.navigate_earlier
        )
        if found is None:
            return wire.ImageSampleReply(event=None, scroll_id=ask.scroll_id)
        one: dict[str, Collection[str]] = {
            found["metric"]: () if mark.variant is None else [found["variant"]]
        }
        events = (
            [found]
            if mark.variant is not None
            else store.at(connection, ask.task, kind, one, [found["iter"]])[found["iter"]]
        )
        between = store.ends(connection, ask.task, kind, one) or (None, None)
        following = _Mark(
            found["metric"],
            None if mark.variant is None else found["variant"],
            found["iter"],
            mark.own_metric,
        )
        return wire.ImageSampleReply(
            event=events[-1],
            events=events,
            min_iteration=between[0],
            max_iteration=between[1],
            scroll_id=following.text(),
        )


def _shown(scroll_id: str | None) -> dict[str, tuple[int, int]]:
    if not scroll_id:
        return {}
    try:
        text = base64.urlsafe_b64decode(scroll_id)
        return msgspec.json.decode(text, type=dict[str, tuple[int, int]])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise BadRequest(
            f"{scroll_id!r} is not a scroll id of this method: start again without one"
        ) from None


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where a reader of samples stands."""

    metric: str
    variant: str | None
    iteration: int
    own_metric: bool

    def text(self) -> str:
        """As a scroll id."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()
