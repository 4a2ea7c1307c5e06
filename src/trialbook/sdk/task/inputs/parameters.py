"""Hyperparameters: ``connect``, and what an agent's run gets from it."""

import argparse
import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from typing import cast as cast_type

from trialbook.base.guard import guard
from trialbook.base.unicode import readable, storable
from trialbook.errors import UsageError
from trialbook.sdk.models import InputModel, OutputModel
from trialbook.sdk.task.inputs.proxy import ConnectedDict, like, plain
from trialbook.sdk.task.inputs.values import ARGS, GENERAL, ValuesMixin, key_of, parameter
from trialbook.sdk.task_parameters import TaskParameters, declared
from trialbook.sdk.values.casting import cast, describe, text_of, type_of
from trialbook.sdk.values.hints import example_of
from trialbook.sdk.values.structures import Structure, flatten, is_plain_dict, public, structure_of

if TYPE_CHECKING:
    from trialbook.sdk.current import Task

_log = logging.getLogger("trialbook")


class ParametersMixin(ValuesMixin):
    """Members that connect objects."""

    def connect(self, mutable: Any, name: str | None = None, ignore_remote_overrides: bool = False) -> Any:
        """Record an object's values as parameters and follow later changes of it.

        Args:
            mutable: a dict, an ``argparse`` parser or namespace, a dataclass, a named tuple, a configuration object of
                attrs, pydantic or OmegaConf, an attribute dict, a class or another object (its public attributes), a
                ``TaskParameters`` object, or a model. What is nested in it becomes ``a/b``.
            name: section; None is "General", "Args" for argparse.
            ignore_remote_overrides: keep the values of the code when an agent runs it.

        Returns:
            What the program should use from here on: for a dict, one whose changes reach the task; for an object that
            cannot be changed (frozen, a named tuple), a copy with the values of the task when an agent runs it;
            otherwise ``mutable`` itself.

        Raises:
            UsageError: a list, a number, None, or another thing without named values.

        Example:
            >>> settings = task.connect({"rate": 0.1, "net": {"depth": 3}})
            >>> settings["rate"] = 0.2
            >>> task.get_parameters()
            {'General/rate': '0.2', 'General/net/depth': '3'}
        """
        if isinstance(mutable, (InputModel, OutputModel)):
            # Only a whole task has parameters.
            mutable.connect(cast_type("Task", self), name)
            return mutable
        self._record.require_editable("Parameters")
        if isinstance(mutable, argparse.ArgumentParser):
            return self._connect_parser(mutable, storable(name or ARGS))
        remote = self._remote and not ignore_remote_overrides
        if isinstance(mutable, TaskParameters):
            return self._connect_declared(mutable, storable(name or GENERAL), remote)
        section = storable(name or (ARGS if isinstance(mutable, argparse.Namespace) else GENERAL))
        if is_plain_dict(mutable) or isinstance(mutable, ConnectedDict):
            return self._connect_dict(mutable, section, remote)
        structure = structure_of(mutable)
        if structure is None and (
            mutable is None
            or isinstance(mutable, (str, bytes, int, float, complex, list, tuple, set, frozenset))
        ):
            raise UsageError(
                "connect() takes a dict, an argparse parser or namespace, a dataclass, a configuration object of "
                "attrs, pydantic or OmegaConf, a class, another object or a model, "
                f"not a {type(mutable).__name__}"
            )
        return self._connect_object(mutable, structure, section, remote)

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
            items = {}
            for key, value in flatten(values):
                kind = (types or {}).get(key, type_of(value))
                items[key] = parameter(section, key, value, kind, descriptions.get(key) or describe(value))
            changed = {key: item for key, item in items.items() if known.get(key) != item}
            known.update(changed)
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
            self._record.changes.tasks.delete_hyper_params(
                {"task": self.id, "force": True, "hyperparams": [key_of(section, key) for key in gone]},
            )
        owned.clear()
        owned.update(now)

    def _connect_declared(self, values: TaskParameters, section: str, remote: bool) -> TaskParameters:
        if remote:
            known = values.to_dict()
            stored = self._overridden(section, known, counted(known))
            values.update_from_dict({name: stored[name] for name in known})

        words = {name: field.desc for name, field in declared(type(values)).items() if field.desc}

        def changed() -> None:
            self._merge(section, values.to_dict(), words)

        changed()
        # Its public names belong to the program.
        values._follow = changed
        return values

    def _connect_dict(self, values: Mapping[Any, Any], section: str, remote: bool) -> ConnectedDict:
        odd = [key for key in values if not isinstance(key, str)]
        if odd:
            _log.warning("connect(): names of parameters are strings; %s stored as such", _some(odd))
        merged = plain(values)
        names = counted(merged)
        if remote:
            merged = self._overridden(section, merged, names)
        owned = {key for key, _ in flatten(merged)}
        self._merge(section, merged, {})
        connected: ConnectedDict

        def changed() -> None:
            self._replace_section(section, connected, owned)

        connected = ConnectedDict(like(values, merged), changed)
        if remote and isinstance(values, dict):
            # Code that goes on with its own dict must see the stored values as well.
            values.update(merged)
        return connected

    def _overridden(
        self, section: str, values: Mapping[Any, Any], names: "Counter[str]", prefix: str = ""
    ) -> dict[Any, Any]:
        """The values with those of the task in their place, in the types of the code; ``names`` from ``counted``."""
        stored = self._sections().get(section) or {}
        merged: dict[Any, Any] = {}
        for key, value in values.items():
            name = storable(f"{prefix}{key}")
            below = None if is_plain_dict(value) else structure_of(value)
            if is_plain_dict(value) and value:
                merged[key] = like(value, self._overridden(section, value, names, f"{name}/"))
            elif below is not None and below.values:
                merged[key] = self._edited(value, below, section, f"{name}/", (id(value),), names)
            elif name in stored and _last(names, name):
                merged[key] = override(stored[name], value)
            else:
                merged[key] = value
        merged.update(_added(stored, values, names, prefix))
        return merged

    def _connect_object(self, mutable: Any, structure: Structure | None, section: str, remote: bool) -> Any:
        with guard("connect"):
            taken: Structure | None = structure or public(mutable)
            names = counted(taken.values) if taken is not None else Counter()
            if remote and taken is not None:
                mutable = self._edited(mutable, taken, section, "", (), names)
                taken = structure_of(mutable) if structure else public(mutable)
            if taken is not None:
                self._merge(section, taken.values, {})
                return mutable
        self._merge(section, {type(mutable).__name__: text_of(mutable)}, {})
        return mutable

    def _edited(
        self,
        value: Any,
        structure: Structure,
        section: str,
        prefix: str,
        above: tuple[int, ...],
        names: "Counter[str]",
    ) -> Any:
        """The object with the values of the task in their place; a changed copy of what cannot be changed."""
        stored = self._sections().get(section) or {}
        changes: dict[Any, Any] = {}
        for key, old in structure.values.items():
            name = storable(f"{prefix}{key}")
            below = structure_of(old)
            new = old
            if below is not None and below.values and id(old) not in above:
                new = self._edited(old, below, section, f"{name}/", (*above, id(old)), names)
            elif name in stored and _last(names, name):
                example = (
                    example_of(structure.owner or value, str(key))
                    if old is None and not structure.open
                    else None
                )
                new = override(stored[name], old, example)
            if new is not old:
                changes[key] = new
        if structure.open:
            changes.update(_added(stored, structure.values, names, prefix))
        return structure.write(changes) if changes else value


