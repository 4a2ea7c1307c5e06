"""Figures in Plotly's JSON schema (https://plotly.com/javascript/reference/), written without importing plotly."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trialbook.errors import UsageError

Figure = dict[str, Any]
_ALL_SHOWN = 40
"""Names of an axis up to which every one is written."""


def plain(value: Any) -> Any:
    """JSON values for anything array-like; values that are not a number become None, as Plotly draws a gap."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist") and not isinstance(value, (str, bytes)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def figure(
    traces: Sequence[Figure], title: str, layout: Mapping[str, Any], extra: Mapping[str, Any] | None
) -> Figure:
    """Traces and a layout as one figure; ``extra`` wins."""
    return {
        "data": list(traces),
        "layout": {"title": {"text": title}, **layout, **(plain(extra) if extra else {})},
    }


def axis(name: str | None) -> Figure:
    """A named axis, or one without a name."""
    return {"title": {"text": name}} if name else {}


def points(values: Any, dimensions: int) -> list[list[Any]]:
    """Rows of ``dimensions`` numbers.

    Raises:
        UsageError: another shape.
    """
    rows = plain(values)
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != dimensions for row in rows):
        raise UsageError(f"expected rows of {dimensions} numbers, such as an N×{dimensions} array")
    return rows


def matrix(values: Any) -> list[list[Any]]:
    """A two-dimensional table of numbers.

    Raises:
        UsageError: another shape.
    """
    rows = plain(values)
    if not isinstance(rows, list) or not rows or any(not isinstance(row, list) for row in rows):
        raise UsageError("expected a two-dimensional matrix")
    return rows


def histogram(
    values: Any, labels: Sequence[str] | None, xlabels: Sequence[str] | None, series: str, data_args: Any
) -> list[Figure]:
    """Bars whose heights are given: one row per group."""
    rows = plain(values)
    if not isinstance(rows, list):
        raise UsageError("values must be a list or an array of bar heights")
    groups = rows if rows and isinstance(rows[0], list) else [rows]
    names = (
        list(labels)
        if labels
        else [series if len(groups) == 1 else f"{series}_{i}" for i in range(len(groups))]
    )
    if len(names) != len(groups):
        raise UsageError(f"{len(groups)} groups of bars need as many labels, got {len(names)}")
    return [
        {
            "type": "bar",
            "name": str(name),
            "y": group,
            **({"x": plain(list(xlabels))} if xlabels is not None else {}),
            **(plain(data_args) if data_args else {}),
        }
        for name, group in zip(names, groups, strict=True)
    ]


def lines(series: Sequence[Any], mode: str) -> list[Figure]:
    """Traces for named series, each ``{"name", "data"}`` with N×2 data, or an object with these attributes."""
    traces = []
    for item in series:
        name, data = (item["name"], item["data"]) if isinstance(item, Mapping) else (item.name, item.data)
        rows = points(data, 2)
        traces.append(
            {
                "type": "scatter",
                "mode": mode,
                "name": str(name),
                "x": [r[0] for r in rows],
                "y": [r[1] for r in rows],
            }
        )
    return traces


def scatter2d(rows: list[list[Any]], mode: str, series: str, labels: Sequence[str] | None) -> Figure:
    """Points or a line in the plane."""
    return {
        "type": "scatter",
        "mode": mode,
        "name": series,
        "x": [row[0] for row in rows],
        "y": [row[1] for row in rows],
        **({"text": list(labels), "hoverinfo": "text+x+y"} if labels else {}),
    }


def scatter3d(
    rows: list[list[Any]], mode: str, series: str, labels: Sequence[str] | None, fill: bool
) -> Figure:
    """Points or a line in space."""
    return {
        "type": "scatter3d",
        "mode": mode,
        "name": series,
        "x": [row[0] for row in rows],
        "y": [row[1] for row in rows],
        "z": [row[2] for row in rows],
        "marker": {"size": 4},
        **({"surfaceaxis": 1} if fill else {}),
        **({"text": list(labels), "hoverinfo": "text+x+y+z"} if labels else {}),
    }


def named(labels: Sequence[str] | None) -> Figure:
    """An axis whose places have names: labels such as "1" and "10" are names and no numbers, and each is shown."""
    if labels is None:
        return {}
    return {"type": "category", **({"dtick": 1} if len(labels) <= _ALL_SHOWN else {})}


def heatmap(rows: list[list[Any]], xlabels: Sequence[str] | None, ylabels: Sequence[str] | None) -> Figure:
    """A matrix as colours with its values on hover.

    Raises:
        UsageError: as many labels as rows and columns are needed.
    """
    width = max(len(row) for row in rows)
    for labels, count, what in ((xlabels, width, "xlabels"), (ylabels, len(rows), "ylabels")):
        if labels is not None and len(labels) != count:
            raise UsageError(
                f"{what} has {len(labels)} entries for {count} {'columns' if what[0] == 'x' else 'rows'}"
            )
    trace: Figure = {
        "type": "heatmap",
        "z": rows,
        "colorscale": "Viridis",
        "hovertemplate": "%{x}, %{y}: %{z}<extra></extra>",
    }
    if width * len(rows) <= 400:
        trace["texttemplate"] = "%{z}"
    if xlabels is not None:
        trace["x"] = [str(label) for label in xlabels]
    if ylabels is not None:
        trace["y"] = [str(label) for label in ylabels]
    return trace


def surface(rows: list[list[Any]]) -> Figure:
    """A matrix as heights."""
    return {"type": "surface", "z": rows, "colorscale": "Viridis", "contours": {"z": {"show": True}}}


def table(header: Sequence[Any], columns: Sequence[Sequence[Any]]) -> Figure:
    """A table; values that are not a number are shown as text."""
    return {
        "type": "table",
        "header": {"values": [str(name) for name in header], "align": "left"},
        "cells": {"values": [[_cell(value) for value in column] for column in columns], "align": "left"},
    }


def frame(data: Any) -> Figure:
    """A table from a pandas DataFrame, its index first, or from rows of which the first is the header.

    Raises:
        UsageError: neither.
    """
    if hasattr(data, "columns") and hasattr(data, "index"):
        index_name = "/".join(str(name) for name in data.index.names if name is not None)
        index = [_label(item) for item in data.index.tolist()]
        header = [index_name, *(_label(name) for name in data.columns.tolist())]
        columns = [plain_column(data.iloc[:, number]) for number in range(data.shape[1])]
        return table(header, [index, *columns])
    if isinstance(data, (list, tuple)) and data and all(isinstance(row, (list, tuple)) for row in data):
        width = max(len(row) for row in data)
        body = [list(row) + [""] * (width - len(row)) for row in data[1:]]
        return table(list(data[0]), [[row[number] for row in body] for number in range(width)])
    raise UsageError("a table is a pandas DataFrame or a list of rows, the first of which is the header")


def plain_column(column: Any) -> list[Any]:
    """The values of a DataFrame column."""
    return list(column.tolist())


def _label(item: Any) -> str:
    return "/".join(str(part) for part in item) if isinstance(item, tuple) else str(item)


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return plain(value)
