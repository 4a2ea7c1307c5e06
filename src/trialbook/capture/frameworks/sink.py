"""Where bindings send what they see. The SDK implements it; tests may as well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Protocol


class Reports(Protocol):
    """The part of ``trialbook.Logger`` that bindings use; arguments as there."""

    def report_scalar(self, title: str, series: str, value: float, iteration: int | None = None) -> None: ...

    def report_single_value(self, name: str, value: float) -> None: ...

    def report_matplotlib_figure(
        self,
        title: str,
        series: str,
        figure: Any,
        iteration: int | None = None,
        report_image: bool = False,
        report_interactive: bool = True,
    ) -> None: ...

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
    ) -> None: ...

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
    ) -> None: ...

    def report_plotly(self, title: str, series: str, figure: Any, iteration: int | None = None) -> None: ...


class Models(Protocol):
    """Weights that the program writes and reads."""

    def saved(
        self,
        path: "str | PathLike[str]",
        framework: str,
        design: Mapping[str, Any] | str | None = None,
        parts: Sequence[Path] = (),
    ) -> None:
        """The program has written a file or a folder of weights; its content is taken before this returns.

        Args:
            path: of the file or folder.
            framework: as people write it, such as ``"PyTorch"``.
            design: the model's configuration, when the library knows it.
            parts: the files, when ``path`` is only what their names begin with.
        """

    def loaded(self, path: "str | PathLike[str]", framework: str) -> None:
        """The program has read weights from a file or a folder."""


class Parameters(Protocol):
    """Settings that a library keeps."""

    def connected(self, values: Mapping[str, Any], section: str) -> None:
        """Parameters that a library was called with; recorded under a section, without a way back."""

    def described(self, name: str, text: str) -> None:
        """A configuration as text."""


@dataclass(frozen=True)
class Sink:
    """What one binding reports to.

    Attributes:
        reports: plots, scalars, images, media.
        models: files that are saved and loaded.
        parameters: settings.
        iteration: the newest iteration that the program reported, for what has none of its own; 0 before the first.
        remote: the run was started by an agent, on a machine that may have no display.
    """

    reports: Reports
    models: Models
    parameters: Parameters
    iteration: Callable[[], int]
    remote: bool
