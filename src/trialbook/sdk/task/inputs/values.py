"""Hyperparameters and user properties one by one: the explicit getters and setters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import readable, storable
from trialbook.errors import UsageError
from trialbook.sdk.names import checked
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.values.casting import cast, describe, text_of, type_of
from trialbook.sdk.values.structures import flatten

if TYPE_CHECKING:
    from trialbook.client.api import Parameter

GENERAL, ARGS, PROPERTIES = "General", "Args", "properties"
# How servers mark what was stored before parameters had sections.
_LEGACY = "legacy"


class ValuesMixin(TaskBase):
    """Members that read and change parameters by name."""

    def set_parameter(
        self, name: str, value: Any, description: str | None = None, value_type: Any | None = None
    ) -> None:
        """Set one parameter; the others stay, and so do its type and its description when none is given.

        Args:
            name: ``Section/name``; without a section it is "General".
            value: stored as a string.
            description: shown beside it.
            value_type: a type or its name; None keeps the stored one, or is the value's own for a new parameter.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> task.set_parameter("Train/epochs", 3, description="how long")
            >>> task.get_parameter("Train/epochs"), task.get_parameter("Train/epochs", cast=True)
            ('3', 3)
        """
        self._record.require_editable("Parameters")
        section, key = _split(name)
        kind = getattr(value_type, "__name__", value_type) or ""
        known = (self._sections().get(section) or {}).get(key)
        self._store(section, {key: _set(known, section, key, value, str(kind), description or "")})

    def set_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Replace all parameters; user properties stay.

        Args:
            args: dicts, or iterables of pairs; a later one wins. Names are as in ``set_parameter``.
            kwargs: names and values in the section "General".

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> task.set_parameters({"Train/epochs": 3}, seed=1)
            >>> task.set_parameters({"Train/epochs": 4})
            >>> task.get_parameters()
            {'Train/epochs': '4'}
        """
        self._record.require_editable("Parameters")
        values = _collected(args, kwargs, self._sections())
        with self._record.lock:
            kept = {section: items for section, items in self._sections().items() if section == PROPERTIES}
            self._record.document["hyperparams"] = _merged(kept, values)
            self._edit_hyperparams("all", values, {PROPERTIES: dict(kept.get(PROPERTIES) or {})})

    def update_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Set parameters; those that are not named stay.

        Args:
            args: dicts, or iterables of pairs; a later one wins. Names are as in ``set_parameter``.
            kwargs: names and values in the section "General".

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> task.set_parameters({"Train/epochs": 3})
            >>> task.update_parameters({"Train/rate": 0.1}, seed=1)
            >>> task.get_parameters()
            {'Train/epochs': '3', 'Train/rate': '0.1', 'General/seed': '1'}
        """
        self._record.require_editable("Parameters")
        values = _collected(args, kwargs, self._sections())
        with self._record.lock:
            self._record.document["hyperparams"] = _merged(self._sections(), values)
            self._edit_hyperparams("none", values, {})

    def set_parameters_as_dict(self, dictionary: Mapping[str, Any]) -> None:
        """Set parameters of a nested dict; later changes of it are not followed.

        Args:
            dictionary: its first level names sections.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> task.set_parameters_as_dict({"Train": {"net": {"depth": 3}}})
            >>> task.get_parameters()
            {'Train/net/depth': '3'}
        """
        self.update_parameters(dict(flatten(dictionary)))

    def get_parameter(self, name: str, default: Any = None, cast: bool = False) -> Any:
        """The value of a parameter as a string.

        Args:
            name: ``Section/name``; without a section it is "General".
            default: answer when there is none.
            cast: answer in the stored type instead of a string.

        Returns:
            The string, or the value with ``cast``.

        Example:
            >>> task.set_parameter("Train/epochs", 3)
            >>> task.get_parameter("Train/epochs"), task.get_parameter("Train/epochs", cast=True)
            ('3', 3)
            >>> task.get_parameter("Train/no such name", default="none")
            'none'
        """
        section, key = _split(name)
        item = (self._sections().get(section) or {}).get(key)
        if item is None:
            # A section may have a slash in its name, too.
            return self.get_parameters(False, cast).get(storable(str(name)), default)
        return _value(item, cast)

    def get_parameters(self, backwards_compatibility: bool = True, cast: bool = False) -> dict[str, Any]:
        """All parameters in one level; user properties are those of the section "properties".

        Args:
            backwards_compatibility: name parameters that old clients stored without a section without one; False lists
                them under "Args".
            cast: values in their stored types instead of strings.

        Returns:
            ``{"Section/name": string}``.

        Example:
            >>> task.set_parameters({"Train/epochs": 3, "Train/rate": 0.1})
            >>> task.get_parameters()
            {'Train/epochs': '3', 'Train/rate': '0.1'}
            >>> task.get_parameters(cast=True)
            {'Train/epochs': 3, 'Train/rate': 0.1}
        """
        found: dict[str, Any] = {}
        for section, items in self._sections().items():
            for key, item in items.items():
                bare = backwards_compatibility and section == ARGS and item.get("type") == _LEGACY
                found[key if bare else f"{section}/{key}"] = _value(item, cast)
        return found

    def get_parameters_as_dict(self, cast: bool = False) -> dict[str, Any]:
        """All parameters as nested dicts.

        Args:
            cast: values in their stored types instead of strings.

        Returns:
            Section, then the levels of the name.

        Example:
            >>> task.set_parameter("Train/net/depth", 3)
            >>> task.get_parameters_as_dict()
            {'Train': {'net': {'depth': '3'}}}
        """
        nested: dict[str, Any] = {}
        for name, value in self.get_parameters(False, cast).items():
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
        """Remove one parameter.

        Args:
            name: in full, ``Section/name``.

        Returns:
            True; False when there is none, and nothing happens.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> task.set_parameter("Train/epochs", 3)
            >>> task.delete_parameter("Train/epochs"), task.delete_parameter("Train/epochs")
            (True, False)
        """
        self._record.require_editable("Parameters")
        section, key = _split(name)
        with self._record.lock:
            items = self._sections().get(section) or {}
            if key not in items:
                return False
            del items[key]
            self._record.changes.tasks.delete_hyper_params(
                {"task": self.id, "force": True, "hyperparams": [key_of(section, key)]}
            )
        return True

    def get_user_properties(self, value_only: bool = False) -> dict[str, Any]:
        """User properties.

        Args:
            value_only: only the values, as strings.

        Returns:
            Names to dicts with name, value, description and type, or to values.

        Example:
            >>> _ = task.set_user_properties(backbone="great")
            >>> task.get_user_properties(value_only=True)
            {'backbone': 'great'}
        """
        items = self._sections().get(PROPERTIES) or {}
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

        Example:
            >>> task.set_user_properties(backbone="great", stable=True)
            True
            >>> task.get_user_properties(value_only=True)
            {'backbone': 'great', 'stable': 'True'}
        """
        found: dict[str, Parameter] = {}
        for given in (*iterables, properties):
            single = isinstance(given, Mapping) and {"name", "value"} <= set(given)
            for name, details in _properties([given] if single else given):
                if isinstance(details, Mapping):
                    if "value" not in details:
                        return False
                    kind = details.get("type")
                    found[name] = parameter(
                        PROPERTIES,
                        name,
                        details["value"],
                        str(getattr(kind, "__name__", kind) or type_of(details["value"])),
                        str(details.get("description") or ""),
                    )
                else:
                    found[name] = parameter(PROPERTIES, name, details, type_of(details), "")
        self._store(PROPERTIES, found)
        return True

    def delete_user_properties(self, *iterables: Any) -> bool:
        """Remove parameters or user properties.

        Args:
            iterables: each holds dicts with ``section`` and ``name``, or pairs of them. User properties are in the
                section "properties".

        Returns:
            True.

        Raises:
            UsageError: an entry is neither; nothing has been removed then.

        Example:
            >>> task.set_user_properties(backbone="great")
            True
            >>> task.delete_user_properties([("properties", "backbone")])
            True
        """
        named = [
            _named(entry)
            for iterable in iterables
            for entry in ([iterable] if _is_one(iterable) else iterable)
        ]
        for section, name in named:
            (self._sections().get(section) or {}).pop(name, None)
        keys = [key_of(section, name) for section, name in named]
        if keys:
            self._record.changes.tasks.delete_hyper_params(
                {"task": self.id, "force": True, "hyperparams": keys}
            )
        return True

    # -- inside ---

    def _sections(self) -> "dict[str, dict[str, Parameter]]":
        document = self._record.document
        if not isinstance(document.get("hyperparams"), dict):
            document["hyperparams"] = {}
        sections: dict[str, dict[str, Parameter]] = document["hyperparams"]
        return sections

    def _store(self, section: str, items: "dict[str, Parameter]") -> None:
        with self._record.lock:
            self._sections().setdefault(section, {}).update(items)
            self._edit_hyperparams("none", {section: items}, {})

    def _edit_hyperparams(
        self,
        replace: str,
        sections: "Mapping[str, Mapping[str, Parameter]]",
        kept: "Mapping[str, Mapping[str, Parameter]]",
    ) -> None:
        items = [item for group in (sections, kept) for found in group.values() for item in found.values()]
        self._record.changes.tasks.edit_hyper_params(
            {"task": self.id, "hyperparams": items, "replace_hyperparams": replace, "force": True}
        )


