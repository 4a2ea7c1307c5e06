"""Configuration objects as named values, and back: dicts, dataclasses, attrs, pydantic, named tuples, OmegaConf.

Each is looked at by what it is, not by importing its library. What can be changed is changed in place; of what cannot
be, a changed copy is made.
"""

import argparse
import copy
import dataclasses
import logging
import operator
import sys
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from trialbook.base.guard import guard
from trialbook.base.unicode import storable
from trialbook.sdk.values.casting import Reference

_log = logging.getLogger("trialbook")
_ABSENT = object()
_PLAIN_DICTS = (dict, OrderedDict, defaultdict)
Write = Callable[[dict[Any, Any]], Any]


@dataclass(frozen=True)
class Structure:
    """An object as named values.

    Attributes:
        values: by name.
        write: takes new values by name, and answers the object, or a changed copy where it cannot be changed.
        owner: the class whose annotations tell the types of the values; None for the object's own.
        open: whether it takes names that it does not have yet, as a dict does.
    """

    values: Mapping[Any, Any]
    write: Write
    owner: type | None = None
    open: bool = False


def structure_of(value: Any) -> Structure | None:
    """The object as named values; None for what is one value: a number, a list, an object of another kind."""
    if value is None or isinstance(value, (str, bytes, bool, int, float, list, set, type)):
        return None
    found: Structure | None = None
    with guard("connect.read"):
        found = _structure(value)
    return found


def is_plain_dict(value: Any) -> bool:
    """Whether it is a dict without a life of its own: an attribute dict, for one, is more than its items."""
    return isinstance(value, Mapping) and (
        type(value) in _PLAIN_DICTS or not isinstance(value, MutableMapping)
    )


