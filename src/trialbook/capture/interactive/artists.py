"""The artists of a pair of axes as traces, from the back to the front."""

from collections.abc import Iterator
from typing import Any

from trialbook.capture.interactive import areas, known, lines
from trialbook.capture.interactive.axis import Pair
from trialbook.capture.interactive.lines import Trace
from trialbook.capture.interactive.unknown import Unknown


def traces(pair: Pair) -> Iterator[tuple[Any, Trace | None]]:
    """What is drawn, from the back to the front; texts without a trace."""
    axes = pair.axes
    parts = _containers(axes)
    done: set[int] = set()
    for kind, artist in known.drawn(axes):
        if id(artist) in done:
            continue
        container = parts.get(id(artist))
        if container is not None and type(container).__name__ == "BarContainer":
            if not all(patch.get_visible() for patch in container.patches):
                raise Unknown("bars that are hidden in part")
            done.update(id(patch) for patch in container.patches)
            yield artist, lines.bars(pair, container)
        elif container is not None:
            trace, whole = lines.error_bars(pair, container)
            done.update(id(part) for part in whole)
            yield artist, trace
        elif kind == "text":
            if artist.get_text().strip() or getattr(artist, "arrow_patch", None) is not None:
                yield artist, None
        else:
            for trace in _one(pair, kind, artist):
                _within(pair, artist, trace)
                yield artist, trace


def _one(pair: Pair, kind: str, artist: Any) -> list[Trace]:
    if kind == "image":
        return [areas.picture(pair, artist)]
    if kind == "collection":
        return areas.collection(pair, artist)
    if kind == "patch":
        return [areas.patch(pair, artist)]
    plain = pair.where(artist.get_transform()) == (True, True)
    return [lines.line(pair, artist) if plain else lines.guide(pair, artist)]


def _containers(axes: Any) -> dict[int, Any]:
    """Bars and error bars by their parts, where all of these are still in the axes."""
    inside = {id(child) for child in axes.get_children()}
    found = {}
    for container in axes.containers:
        name = type(container).__name__
        if name == "BarContainer":
            whole = list(container.patches)
        elif name == "ErrorbarContainer":
            data, caps, collections = container.lines
            whole = [*([data] if data is not None else []), *caps, *collections]
        else:
            continue
        if whole and all(id(part) in inside for part in whole):
            found.update({id(part): container for part in whole})
    return found


def _within(pair: Pair, artist: Any, trace: Trace) -> None:
    """What is not cut at the edge of its axes must not reach over it: on the page it would be cut."""
    import numpy

    if artist.get_clip_on() or "across" in trace or trace["type"] != "scatter":
        return
    points: Any = numpy.ma.filled(numpy.ma.asarray(_corners(artist), dtype=float), numpy.nan)
    for side, values in ((pair.x, points[:, 0]), (pair.y, points[:, 1])):
        if not all(side.shows(value) for value in values[numpy.isfinite(values)].tolist()):
            raise Unknown("what reaches over the edge of its axes")


def _corners(artist: Any) -> Any:
    import numpy

    if hasattr(artist, "get_xydata"):
        return artist.get_xydata()
    if hasattr(artist, "get_patch_transform"):
        return artist.get_path().transformed(artist.get_patch_transform()).vertices
    if type(artist).__name__ == "PathCollection":
        return artist.get_offsets()
    return numpy.concatenate([numpy.zeros((0, 2)), *(path.vertices for path in artist.get_paths())])
