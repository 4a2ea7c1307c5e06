"""Reporting: scalars, plots, tables, pictures and text of one task."""

import json
import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trialbook.base.guard import guard
from trialbook.errors import UsageError
from trialbook.journal.frames import Kind
from trialbook.journal.uploads import Upload
from trialbook.sdk import current, figures, images
from trialbook.sdk.media import Media
from trialbook.sdk.names import join, safe, task_folder
from trialbook.sdk.record import Record

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_BIG_PLOT = 12 << 20


class Logger:
    """Reports to one task. Get it from ``Logger.current_logger()``, ``task.get_logger()`` or ``task.logger``.

    Every call returns at once: the report is safe on this host then, and on the server within a second.

    Example:
        >>> Logger.current_logger() is None
        True
    """

    _history: int | None = None

    def __init__(self, record: Record, place: Callable[[], tuple[str, str, str]]) -> None:
        self._record = record
        self._place = place
        self._offset = 0
        self._destination: str | None = None
        self._media = Media()
        self._lock = threading.Lock()

    @classmethod
    def current_logger(cls) -> "Logger | None":
        """The logger of the task that this process runs; None when there is none."""
        from trialbook.sdk.task import Task

        task = current.main_task() or Task.current_task()
        return task.get_logger() if task is not None else None

    # -- numbers ---

    def report_scalar(self, title: str, series: str, value: float, iteration: int | None = None) -> None:
        """Add one point to a line.

        Args:
            title: the chart. Any text.
            series: the line in it. Any text.
            value: a number; NaN and infinities are kept and shown as gaps.
            iteration: an integer; None is 0.

        Raises:
            UsageError: the value is no number or the iteration no integer.

        Example:
            >>> Logger.report_scalar
            <function Logger.report_scalar at ...>
        """
        if iteration is None:
            iteration = 0
        if self._offset:
            iteration = iteration + self._offset
        self._record.journal.scalar(title, series, iteration, value)

    def report_single_value(self, name: str, value: float) -> None:
        """Set a value that has no iteration, such as a final accuracy; the newest one counts."""
        self._record.journal.single(str(name), value)

    # -- text ---

    def report_text(
        self, msg: str, level: int | str = logging.INFO, print_console: bool = True, *_: Any, **__: Any
    ) -> None:
        """Add a line to the console of the task.

        Args:
            msg: one or more lines.
            level: of the ``logging`` module, as number or name.
            print_console: also print it here.
        """
        text = str(msg)
        number = _LEVELS.get(level.lower(), logging.INFO) if isinstance(level, str) else int(level)
        self._record.journal.text(text, number)
        if print_console:
            # The unwatched stream, since the line is in the task's console already.
            with guard("logger.print"):
                write = type(sys.stdout).write
                write(sys.stdout, text + "\n")

    # -- plots ---

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

    def report_matplotlib_figure(
        self,
        title: str,
        series: str,
        figure: Any,
        iteration: int | None = None,
        report_image: bool = False,
        report_interactive: bool = True,
    ) -> None:
        """Show a matplotlib figure.

        Args:
            title: the plot.
            series: of the plot.
            figure: a ``matplotlib.figure.Figure``, or the ``pyplot`` module for the current one.
            iteration: None is 0.
            report_image: list it with the images instead of the plots.
            report_interactive: turn simple line plots into interactive ones; all others stay pictures.
        """
        figure = figure.gcf() if hasattr(figure, "gcf") else figure
        if report_interactive and not report_image:
            from trialbook.capture.matplotlib_lines import line_figure

            with guard("logger.matplotlib"):
                converted = line_figure(figure)
                if converted is not None:
                    self._plot(title, series, iteration, figures.plain(converted))
                    return
        target = self._spool(".png")
        figure.savefig(target, format="png", bbox_inches="tight")
        self._picture(title, series, iteration, target, ".png", None, as_plot=not report_image)

    # -- pictures and other media ---

    def report_image(
        self,
        title: str,
        series: str,
        iteration: int | None = None,
        local_path: str | None = None,
        image: Any = None,
        matrix: Any = None,
        max_image_history: int | None = None,
        delete_after_upload: bool = False,
        url: str | None = None,
    ) -> None:
        """Show a picture.

        Args:
            title: the picture's group.
            series: of the picture.
            iteration: None is 0.
            local_path: a picture file, taken as it is.
            image: an array (height × width, or × 1, 3, 4 channels; bytes, or floats in 0 … 1) or a PIL image.
            matrix: the same as ``image``, under an older name.
            max_image_history: files kept of this title and series; None is the setting (100).
            delete_after_upload: delete ``local_path`` after it arrived.
            url: address of a picture that is stored already.

        Raises:
            UsageError: not exactly one source, or an array of another shape.
        """
        given = [value for value in (local_path, image, matrix, url) if value is not None]
        if len(given) != 1:
            raise UsageError("report_image takes exactly one of local_path, image, matrix and url")
        if url is not None:
            self._linked(title, series, iteration, url)
            return
        if local_path is not None:
            self._file(title, series, iteration, Path(local_path), max_image_history, delete_after_upload)
            return
        array = image if image is not None else matrix
        target = self._spool(".png")
        if hasattr(array, "save") and hasattr(array, "mode"):
            array.save(target, format="PNG")
        else:
            target.write_bytes(images.png(array))
        self._picture(title, series, iteration, target, ".png", max_image_history)

    def report_media(
        self,
        title: str,
        series: str,
        iteration: int | None = None,
        local_path: str | None = None,
        stream: Any = None,
        file_extension: str | None = None,
        max_history: int | None = None,
        delete_after_upload: bool = False,
        url: str | None = None,
    ) -> None:
        """Show a video, sound, page or any other file.

        Args:
            title: the group.
            series: of the file.
            iteration: None is 0.
            local_path: a file, taken as it is.
            stream: a readable object of bytes or text; needs ``file_extension``.
            file_extension: such as ``.mp4``.
            max_history: files kept of this title and series; None is the setting (100).
            delete_after_upload: delete ``local_path`` after it arrived.
            url: address of a file that is stored already.

        Raises:
            UsageError: not exactly one source, or a stream without ``file_extension``.
        """
        given = [value for value in (local_path, stream, url) if value is not None]
        if len(given) != 1:
            raise UsageError("report_media takes exactly one of local_path, stream and url")
        if url is not None:
            self._linked(title, series, iteration, url)
        elif local_path is not None:
            self._file(title, series, iteration, Path(local_path), max_history, delete_after_upload)
        else:
            if not file_extension:
                raise UsageError("a stream needs file_extension, such as '.mp4'")
            suffix = "." + file_extension.lstrip(".")
            target = self._spool(suffix)
            content = stream.getvalue() if hasattr(stream, "getvalue") else stream.read()
            target.write_bytes(content.encode() if isinstance(content, str) else content)
            self._picture(title, series, iteration, target, suffix, max_history)

    def set_default_upload_destination(self, uri: str) -> None:
        """Where pictures and media go from now on: an address of a files server, or a folder.

        Raises:
            UsageError: an address that cannot be written to.
        """
        from trialbook.sdk.storage import check_writable

        check_writable(uri)
        self._destination = uri

    def get_default_upload_destination(self) -> str:
        """Where pictures and media go."""
        return self._destination or self._place()[0]

    @classmethod
    def set_default_debug_sample_history(cls, max_history: int) -> None:
        """How many files of one title and series this process keeps, instead of the setting."""
        cls._history = int(max_history)

    @classmethod
    def get_default_debug_sample_history(cls) -> int:
        """How many files of one title and series are kept."""
        if cls._history is not None:
            return cls._history
        from trialbook.sdk.settings import load

        return load().history

    def flush(self, wait: bool = False) -> bool:
        """Send what was reported.

        Args:
            wait: return when the server has it (at most a minute), pictures included.

        Returns:
            True, or with ``wait`` whether it arrived.
        """
        if not self._record.has_journal:
            return True
        if wait:
            return self._record.journal.flush(60.0, uploads=True)
        self._record.journal.wake()
        return True

    # -- inside ---

    def _iteration(self, iteration: int | None) -> int:
        try:
            return (0 if iteration is None else int(iteration)) + self._offset
        except (TypeError, ValueError) as error:
            raise UsageError(f"iteration must be an integer, got {iteration!r}") from error

    def _event(
        self, kind: str, title: str, series: str, iteration: int | None, **more: Any
    ) -> dict[str, Any]:
        return {
            "type": kind,
            "metric": str(title),
            "variant": str(series),
            "iter": self._iteration(iteration),
            "timestamp": int(time.time() * 1000),
            **more,
        }

    def _plot(self, title: str, series: str, iteration: int | None, figure: Any) -> None:
        text = json.dumps(figure, separators=(",", ":"))
        if len(text) > _BIG_PLOT:
            raise UsageError(
                f"the plot {title!r} has {len(text) >> 20} MiB as JSON, more than a page can draw; "
                "report fewer points, or keep it as an artifact"
            )
        self._record.journal.event(self._event("plot", title, series, iteration, plot_str=text))

    def _linked(self, title: str, series: str, iteration: int | None, url: str) -> None:
        self._record.journal.event(
            self._event("training_debug_image", title, series, iteration, key=url, url=url)
        )

    def _file(
        self, title: str, series: str, iteration: int | None, path: Path, history: int | None, delete: bool
    ) -> None:
        path = path.expanduser()
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        # A copy, so that the program may overwrite or delete its file at once.
        target = self._spool(path.suffix or ".bin")
        if delete:
            shutil.move(path, target)
        else:
            shutil.copyfile(path, target)
        self._picture(title, series, iteration, target, path.suffix, history)

    def _spool(self, suffix: str) -> Path:
        return self._record.journal.spool.reserve(suffix)

    def _picture(
        self,
        title: str,
        series: str,
        iteration: int | None,
        source: Path,
        suffix: str,
        history: int | None,
        as_plot: bool = False,
    ) -> None:
        base, project, name = self._place()
        limit = history if history and history > 0 else self.get_default_debug_sample_history()
        index = self._media.next(title, series, limit)
        metric, variant = safe(str(title)), safe(str(series))
        url = join(
            self._destination or base,
            task_folder(project, name, self._record.id),
            "metrics",
            metric,
            variant,
            f"{safe(f'{title}_{series}')}_{index:08d}{suffix}",
        )
        if as_plot:
            layout = {
                "images": [
                    {"source": url, "xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1}
                ],
                "xaxis": {"visible": False},
                "yaxis": {"visible": False},
                "margin": {"l": 0, "r": 0, "t": 30, "b": 0},
            }
            text = json.dumps(figures.figure([], title, layout, None))
            event = self._event("plot", title, series, iteration, plot_str=text)
        else:
            event = self._event(
                "training_debug_image", title, series, iteration, key=url.rsplit("/", 1)[-1], url=url
            )
        self._record.journal.upload(Upload(source, url, True, ((Kind.EVENT, event),)), kind="image")

    def _csv_rows(self, csv: str | None, url: str | None) -> list[list[str]]:
        import csv as reader

        if csv is None:
            from trialbook.sdk.storage import StorageManager

            csv = StorageManager.get_local_copy(str(url))
        if csv is None or not Path(csv).is_file():
            raise UsageError(f"there is no CSV file {csv or url}")
        with Path(csv).open(newline="", encoding="utf-8") as file:
            return list(reader.reader(file))


def _titled(title: str, comment: str | None) -> str:
    return f"{title}<br><sup>{comment}</sup>" if comment else title


def _mode(mode: str) -> str:
    return {"line": "lines", "marker": "markers"}.get(mode, mode)


def _ticks(labels: Sequence[str] | None) -> dict[str, Any]:
    if labels is None:
        return {}
    return {"tickvals": list(range(len(labels))), "ticktext": [str(label) for label in labels]}
