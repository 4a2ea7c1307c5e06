"""Whether a converted figure says what the figure says that it was made from; plain asserts, for any interpreter."""

import datetime
import html
import math
import re
from typing import Any

import matplotlib.dates
import numpy as np

Found = dict[str, Any]
PLAIN = {"ScalarFormatter", "LogFormatterSciNotation", "AutoDateFormatter", "TimeSeries_DateFormatter"}
"""What these write the page writes as well: the value itself."""
FINDERS = {"AutoLocator", "LogLocator", "AutoDateLocator", "MaxNLocator", "TimeSeries_DateLocator"}


class Near:
    """Equal to numbers that differ by less than can be seen."""

    def __init__(self, wanted: Any) -> None:
        self.wanted = list(wanted)

    def __eq__(self, got: object) -> bool:
        found = list(got) if isinstance(got, (list, tuple)) else []
        return len(found) == len(self.wanted) and all(
            math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
            for one, other in zip(found, self.wanted, strict=True)
        )

    def __repr__(self) -> str:
        return f"near {self.wanted}"


def read(text: str) -> str:
    """What the page shows of a text."""
    return html.unescape(re.sub(r"</?(?:i|sub|sup)>", "", text.replace("<br>", "\n")))


def written(text: Any) -> str:
    """A text of the figure; of a formula what is left without its signs."""
    found = text if isinstance(text, str) else text.get_text() if text.get_visible() else ""
    if found.count("$") % 2 == 0 and "$" in found:
        return found.replace(r"\alpha", "α").translate(str.maketrans("", "", "${}^_"))
    return found


def panels(figure: Any, found: Found) -> list[tuple[Any, str, str]]:
    """Axes of the figure with the names of theirs on the page."""
    shown, pairs = [], []
    for axes in figure.get_axes():
        if getattr(axes, "_colorbar", None) is not None:
            continue
        number = str(len(shown) + 1) if shown else ""
        names = {"x": f"x{number}", "y": f"y{number}"}
        for name in "xy":
            if f"{name}axis{number}" not in found["layout"]:
                (base,) = [
                    pair for pair in pairs if pair[0].get_position().bounds == axes.get_position().bounds
                ]
                names[name] = base[1] if name == "x" else base[2]
        shown.append(axes)
        pairs.append((axes, names["x"], names["y"]))
    return pairs


def axis_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    look: dict[str, Any] = found["layout"][f"{name[0]}axis{name[1:]}"]
    return look


def number_of(axis: Any, value: Any, is_place: bool = False) -> float:
    """A value of the page as a number of the figure."""
    if value is None:
        return float("nan")
    if isinstance(value, str):
        return float(matplotlib.dates.date2num(datetime.datetime.fromisoformat(value)))
    return float(10**value if is_place and axis.get_scale() == "log" else value)


def axes(figure: Any, found: Found) -> None:
    """Limits, kinds, names, ticks and their texts."""
    # The page forgets axes without a trace, and draws what should lie over them all over its column.
    used = {(trace["xaxis"], trace["yaxis"]) for trace in found["data"]}
    assert all((x, y) in used for _, x, y in panels(figure, found))
    seen: set[str] = set()
    for axes, x, y in panels(figure, found):
        for name_of, axis, limits in ((x, axes.xaxis, axes.get_xlim()), (y, axes.yaxis, axes.get_ylim())):
            if name_of in seen:
                # A twin has one axis of its own, and the other one together with what it lies over.
                continue
            seen.add(name_of)
            look = axis_of(found, name_of)
            assert [number_of(axis, value, True) for value in look["range"]] == Near(limits)
            assert look["type"] == (
                "date" if "Date" in type(axis.get_major_formatter()).__name__ else axis.get_scale()
            )
            shown = axes.axison
            assert look.get("visible", True) == shown
            if not shown:
                continue
            assert read(look.get("title", {}).get("text", "")) == written(axis.get_label())
            ticks = [
                (tick.get_loc(), tick.label1.get_text())
                for tick in axis.get_major_ticks()
                if min(limits) <= tick.get_loc() <= max(limits)
            ]
            formatter, locator = (
                type(axis.get_major_formatter()).__name__,
                type(axis.get_major_locator()).__name__,
            )
            if not ticks:
                assert look["showticklabels"] is False
            elif "tickvals" not in look:
                assert formatter in PLAIN and locator in FINDERS, (
                    "the page writes something else at the ticks"
                )
            else:
                assert [number_of(axis, value) for value in look["tickvals"]] == Near([t[0] for t in ticks])
                if "ticktext" in look:
                    assert [read(text) for text in look["ticktext"]] == [written(tick[1]) for tick in ticks]
                else:
                    assert formatter in PLAIN
            hidden = not any(
                axis.get_tick_params()[f"label{side}"]
                for side in (("bottom", "top") if axis is axes.xaxis else ("left", "right"))
            )
            assert look.get("showticklabels", True) == (not hidden and bool(ticks))


