"""Pictures, video, sound and other media."""

import json
import shutil
from pathlib import Path
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.patches import quiet
from trialbook.client.settings import load
from trialbook.errors import UsageError
from trialbook.journal import snapshot
from trialbook.journal.frames import Kind
from trialbook.journal.spool import Upload
from trialbook.sdk.full_disk import spared
from trialbook.sdk.names import join, safe, task_folder
from trialbook.sdk.record import REPLACES
from trialbook.sdk.reports import figures, images
from trialbook.sdk.reports.media import Media
from trialbook.sdk.reports.plots import PlotsMixin


class PicturesMixin(PlotsMixin):
    """Members that store files and show them."""

    _history: int | None = None
    _pictures_only: bool = False
    _destination: str | None
    _media: Media

    @spared("image", None)
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
            report_interactive: make it interactive: lines, points, bars, histograms, error bars, areas, small
                matrices, in one or several pairs of axes. What cannot be said exactly stays a picture: photographs,
                contours, three-dimensional figures, hatches, formulas and whatever is not known.

        Example:
            >>> from matplotlib import pyplot
            >>> figure, axes = pyplot.subplots()
            >>> _ = axes.plot([1, 2, 3], [4, 5, 6])
            >>> logger.report_matplotlib_figure("figure", "line", figure, 1)
        """
        figure = figure.gcf() if hasattr(figure, "gcf") else figure
        from trialbook.capture.interactive.figure import interactive, resolution

        if report_interactive and not report_image and not self._pictures_only:
            with guard("logger.matplotlib"):
                converted = interactive(figure)
                if converted is not None:
                    self._show(title, series, iteration, figures.plain(converted))
                    return
        target = self._spool(".png")
        with quiet():
            figure.savefig(target, format="png", bbox_inches="tight", dpi=resolution(figure))
        self._picture(title, series, iteration, target, ".png", None, as_plot=not report_image)

    @classmethod
    def matplotlib_force_report_non_interactive(cls, force: bool) -> None:
        """Keep all matplotlib figures as pictures, in this process from now on.

        Args:
            force: False gives interactive ones back.

        Example:
            >>> Logger.matplotlib_force_report_non_interactive(True)
            >>> Logger.matplotlib_force_report_non_interactive(False)
        """
        cls._pictures_only = bool(force)

    @spared("image", None)
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
            image: an array or tensor (height × width, with 1 to 4 channels in front or behind; several in one more
                axis become a grid) or a PIL image. Booleans, bytes and fractions of 0 … 1 are taken as they are;
                other whole numbers and fractions are scaled from their lowest to their highest value.
            matrix: the same as ``image``, under an older name.
            max_image_history: files kept of this title and series; None is the setting (100).
            delete_after_upload: delete ``local_path`` after it arrived.
            url: address of a picture that is stored already.

        Raises:
            UsageError: not exactly one source, no such file, or an array of another shape.

        Example:
            >>> import numpy
            >>> logger.report_image("noise", "sample", 1, image=numpy.zeros((8, 8, 3), "uint8"))
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
            images.save(array, target)
        else:
            target.write_bytes(images.png(array))
        self._picture(title, series, iteration, target, ".png", max_image_history)

    def report_image_and_upload(
        self,
        title: str,
        series: str,
        iteration: int | None = None,
        path: str | None = None,
        matrix: Any = None,
        max_image_history: int | None = None,
        delete_after_upload: bool = False,
    ) -> None:
        """An older form of ``report_image``, which see.

        Args:
            title: the picture's group.
            series: of the picture.
            iteration: None is 0.
            path: a picture file.
            matrix: an array or a PIL image, instead of a file.
            max_image_history: files kept of this title and series.
            delete_after_upload: delete the file after it arrived.

        Raises:
            UsageError: not exactly one of path and matrix.

        Example:
            >>> logger.report_image_and_upload("digits", "first", 1, matrix=[[0, 255], [255, 0]])
        """
        self.report_image(
            title,
            series,
            iteration,
            local_path=path,
            matrix=matrix,
            max_image_history=max_image_history,
            delete_after_upload=delete_after_upload,
        )

    @spared("image", None)
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
            UsageError: not exactly one source, no such file, or a stream without ``file_extension``.

        Example:
            >>> import io
            >>> logger.report_media("page", "sample", 1, stream=io.StringIO("<p>hello"), file_extension="html")
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
            # Names of files may hold bytes that are not UTF-8; they become these bytes again.
            text = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            target.write_bytes(text)
            self._picture(title, series, iteration, target, suffix, max_history)

    def set_default_upload_destination(self, uri: str) -> None:
        """Where pictures and media go from now on.

        Args:
            uri: a folder, or an address.

        Raises:
            UsageError: an address that cannot be written to.

        Example:
            >>> logger.set_default_upload_destination("pictures")
            >>> logger.report_image("digits", "first", 1, image=[[0, 255], [255, 0]])
        """
        from trialbook.sdk.storage import check_writable

        check_writable(uri)
        self._destination = uri

    def get_default_upload_destination(self) -> str:
        """Where pictures and media go.

        Returns:
            The address or folder; the files server by default.

        Example:
            >>> logger.get_default_upload_destination()
            'http...'
        """
        return self._destination or self._record.place()[0]

    @classmethod
    def set_default_debug_sample_history(cls, max_history: int) -> None:
        """How many files of one title and series this process keeps, instead of the setting.

        Args:
            max_history: 1 or more.

        Raises:
            UsageError: it is less.

        Example:
            >>> Logger.set_default_debug_sample_history(20)
            >>> Logger.get_default_debug_sample_history()
            20
        """
        if int(max_history) < 1:
            raise UsageError(f"at least one file is kept, not {max_history!r}")
        cls._history = int(max_history)

    @classmethod
    def get_default_debug_sample_history(cls) -> int:
        """How many files of one title and series are kept.

        Returns:
            The number; 100 unless a setting or this process says otherwise.

        Example:
            >>> Logger.get_default_debug_sample_history()
            100
        """
        if cls._history is not None:
            return cls._history
        return load().history

    def _linked(self, title: str, series: str, iteration: int | None, url: str) -> None:
        self._journal().event(self._event("training_debug_image", title, series, iteration, key=url, url=url))

    @spared("image", None)
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
            snapshot.keep(path, target)
        self._picture(title, series, iteration, target, path.suffix, history)

    def _spool(self, suffix: str) -> Path:
        return self._journal().spool.reserve(suffix)

    def _samples(self) -> str:
        """The folder of this run's pictures: those of the run that it replaces are kept, and not written over."""
        replaced = str((self._record.document.get("runtime") or {}).get(REPLACES) or "")
        return f"metrics.{replaced[:8]}" if replaced else "metrics"

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
        base, project, name = self._record.place()
        limit = history if history and history > 0 else self.get_default_debug_sample_history()
        index = self._media.next(title, series, limit)
        metric, variant = safe(str(title)), safe(str(series))
        url = join(
            self._destination or base,
            task_folder(project, name, self._record.id),
            self._samples(),
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
        self._journal().upload(Upload(source, url, True, ((Kind.EVENT, event),)), kind="image")
