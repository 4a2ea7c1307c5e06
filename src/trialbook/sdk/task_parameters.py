"""Parameters with declared types and ranges: a class instead of a dict."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trialbook.errors import UsageError
from trialbook.sdk.values.casting import convert

if TYPE_CHECKING:
    from trialbook.sdk.current import Task

_PLAIN = (bool, int, float, str)


class Parameter:
    """One declared field of a ``TaskParameters`` class. Made by ``param`` and ``percent_param``."""

    def __init__(
        self,
        type: type[Any] | None,
        range: tuple[Any, Any] | None,
        desc: str | None,
        validator: Callable[[Any], Any] | None,
        default: Any,
    ) -> None:
        self.type = type
        self.range = range
        self.desc = desc or ""
        self.validator = validator
        self.default = default
        self.name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def __get__(self, instance: "TaskParameters | None", owner: type[Any]) -> Any:
        if instance is None:
            return self
        return vars(instance).get(self.name, self.default)

    def __set__(self, instance: "TaskParameters", value: Any) -> None:
        vars(instance)[self.name] = self.checked(value)

    def checked(self, value: Any) -> Any:
        """The value in the declared type.

        Raises:
            UsageError: another type, outside of the range, or refused by the validator.
        """
        if value is None:
            return None
        value = self._typed(value)
        if self.range is not None:
            low, high = self.range
            if not low <= value <= high:
                raise UsageError(f"{self.name} must be between {low} and {high}, not {value!r}")
        if self.validator is not None and self.validator(value) is False:
            raise UsageError(f"{self.name} does not accept {value!r}")
        return value

    def _typed(self, value: Any) -> Any:
        wanted = self.type
        if wanted is None or (isinstance(value, wanted) and not _is_disguised(value, wanted)):
            return value
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if wanted is int and isinstance(value, float) and math.isfinite(value) and value.is_integer():
            return int(value)
        if isinstance(value, str) and wanted in _PLAIN:
            try:
                converted = convert(value, wanted())
            except ValueError as error:
                raise UsageError(f"{self.name} must be {wanted.__name__}, not {value!r}") from error
            if isinstance(converted, wanted):
                return converted
        raise UsageError(f"{self.name} must be {wanted.__name__}, not {value!r}")


def _is_disguised(value: Any, wanted: type[Any]) -> bool:
    """True and False are integers in Python, but no count that somebody meant."""
    return isinstance(value, bool) and wanted is not bool and wanted is not object


def param(
    validator: Callable[[Any], Any] | None = None,
    range: tuple[Any, Any] | None = None,
    type: type[Any] | None = None,
    desc: str | None = None,
    default: Any = None,
) -> Any:
    """Declare a field of a ``TaskParameters`` class.

    Args:
        validator: called with each new value; it raises, or answers False, to refuse it.
        range: smallest and greatest value, both allowed.
        type: of the values; strings are converted to it.
        desc: shown beside the parameter in the web UI.
        default: before anything is assigned.

    Returns:
        The field.

    Example:
        >>> class Setup(TaskParameters):
        ...     steps = param(type=int, range=(1, 1000), desc="how long", default=10)
        >>> Setup(steps=20).steps
        20
    """
    return Parameter(type, range, desc, validator, default)


def percent_param(desc: str | None = None, default: Any = None) -> Any:
    """Declare a field that is a share, from 0 to 1.

    Args:
        desc: shown beside the parameter in the web UI.
        default: before anything is assigned.

    Returns:
        The field.

    Example:
        >>> class Setup(TaskParameters):
        ...     dropout = percent_param(default=0.1)
        >>> Setup().dropout
        0.1
    """
    return Parameter(float, (0.0, 1.0), desc, None, default)


class TaskParameters:
    """Parameters as a class whose fields are declared with ``param`` and ``percent_param``.

    Args:
        values: of the fields; the others have their defaults.

    Raises:
        UsageError: there is no such field, or a value does not fit.

    Example:
        >>> class Setup(TaskParameters):
        ...     rate = param(type=float, range=(0, 1), default=0.5)
        >>> setup = Setup(rate=0.1)
        >>> setup.to_dict()
        {'rate': 0.1}
        >>> setup.rate = 2
        Traceback (most recent call last):
        ...
        trialbook.errors.UsageError: rate must be between 0 and 1, not 2.0
    """

    def __init__(self, **values: Any) -> None:
        self._follow: Callable[[], None] | None = None
        for field in declared(type(self)).values():
            field.checked(field.default)
        self.update_from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """The values by name.

        Returns:
            A new dict, in the order of declaration.

        Example:
            >>> class Setup(TaskParameters):
            ...     rate = param(type=float, default=0.5)
            >>> Setup(rate=0.1).to_dict()
            {'rate': 0.1}
        """
        return {name: getattr(self, name) for name in declared(type(self))}

    def update_from_dict(self, source_dict: Mapping[str, Any]) -> None:
        """Assign several fields at once: all of them or, when one is wrong, none.

        Args:
            source_dict: names and values.

        Raises:
            UsageError: there is no such field, or a value does not fit.

        Example:
            >>> class Setup(TaskParameters):
            ...     rate = param(type=float, default=0.5)
            ...     steps = param(type=int, default=10)
            >>> setup = Setup()
            >>> setup.update_from_dict({"rate": 0.1})
            >>> setup.to_dict()
            {'rate': 0.1, 'steps': 10}
        """
        known = declared(type(self))
        unknown = [str(name) for name in source_dict if name not in known]
        if unknown:
            raise UsageError(f"{type(self).__name__} has no {', '.join(unknown)}; it has {', '.join(known)}")
        vars(self).update({name: known[name].checked(value) for name, value in source_dict.items()})
        self._changed()

    def connect(self, task: "Task", name: str | None = None) -> "TaskParameters":
        """Record the values as parameters of a task and follow later changes, as ``Task.connect`` does.

        Args:
            task: the task.
            name: of the section; None is "General".

        Returns:
            This object, with the values of the task when an agent runs the code.

        Raises:
            UsageError: a value that was edited on the task does not fit.

        Example:
            >>> class Setup(TaskParameters):
            ...     rate = param(type=float, default=0.5)
            >>> setup = Setup().connect(task, "Train")
            >>> setup.rate = 0.1
            >>> task.get_parameters()
            {'Train/rate': '0.1'}
        """
        task.connect(self, name)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in declared(type(self)):
            self._changed()

    def _changed(self) -> None:
        if self._follow is not None:
            self._follow()

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"{type(self).__name__}({inside})"


def declared(kind: type[TaskParameters]) -> dict[str, Parameter]:
    """The fields of a class by name, in the order of declaration."""
    found: dict[str, Parameter] = {}
    for owner in reversed(kind.__mro__):
        found.update({name: item for name, item in vars(owner).items() if isinstance(item, Parameter)})
    return found
