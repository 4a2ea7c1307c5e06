"""Two doors for all that happens, and the only ones.

``changed`` is for what a person would call a change of a thing: its status, name, tags, parameters, place, version,
position in a queue. It is one row of the change log, written in the transaction of the change, and a word to the
pages. ``progressed`` is for what a run does all the time (points, console, samples, signs of life): a word to the
pages, no row.

Which pages listen to what stands here as well, so that whoever changes a thing names the thing and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy.engine import Connection

from trialbook.base.ids import new_id
from trialbook.capture.secret_names import is_secret_name
from trialbook.capture.secrets import masked_text
from trialbook.server.services.caller import Caller
from trialbook.server.stores import changes as log
from trialbook.server.stores.database import Database

Kind = Literal["task", "model", "project", "queue", "worker", "dataset", "user"]
Values = Mapping[Any, Any]
Signal = tuple[str, str, tuple[str, ...]]
"""Topic, kind, and the ids of what changed."""

SLICE = 1000
"""Rows of the log that one transaction writes at most; what is about more things works in several."""
LONGEST = 4096
"""Bytes of ``before``, and of ``after``."""
_LONGEST_TEXT = 500
_MOST_VALUES = 200
"""More single values than these are told by the names of their fields alone."""
KEPT_SECONDS = 30 * 86_400.0
KEPT_ROWS = {"sqlite": 1_000_000, "postgresql": 10_000_000}
"""How long rows are kept, and how many at most, by the kind of database."""
HIDDEN = "****"

_TIMES = frozenset({"last_update", "last_change", "status_changed", "last_worker_report", "active_duration"})
"""What every change moves along, and nobody would call a change."""


class Changing(Protocol):
    """The call that changes something."""

    @property
    def caller(self) -> Caller: ...
    @property
    def now(self) -> float: ...
    @property
    def method(self) -> str: ...
    @property
    def changes(self) -> "Changes": ...


@dataclass
class Changes:
    """What one call has changed so far: rows until they are written, words until the transaction has ended.

    Attributes:
        operation: the same for all that one call changes, in however many transactions.
    """

    operation: str = field(default_factory=new_id)
    rows: list[dict[str, object]] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)

    def mark(self) -> tuple[int, int]:
        """A place to go back to."""
        return len(self.rows), len(self.signals)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what came after a mark, because it was undone."""
        rows, signals = mark
        del self.rows[rows:], self.signals[signals:]

    def write(self, connection: Connection) -> None:
        """Put the rows into the log, at the end of the transaction that they tell of."""
        log.append(connection, self.rows)
        self.rows.clear()

    def tell(self, publish: Callable[[str, str, tuple[str, ...]], None]) -> None:
        """Give the words to the pages, once they are true."""
        for topic, kind, keys in self.signals:
            publish(topic, kind, keys)
        self.signals.clear()


def changed(
    call: Changing,
    kind: Kind,
    id: str,
    verb: str,
    *,
    project: str | None = None,
    before: Values | None = None,
    after: Values | None = None,
    around: Iterable[str] = (),
) -> None:
    """Tell of a change.

    Args:
        call: of this request, or of this round of a loop.
        kind: what ``id`` is.
        id: of the thing; of a worker its name.
        verb: what was done: ``created``, ``edited``, ``deleted``, ``moved``, ``published``, the name of a status …
        project: where it is.
        before, after: the fields that may have changed, or a whole row of which some did. What is equal in both is
            left out, secrets are hidden, and what is long is cut.
        around: ids of the same kind that show something of this one, as the projects above and below a project.
    """
    old, new = _differing(before or {}, after or {})
    homes = {project, (before or {}).get("project"), (after or {}).get("project")} if kind == "task" else ()
    _signal(call.changes, kind, id, homes, around)
    if before is not None and after is not None and not old and not new:
        return
    call.changes.rows.append(
        {
            "time": call.now,
            "kind": kind,
            "id": id,
            "verb": verb,
            "project": project,
            "user": call.caller.user or None,
            "method": call.method,
            "operation": call.changes.operation,
            "before": _short(old),
            "after": _short(new),
        }
    )


