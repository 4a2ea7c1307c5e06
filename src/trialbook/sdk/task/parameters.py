"""Hyperparameters: ``connect`` and the explicit getters and setters."""

import argparse
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trialbook.capture import arguments
from trialbook.errors import UsageError
from trialbook.sdk import connection as connections
from trialbook.sdk import settings
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task.casting import cast, describe, flatten, text_of, type_of
from trialbook.sdk.task.proxy import ConnectedDict, plain

_log = logging.getLogger("trialbook")
_GENERAL, _ARGS, _PROPERTIES = "General", "Args", "properties"
Parameter = dict[str, str]


class ParametersMixin(TaskBase):
    """Members about hyperparameters and user properties."""

    _argparse: Any

    def connect(self, mutable: Any, name: str | None = None, ignore_remote_overrides: bool = False) -> Any:
        """Record an object's values as parameters and follow later changes of it.

        Args:
            mutable: a dict (nested ones become ``a/b``), an ``argparse`` parser or namespace, a class or an object
                (its public attributes), or a model.
            name: section; None is "General", "Args" for argparse.
            ignore_remote_overrides: keep the values of the code when an agent runs it.

        Returns:
            What the program should use from here on: for a dict, one whose changes reach the task.

        Raises:
            UsageError: a list, a number, None, or another thing without named values.
        """
        if hasattr(mutable, "connect") and hasattr(mutable, "_connect_to"):
            mutable._connect_to(self, name)
            return mutable
        if isinstance(mutable, argparse.ArgumentParser):
            return self._connect_parser(mutable, name or _ARGS)
        if isinstance(mutable, argparse.Namespace):
            self._merge(name or _ARGS, vars(mutable), {})
            return mutable
        remote = self._remote and not ignore_remote_overrides
        if isinstance(mutable, Mapping):
            return self._connect_dict(mutable, name or _GENERAL, remote)
        if mutable is None or isinstance(
            mutable, (str, bytes, int, float, complex, list, tuple, set, frozenset)
        ):
            raise UsageError(
                "connect() takes a dict, an argparse parser, a class, an object or a model, "
                f"not a {type(mutable).__name__}"
            )
        return self._connect_object(mutable, name or _GENERAL, remote)

    def set_parameter(
        self, name: str, value: Any, description: str | None = None, value_type: Any | None = None
    ) -> None:
        """Set one parameter; the others stay.

        Args:
            name: ``Section/name``; without a section it is "General".
            value: stored as text.
            description: shown beside it.
            value_type: a type or its name, when it is not the value's own.
        """
        self._require_editable("Parameters")
        section, key = _split(name)
        kind = getattr(value_type, "__name__", value_type) or type_of(value)
        self._store(section, {key: _parameter(section, key, value, str(kind), description or "")})

    def set_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Replace all parameters by those of dicts, pairs and keywords; user properties stay.

        Names are as in ``set_parameter``.
        """
        self._require_editable("Parameters")
        values = _collected(args, kwargs)
        with self._record.lock:
            kept = {section: items for section, items in self._sections().items() if section == _PROPERTIES}
            self._record.document["hyperparams"] = _merged(kept, values)
            self._edit_hyperparams("all", values, {_PROPERTIES: dict(kept.get(_PROPERTIES) or {})})

    def update_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Set parameters of dicts, pairs and keywords; those that are not named stay."""
        self._require_editable("Parameters")
        values = _collected(args, kwargs)
        with self._record.lock:
            self._record.document["hyperparams"] = _merged(self._sections(), values)
            self._edit_hyperparams("none", values, {})

    def set_parameters_as_dict(self, dictionary: Mapping[str, Any]) -> None:
        """Set parameters of a nested dict whose first level names sections; later changes to it are not followed."""
        self.update_parameters(dict(flatten(dictionary)))

    def get_parameter(self, name: str, default: Any = None, cast: bool = False) -> Any:
        """The value of a parameter as text.

        Args:
            name: ``Section/name``; without a section it is "General".
            default: answer when there is none.
            cast: answer in the stored type instead of text.
        """
        section, key = _split(name)
        item = (self._sections().get(section) or {}).get(key)
        if item is None:
            return default
        return _value(item, cast)

    def get_parameters(self, backwards_compatibility: bool = True, cast: bool = False) -> dict[str, Any]:
        """All parameters as ``{"Section/name": text}``; user properties are not among them."""
        return {
            f"{section}/{key}": _value(item, cast)
            for section, items in self._sections().items()
            if section != _PROPERTIES
            for key, item in items.items()
        }

    def get_parameters_as_dict(self, cast: bool = False) -> dict[str, Any]:
        """All parameters as nested dicts: section, then the levels of the name."""
        nested: dict[str, Any] = {}
        for name, value in self.get_parameters(cast=cast).items():
            level = nested
            *path, leaf = name.split("/")
            for part in path:
                below = level.setdefault(part, {})
                if not isinstance(below, dict):
                    below = level[part] = {"": below}
                level = below
            level[leaf] = value
        return nested

    def delete_parameter(self, name: str) -> bool:
        """Remove one parameter, named in full; False when there is none."""
        section, key = _split(name)
        with self._record.lock:
            items = self._sections().get(section) or {}
            if key not in items:
                return False
            del items[key]
            self._record.change(
                "tasks.delete_hyper_params", {"force": True, "hyperparams": [_key(section, key)]}
            )
        return True

    def get_user_properties(self, value_only: bool = False) -> dict[str, Any]:
        """User properties by name: dicts with name, value, description and type, or only the values."""
        items = self._sections().get(_PROPERTIES) or {}
        if value_only:
            return {name: str(item.get("value") or "") for name, item in items.items()}
        return {name: {k: v for k, v in item.items() if k != "section"} for name, item in items.items()}

    def set_user_properties(self, *iterables: Any, **properties: Any) -> bool:
        """Set user properties; allowed at any status.

        Args:
            iterables: dicts of name → value or details, or iterables of dicts with ``name`` and ``value``.
            properties: name = value, or a dict with value, description and type.

        Returns:
            True when all are stored; False when one had no value and nothing was stored.
        """
        found: dict[str, Parameter] = {}
        for given in (*iterables, properties):
            single = isinstance(given, Mapping) and {"name", "value"} <= set(given)
            for name, details in _properties([given] if single else given):
                if isinstance(details, Mapping):
                    if "value" not in details:
                        return False
                    kind = details.get("type")
                    found[name] = _parameter(
                        _PROPERTIES,
                        name,
                        details["value"],
                        str(getattr(kind, "__name__", kind) or type_of(details["value"])),
                        str(details.get("description") or ""),
                    )
                else:
                    found[name] = _parameter(_PROPERTIES, name, details, type_of(details), "")
        self._store(_PROPERTIES, found)
        return True

    def delete_user_properties(self, *iterables: Any) -> bool:
        """Remove parameters: each iterable holds dicts with section and name, or pairs of them."""
        keys = []
        for iterable in iterables:
            for entry in [iterable] if isinstance(iterable, Mapping) else iterable:
                section, name = (
                    (entry["section"], entry["name"]) if isinstance(entry, Mapping) else (entry[0], entry[1])
                )
                (self._sections().get(section) or {}).pop(name, None)
                keys.append(_key(section, name))
        if keys:
            self._record.change("tasks.delete_hyper_params", {"force": True, "hyperparams": keys})
        return True

    # -- inside ---

    @property
    def _remote(self) -> bool:
        """Whether stored values win over those of the code."""
        return bool(self._record.settings.task_id) and self._record.own

    def _sections(self) -> dict[str, dict[str, Parameter]]:
        document = self._record.document
        if not isinstance(document.get("hyperparams"), dict):
            document["hyperparams"] = {}
        sections: dict[str, dict[str, Parameter]] = document["hyperparams"]
        return sections

    def _store(self, section: str, items: dict[str, Parameter]) -> None:
        with self._record.lock:
            self._sections().setdefault(section, {}).update(items)
            self._edit_hyperparams("none", {section: items}, {})

    def _edit_hyperparams(
        self,
        replace: str,
        sections: Mapping[str, Mapping[str, Parameter]],
        kept: Mapping[str, Mapping[str, Parameter]],
    ) -> None:
        items = [item for group in (sections, kept) for found in group.values() for item in found.values()]
        self._record.change(
            "tasks.edit_hyper_params", {"hyperparams": items, "replace_hyperparams": replace, "force": True}
        )

    def _merge(self, section: str, values: Mapping[str, Any], descriptions: Mapping[str, str]) -> None:
        """Record values as they are in the code; send only what is new."""
        with self._record.lock:
            known = self._sections().setdefault(section, {})
            changed = {}
            for key, value in flatten(values):
                item = _parameter(
                    section, key, value, type_of(value), descriptions.get(key) or describe(value)
                )
                if known.get(key) != item:
                    known[key] = changed[key] = item
            if changed:
                self._edit_hyperparams("none", {section: changed}, {})

    def _replace_section(self, section: str, values: Mapping[str, Any], owned: set[str]) -> None:
        """Follow a connected dict: what it lost is removed, unless another object brought it."""
        now = {key for key, _ in flatten(values)}
        gone = owned - now
        self._merge(section, values, {})
        if gone:
            items = self._sections().get(section) or {}
            for key in gone:
                items.pop(key, None)
            self._record.change(
                "tasks.delete_hyper_params",
                {"force": True, "hyperparams": [_key(section, key) for key in gone]},
            )
        owned.clear()
        owned.update(now)

    def _connect_dict(self, values: Mapping[Any, Any], section: str, remote: bool) -> ConnectedDict:
        merged = self._overridden(section, values) if remote else plain(values)
        owned = {key for key, _ in flatten(merged)}
        self._merge(section, merged, {})
        connected: ConnectedDict

        def changed() -> None:
            self._replace_section(section, connected, owned)

        connected = ConnectedDict(merged, changed)
        if remote and isinstance(values, dict):
            # Code that goes on with its own dict must see the stored values as well.
            values.update(merged)
        return connected

    def _overridden(self, section: str, values: Mapping[Any, Any], prefix: str = "") -> dict[Any, Any]:
        """The values with those of the task in their place, in the types of the code."""
        stored = self._sections().get(section) or {}
        merged: dict[Any, Any] = {}
        for key, value in values.items():
            name = f"{prefix}{key}"
            if isinstance(value, Mapping) and value:
                merged[key] = self._overridden(section, value, f"{name}/")
            elif name in stored:
                merged[key] = _override(stored[name], value)
            else:
                merged[key] = value
        known = {f"{prefix}{key}" for key in values}
        for name, item in stored.items():
            key = name[len(prefix) :]
            if name.startswith(prefix) and name not in known and "/" not in key:
                merged[key] = cast(str(item.get("value") or ""), None, str(item.get("type") or ""))
        return merged

    def _connect_object(self, mutable: Any, section: str, remote: bool) -> Any:
        kind = mutable if isinstance(mutable, type) else type(mutable)
        values: dict[str, Any] = {}
        for base in reversed(kind.__mro__[:-1]):
            values.update(vars(base))
        if not isinstance(mutable, type):
            values.update(getattr(mutable, "__dict__", {}))
        values = {
            name: value
            for name, value in values.items()
            if not name.startswith("_")
            and not callable(value)
            and not isinstance(value, (property, classmethod, staticmethod))
        }
        if remote:
            for name, value in self._overridden(section, values).items():
                if value is not values.get(name):
                    setattr(mutable, name, value)
                    values[name] = value
        self._merge(section, values, {})
        return mutable

    def _connect_parser(self, parser: argparse.ArgumentParser, section: str) -> argparse.ArgumentParser:
        arguments.watch(parser, lambda parsed: self._take_arguments(parsed, section))
        return parser

    def _connect_earlier_arguments(self) -> None:
        """Record the command line that was read before ``Task.init``, and watch for one that is read later."""
        wanted = self._argparse
        if wanted is False or wanted == {}:
            return
        arguments.watch_all(lambda parsed: self._take_arguments(parsed, _ARGS))

    def _take_arguments(self, parsed: arguments.Parsed, section: str) -> None:
        wanted = self._argparse if isinstance(self._argparse, Mapping) else {}
        values = {
            name: value for name, value in parsed.values.items() if wanted.get(name.rsplit("/", 1)[-1], True)
        }
        if self._remote:
            stored = self._sections().get(section) or {}
            for name, value in values.items():
                if name in stored:
                    values[name] = _converted(_override(stored[name], value), parsed.converters.get(name))
                    parsed.put(name, values[name])
        self._merge(section, values, parsed.descriptions)


