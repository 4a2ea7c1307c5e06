"""The one main task of this process, and what the rooms beside ``task/`` need of a task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trialbook.sdk.record import Record


class Task(Protocol):
    """A task as models, the logger and the watched libraries use it; ``sdk/task`` has the class of this name.

    Under the same name, so that signatures and messages say what a program gives.
    """

    _record: Record

    @property
    def id(self) -> str:
        """The task's id."""
        ...

    @property
    def name(self) -> str:
        """The task's name."""
        ...

    @property
    def project(self) -> str:
        """Id of the project."""
        ...

    @property
    def output_uri(self) -> str | None:
        """Where models go."""
        ...

    def connect(self, mutable: Any, name: str | None = None) -> Any: ...

    def get_logger(self) -> Any: ...

    def get_project_name(self) -> str: ...

    def get_labels_enumeration(self) -> dict[str, int]: ...

    def set_model_label_enumeration(self, enumeration: Mapping[str, int] | None = None) -> None: ...

    def get_model_design(self) -> str: ...

    def set_model_config(self, config_text: str | None = None) -> None: ...

    def set_configuration_object(self, name: str, config_text: str | None = None) -> None: ...


@dataclass
class _Process:
    """What this process runs.

    Attributes:
        main: the object of ``Task.init``.
        join: makes the task of the process that started this one the main task here, where there is one.
    """

    main: Task | None = None
    join: Callable[[], Task | None] | None = None


_process = _Process()


def main_task() -> Task | None:
    """The task that ``Task.init`` returned and that is not closed."""
    return _process.main


def is_main(task: object) -> bool:
    """Whether this is the very object that ``Task.init`` returned and that is not closed."""
    return _process.main is task


def set_main_task(task: Task | None) -> None:
    """Only the life-cycle calls this."""
    _process.main = task


def join_by(join: Callable[[], Task | None]) -> None:
    """``sdk/task`` says how a process takes part in the task of the one that started it."""
    _process.join = join


def task_of_this_process() -> Task | None:
    """The main task; in a process that one with a task has started, that task."""
    if _process.main is None and _process.join is not None:
        return _process.join()
    return _process.main
