"""Arguments of the wrong type are refused before a public method begins, in one sentence, from its annotations."""

import functools
import inspect
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, TypeVar

from trialbook.errors import UsageError

_Class = TypeVar("_Class", bound=type)
_Fits = Callable[[Any], bool]
_Rule = tuple[int, str, Any, _Fits, bool]
_handles: dict[str, type] = {}
"""Public classes by name: annotations name some that their module imports for type checkers only."""
# They look at their values themselves: one is called for every point, and two answer what they cannot take with False
# or with nothing, by contract.
_OWN_CHECKS = frozenset({"report_scalar", "set_progress", "set_resource_monitor_iteration_timeout"})
# What is not text is printed, and a number may come as its text, as with the released SDK.
_OPEN = frozenset({("report_text", "msg"), ("report_single_value", "value")})
# Arguments that name files, folders or addresses: a ``Path`` is as good as its text, and methods get the text.
_PLACES = re.compile("path|file|folder|ur[il]|dir|destination")
_WORDS = {str: "a string", int: "an integer", float: "a number", bool: "True or False", type(None): "None"}


def checked(cls: _Class) -> _Class:
    """Let each public method and settable property of a class, and of the classes below it, refuse values that its
    annotations do not name. What an annotation leaves open, as ``Any`` does, is left to the method.

    Example:
        >>> from trialbook import Task
        >>> Task.clone(3)
        Traceback (most recent call last):
            ...
        trialbook.errors.UsageError: Task.clone: source_task must be a string, a Task or None, not 3 (int)
    """
    _handles[cls.__name__] = cls
    for owner in cls.__mro__[:-1]:
        for name, member in list(vars(owner).items()):
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(member, property) and member.fset is not None:
                setter = _guarded(member.fset, cls, name)
                setattr(owner, name, property(member.fget, setter, member.fdel, member.__doc__))
            elif isinstance(member, (classmethod, staticmethod)):
                setattr(owner, name, type(member)(_guarded(member.__func__, cls, name)))
            elif inspect.isfunction(member):
                setattr(owner, name, _guarded(member, cls, name))
    return cls


def _guarded(function: Callable[..., Any], cls: type, name: str) -> Callable[..., Any]:
    if name in _OWN_CHECKS or hasattr(function, "refuses_wrong_types"):
        return function
    rules: list[_Rule] | None = None

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal rules
        if rules is None:
            # At the first call: by then all classes that annotations name exist, and an import stays quick.
            rules = _rules(function, cls)
        for position, argument, wanted, fits, as_text in rules:
            if position < len(args):
                value = args[position]
            elif argument in kwargs:
                value = kwargs[argument]
            else:
                continue
            if as_text and isinstance(value, os.PathLike):
                if position < len(args):
                    args = (*args[:position], os.fspath(value), *args[position + 1 :])
                else:
                    kwargs[argument] = os.fspath(value)
            elif not fits(value):
                raise UsageError(
                    f"{_called(cls, name, args)}: {argument} must be {_words(wanted)}, not {_shown(value)}"
                )
        return function(*args, **kwargs)

    call.refuses_wrong_types = True  # type: ignore[attr-defined]
    return call


def _called(cls: type, name: str, args: tuple[Any, ...]) -> str:
    """The method as the caller wrote it: several public classes share some of our classes below them."""
    first = args[0] if args else cls
    seen = first if isinstance(first, type) else type(first)
    shown = seen.__name__ if issubclass(seen, tuple(_handles.values())) else cls.__name__
    return shown if name == "__init__" else f"{shown}.{name}"


def _rules(function: Callable[..., Any], cls: type) -> list[_Rule]:
    module = vars(sys.modules[function.__module__])
    hints = typing.get_type_hints(function, {"Self": cls, **_handles, **module}, {})
    found = []
    for position, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        open_to_all = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if open_to_all or name not in hints or (function.__name__, name) in _OPEN:
            continue
        wanted = hints[name]
        kinds = _options(wanted)
        as_text = bool(_PLACES.search(name)) and str in kinds and Path not in kinds and PurePath not in kinds
        if as_text:
            wanted = wanted | Path
        fits = _fits(wanted)
        if fits is not None:
            place = sys.maxsize if parameter.kind is parameter.KEYWORD_ONLY else position
            found.append((place, name, wanted, fits, as_text))
    return found


