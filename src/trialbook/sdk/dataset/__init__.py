"""``Dataset``: one class, one mixin per concern. Each mixin's file is the place to look for its members."""

from trialbook.errors import UsageError
from trialbook.sdk.dataset.entries import FileEntry, LinkEntry
from trialbook.sdk.dataset.members.content import ContentMixin
from trialbook.sdk.dataset.members.copies import CopiesMixin
from trialbook.sdk.dataset.members.creation import MakingMixin
from trialbook.sdk.dataset.members.identity import WordsMixin
from trialbook.sdk.dataset.members.lifecycle import ClosingMixin
from trialbook.sdk.dataset.members.listing import ListingMixin
from trialbook.sdk.dataset.members.offline import OfflineMixin
from trialbook.sdk.dataset.members.query import WholesMixin
from trialbook.sdk.dataset.members.reading import ReadingMixin
from trialbook.sdk.dataset.members.squash import SquashMixin
from trialbook.sdk.values.argument_types import checked


@checked
class Dataset(
    SquashMixin,
    MakingMixin,
    ContentMixin,
    OfflineMixin,
    ClosingMixin,
    CopiesMixin,
    ReadingMixin,
    ListingMixin,
    WordsMixin,
    WholesMixin,
):
    """One version of a dataset: files and links under paths, immutable once it is finalized.

    Get one from ``Dataset.create`` (a new version) or ``Dataset.get``; never by calling the class.

    Example:
        >>> data = Dataset.create("digits", "Vision")
        >>> data.add_files("images")
        3
        >>> data.finalize(auto_upload=True)
        True
        >>> sorted(path.name for path in pathlib.Path(data.get_local_copy()).rglob("*.*"))
        ['a.jpg', 'b.jpg', 'labels.csv']
    """

    def __init__(self) -> None:
        raise UsageError("use Dataset.create() for a new version, or Dataset.get() for one that is there")

    def __repr__(self) -> str:
        return f"<Dataset {self.id} {self.project}/{self.name} {self.version}>"


__all__ = ["Dataset", "FileEntry", "LinkEntry"]