def data(figure: Any, found: Found) -> None:
    """Points of lines and of markers, bars, images."""
    for axes, x, y in panels(figure, found):
        traces = [trace for trace in found["data"] if (trace["xaxis"], trace["yaxis"]) == (x, y)]

        def has(kind: str, xs: Any, ys: Any, axes: Any = axes, traces: Any = traces) -> bool:
            for trace in traces:
                if trace["type"] != kind or len(trace["x"]) != len(xs):
                    continue
                got = [[number_of(axes.xaxis, value) for value in trace[side]] for side in "xy"]
                wanted = [np.where(np.isfinite(values), values, np.nan) for values in (xs, ys)]
                if np.allclose(got, wanted, equal_nan=True):
                    return True
            return False

        bars = [
            bar for container in axes.containers if hasattr(container, "patches") for bar in container.patches
        ]
        shown = [trace for trace in traces if trace["type"] == "bar"]
        assert sum(len(trace["x"]) for trace in shown) == len(bars)
        got = []
        for trace in shown:
            across, along = ("x", "y") if trace["orientation"] == "v" else ("y", "x")
            bases = trace.get("base", [0] * len(trace["x"]))
            for middle, base, length, width in zip(
                trace[across], bases, trace[along], trace["width"], strict=True
            ):
                box = (middle - width / 2, base, width, length)
                got.append(box if across == "x" else (box[1], box[0], box[3], box[2]))
        for box, bar in zip(got, bars, strict=True):
            assert box == Near((*bar.get_xy(), bar.get_width(), bar.get_height()))
        for line in axes.lines:
            in_data = all(line.get_transform().contains_branch_seperately(axes.transData))
            caps = [cap for box in axes.containers if hasattr(box, "has_yerr") for cap in box.lines[1]]
            if in_data and line not in caps and len(line.get_xdata()):
                xs, ys = (
                    np.ma.filled(np.ma.asarray(values, float), np.nan) for values in line.get_data(orig=False)
                )
                assert has("scatter", xs, ys), line
        for points in axes.collections:
            if type(points).__name__ == "PathCollection":
                assert has("scatter", *np.asarray(points.get_offsets()).T), points
        for image in axes.images:
            (trace,) = [one for one in traces if one["type"] == "heatmap"]
            values = np.asarray(image.get_array())
            assert np.allclose(trace["z"], values)
            left, right, bottom, top = image.get_extent()
            across = [trace["x0"] - trace["dx"] / 2, trace["x0"] + trace["dx"] * (values.shape[1] - 0.5)]
            up = [trace["y0"] - trace["dy"] / 2, trace["y0"] + trace["dy"] * (values.shape[0] - 0.5)]
            assert across == Near([left, right])
            assert up == Near([top, bottom] if image.origin == "upper" else [bottom, top])


def names(figure: Any, found: Found) -> None:
    """Titles, texts, and legends with their order."""
    titles = [read(found["layout"]["title"]["text"])]
    titles += [read(note["text"]) for note in found["layout"].get("annotations", [])]
    wanted = [figure._suptitle] if figure._suptitle else []
    legends: list[list[str]] = [[written(text) for text in legend.get_texts()] for legend in figure.legends]
    for axes, _, _ in panels(figure, found):
        wanted += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        if axes.get_legend() is not None:
            legends.append([written(text) for text in axes.get_legend().get_texts()])
    for text in wanted:
        assert not text.get_text() or written(text) in titles
    named = [trace for trace in found["data"] if trace.get("showlegend")]
    shown: dict[str, list[str]] = {}
    for trace in sorted(named, key=lambda one: one["legendrank"]):
        shown.setdefault(trace.get("legend", "legend"), []).append(read(trace["name"]))
    legends = [legend for legend in legends if legend]
    assert list(shown.values()) == legends, (shown, legends)
    assert found["layout"]["showlegend"] == bool(legends)
    for shape in ("legend", "legend2"):
        assert (shape in found["layout"]) == (shape in shown)
