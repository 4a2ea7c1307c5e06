"""What a service needs to know about the call that it works for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.engine import Connection

from trialbook.server.services.accounts import Caller
from trialbook.server.stores.projects import ProjectStore


class Call(Protocol):
    """One call, or one round of a loop: who, when, in which transaction."""

    @property
    def connection(self) -> Connection: ...
    @property
    def caller(self) -> Caller: ...
    @property
    def now(self) -> float: ...
    @property
    def method(self) -> str: ...
    def publish(self, topic: str, kind: str, keys: Iterable[str] = ()) -> None: ...


@dataclass
class LoopCall:
    """A round of one of the server's own loops."""

    connection: Connection
    now: float
    method: str
    caller: Caller = field(default_factory=lambda: Caller(name="the server"))
    published: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def publish(self, topic: str, kind: str, keys: Iterable[str] = ()) -> None:
        """Collect; the loop sends it after the commit."""
        self.published.append((topic, kind, tuple(keys)))


def announce(call: Call, task: str, *projects: str | None) -> None:
    """Tell the pages that a task changed."""
    call.publish(f"task:{task}", "task", [task])
    call.publish("tasks", "tasks", [task])
    for project in set(projects) - {None, ""}:
        call.publish(f"project:{project}", "tasks", [task])


def announce_model(call: Call, model: str) -> None:
    """Tell the pages that a model changed."""
    call.publish("models", "models", [model])
    call.publish(f"model:{model}", "model", [model])


def announce_queue(call: Call, queue: str | None) -> None:
    """Tell the pages that a queue, or what waits in it, changed; None is no queue."""
    if queue is not None:
        call.publish("queues", "queues", [queue])


def announce_project(call: Call, projects: ProjectStore, id: str) -> None:
    """Tell the pages that a project changed; what is above and below it shows its name or its numbers."""
    above = projects.require(call.connection, id).path
    call.publish("projects", "projects", [*above, id, *projects.descendants(call.connection, [id])])


def ensure_project(call: Call, projects: ProjectStore, name: str) -> str:
    """The id of the project with that full path; it is made, and the pages are told, when it is missing."""
    known = projects.find_by_name(call.connection, name)
    id = projects.ensure(call.connection, name, call.caller.user, call.now)
    if id != known:
        announce_project(call, projects, id)
    return id
