"""TensorBoard: what PyTorch's, TensorBoard's own and tensorboardX's writers put into event files.

All of them hand each event, a protocol buffer, to an ``EventFileWriter``; there it is read. The file stays as it is.
"""

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

from trialbook.base.guard import guarded
from trialbook.capture.frameworks import tensorboard_values as values
from trialbook.capture.frameworks.sink import Sink
from trialbook.capture.frameworks.tensorboard_histograms import Histograms, bins_in, bins_of
from trialbook.capture.frameworks.tensorboard_lines import Line, Lines
from trialbook.capture.patches import Patches

SECTION = "TensorBoard"
"""Of the parameters that ``add_hparams`` records."""


def watch(module: ModuleType, sink: Sink, patches: Patches) -> None:
    """``EventFileWriter.add_event``, and ``close`` for the histograms that wait."""
    events = Events(sink)
    seen = guarded("capture.tensorboard", None)(events.seen)

    def adding(original: Callable[..., Any]) -> Callable[..., Any]:
        # Not through Patches.after: this runs a hundred thousand times.
        def add_event(writer: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(writer, event, *args, **kwargs)
            if patches.on:
                seen(writer.get_logdir(), event)
            return result

        return add_event

    patches.around(module.EventFileWriter, "add_event", adding)
    patches.after(module.EventFileWriter, "close", lambda call: events.finish(call.args[0].get_logdir()))
    patches.at_end(events.finish)


class Events:
    """Events become reports.

    Args:
        sink: takes them.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lines = Lines()
        self._plugins: dict[tuple[str, str], str] = {}
        self._histograms: dict[Line, tuple[str, Histograms]] = {}
        self._plugin_calls: dict[str, Callable[[str, str, int, Any], None]] = {
            "scalars": self._number,
            "images": self._pictures,
            "audio": self._sounds,
            "text": self._texts,
            "histograms": self._bins,
            "pr_curves": self._curve,
        }

    def seen(self, folder: Any, event: Any) -> None:
        """Report what an event holds."""
        folder = str(folder)
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                line = self._lines.line(folder, value.tag)
                self._sink.reports.report_scalar(
                    line.title, line.series, value.simple_value, line.place(event.step)
                )
            else:
                self._other(folder, event, value, kind)

    def tensor(self, folder: str, tag: str, step: int, plugin: str, value: Any) -> None:
        """Report a value in the newer form.

        Args:
            folder: log directory of the writer.
            tag: of the value.
            step: of the value.
            plugin: of TensorBoard, which shows it; what has none, or another one than those here, is not reported.
            value: an array of numbers, or a list of bytes.
        """
        report = self._plugin_calls.get(plugin)
        if report is not None:
            report(folder, tag, step, value)

    def finish(self, folder: Any = None) -> None:
        """Draw the histograms that wait: of a writer, or all."""
        for line, (where, histograms) in list(self._histograms.items()):
            if histograms.waiting and (folder is None or where == str(folder)):
                self._draw(line, histograms)

    def _other(self, folder: str, event: Any, value: Any, kind: str | None) -> None:
        tag, step = values.name_of(value.tag), event.step
        if kind == "image":
            self._files(folder, tag, step, [value.image.encoded_image_string])
        elif kind == "audio":
            self._files(folder, tag, step, [value.audio.encoded_audio_string])
        elif kind == "histo":
            self._histogram(folder, tag, step, bins_of(value.histo))
        elif kind == "tensor":
            plugin = self._plugin(folder, value)
            if plugin in self._plugin_calls:
                self.tensor(folder, tag, step, plugin, values.array(value.tensor))
        elif self._plugin(folder, value) == "hparams":
            content = value.metadata.plugin_data.content
            found = values.hyperparameters(type(event).__module__, content)
            if found:
                self._sink.parameters.connected(found, SECTION)

    def _plugin(self, folder: str, value: Any) -> str:
        """Some writers name the plugin with the first value of a tag only."""
        named = str(value.metadata.plugin_data.plugin_name)
        if named:
            self._plugins[folder, value.tag] = named
            return named
        return self._plugins.get((folder, value.tag), "")

    def _number(self, folder: str, tag: str, step: int, value: Any) -> None:
        line = self._lines.line(folder, tag)
        self._sink.reports.report_scalar(
            line.title, line.series, float(value.reshape(-1)[0]), line.place(step)
        )

    def _pictures(self, folder: str, tag: str, step: int, value: list[bytes]) -> None:
        # Width and height come first.
        self._files(folder, tag, step, value[2:])

    def _sounds(self, folder: str, tag: str, step: int, value: list[bytes]) -> None:
        # With labels, each sound is followed by one.
        self._files(folder, tag, step, [data for data in value if data.startswith(b"RIFF")])

    def _texts(self, folder: str, tag: str, step: int, value: list[bytes]) -> None:
        line = self._lines.line(folder, tag)
        content = "\n\n".join(part.decode(errors="replace") for part in value)
        self._media(line, "", line.place(step), io.StringIO(content), ".txt")

    def _files(self, folder: str, tag: str, step: int, contents: list[bytes]) -> None:
        line = self._lines.line(folder, tag)
        iteration = line.place(step)
        for number, content in enumerate(contents):
            name = f"_{number}" if len(contents) > 1 else ""
            self._media(line, name, iteration, io.BytesIO(content), values.suffix_of(content))

    def _media(self, line: Line, name: str, iteration: int, stream: Any, suffix: str) -> None:
        self._sink.reports.report_media(
            line.title, line.series + name, iteration, stream=stream, file_extension=suffix
        )

    def _bins(self, folder: str, tag: str, step: int, value: Any) -> None:
        self._histogram(folder, tag, step, bins_in(value))

    def _histogram(self, folder: str, tag: str, step: int, bins: tuple[Any, Any] | None) -> None:
        if bins is None:
            return
        line = self._lines.line(folder, tag)
        _, histograms = self._histograms.setdefault(line, (folder, Histograms()))
        if histograms.add(line.place(step), *bins):
            self._draw(line, histograms)

    def _draw(self, line: Line, histograms: Histograms) -> None:
        # Always at the same iteration: the surface shows all of them, so a newer one takes the place of the last.
        self._sink.reports.report_plotly(line.title, line.series, histograms.draw(), 0)

    def _curve(self, folder: str, tag: str, step: int, value: Any) -> None:
        line = self._lines.line(folder, tag)
        figure = values.pr_curve(value)
        self._sink.reports.report_plotly(line.title, line.series, figure, line.place(step))
