"""What a service needs to know about the call that it works for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.engine import Connection

from trialbook.server.services.accounts import Caller


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