def flatten(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``(name, value)`` for each leaf of a nested mapping; levels are joined with ``/``, names as servers hold them.

    Configuration objects among the values are levels as well; what contains itself is one value.
    """
    yield from _levels(values, prefix, ())


def _levels(values: Mapping[Any, Any], prefix: str, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{prefix}/{key}" if prefix else str(key)
        below = structure_of(value)
        if below is not None and below.values and id(value) not in above:
            yield from _levels(below.values, name, (*above, id(value)))
        else:
            yield storable(name), value


def contained(values: Mapping[Any, Any], above: tuple[int, ...] = ()) -> dict[Any, Any]:
    """The content as ordinary dicts, those of configuration objects as well; what contains itself ends as a text."""
    content: dict[Any, Any] = {}
    for key, value in values.items():
        below = structure_of(value)
        if id(value) in above:
            content[key] = repr(value)
        else:
            content[key] = value if below is None else contained(below.values, (*above, id(value)))
    return content


def public(value: Any) -> Structure:
    """A class, or an object of any kind, as its public attributes."""
    kind = value if isinstance(value, type) else type(value)
    fields = getattr(kind, "model_fields", None)
    if isinstance(value, type) and isinstance(fields, dict) and hasattr(kind, "model_rebuild"):
        return _model_class(value, fields)
    values: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        values.update({name: item for name, item in vars(base).items() if not hasattr(type(item), "__get__")})
    if not isinstance(value, type):
        for base in reversed(kind.__mro__[:-1]):
            slots = vars(base).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else tuple(slots):
                item = getattr(value, name, _ABSENT)
                if item is not _ABSENT:
                    values[name] = item
        values.update(getattr(value, "__dict__", {}))
    shown = {
        name: item
        for name, item in values.items()
        if not name.startswith("_") and (not callable(item) or structure_of(item) is not None)
    }
    return Structure(shown, lambda changes: _assign(value, changes, None))


def _structure(value: Any) -> Structure | None:
    kind = type(value)
    if kind.__module__.startswith("omegaconf"):
        return _omegaconf(value)
    if isinstance(value, Mapping) or all(
        hasattr(kind, name) for name in ("keys", "items", "__getitem__", "__setitem__")
    ):
        if kind.__module__.partition(".")[0] in ("pandas", "h5py", "numpy"):
            return None
        return Structure(dict(value.items()), lambda changes: _put(value, changes), open=True)
    if isinstance(value, tuple):
        if not hasattr(kind, "_fields"):
            return None
        values = {name: getattr(value, name) for name in kind._fields}
        return Structure(values, lambda changes: kind._replace(value, **changes))
    if isinstance(value, (argparse.Namespace, types.SimpleNamespace)):
        values = {
            name: item
            for name, item in vars(value).items()
            if not callable(item) or structure_of(item) is not None
        }
        return Structure(values, lambda changes: _assign(value, changes, None))
    if dataclasses.is_dataclass(value):
        shown = dict(public(value).values)
        for field in dataclasses.fields(value):
            if not field.name.startswith("_") and hasattr(value, field.name):
                shown[field.name] = getattr(value, field.name)
        return Structure(shown, lambda changes: _assign(value, changes, _replaced))
    if hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__ if not field.name.startswith("_")]
        values = {name: getattr(value, name) for name in names if hasattr(value, name)}
        return Structure(values, lambda changes: _assign(value, changes, _low_copy))
    if hasattr(kind, "__pydantic_validator__") or hasattr(kind, "__fields_set__"):
        return _model(value)
    return None


def _model(value: Any) -> Structure:
    """A pydantic model, of its first or its second version."""
    fields = getattr(type(value), "model_fields", None) or type(value).__fields__
    extra = getattr(value, "__pydantic_extra__", None) or {}
    values = {name: getattr(value, name) for name in (*fields, *extra) if hasattr(value, name)}

    def changed(model: Any, changes: dict[Any, Any]) -> Any:
        copied = getattr(model, "model_copy", None) or model.copy
        return copied(update=changes)

    return Structure(values, lambda changes: _assign(value, changes, changed))


def _model_class(kind: Any, fields: Mapping[str, Any]) -> Structure:
    """A pydantic class: the defaults of its fields."""
    values = {
        name: field.default
        for name, field in fields.items()
        if type(field.default).__name__ != "PydanticUndefinedType" and not callable(field.default)
    }

    def write(changes: dict[Any, Any]) -> Any:
        for name, value in changes.items():
            fields[name].default = value
        kind.model_rebuild(force=True)
        return kind

    return Structure(values, write)


def _omegaconf(value: Any) -> Structure | None:
    library = sys.modules["omegaconf"]
    if not isinstance(value, library.DictConfig):
        return None
    raw = library.OmegaConf.to_container(value, resolve=False)
    if not isinstance(raw, dict):
        # None, missing, or a reference.
        return None
    values: dict[Any, Any] = {}
    for key in raw:
        if library.OmegaConf.is_interpolation(value, key) or library.OmegaConf.is_missing(value, key):
            values[key] = _reference(library, value, key, raw[key])
        elif isinstance(raw[key], dict):
            values[key] = value[key]
        else:
            values[key] = raw[key]

    def write(changes: dict[Any, Any]) -> Any:
        target = value
        if library.OmegaConf.is_readonly(value):
            target = copy.deepcopy(value)
        with library.read_write(target):
            return _put(target, changes)

    owner = library.OmegaConf.get_type(value)
    return Structure(values, write, owner if isinstance(owner, type) else None)


def _reference(library: Any, value: Any, key: Any, text: str) -> Reference:
    found = Reference(text)
    try:
        node = value[key]
        plain = library.OmegaConf.to_container(node) if library.OmegaConf.is_config(node) else node
        found.example = plain
    except library.errors.OmegaConfBaseException:
        pass  # It points to nothing yet; its text is all there is.
    return found


def _put(value: Any, changes: dict[Any, Any]) -> Any:
    for key, item in changes.items():
        error = _failed(operator.setitem, value, key, item)
        if error is not None:
            _refused(value, key, error)
    return value


def _assign(value: Any, changes: dict[Any, Any], copied: Callable[[Any, dict[Any, Any]], Any] | None) -> Any:
    """Set attributes; where the object is frozen, ``copied`` makes a changed one."""
    frozen: dict[Any, Any] = {}
    for name, item in changes.items():
        error = _failed(setattr, value, name, item)
        if error is not None and copied is not None and _says_frozen(error):
            frozen[name] = item
        elif error is not None:
            _refused(value, name, error)
    made = value
    if copied is not None and frozen:
        with guard("connect.copy"):
            made = copied(value, frozen)
    return made


def _failed(change: Callable[[Any, Any, Any], None], value: Any, name: Any, item: Any) -> Exception | None:
    """Why a change was not taken; the setters of the program may raise anything."""
    try:
        change(value, name, item)
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        return error
    return None


def _refused(value: Any, name: Any, error: Exception) -> None:
    _log.warning(
        "%s does not take the stored value of %r, its own is used: %s", type(value).__name__, name, error
    )


def _says_frozen(error: Exception) -> bool:
    if type(error).__name__ in ("FrozenInstanceError", "FrozenAttributeError"):
        return True
    details = getattr(error, "errors", None)
    if callable(details):
        return any(str(detail.get("type")).startswith("frozen") for detail in details())
    return "immutable" in str(error)


def _replaced(value: Any, changes: dict[Any, Any]) -> Any:
    """A changed copy of a frozen dataclass; its ``__post_init__`` runs, so that what it derives follows."""
    given = {field.name for field in dataclasses.fields(value) if field.init}
    first = {name: item for name, item in changes.items() if name in given}
    try:
        made = dataclasses.replace(value, **first)
    except (TypeError, ValueError):
        return _low_copy(value, changes)  # It wants arguments that it does not keep.
    return _low_copy(made, {name: item for name, item in changes.items() if name not in given})


def _low_copy(value: Any, changes: dict[Any, Any]) -> Any:
    made = copy.copy(value)
    for name, item in changes.items():
        object.__setattr__(made, name, item)
    return made