def progressed(
    call: Changing, kind: Literal["task", "model", "worker", "project"], id: str, what: Iterable[str] = (), *,
    project: str | None = None, listed: bool = False,
) -> None:  # fmt: skip
    """Tell the pages that a run went on.

    Args:
        call: of this request.
        kind: what ``id`` is.
        id: of the thing.
        what: which of its parts have more to show.
        project: of a task.
        listed: whether lists show something of it, as the last values of its metrics.
    """
    signals = call.changes.signals
    signals += [(f"{kind}:{id}", part, (id,)) for part in what]
    if listed:
        signals.append((f"{kind}s", f"{kind}s", (id,)))
        if project:
            signals.append((f"project:{project}", f"{kind}s", (id,)))


def prune(database: Database, now: float) -> bool:
    """Drop rows of the log that are too old or too many, a slice of them; True when there may be more."""
    with database.write() as connection:
        most = KEPT_ROWS[connection.dialect.name]
        return log.prune(connection, now - KEPT_SECONDS, most, SLICE) == SLICE


def _signal(
    changes: Changes, kind: Kind, id: str, homes: Iterable[str | None], around: Iterable[str]
) -> None:
    if kind in {"task", "model"}:
        changes.signals.append((f"{kind}:{id}", kind, (id,)))
    changes.signals.append((f"{kind}s", f"{kind}s", (*around, id)))
    changes.signals += [(f"project:{home}", "tasks", (id,)) for home in homes if home]


def _differing(before: Values, after: Values) -> tuple[dict[str, object], dict[str, object]]:
    """What differs, as two trees; a name that is in ``after`` alone is new, and one in ``before`` alone is compared
    only where ``after`` is nothing at all, because a row has many fields that a change does not name."""
    names = after.keys() if after else before.keys()
    old: dict[str, object] = {}
    new: dict[str, object] = {}
    for name in names:
        if name in _TIMES:
            continue
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            was, now = _branches(was, now)
        if name in before:
            old[name] = was
        if name in after:
            new[name] = now
    return old, new


def _branches(before: Values, after: Values) -> tuple[dict[str, object], dict[str, object]]:
    old: dict[str, object] = {}
    new: dict[str, object] = {}
    for name in {**before, **after}:
        was, now = before.get(name), after.get(name)
        if was == now and (name in before) == (name in after):
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            was, now = _branches(was, now)
        if name in before:
            old[name] = was
        if name in after:
            new[name] = now
    return old, new


def _short(values: dict[str, object]) -> dict[str, object]:
    """At most ``LONGEST`` bytes, without secrets; where even the names are too long, some of them."""
    # Masking costs 100 µs a value, and the writer of the database waits: what cannot fit anyway is not looked at.
    if _leaves(values, _MOST_VALUES) <= _MOST_VALUES:
        shown = {name: _shown(value, is_secret_name(name)) for name, value in values.items()}
        if len(msgspec.json.encode(shown)) <= LONGEST:
            return shown
    names: list[str] = []
    room = LONGEST - 100
    for name in values:
        room -= len(msgspec.json.encode(name[:_LONGEST_TEXT])) + 1
        if room < 0:
            break
        names.append(name[:_LONGEST_TEXT])
    return {"cut": True, "fields": names}


def _leaves(value: object, most: int) -> int:
    """How many single values a tree holds; counting ends behind ``most``."""
    if not isinstance(value, Mapping | list | tuple):
        return 1
    found = 0
    for one in value.values() if isinstance(value, Mapping) else value:
        found += _leaves(one, most - found)
        if found > most:
            break
    return found


def _shown(value: object, secret: bool) -> object:
    if isinstance(value, Mapping):
        named = is_secret_name(value["name"]) if isinstance(value.get("name"), str) else False
        return {
            name: _shown(one, (secret or named) if name == "value" else secret or is_secret_name(name))
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(one, secret) for one in value]
    if secret and value not in (None, ""):
        return HIDDEN
    if isinstance(value, str):
        masked = masked_text(value[: 4 * _LONGEST_TEXT])
        return masked if len(masked) <= _LONGEST_TEXT else masked[: _LONGEST_TEXT - 1] + "…"
    return value
