"""Asking the server, and its answers: documents that can be read by key and by attribute."""

import functools
import inspect
from datetime import datetime, timezone
from typing import Any

from trialbook.base.clock import parse_iso
from trialbook.client.session import Session
from trialbook.errors import ConfigurationError
from trialbook.sdk.servers import connection as connections

_MOMENTS = frozenset(
    {
        "added",
        "completed",
        "created",
        "last_activity_time",
        "last_change",
        "last_report_time",
        "last_update",
        "last_worker_report",
        "published",
        "register_time",
        "started",
        "status_changed",
    }
)
"""Fields that hold a moment; released clients read these as datetimes too."""


class View(dict[str, Any]):
    """A dict whose keys are attributes as well, as deep as it goes. A known field that is not set is None.

    An attribute that holds a moment is a datetime with a time zone; by key it is the string that the server sent.

    Example:
        >>> view = View({"id": "1", "script": {"branch": "main"}})
        >>> view.script.branch, view["id"], view.parent
        ('main', '1', None)
    """

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return _moment(self[name]) if name in _MOMENTS else self[name]
        if name in known_fields():
            return None
        raise AttributeError(f"there is no {name!r}; there are {', '.join(map(str, self))}")

    def __getitem__(self, key: str) -> Any:
        return self._deep(key, super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key.

        Args:
            key: the name.
            default: what stands for a key that is not there.

        Returns:
            The value, whose parts have attributes as well.

        Example:
            >>> View({"script": {"branch": "main"}}).get("script").branch
            'main'
        """
        return self._deep(key, super().get(key)) if key in self else default

    def values(self) -> Any:
        """The values of all keys.

        Returns:
            A list of them; their parts have attributes as well.

        Example:
            >>> [part.branch for part in View({"script": {"branch": "main"}}).values()]
            ['main']
        """
        return [self[key] for key in self]

    def items(self) -> Any:
        """Keys and values.

        Returns:
            A list of pairs; the parts of the values have attributes as well.

        Example:
            >>> [(name, part.branch) for name, part in View({"script": {"branch": "main"}}).items()]
            [('script', 'main')]
        """
        return [(key, self[key]) for key in self]

    def _deep(self, key: str, value: Any) -> Any:
        seen = _seen(value)
        if seen is not value:
            # A change of it is one of this.
            self[key] = seen
        return seen


class Response(View):
    """The answer of a method; ``response`` is the answer itself, as programs for ClearML read it."""

    @property
    def response(self) -> "Response":
        """This answer."""
        return self


def _moment(value: Any) -> Any:
    """A date of the wire as a datetime; what is none, such as a count of the same name, as it is."""
    if not isinstance(value, str):
        return _seen(value)
    try:
        return datetime.fromtimestamp(parse_iso(value), timezone.utc)
    except ValueError:
        return value


def _seen(value: Any) -> Any:
    if isinstance(value, dict):
        return value if isinstance(value, View) else View(value)
    if isinstance(value, list) and any(type(item) in (dict, list) for item in value):
        return [_seen(item) for item in value]
    return value


@functools.lru_cache(maxsize=1)
def known_fields() -> frozenset[str]:
    """Names of all fields that documents of the server have, at any depth."""
    # msgspec is not part of `import trialbook`; a missing attribute is the first that needs it.
    from trialbook.wire import models, projects, task_documents

    structs = [
        struct
        for module in (task_documents, projects, models)
        for _, struct in inspect.getmembers(module, inspect.isclass)
    ]
    return frozenset(name for struct in structs for name in getattr(struct, "__struct_fields__", ()))


def server_session() -> Session:
    """The session of this process.

    Raises:
        ConfigurationError: this process works offline.
    """
    connection = connections.connect()
    if connection.settings.offline:
        raise ConfigurationError("this needs the server, and this process works offline (Task.set_offline)")
    return connection.session