def counted(values: Mapping[Any, Any]) -> "Counter[str]":
    """How many values have each name. Two of one name are said: only the last of them can be recorded and edited."""
    names = Counter(name for name, _ in flatten(values))
    for name, count in names.items():
        if count > 1:
            _log.warning(
                "connect(): %d values have the name %r; the last of them is recorded and can be edited, the others "
                "stay as they are in the code: rename them to record them",
                count,
                name,
            )
    return names


def _last(names: "Counter[str]", name: str) -> bool:
    """Whether this is the last value of its name, which the parameter stands for. Asked once for each, in order."""
    names[name] -= 1
    return names[name] <= 0


def _added(
    stored: Mapping[str, Mapping[str, Any]], values: Mapping[Any, Any], names: "Counter[str]", prefix: str
) -> dict[str, Any]:
    """What the task has at one level and the code has nowhere."""
    known = names.keys() | {storable(f"{prefix}{key}") for key in values}
    return {
        name[len(prefix) :]: stored_value(item)
        for name, item in stored.items()
        if name.startswith(prefix) and name not in known and "/" not in name[len(prefix) :]
    }


def _some(keys: list[Any]) -> str:
    shown = ", ".join(repr(key) for key in keys[:5])
    if len(keys) > 5:
        return f"{shown} and {len(keys) - 5} more are"
    return f"{shown} {'is' if len(keys) == 1 else 'are'}"


def override(item: Mapping[str, Any], value: Any, example: Any = None) -> Any:
    """The stored value in the type of the code's; the code's own one when nobody has edited it.

    Args:
        item: the parameter as stored.
        value: of the code.
        example: of the type that the code declares, where the value is None.
    """
    text = str(item.get("value") or "")
    if text == readable(text_of(value)):
        return value
    if value is None and example is not None:
        read = cast(text, example, "")
        return None if read is example else read
    return cast(text, value, str(item.get("type") or ""))


def stored_value(item: Mapping[str, Any]) -> Any:
    """A parameter that the code does not have, in its stored type."""
    return cast(str(item.get("value") or ""), None, str(item.get("type") or ""))