def _override(item: Mapping[str, Any], value: Any) -> Any:
    """The stored value in the type of the code's; the code's own one when nobody has edited it."""
    text = str(item.get("value") or "")
    if text == text_of(value):
        return value
    return cast(text, value, str(item.get("type") or ""))


def _converted(value: Any, converter: Callable[[str], Any] | None) -> Any:
    """What the parser's own ``type`` makes of texts."""
    if converter is None:
        return value
    try:
        if isinstance(value, str):
            return converter(value)
        if isinstance(value, (list, tuple)):
            return type(value)(converter(item) if isinstance(item, str) else item for item in value)
    except (ValueError, TypeError, argparse.ArgumentTypeError):
        _log.warning("the stored argument %r is not what its parser takes; it stays a text", value)
    return value


def _stored_arguments() -> Mapping[str, str]:
    """The command line that the task has, when an agent runs this process: ``Args`` by name."""
    task_id = settings.agent_task()
    if not task_id:
        return {}
    document = connections.connect().session.call("tasks.get_by_id", {"task": task_id})["task"]
    items = (document.get("hyperparams") or {}).get(_ARGS) or {}
    return {name: str(item.get("value") or "") for name, item in items.items()}


# A program may read its command line before Task.init; what is required there may only be on the server.
arguments.supply(_stored_arguments)


