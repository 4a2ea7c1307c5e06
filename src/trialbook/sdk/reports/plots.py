"""Plots and tables."""

import json
from collections.abc import Mapping, Sequence
from csv import reader
from pathlib import Path
from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk import figures
from trialbook.sdk.reports.base import ReporterBase
from trialbook.sdk.storage import StorageManager

_BIG_PLOT = 12 << 20


class PlotsMixin(ReporterBase):
    """Members that show figures."""

    def report_plotly(self, title: str, series: str, figure: Any, iteration: int | None = None) -> None:
        """Show a Plotly figure.

        Args:
            title: the plot. Series of one title and iteration stand together.
            series: of the plot.
            figure: a ``plotly`` figure, a dict in its JSON schema, or that JSON as text.
            iteration: None is 0.

        Raises:
            UsageError: it is none of these, or has 12 MiB or more.
        """
        if hasattr(figure, "to_plotly_json"):
            # The figure's own writer knows its array types, dates and colours.
            figure = json.loads(figure.to_json())
        elif isinstance(figure, str):
            try:
                figure = json.loads(figure)
            except ValueError as error:
                raise UsageError(f"figure is a text, but not JSON: {error}") from error
        if not isinstance(figure, Mapping) or "data" not in figure:
            raise UsageError("figure must be a plotly figure or a dict with 'data' and 'layout'")
        self._plot(title, series, iteration, figures.plain(figure))

    def report_table(
        self,
        title: str,
        series: str,
        iteration: int | None = None,
        table_plot: Any = None,
        csv: str | None = None,
        url: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
        extra_data: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a table.

        Args:
            title: the plot.
            series: of the plot.
            iteration: None is 0.
            table_plot: a pandas DataFrame, or rows of which the first is the header.
            csv: path of a CSV file with a header line.
            url: address of such a file.
            extra_layout: merged into the layout.
            extra_data: merged into the table.

        Raises:
            UsageError: not exactly one of table_plot, csv and url.
        """
        given = [value for value in (table_plot, csv, url) if value is not None]
        if len(given) != 1:
            raise UsageError("report_table takes exactly one of table_plot, csv and url")
        if table_plot is None:
            table_plot = self._csv_rows(csv, url)
        trace = figures.frame(table_plot)
        if extra_data:
            trace.update(figures.plain(extra_data))
        self._plot(title, series, iteration, figures.figure([trace], title, {}, extra_layout))

    def report_histogram(
        self,
        title: str,
        series: str,
        values: Any,
        iteration: int | None = None,
        labels: Sequence[str] | None = None,
        xlabels: Sequence[str] | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        mode: str | None = None,
        data_args: Mapping[str, Any] | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show bars of given heights.

        Args:
            title: the plot.
            series: of the plot.
            values: heights; a two-dimensional array is one group of bars per row.
            iteration: None is 0.
            labels: names of the groups.
            xlabels: names of the bars.
            xaxis: name of the axis.
            yaxis: name of the axis.
            mode: "group" (default), "stack" or "relative".
            data_args: merged into the bars.
            extra_layout: merged into the layout.
        """
        traces = figures.histogram(values, labels, xlabels, series, data_args)
        layout = {"xaxis": figures.axis(xaxis), "yaxis": figures.axis(yaxis), "barmode": mode or "group"}
        self._plot(title, series, iteration, figures.figure(traces, title, layout, extra_layout))

    def report_vector(
        self,
        title: str,
        series: str,
        values: Any,
        iteration: int | None = None,
        labels: Sequence[str] | None = None,
        xlabels: Sequence[str] | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        mode: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """The same as ``report_histogram``, under an older name."""
        self.report_histogram(
            title, series, values, iteration, labels, xlabels, xaxis, yaxis, mode, None, extra_layout
        )

    def report_line_plot(
        self,
        title: str,
        series: Sequence[Any],
        xaxis: str,
        yaxis: str,
        mode: str = "lines",
        iteration: int | None = None,
        reverse_xaxis: bool = False,
        comment: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show several lines; ``series`` holds ``{"name": text, "data": N×2 array}`` for each."""
        layout = {
            "xaxis": {**figures.axis(xaxis), **({"autorange": "reversed"} if reverse_xaxis else {})},
            "yaxis": figures.axis(yaxis),
        }
        self._plot(
            title,
            "",
            iteration,
            figures.figure(figures.lines(series, mode), _titled(title, comment), layout, extra_layout),
        )

    def report_scatter2d(
        self,
        title: str,
        series: str,
        scatter: Any,
        iteration: int | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        labels: Sequence[str] | None = None,
        mode: str = "lines",
        comment: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show points or a line: ``scatter`` is N×2; ``mode`` is "lines", "markers" or "lines+markers"."""
        trace = figures.scatter2d(figures.points(scatter, 2), _mode(mode), series, labels)
        layout = {"xaxis": figures.axis(xaxis), "yaxis": figures.axis(yaxis)}
        self._plot(
            title, series, iteration, figures.figure([trace], _titled(title, comment), layout, extra_layout)
        )

    def report_scatter3d(
        self,
        title: str,
        series: str,
        scatter: Any,
        iteration: int | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        zaxis: str | None = None,
        labels: Sequence[str] | None = None,
        mode: str = "markers",
        fill: bool = False,
        comment: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show points in space: ``scatter`` is N×3, or a list of such arrays."""
        rows = figures.plain(scatter)
        nested = bool(rows) and isinstance(rows[0], list) and bool(rows[0]) and isinstance(rows[0][0], list)
        groups = rows if nested else [rows]
        traces = [
            figures.scatter3d(
                figures.points(group, 3),
                _mode(mode),
                series if len(groups) == 1 else f"{series}_{number}",
                labels,
                fill,
            )
            for number, group in enumerate(groups)
        ]
        scene = {"xaxis": figures.axis(xaxis), "yaxis": figures.axis(yaxis), "zaxis": figures.axis(zaxis)}
        self._plot(
            title,
            series,
            iteration,
            figures.figure(traces, _titled(title, comment), {"scene": scene}, extra_layout),
        )

    def report_confusion_matrix(
        self,
        title: str,
        series: str,
        matrix: Any,
        iteration: int | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        xlabels: Sequence[str] | None = None,
        ylabels: Sequence[str] | None = None,
        yaxis_reversed: bool = False,
        comment: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a matrix as a heat map; ``yaxis_reversed`` puts the first row on top."""
        trace = figures.heatmap(figures.matrix(matrix), xlabels, ylabels)
        layout = {
            "xaxis": figures.axis(xaxis),
            "yaxis": {**figures.axis(yaxis), **({"autorange": "reversed"} if yaxis_reversed else {})},
        }
        self._plot(
            title, series, iteration, figures.figure([trace], _titled(title, comment), layout, extra_layout)
        )

    def report_matrix(
        self,
        title: str,
        series: str,
        matrix: Any,
        iteration: int | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        xlabels: Sequence[str] | None = None,
        ylabels: Sequence[str] | None = None,
        yaxis_reversed: bool = False,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """The same as ``report_confusion_matrix``, under an older name."""
        self.report_confusion_matrix(
            title,
            series,
            matrix,
            iteration,
            xaxis,
            yaxis,
            xlabels,
            ylabels,
            yaxis_reversed,
            None,
            extra_layout,
        )

    def report_surface(
        self,
        title: str,
        series: str,
        matrix: Any,
        iteration: int | None = None,
        xaxis: str | None = None,
        yaxis: str | None = None,
        zaxis: str | None = None,
        xlabels: Sequence[str] | None = None,
        ylabels: Sequence[str] | None = None,
        camera: Sequence[float] | None = None,
        comment: str | None = None,
        extra_layout: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a matrix as heights; ``camera`` is where one looks from, (1, 1, 1) by default."""
        x, y, z = camera or (1, 1, 1)
        scene = {
            "xaxis": {**figures.axis(xaxis), **_ticks(xlabels)},
            "yaxis": {**figures.axis(yaxis), **_ticks(ylabels)},
            "zaxis": figures.axis(zaxis),
            "camera": {"eye": {"x": x, "y": y, "z": z}},
        }
        trace = figures.surface(figures.matrix(matrix))
        self._plot(
            title,
            series,
            iteration,
            figures.figure([trace], _titled(title, comment), {"scene": scene}, extra_layout),
        )

    def _plot(self, title: str, series: str, iteration: int | None, figure: Any) -> None:
        text = json.dumps(figure, separators=(",", ":"))
        if len(text) > _BIG_PLOT:
            raise UsageError(
                f"the plot {title!r} has {len(text) >> 20} MiB as JSON, more than a page can draw; "
                "report fewer points, or keep it as an artifact"
            )
        self._record.journal.event(self._event("plot", title, series, iteration, plot_str=text))

    def _csv_rows(self, path: str | None, url: str | None) -> list[list[str]]:
        local = path if path is not None else StorageManager.get_local_copy(str(url))
        if local is None or not Path(local).is_file():
            raise UsageError(f"there is no CSV file {path or url}")
        with Path(local).open(newline="", encoding="utf-8") as file:
            return list(reader(file))


def _titled(title: str, comment: str | None) -> str:
    return f"{title}<br><sup>{comment}</sup>" if comment else title


def _mode(mode: str) -> str:
    return {"line": "lines", "marker": "markers"}.get(mode, mode)


def _ticks(labels: Sequence[str] | None) -> dict[str, Any]:
    if labels is None:
        return {}
    return {"tickvals": list(range(len(labels))), "ticktext": [str(label) for label in labels]}
