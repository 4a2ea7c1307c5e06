"""A connected dictionary: it is a dict, and what the program writes into it reaches the task."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from trialbook.sdk.values.structures import is_plain_dict


class ConnectedDict(dict[Any, Any]):
    """A dict that tells of every change.

    Args:
        values: the content; nested mappings become connected as well.
        changed: called after each change.
    """

    def __init__(self, values: Mapping[Any, Any], changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._factory = getattr(values, "default_factory", None)
        for key, value in values.items():
            super().__setitem__(key, self._connected(value))

    def __missing__(self, key: Any) -> Any:
        if self._factory is None:
            raise KeyError(key)
        self[key] = self._factory()
        return self[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, self._connected(value))
        self._changed()

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._changed()

    def update(self, *others: Any, **named: Any) -> None:
        for key, value in dict(*others, **named).items():
            super().__setitem__(key, self._connected(value))
        self._changed()

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, *arguments: Any) -> Any:
        value = super().pop(*arguments)
        self._changed()
        return value

    def popitem(self) -> tuple[Any, Any]:
        item = super().popitem()
        self._changed()
        return item

    def clear(self) -> None:
        super().clear()
        self._changed()

    def __ior__(self, other: Any) -> "ConnectedDict":  # type: ignore[misc]
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        # A copy in another process, or in a file, is no longer connected.
        return (dict, (plain(self),))

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return plain(self)

    def copy(self) -> dict[Any, Any]:
        return dict(self)

    def _connected(self, value: Any) -> Any:
        if is_plain_dict(value):
            return ConnectedDict(value, self._changed)
        return value


def plain(values: Mapping[Any, Any], above: tuple[int, ...] = ()) -> dict[Any, Any]:
    """The content as ordinary dicts; configuration objects within it stay what they are.

    A dict that contains itself ends as a text there.
    """
    above = (*above, id(values))
    content: dict[Any, Any] = {}
    for key, value in values.items():
        if not is_plain_dict(value) and not isinstance(value, ConnectedDict):
            content[key] = value
        else:
            content[key] = repr(value) if id(value) in above else plain(value, above)
    return like(values, content)


def like(values: Mapping[Any, Any], content: dict[Any, Any]) -> dict[Any, Any]:
    """The content in a dict that makes missing items as ``values`` does."""
    factory = getattr(values, "default_factory", None)
    return defaultdict(factory, content) if factory is not None else content
