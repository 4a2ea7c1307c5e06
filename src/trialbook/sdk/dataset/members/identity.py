"""What a version is called and what is said about it: name, version, tags, description, metadata, logger."""

from collections.abc import Sequence
from typing import Any

from trialbook.errors import UsageError
from trialbook.sdk.dataset.given import version_text
from trialbook.sdk.dataset.members.base import DatasetBase
from trialbook.sdk.dataset.stores import FOLDER
from trialbook.sdk.logger import Logger

_RESERVED = "data"


class WordsMixin(DatasetBase):
    """Members about the version as a whole."""

    @property
    def name(self) -> str:
        """Name of the dataset.

        Example:
            >>> data.name
            'digits'
        """
        return self._opened.name

    @property
    def project(self) -> str:
        """Path of its project, without the hidden part.

        Example:
            >>> data.project
            'Vision'
        """
        return self._opened.project

    @property
    def version(self) -> str | None:
        """The version, such as "1.0.0".

        Example:
            >>> Dataset.create("digits", "Vision", parent_datasets=[data], dataset_version="2.0.0").version
            '2.0.0'
        """
        return self._opened.number

    @version.setter
    def version(self, value: str) -> None:
        if self.is_final():
            raise UsageError(f"dataset {self.id} is final; its version cannot change")
        text = version_text(str(value).strip())
        self._opened.info["version"] = text
        self._opened.record.set_runtime(version=text)
        self._opened.task.set_user_properties(version=text)

    @property
    def tags(self) -> list[str]:
        """Tags of the version; assigning replaces them.

        Example:
            >>> data.tags = ["clean"]
            >>> data.tags
            ['clean']
        """
        return self._opened.task.get_tags()

    @tags.setter
    def tags(self, values: Sequence[str]) -> None:
        self._opened.task.set_tags(values)

    def add_tags(self, tags: Sequence[str] | str) -> None:
        """Add tags; those that are there stay once. Also when an agent runs this process.

        Args:
            tags: one or several; a string is one tag.

        Example:
            >>> data.add_tags(["clean", "small"])
            >>> data.tags
            ['clean', 'small']
        """
        self._opened.task.set_tags([*self.tags, *([tags] if isinstance(tags, str) else tags)])

    def set_description(self, description: str) -> None:
        """Replace the description; in any status.

        Args:
            description: the text.

        Example:
            >>> data.set_description("Three files, labels checked by hand.")
        """
        self._opened.task.set_comment(description)

    def get_logger(self) -> Logger:
        """A logger whose reports appear on this version, not on the task of this process.

        Returns:
            The logger.

        Example:
            >>> data.get_logger().report_histogram("classes", "train", [12, 9], xlabels=["cat", "dog"])
        """
        return self._opened.task.get_logger()

    def get_default_storage(self) -> str | None:
        """The destination that ``upload`` uses.

        Returns:
            A folder or an address.

        Example:
            >>> Dataset.create("digits", "Vision", output_uri="/tmp/store").get_default_storage()
            '/tmp/store'
        """
        return self._opened.home.url.removesuffix(f"/{FOLDER}")

    def set_metadata(self, metadata: Any, metadata_name: str = "metadata", ui_visible: bool = True) -> None:
        """Keep an object with the version; it can be read back in the type that it has.

        Args:
            metadata: an ndarray, DataFrame, dict, string, boolean, or what else ``Task.upload_artifact`` takes.
            metadata_name: one of the same name is replaced.
            ui_visible: show a DataFrame as a table in the web UI.

        Raises:
            UsageError: the name is one that the version's own files have.

        Example:
            >>> data.set_metadata({"camera": "A7", "rows": 3})
            >>> data.get_metadata()
            {'camera': 'A7', 'rows': 3}
        """
        if metadata_name == _RESERVED or metadata_name.startswith((f"{_RESERVED}_", "state", "manifest")):
            raise UsageError(f"the name {metadata_name!r} is taken by the version's own files; use another")
        stored = self._opened.task.upload_artifact(metadata_name, metadata, wait_on_upload=True)
        if not stored and self._opened.session is None:
            raise UsageError(f"the metadata {metadata_name!r} could not be stored")
        if ui_visible and type(metadata).__name__ == "DataFrame":
            self.get_logger().report_table(metadata_name, metadata_name, table_plot=metadata)

    def get_metadata(self, metadata_name: str = "metadata") -> Any:
        """The object that ``set_metadata`` kept.

        Args:
            metadata_name: the name that it was given.

        Returns:
            The object in the type that it had; None when there is none of that name.

        Example:
            >>> data.set_metadata([0.5, 0.25], "means")
            >>> data.get_metadata("means"), data.get_metadata("no such name")
            ([0.5, 0.25], None)
        """
        if self._opened.session is None:
            self._opened.task.reload()
        found = self._opened.task.artifacts.get(metadata_name)
        return found.get() if found is not None else None

    def update_changed_files(
        self,
        num_files_added: int | None = None,
        num_files_modified: int | None = None,
        num_files_removed: int | None = None,
    ) -> None:
        """Add to the counters of changes that the history shows.

        Args:
            num_files_added: to add to the files added against the parents; None leaves the counter.
            num_files_modified: to add to the modified ones.
            num_files_removed: to add to the removed ones.

        Example:
            >>> data.update_changed_files(num_files_added=3)
        """
        given = {"add": num_files_added, "modify": num_files_modified, "remove": num_files_removed}
        runtime = self._opened.task.data.get("runtime") or {}
        more = {
            f"ds_change_{word}": int(runtime.get(f"ds_change_{word}") or 0) + int(count)
            for word, count in given.items()
            if count
        }
        if more:
            self._opened.counted.update(more)
            self._opened.record.set_runtime(**more)
