"""What tells the versions of one dataset from those of another: the project that they are in, and their number."""

from typing import Any

from sqlalchemy.engine import Connection

from trialbook.errors import NameTaken
from trialbook.server.stores.dataset_lists import DATASET, DatasetLists
from trialbook.server.stores.projects import ProjectStore


class DatasetNames:
    """Keeps datasets apart, whoever moves their tasks.

    Args:
        lists, projects: the stores.
    """

    def __init__(self, lists: DatasetLists, projects: ProjectStore) -> None:
        self._lists = lists
        self._projects = projects

    def let_in(self, connection: Connection, row: Any, project: str | None) -> None:
        """Let a task into a project, unless it is a version of a dataset and another one there has one like it.

        Args:
            connection: of the transaction that moves it.
            row: of the task, with its project, system tags and runtime.
            project: where it goes; None goes nowhere.

        Raises:
            NameTaken: see above.
        """
        if project and row.project and DATASET in row.system_tags:
            version = str((row.runtime or {}).get("version") or "")
            self.keep_apart(connection, row.project, project, version)

    def keep_apart(self, connection: Connection, source: str, place: str, version: str | None = None) -> None:
        """Let tasks of a project go into another one, unless two datasets would become one that has a version twice.

        The released SDK moves a dataset task by task: what is refused for one is refused from the first, so that a
        dataset is not torn in two.

        Args:
            connection: of the transaction that moves them.
            source: where they are.
            place: where they go.
            version: of the one that moves, which counts where the source is not a dataset's own project.

        Raises:
            NameTaken: it would.
        """
        target = self._projects.require(connection, place)
        if source == place or DATASET not in target.system_tags:
            return
        self._lists.lock_project(connection, place)
        there = set(self._lists.versions_in(connection, place))
        own = DATASET in self._projects.require(connection, source).system_tags
        moving = set(self._lists.versions_in(connection, source)) if own or version is None else {version}
        both = sorted(there & moving)
        if both:
            raise NameTaken(
                f"the dataset {target.basename!r} there has a version {both[0]} already: rename one of the two, or "
                "put the versions into it one after the other as its children",
                name=target.basename,
            )