def _options(wanted: Any) -> tuple[Any, ...]:
    union = typing.get_origin(wanted) in (typing.Union, types.UnionType)
    return typing.get_args(wanted) if union else (wanted,)


def _fits(wanted: Any) -> _Fits | None:
    """What says whether a value is of a type; None where every value is."""
    if wanted is Any:
        return None
    origin, options = typing.get_origin(wanted), _options(wanted)
    if len(options) > 1:
        each = [_fits(option) for option in options]
        known = [fits for fits in each if fits is not None]
        return (lambda value: any(fits(value) for fits in known)) if len(known) == len(each) else None
    if origin is typing.Literal:
        return lambda value: value in typing.get_args(wanted)
    kind = origin or wanted
    if kind in _LENIENT:
        return _LENIENT[kind]
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return lambda value: (
            isinstance(value, Mapping) or (hasattr(value, "keys") and hasattr(value, "__getitem__"))
        )
    if kind in (list, Sequence, Iterable):
        return _elements(typing.get_args(wanted))
    if kind is Callable:
        return callable
    if isinstance(kind, type) and kind is not object and not getattr(kind, "_is_protocol", False):
        return lambda value: isinstance(value, kind)
    return None


def _elements(arguments: tuple[Any, ...]) -> _Fits:
    inner = _fits(arguments[0]) if arguments else None

    def fits(value: Any) -> bool:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            return False
        # What can be read only once is left to the method.
        return (
            inner is None
            or not isinstance(value, (list, tuple, set, frozenset))
            or all(inner(one) for one in value)
        )

    return fits


def _number(value: Any) -> bool:
    return (hasattr(value, "__float__") or hasattr(value, "__index__")) and not isinstance(value, str)


def _whole(value: Any) -> bool:
    # Numbers of arrays and fractions that are whole, as 3.0, come out of computations of steps.
    return hasattr(value, "__index__") or (_number(value) and getattr(value, "is_integer", bool)())


def _is_flag(value: Any) -> bool:
    return hasattr(value, "__index__") and value.__index__() in (0, 1)


_LENIENT: dict[Any, _Fits] = {
    str: lambda value: isinstance(value, str),
    float: _number,
    int: _whole,
    # Flags of configurations are None, 0 or 1 at times; a text is true whatever it says.
    bool: lambda value: value is None or type(value).__name__ in ("bool_", "bool") or _is_flag(value),
    type(None): lambda value: value is None,
    tuple: lambda value: isinstance(value, (tuple, list)),
    Path: lambda value: isinstance(value, os.PathLike),
    PurePath: lambda value: isinstance(value, os.PathLike),
}


def _words(wanted: Any) -> str:
    """A type, in words."""
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if len(_options(wanted)) > 1:
        options = list(dict.fromkeys(_words(option) for option in inner))
        options.sort(key="None".__eq__)
        return " or ".join([", ".join(options[:-1]), options[-1]]) if len(options) > 1 else options[0]
    if origin is typing.Literal:
        return f"one of {', '.join(map(repr, inner))}"
    kind = origin or wanted
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in (Path, PurePath):
        return "a path"
    if kind in (list, Sequence, Iterable):
        return f"a list of {_many(inner[0])}" if inner else "a list"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a dict of names to integers" if inner[1:] == (int,) else "a dict"
    if kind is Callable:
        return "a function"
    if kind is type:
        return "a class"
    return f"a {kind.__name__}" if kind.__name__[0] not in "AEIOU" else f"an {kind.__name__}"


def _many(wanted: Any) -> str:
    plural = {
        str: "strings",
        int: "integers",
        float: "numbers",
        Path: "paths",
        PurePath: "paths",
        Any: "values",
        tuple: "pairs",
    }
    if len(_options(wanted)) > 1:
        return " or ".join(dict.fromkeys(_many(option) for option in typing.get_args(wanted)))
    kind = typing.get_origin(wanted) or wanted
    return plural.get(kind) or f"{kind.__name__}s"


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
