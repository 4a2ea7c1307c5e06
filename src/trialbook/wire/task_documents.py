"""The task as the wire shows it."""

from typing import Annotated, Any

import msgspec

from trialbook.wire.table import partial


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """The code. Without a repository, ``diff`` holds the whole source."""

    binary: str = ""
    repository: str = ""
    branch: str = ""
    tag: str = ""
    version_num: str = ""
    entry_point: str = ""
    working_dir: str = ""
    diff: str = ""
    requirements: dict[str, Any] = {}


class Artifact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named result or input of a task. Identity is (key, mode)."""

    key: str
    type: str = "custom"
    mode: str = "output"
    uri: str | None = None
    content_size: int | float | None = None
    hash: str | None = None
    timestamp: int | float | None = None
    type_data: dict[str, Any] | None = None
    display_data: list[Any] | None = None


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What runs and what came out."""

    queue: str | None = None
    parameters: dict[str, Any] = {}
    model_desc: dict[str, Any] = {}
    model_labels: dict[str, int] = {}
    framework: str | None = None
    artifacts: list[Artifact] = []


class Parameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hyper-parameter. Numbers and booleans are stored as text."""

    section: str | None = None
    name: str | None = None
    value: Any = None
    type: str | None = None
    description: str | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One configuration object, as text."""

    name: str | None = None
    value: Any = None
    type: str | None = None
    description: str | None = None


class Container(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The image that the task runs in."""

    image: str | None = None
    arguments: str | None = None
    setup_shell_script: str | None = None


class ModelReference(msgspec.Struct, frozen=True, kw_only=True):
    """A model under the name that the task gives it."""

    name: str
    model: str


class TaskModels(msgspec.Struct, frozen=True, kw_only=True):
    """Models that the task reads and writes."""

    input: list[ModelReference] = []
    output: list[ModelReference] = []


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Where results go."""

    destination: str | None = None
    model: str | None = None
    result: str | None = None
    error: str | None = None


class LastMetric(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics of one series, under ``last_metrics[md5(metric)][md5(variant)]``."""

    metric: str
    variant: str
    value: float | None
    min_value: float | None = None
    min_value_iteration: int | None = None
    max_value: float | None = None
    max_value_iteration: int | None = None
    first_value: float | None = None
    first_value_iteration: int | None = None
    count: int | None = None
    mean_value: float | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One run, with everything known about it."""

    id: str
    name: str
    type: str
    status: str
    status_message: str
    status_reason: str
    status_changed: str
    user: str | None
    company: str
    project: str | None
    parent: str | None
    comment: str
    tags: list[str]
    system_tags: list[str]
    created: str
    started: str | None
    completed: str | None
    published: str | None
    last_update: str
    last_change: str
    last_worker: str | None
    last_worker_report: str | None
    active_duration: int | None
    last_iteration: int
    last_metrics: dict[str, dict[str, LastMetric]]
    script: Script
    execution: Execution
    hyperparams: dict[str, dict[str, Parameter]]
    configuration: dict[str, Configuration]
    container: Container
    models: TaskModels
    output: Output
    runtime: dict[str, Any]


TaskDocument = Annotated[dict[str, Any], partial(Task)]
"""A task, or the part of it that ``only_fields`` asks for."""
