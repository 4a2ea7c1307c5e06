"""Values with names that a model carries, each with its type."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.names import checked
from trialbook.sdk.values.casting import cast

if TYPE_CHECKING:
    from trialbook.client.api import MetadataItem


class MetadataMixin:
    """Members about metadata."""

    def get_metadata(self, key: str) -> str | None:
        """One metadata value.

        Args:
            key: its name.

        Returns:
            The value as a string; None when there is none.

        Example:
            >>> _ = model.set_metadata("accuracy", 0.9)
            >>> model.get_metadata("accuracy")
            '0.9'
        """
        entry = (self._data().get("metadata") or {}).get(storable(key))
        return str(entry.get("value")) if isinstance(entry, Mapping) else None

    def get_metadata_casted(self, key: str) -> Any:
        """One metadata value in the type that it was stored with.

        Args:
            key: its name.

        Returns:
            The value; None when there is none, the string when its type is none of Python's plain ones.

        Example:
            >>> _ = model.set_metadata("accuracy", 0.9)
            >>> model.get_metadata_casted("accuracy")
            0.9
        """
        entry = (self._data().get("metadata") or {}).get(storable(key))
        return _casted(entry) if isinstance(entry, Mapping) else None

    def get_all_metadata(self) -> dict[str, dict[str, str]]:
        """All metadata.

        Returns:
            Names to dicts of key, type and value, all strings.

        Example:
            >>> _ = model.set_metadata("accuracy", 0.9)
            >>> model.get_all_metadata()
            {'accuracy': {'key': 'accuracy', 'type': 'float', 'value': '0.9'}}
        """
        return {str(key): dict(entry) for key, entry in (self._data().get("metadata") or {}).items()}

    def get_all_metadata_casted(self) -> dict[str, Any]:
        """All metadata in their types.

        Returns:
            Names to values.

        Example:
            >>> _ = model.set_all_metadata({"accuracy": 0.9, "epochs": 3})
            >>> model.get_all_metadata_casted()
            {'accuracy': 0.9, 'epochs': 3}
        """
        return {key: _casted(entry) for key, entry in self.get_all_metadata().items()}

    def set_metadata(self, key: str, value: Any, v_type: str | None = None) -> bool:
        """Store a value as a string with its type; allowed on published models.

        Args:
            key: its name.
            value: stored as a string.
            v_type: name of the type, when it is not the value's own.

        Returns:
            True.

        Example:
            >>> model = OutputModel(task, name="net")
            >>> model.set_metadata("accuracy", 0.9)
            True
            >>> model.get_metadata("accuracy"), model.get_metadata_casted("accuracy")
            ('0.9', 0.9)
        """
        self._store_metadata([_entry(key, value, v_type)], False)
        return True

    def set_all_metadata(self, metadata: Mapping[str, Any], replace: bool = True) -> bool:
        """Store several values.

        Args:
            metadata: names to values, or to dicts with ``value`` and ``type``.
            replace: forget the ones that are not named.

        Returns:
            True.

        Raises:
            UsageError: a dict without a value.

        Example:
            >>> model.set_all_metadata({"accuracy": 0.9, "epochs": {"value": "3", "type": "int"}})
            True
        """
        entries = []
        for key, value in metadata.items():
            if isinstance(value, Mapping):
                if "value" not in value:
                    raise UsageError(f"the metadata {key!r} has no value")
                entries.append(_entry(key, value["value"], value.get("type")))
            else:
                entries.append(_entry(key, value, None))
        self._store_metadata(entries, replace)
        return True

    # -- inside ---

    def _data(self) -> dict[str, Any]:
        """The model's document; ``Model`` has it."""
        raise AttributeError("_data")

    def _store_metadata(self, entries: "Sequence[MetadataItem]", replace: bool) -> None:
        """Store entries; ``Model`` does it."""
        raise AttributeError("_store_metadata")


def _entry(key: str, value: Any, kind: Any) -> "MetadataItem":
    name = getattr(kind, "__name__", kind) or type(value).__name__
    return {
        "key": checked("a value of the metadata", storable(str(key))),
        "type": str(name),
        "value": str(value),
    }


def _casted(entry: Mapping[str, Any]) -> Any:
    return cast(str(entry.get("value") or ""), None, str(entry.get("type") or ""))
