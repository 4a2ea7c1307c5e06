"""Methods of the server as attributes: ``nouns(call).tasks.edit({…})`` is ``call("tasks.edit", {…})``.

What each takes and answers is in ``client/api.pyi``, which ``web/generate_types.py`` writes from the method table:
a field or a method that does not exist is an error of mypy.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from trialbook.client.api import Changes

Ask = TypeVar("Ask", bound=Mapping[str, object])


class _Noun:
    def __init__(self, call: Callable[..., Any], name: str) -> None:
        self._call, self._name = call, name

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        call, method = self._call, f"{self._name}.{verb}"

        def ask(params: Any = None, /, **how: Any) -> Any:
            return call(method, {} if params is None else params, **how)

        return ask


class _Nouns:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __getattr__(self, name: str) -> _Noun:
        return _Noun(self._call, name)


def nouns(call: Callable[..., Any]) -> Any:
    """Every method as ``.noun.verb(params, **how)``.

    Args:
        call: gets ``"noun.verb"``, the parameters, and what else is named.
    """
    return _Nouns(call)


def filled(ask: Ask) -> Ask:
    """What is asked, without the fields that are None."""
    kept: Any = {name: value for name, value in ask.items() if value is not None}
    typed: Ask = kept
    return typed


def where(ask: Ask, paths: Mapping[str, object]) -> Ask:
    """A query with conditions on paths, such as ``metadata.stage.value``, which no type can list.

    Raises:
        ValueError: a name has no dot, and so belongs into the query itself.
    """
    named = [name for name in paths if "." not in name]
    if named:
        raise ValueError(f"{', '.join(named)}: no path; write it into the query")
    both: Any = {**ask, **paths}
    typed: Ask = both
    return typed


def kept(ask: "Callable[[Changes], None]") -> dict[str, Any]:
    """A call as a journal keeps it.

    Args:
        ask: makes the call, such as ``lambda changes: changes.tasks.stopped({"task": task})``. What it hands over is
            kept as it is, not copied.
    """
    made: list[dict[str, Any]] = []
    ask(nouns(lambda method, params: made.append({"method": method, "params": params})))
    (call,) = made
    return call
