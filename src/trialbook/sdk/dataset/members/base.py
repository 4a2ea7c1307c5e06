"""What every concern of ``Dataset`` stands on: one opened version."""

from typing import TYPE_CHECKING, Protocol

from trialbook.sdk.dataset.versions.loading import load
from trialbook.sdk.dataset.versions.opened import Opened

if TYPE_CHECKING:
    from typing_extensions import Self


class DatasetBase:
    """Holds the opened version; the mixins of the sibling files add the public members."""

    _opened: Opened

    @classmethod
    def _over(cls, version: Opened) -> "Self":
        self = cls.__new__(cls)
        self._opened = version
        return self

    @property
    def id(self) -> str:
        """The version's id: 32 hexadecimal characters; also the id of its task.

        Example:
            >>> Dataset.get(data.id).id == data.id
            True
        """
        return self._opened.id

    def is_final(self) -> bool:
        """Whether the version was finalized and cannot change any more.

        Returns:
            False from ``create`` to ``finalize``; a failed or aborted version is not final.

        Example:
            >>> data.is_final(), Dataset.create("digits", "Vision").is_final()
            (True, False)
        """
        return self._opened.is_final()


class OverOpened(Protocol):
    """Who stands on an opened version: a dataset."""

    _opened: Opened


def opened_of(dataset: OverOpened) -> Opened:
    """What a dataset stands on, for the rooms beside it; for a program it is none of its members."""
    return dataset._opened


def version_of(one: str | OverOpened) -> Opened:
    """A version that a program names, by its id or by the object that it has."""
    return load(one) if isinstance(one, str) else opened_of(one)