def _parameter(section: str, name: str, value: Any, kind: str, description: str) -> Parameter:
    return {
        "section": section,
        "name": name,
        "value": text_of(value),
        "type": kind,
        "description": description,
    }


def _key(section: str, name: str) -> Parameter:
    return {"section": section, "name": name}


def _split(name: str) -> tuple[str, str]:
    section, slash, key = str(name).partition("/")
    return (section, key) if slash else (_GENERAL, section)


def _value(item: Mapping[str, Any], wanted: bool) -> Any:
    text = str(item.get("value") or "")
    return cast(text, None, str(item.get("type") or "")) if wanted else text


def _collected(args: Iterable[Any], kwargs: Mapping[str, Any]) -> dict[str, dict[str, Parameter]]:
    values: dict[str, Any] = {}
    for given in args:
        values.update(dict(given))
    values.update(kwargs)
    sections: dict[str, dict[str, Parameter]] = {}
    for name, value in flatten(values):
        section, key = _split(name)
        sections.setdefault(section, {})[key] = _parameter(
            section, key, value, type_of(value), describe(value)
        )
    return sections


def _merged(
    old: Mapping[str, Mapping[str, Parameter]], new: Mapping[str, Mapping[str, Parameter]]
) -> dict[str, dict[str, Parameter]]:
    merged = {section: dict(items) for section, items in old.items()}
    for section, items in new.items():
        merged.setdefault(section, {}).update(items)
    return merged


def _properties(given: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return [(str(name), value) for name, value in given.items()]
    return [(str(entry["name"]), entry) for entry in given]