def parameter(section: str, name: str, value: Any, kind: str, description: str) -> "Parameter":
    """A parameter as the wire has it.

    Raises:
        UsageError: it has no name, or one that is too long; a server refuses such a one, and those that come with it.
    """
    if not name or not section:
        raise UsageError(
            f"a parameter needs a name and a section; this one is {section!r}/{name!r} = {value!r}"
        )
    checked("the section of a parameter", section)
    checked("a parameter", name)
    return {
        "section": section,
        "name": name,
        "value": readable(text_of(value)),
        "type": kind,
        "description": description,
    }


def key_of(section: str, name: str) -> "Parameter":
    """What names a parameter on the wire."""
    return {"section": storable(section), "name": storable(name)}


def _split(name: str) -> tuple[str, str]:
    section, slash, key = storable(str(name)).partition("/")
    return (section, key) if slash else (GENERAL, section)


def _value(item: Mapping[str, Any], wanted: bool) -> Any:
    text = str(item.get("value") or "")
    return cast(text, None, str(item.get("type") or "")) if wanted else text


def _set(
    known: Mapping[str, Any] | None, section: str, key: str, value: Any, kind: str = "", description: str = ""
) -> "Parameter":
    """A parameter as it is set by hand: what is typed as a text on a float still is one."""
    known = known or {}
    kind = kind or str(known.get("type") or "") or (type_of(value) if value != "" or not known else "")
    told = description or str(known.get("description") or "") or describe(value)
    return parameter(section, key, value, kind, told)


