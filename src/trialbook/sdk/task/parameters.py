"""Hyperparameters: ``connect``, and what an agent's run gets from it."""

import argparse
import logging
from collections.abc import Mapping
from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk.casting import cast, describe, flatten, text_of, type_of
from trialbook.sdk.task.proxy import ConnectedDict, plain
from trialbook.sdk.task.values import ARGS, GENERAL, ValuesMixin, key_of, parameter
from trialbook.sdk.task_parameters import TaskParameters

_log = logging.getLogger("trialbook")


class ParametersMixin(ValuesMixin):
    """Members that connect objects."""

    def connect(self, mutable: Any, name: str | None = None, ignore_remote_overrides: bool = False) -> Any:
        """Record an object's values as parameters and follow later changes of it.

        Args:
            mutable: a dict (nested ones become ``a/b``), an ``argparse`` parser or namespace, a class or an object
                (its public attributes), a ``TaskParameters`` object, or a model.
            name: section; None is "General", "Args" for argparse.
            ignore_remote_overrides: keep the values of the code when an agent runs it.

        Returns:
            What the program should use from here on: for a dict, one whose changes reach the task.

        Raises:
            UsageError: a list, a number, None, or another thing without named values.

        Example:
            >>> settings = task.connect({"rate": 0.1, "net": {"depth": 3}})
            >>> settings["rate"] = 0.2
            >>> task.get_parameters()
            {'General/rate': '0.2', 'General/net/depth': '3'}
        """
        if hasattr(mutable, "connect") and hasattr(mutable, "_connect_to"):
            mutable._connect_to(self, name)
            return mutable
        if isinstance(mutable, argparse.ArgumentParser):
            return self._connect_parser(mutable, name or ARGS)
        remote = self._remote and not ignore_remote_overrides
        if isinstance(mutable, argparse.Namespace):
            return self._connect_namespace(mutable, name or ARGS, remote)
        if isinstance(mutable, TaskParameters):
            return self._connect_declared(mutable, name or GENERAL, remote)
        if isinstance(mutable, Mapping):
            return self._connect_dict(mutable, name or GENERAL, remote)
        if mutable is None or isinstance(
            mutable, (str, bytes, int, float, complex, list, tuple, set, frozenset)
        ):
            raise UsageError(
                "connect() takes a dict, an argparse parser, a class, an object or a model, "
                f"not a {type(mutable).__name__}"
            )
        return self._connect_object(mutable, name or GENERAL, remote)

    # -- inside ---

    def _connect_parser(self, parser: argparse.ArgumentParser, section: str) -> argparse.ArgumentParser:
        """Overridden by the arguments mixin."""
        raise NotImplementedError

    @property
    def _remote(self) -> bool:
        """Whether stored values win over those of the code."""
        return bool(self._record.settings.task_id) and self._record.own

    def _merge(
        self,
        section: str,
        values: Mapping[str, Any],
        descriptions: Mapping[str, str],
        types: Mapping[str, str] | None = None,
    ) -> None:
        """Record values as they are in the code; send only what is new."""
        with self._record.lock:
            known = self._sections().setdefault(section, {})
            changed = {}
            for key, value in flatten(values):
                kind = (types or {}).get(key, type_of(value))
                item = parameter(section, key, value, kind, descriptions.get(key) or describe(value))
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
                {"force": True, "hyperparams": [key_of(section, key) for key in gone]},
            )
        owned.clear()
        owned.update(now)

    def _connect_declared(self, values: TaskParameters, section: str, remote: bool) -> TaskParameters:
        if remote:
            known = values.to_dict()
            stored = self._overridden(section, known)
            values.update_from_dict({name: stored[name] for name in known})

        def changed() -> None:
            self._merge(section, values.to_dict(), values._descriptions())

        changed()
        values._follow = changed
        return values

    def _connect_dict(self, values: Mapping[Any, Any], section: str, remote: bool) -> ConnectedDict:
        odd = [key for key in values if not isinstance(key, str)]
        if odd:
            _log.warning("connect(): names of parameters are texts; %s stored as such", _some(odd))
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
                merged[key] = override(stored[name], value)
            else:
                merged[key] = value
        known = {f"{prefix}{key}" for key in values}
        for name, item in stored.items():
            key = name[len(prefix) :]
            if name.startswith(prefix) and name not in known and "/" not in key:
                merged[key] = cast(str(item.get("value") or ""), None, str(item.get("type") or ""))
        return merged

    def _connect_namespace(
        self, namespace: argparse.Namespace, section: str, remote: bool
    ) -> argparse.Namespace:
        values = {key: value for key, value in vars(namespace).items() if not callable(value)}
        if remote:
            stored = self._sections().get(section) or {}
            for key in values:
                if key in stored:
                    values[key] = override(stored[key], values[key])
                    setattr(namespace, key, values[key])
        self._merge(section, values, {})
        return namespace

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


def _some(keys: list[Any]) -> str:
    shown = ", ".join(repr(key) for key in keys[:5])
    if len(keys) > 5:
        return f"{shown} and {len(keys) - 5} more are"
    return f"{shown} {'is' if len(keys) == 1 else 'are'}"


def override(item: Mapping[str, Any], value: Any) -> Any:
    """The stored value in the type of the code's; the code's own one when nobody has edited it."""
    text = str(item.get("value") or "")
    if text == text_of(value):
        return value
    return cast(text, value, str(item.get("type") or ""))
