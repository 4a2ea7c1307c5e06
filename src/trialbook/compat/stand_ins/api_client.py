"""``APIClient``: every method of the server as a Python call."""

from collections.abc import Iterator
from typing import Any

from trialbook.sdk.task.answers import View, server_session


class APIClient:
    """The server's methods by service and action.

    Example:
        >>> client = APIClient()
        >>> [task.name for task in client.tasks.get_all(status=["failed"])]  # doctest: +SKIP
        ['night 3']
    """

    def __init__(self, **_: Any) -> None:
        self._session = server_session()

    def __getattr__(self, service: str) -> "Service":
        if service.startswith("_"):
            raise AttributeError(service)
        return Service(self._session, service)


class Service:
    """The methods of one service, such as ``tasks``."""

    def __init__(self, session: Any, name: str) -> None:
        self._session = session
        self._name = name

    def __getattr__(self, action: str) -> Any:
        if action.startswith("_"):
            raise AttributeError(action)

        def call(*given: Any, **params: Any) -> "Answer":
            if given:
                # `client.tasks.get_by_id(ID)`: the one value is the thing that the service is about.
                (value,) = given
                params[self._name.rstrip("s")] = value
            answer = self._session.call(f"{self._name}.{action}", params)
            return Answer(answer if isinstance(answer, dict) else {})

        call.__name__ = action
        return call


class Answer(View):
    """A reply. Where it holds one list, such as the tasks of ``tasks.get_all``, it can be gone through and indexed;
    where it holds one thing, its fields are the reply's."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: Any) -> Any:
        return self._listed()[key] if isinstance(key, (int, slice)) else super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        things = [value for value in dict.values(self) if isinstance(value, dict)]
        if not dict.__contains__(self, name) and len(things) == 1 and dict.__len__(self) == 1:
            return getattr(View(things[0]), name)
        return super().__getattr__(name)

    def _listed(self) -> list[Any]:
        lists = [value for value in dict.values(self) if isinstance(value, list)]
        if len(lists) != 1:
            raise TypeError(f"this answer is not a list; it has {', '.join(map(str, dict.keys(self)))}")
        return [View(one) if isinstance(one, dict) else one for one in lists[0]]
