"""Wire types and methods of workers: machines that take tasks from queues."""

from typing import Any

import msgspec

from trialbook.wire.query import Empty
from trialbook.wire.table import METHODS, Permission, domain, reads, works


class WorkerQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue that a worker takes from."""

    id: str
    name: str
    num_tasks: int


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker runs."""

    id: str
    name: str
    running_time: int
    last_iteration: int


class Worker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A worker that has reported in the last ten minutes."""

    id: str
    ip: str
    user: dict[str, Any]
    company: dict[str, Any]
    queues: list[WorkerQueue]
    register_time: str
    last_activity_time: str
    last_report_time: str
    tags: list[str]
    system_tags: list[str]
    task: WorkerTask | None = None
    queue: WorkerQueue | None = None
    key: str | None = None


class RegisterWorker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker begins. ``timeout``: seconds of silence after which it is forgotten."""

    worker: str
    timeout: int = 600
    queues: list[str] = []
    tags: list[str] = []
    system_tags: list[str] = []


class UnregisterWorker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker ends; one that is not known is not an error."""

    worker: str


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life, every half minute. An unknown worker is registered.

    Attributes:
        timestamp: milliseconds since the epoch.
        task: what it runs.
        queue: where that came from.
        queues: what it takes from.
        machine_stats: load of the machine, as numbers by name.
    """

    worker: str
    timestamp: float | None = None
    task: str | None = None
    queue: str | None = None
    queues: list[str] | None = None
    tags: list[str] | None = None
    machine_stats: dict[str, Any] | None = None
    is_daemon: bool = False


class GetAllWorkers(msgspec.Struct, frozen=True, kw_only=True):
    """``last_seen``: seconds; workers that were silent for longer are left out."""

    last_seen: float | None = None
    tags: list[str] = []


class GetAllWorkersReply(msgspec.Struct, frozen=True, kw_only=True):
    """By id."""

    workers: list[Worker]


METHODS.add(
    "workers.register",
    access=domain("worker"),
    request=RegisterWorker,
    reply=Empty,
    permit=Permission.WORK,
    since="2.4",
    changes=True,
    summary="A worker begins.",
)
METHODS.add(
    "workers.unregister",
    access=domain("worker"),
    request=UnregisterWorker,
    reply=Empty,
    permit=Permission.WORK,
    since="2.4",
    changes=True,
    summary="A worker ends.",
)
METHODS.add(
    "workers.status_report",
    access=domain("worker"),
    request=WorkerReport,
    reply=Empty,
    permit=Permission.WORK,
    since="2.4",
    changes=True,
    summary="A worker's sign of life.",
)
METHODS.add(
    "workers.get_all",
    access=domain("worker"),
    request=GetAllWorkers,
    reply=GetAllWorkersReply,
    permit=Permission.READ,
    since="2.4",
    summary="Workers that are alive.",
)


class RuntimeProperty(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a worker asks for while it runs. A value of null takes it away."""

    key: str
    value: str | None = None


class GetRuntimeProperties(msgspec.Struct, frozen=True, kw_only=True):
    """Of one worker."""

    worker: str


class RuntimePropertiesReply(msgspec.Struct, frozen=True, kw_only=True):
    """By key."""

    runtime_properties: list[RuntimeProperty]


class SetRuntimeProperties(msgspec.Struct, frozen=True, kw_only=True):
    """Those that are not named stay."""

    worker: str
    runtime_properties: list[RuntimeProperty]


reads(
    "workers.get_runtime_properties",
    domain("worker"),
    GetRuntimeProperties,
    RuntimePropertiesReply,
    "What was set for a worker while it runs.",
    "2.13",
)
works(
    "workers.set_runtime_properties",
    domain("worker"),
    SetRuntimeProperties,
    Empty,
    "Tell a worker something while it runs.",
    "2.13",
)