def _collected(
    args: Iterable[Any], kwargs: Mapping[str, Any], known: "Mapping[str, Mapping[str, Parameter]]"
) -> "dict[str, dict[str, Parameter]]":
    values: dict[str, Any] = {}
    for given in args:
        values.update(dict(given))
    values.update(kwargs)
    sections: dict[str, dict[str, Parameter]] = {}
    for name, value in flatten(values):
        section, key = _split(name)
        before = (known.get(section) or {}).get(key)
        sections.setdefault(section, {})[key] = _set(before, section, key, value)
    return sections


def _merged(
    old: "Mapping[str, Mapping[str, Parameter]]", new: "Mapping[str, Mapping[str, Parameter]]"
) -> "dict[str, dict[str, Parameter]]":
    merged = {section: dict(items) for section, items in old.items()}
    for section, items in new.items():
        merged.setdefault(section, {}).update(items)
    return merged


def _properties(given: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return [(storable(str(name)), value) for name, value in given.items()]
    return [(storable(str(entry["name"])), entry) for entry in given]


def _is_one(entry: Any) -> bool:
    """Whether it names one parameter itself: a dict, or a pair of texts; a text is told what is wrong with it."""
    pair = (
        isinstance(entry, (list, tuple)) and len(entry) == 2 and all(isinstance(part, str) for part in entry)
    )
    return pair or isinstance(entry, (str, Mapping)) or not isinstance(entry, Iterable)


def _named(entry: Any) -> tuple[str, str]:
    """Section and name of an entry of ``delete_user_properties``."""
    found: Sequence[Any] = ()
    if isinstance(entry, Mapping):
        found = [entry.get("section"), entry.get("name")]
    elif isinstance(entry, Sequence) and not isinstance(entry, str):
        found = entry[:2]
    if len(found) == 2 and all(isinstance(part, str) for part in found):
        return storable(found[0]), storable(found[1])
    raise UsageError(
        f"delete_user_properties takes pairs such as ('properties', 'backbone') or dicts with section and name, "
        f"not {entry!r}"
    )
