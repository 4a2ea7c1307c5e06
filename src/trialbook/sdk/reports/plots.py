"""Plots and tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk.reports import figures
from trialbook.sdk.reports.base import ReporterBase

_BIG_PLOT = 12 << 20
_MODES = ("lines", "markers", "lines+markers")


class PlotsMixin(ReporterBase):
    """Members that show figures."""

    def report_plotly(self, title: str, series: str, figure: Any, iteration: int | None = None) -> None:
        """Show a Plotly figure.

        Args:
            title: the plot. Series of one title and iteration stand together.
            series: of the plot.
            figure: a ``plotly`` figure, a dict in its JSON schema, or that JSON as a string.
            iteration: None is 0.

        Raises:
            UsageError: it is none of these, or has 12 MiB or more.

        Example:
            >>> logger.report_plotly("figure", "line", {"data": [{"x": [1, 2], "y": [3, 4]}], "layout": {}}, 1)
        """
        if hasattr(figure, "to_plotly_json"):
            # The figure's own writer knows its array types, dates and colours.
            figure = json.loads(figure.to_json())
        elif isinstance(figure, str):
            try:
                figure = json.loads(figure)
            except ValueError as error:
                raise UsageError(f"figure is a string, but not JSON: {error}") from error
        if not isinstance(figure, Mapping) or "data" not in figure:
            raise UsageError("figure must be a plotly figure or a dict with 'data' and 'layout'")
        self._show(title, series, iteration, figures.plain(figure))

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
            UsageError: not exactly one of table_plot, csv and url, or no table.

        Example:
            >>> logger.report_table("results", "val", 1, table_plot=[["class", "recall"], ["cat", 0.9]])
        """
        given = [value for value in (table_plot, csv, url) if value is not None]
        if len(given) != 1:
            raise UsageError("report_table takes exactly one of table_plot, csv and url")
        if table_plot is None:
            table_plot = self._csv_rows(csv, url)
        trace = figures.frame(table_plot)
        if extra_data:
            trace.update(figures.plain(extra_data))
        self._plot(title, series, iteration, [trace], {}, extra=extra_layout)

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
        """Show bars of given heights; nothing is counted here.

        Args:
            title: the plot.
            series: of the plot.
            values: heights, or one row of them per group.
            iteration: None is 0.
            labels: names of the groups.
            xlabels: names of the bars.
            xaxis: name of the axis.
            yaxis: name of the axis.
            mode: "group" (default), "stack" or "relative".
            data_args: merged into the bars.
            extra_layout: merged into the layout.

        Raises:
            UsageError: values of another shape, another mode, or not one label for each group.

        Example:
            >>> logger.report_histogram("words", "length", [4, 9, 2], 1, xlabels=["short", "middle", "long"])
        """
        if mode not in (None, "group", "stack", "relative"):
            raise UsageError(f"mode is 'group', 'stack' or 'relative', not {mode!r}")
        traces = figures.histogram(values, labels, xlabels, series, data_args)
        layout = {**_axes(xaxis, yaxis), "barmode": mode or "group"}
        self._plot(title, series, iteration, traces, layout, extra=extra_layout)

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
        """The same as ``report_histogram``, under an older name.

        Args:
            title: the plot.
            series: of the plot.
            values: heights, or one row of them per group.
            iteration: None is 0.
            labels: names of the groups.
            xlabels: names of the bars.
            xaxis: name of the axis.
            yaxis: name of the axis.
            mode: "group" (default), "stack" or "relative".
            extra_layout: merged into the layout.

        Raises:
            UsageError: as of ``report_histogram``.

        Example:
            >>> logger.report_vector("words", "length", [4, 9, 2], 1, xlabels=["short", "middle", "long"])
        """
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
        """Show several lines in one plot; an older form of ``report_scatter2d``.

        Args:
            title: the plot.
            series: for each line ``{"name": string, "data": N×2 array}``, or an object with these attributes.
            xaxis: name of the axis.
            yaxis: name of the axis.
            mode: "lines", "markers" or "lines+markers".
            iteration: None is 0.
            reverse_xaxis: greatest value on the left.
            comment: below the title.
            extra_layout: merged into the layout.

        Raises:
            UsageError: data of another shape, or another mode.

        Example:
            >>> logger.report_line_plot("rates", [{"name": "a", "data": [[0, 1], [1, 3]]}], "x", "y")
        """
        layout = _axes(xaxis, yaxis)
        if reverse_xaxis:
            layout["xaxis"]["autorange"] = "reversed"
        self._plot(title, "", iteration, figures.lines(series, _mode(mode)), layout, comment, extra_layout)

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
        """Show points or a line. Series of one title and iteration lie over each other.

        Args:
            title: the plot.
            series: of the plot.
            scatter: N×2 array, or a list of pairs.
            iteration: None is 0.
            xaxis: name of the axis.
            yaxis: name of the axis.
            labels: shown at the points.
            mode: "lines", "markers" or "lines+markers".
            comment: below the title.
            extra_layout: merged into the layout.

        Raises:
            UsageError: another shape, or another mode.

        Example:
            >>> logger.report_scatter2d("curve", "train", [(0, 1.0), (1, 0.5)], 1, mode="lines+markers")
        """
        trace = figures.scatter2d(figures.points(scatter, 2), _mode(mode), series, labels)
        self._plot(title, series, iteration, [trace], _axes(xaxis, yaxis), comment, extra_layout)

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
        """Show points in space.

        Args:
            title: the plot.
            series: of the plot.
            scatter: N×3 array, or a list of such arrays.
            iteration: None is 0.
            xaxis: name of the axis.
            yaxis: name of the axis.
            zaxis: name of the axis.
            labels: shown at the points.
            mode: "lines", "markers" or "lines+markers".
            fill: fill the area below.
            comment: below the title.
            extra_layout: merged into the layout.

        Raises:
            UsageError: another shape, or another mode.

        Example:
            >>> logger.report_scatter3d("cloud", "points", [(0, 0, 1), (1, 2, 3)], 1)
        """
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
        scene = {**_axes(xaxis, yaxis), "zaxis": figures.axis(zaxis)}
        self._plot(title, series, iteration, traces, {"scene": scene}, comment, extra_layout)

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
        """Show a matrix as a heat map.

        Args:
            title: the plot.
            series: of the plot.
            matrix: two-dimensional.
            iteration: None is 0.
            xaxis: name of the axis.
            yaxis: name of the axis.
            xlabels: names of the columns.
            ylabels: names of the rows.
            yaxis_reversed: first row on top.
            comment: below the title.
            extra_layout: merged into the layout.

        Raises:
            UsageError: another shape, or not one label for each column and row.

        Example:
            >>> logger.report_confusion_matrix("confusion", "val", [[5, 1], [2, 7]], 1, xlabels=["cat", "dog"])
        """
        layout = _axes(xaxis, yaxis)
        if yaxis_reversed:
            layout["yaxis"]["autorange"] = "reversed"
        for name, labels in (("xaxis", xlabels), ("yaxis", ylabels)):
            layout[name].update(figures.named(labels))
        trace = figures.heatmap(figures.matrix(matrix), xlabels, ylabels)
        self._plot(title, series, iteration, [trace], layout, comment, extra_layout)

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
        """The same as ``report_confusion_matrix``, under an older name.

        Args:
            title: the plot.
            series: of the plot.
            matrix: two-dimensional.
            iteration: None is 0.
            xaxis: name of the axis.
            yaxis: name of the axis.
            xlabels: names of the columns.
            ylabels: names of the rows.
            yaxis_reversed: first row on top.
            extra_layout: merged into the layout.

        Raises:
            UsageError: as of ``report_confusion_matrix``.

        Example:
            >>> logger.report_matrix("confusion", "val", [[5, 1], [2, 7]], 1, xlabels=["cat", "dog"])
        """
        layout = {"extra_layout": extra_layout, "yaxis_reversed": yaxis_reversed}
        self.report_confusion_matrix(
            title,
            series,
            matrix,
            iteration,
            xaxis,
            yaxis,
            xlabels,
            ylabels,
            **layout,  # type: ignore[arg-type]
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
        """Show a matrix as heights.

        Args:
            title: the plot.
            series: of the plot.
            matrix: two-dimensional.
            iteration: None is 0.
            xaxis: name of the axis.
            yaxis: name of the axis.
            zaxis: name of the axis.
            xlabels: names of the columns.
            ylabels: names of the rows.
            camera: where one looks from; None is (1, 1, 1).
            comment: below the title.
            extra_layout: merged into the layout.

        Raises:
            UsageError: another shape, or a camera that is not three numbers.

        Example:
            >>> logger.report_surface("error", "grid", [[1, 2], [3, 4]], 1, camera=(1, 1, 2))
        """
        eye = list(camera or (1, 1, 1))
        if len(eye) != 3:
            raise UsageError(f"camera is three numbers, not {camera!r}")
        axes = _axes(xaxis, yaxis)
        scene = {
            "xaxis": {**axes["xaxis"], **_ticks(xlabels)},
            "yaxis": {**axes["yaxis"], **_ticks(ylabels)},
            "zaxis": figures.axis(zaxis),
            "camera": {"eye": dict(zip("xyz", eye, strict=True))},
        }
        trace = figures.surface(figures.matrix(matrix))
        self._plot(title, series, iteration, [trace], {"scene": scene}, comment, extra_layout)

    def _plot(
        self,
        title: str,
        series: str,
        iteration: int | None,
        traces: Sequence[Any],
        layout: Mapping[str, Any],
        comment: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        heading = f"{title}<br><sup>{comment}</sup>" if comment else title
        self._show(title, series, iteration, figures.figure(traces, heading, layout, extra))

    def _show(self, title: str, series: str, iteration: int | None, figure: Any) -> None:
        text = json.dumps(figure, separators=(",", ":"))
        if len(text) > _BIG_PLOT:
            raise UsageError(
                f"the plot {title!r} has {len(text) >> 20} MiB as JSON, more than a page can draw; "
                "report fewer points, or keep it as an artifact"
            )
        self._journal().event(self._event("plot", title, series, iteration, plot_str=text))

    def _csv_rows(self, path: str | None, url: str | None) -> list[list[str]]:
        from csv import reader

        from trialbook.sdk.storage import StorageManager

        local = path if path is not None else StorageManager.get_local_copy(str(url))
        if local is None or not Path(local).is_file():
            raise UsageError(f"there is no CSV file {path or url}")
        with Path(local).open(newline="", encoding="utf-8") as file:
            return list(reader(file))


def _axes(x: str | None, y: str | None) -> dict[str, dict[str, Any]]:
    return {"xaxis": figures.axis(x), "yaxis": figures.axis(y)}


def _mode(mode: str) -> str:
    known = {"line": "lines", "marker": "markers"}.get(mode, mode)
    if known not in _MODES:
        raise UsageError(f"mode is one of {', '.join(_MODES)}, not {mode!r}")
    return known


def _ticks(labels: Sequence[str] | None) -> dict[str, Any]:
    if labels is None:
        return {}
    return {"tickvals": list(range(len(labels))), "ticktext": [str(label) for label in labels]}
