"""Converted figures on the page beside the pixels that matplotlib makes of them."""

import io
import json
import uuid
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.unit.capture import comparing
from tests.unit.capture.drawings import CONVERTED

Box = tuple[float, float, float, float]
INK = {"red": (255, 0, 0), "blue": (0, 0, 255), "green": (0, 128, 0)}
CLOSE = 0.03
"""Of the length of an axis."""
WHERE = """plot => {
    const full = plot._fullLayout, box = plot.getBoundingClientRect();
    const pairs = [...new Set(plot.data.map(trace => trace.xaxis + " " + trace.yaxis))];
    return Object.fromEntries(pairs.map(pair => {
        const [x, y] = pair.split(" ").map(name => full[name[0] + "axis" + name.slice(1)]);
        return [pair, [box.left + x._offset, box.top + y._offset, x._length, y._length]];
    }));
}"""


def boxes(pixels: Any, panel: Box) -> dict[str, Box]:
    """Where in a panel each ink is: left, top, right, bottom as parts of it."""
    left, top, width, height = (round(edge) for edge in panel)
    part = np.asarray(pixels)[top : top + height, left : left + width, :3].astype(int)
    found = {}
    for name, ink in INK.items():
        rows, columns = np.nonzero((abs(part - np.array(ink)) < 40).all(axis=2))
        if len(rows) > 20:
            found[name] = (
                *(columns.min() / width, rows.min() / height),
                *(columns.max() / width, rows.max() / height),
            )
    return found


def shared_panels(figure: Any) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    left.plot([0, 1, 2], [1, 2, 1], color="red", linewidth=4)
    right.plot([0, 1, 2], [30, 40, 35], color="blue", linewidth=4)


def diagonal(figure: Any) -> None:
    # As seaborn's pairplot has it.
    axes = figure.subplots(2, 2, sharex="col", sharey="row")
    axes[0, 1].plot([1, 3], [4, 8], "s", color="red", markersize=12)
    axes[1, 0].plot([0, 9], [5, 6], "s", color="red", markersize=12)
    for number, ink in enumerate(("green", "blue")):
        over = axes[number, number].twinx()
        over.set_axis_off()
        over.bar([1, 2, 3], [1, 3, 2], color=ink)


def upside_down(figure: Any) -> None:
    axes = figure.subplots()
    axes.bar([1, 2, 3], [1, 3, 2], width=0.4, color="green")
    axes.plot([1, 3], [0.5, 2.5], "s", color="red", markersize=12)
    axes.set_ylim(5, 0)
    axes.set_xlim(0, 8)


def originals(figure: Any) -> list[dict[str, Box]]:
    """Where the inks are in each pair of axes, as matplotlib draws them."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    found = []
    for axes in figure.get_axes():
        box = axes.get_window_extent()
        found.append(boxes(pixels, (box.x0, pixels.shape[0] - box.y1, box.width, box.height)))
    return found


def test_T11_a_converted_figure_shows_the_same_as_the_original(page: Page, site: Site) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    from trialbook.capture.interactive.figure import interactive

    draws = [shared_panels, diagonal, upside_down, CONVERTED["what_lies_in_front"]]
    task = site.filler.task("Figures", f"pixels {uuid.uuid4()}")
    kept: dict[str, tuple[Any, dict[str, Any]]] = {}
    for draw in draws:
        figure = Figure(figsize=(8, 5))
        FigureCanvasAgg(figure)
        draw(figure)
        found = interactive(figure)
        assert found is not None
        kept[draw.__name__] = (figure, found)
        base = {"task": task, "metric": draw.__name__, "variant": "figure", "iter": 0, "type": "plot"}
        site.filler.events([{**base, "plot_str": json.dumps(found)}])
    page.goto(f"{site.url}/projects/*/tasks/{task}/output/metrics/plots")
    for name, (figure, found) in kept.items():
        host = page.locator(f"[data-plot={name}] .plotly-host")
        host.scroll_into_view_if_needed()
        expect(host).to_have_attribute("data-drawn", "true")
        panels = host.locator(".js-plotly-plot").evaluate(WHERE)
        shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        for (_, x, y), inks in zip(comparing.panels(figure, found), originals(figure), strict=True):
            shown = boxes(shot, tuple(panels[f"{x} {y}"]))
            assert shown.keys() == inks.keys(), name
            for ink, place in inks.items():
                assert shown[ink] == pytest.approx(place, abs=CLOSE), (name, ink)
