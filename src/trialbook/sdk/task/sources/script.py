"""The code of a task, read and replaced by hand."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trialbook.base.own_address import PENDING
from trialbook.capture.code import masked
from trialbook.capture.secrets import masked_text
from trialbook.errors import ConnectionFailed, UsageError
from trialbook.sdk import current
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task.sources import code

_SHOWN = ("repository", "branch", "version_num", "entry_point", "working_dir", "diff", "binary")


class ScriptMixin(TaskBase):
    """Members about code and packages."""

    def get_script(self) -> dict[str, str]:
        """The code of the task.

        Returns:
            ``repository``, ``branch``, ``version_num`` (the commit), ``entry_point``, ``working_dir``, ``diff`` and
            ``binary``; empty strings where nothing is known.

        Example:
            >>> draft.set_script(repository="https://git.example.org/digits.git", entry_point="train.py")
            >>> draft.get_script()["entry_point"]
            'train.py'
        """
        script = self._script()
        return {name: str(script.get(name) or "") for name in _SHOWN}

    def set_script(
        self,
        repository: str | None = None,
        branch: str | None = None,
        commit: str | None = None,
        diff: str | None = None,
        working_dir: str | None = None,
        entry_point: str | None = None,
    ) -> None:
        """Replace parts of the code of a draft or of this run. What is not given stays; an empty string clears.

        Args:
            repository: address of a git repository.
            branch: of it.
            commit: of it; without one, the last of the branch is meant.
            diff: uncommitted changes as a patch, or without a repository the whole script.
            working_dir: relative to the root of the repository.
            entry_point: relative to the working directory.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> draft.set_script(working_dir="src", entry_point="train.py")
            >>> draft.set_script(commit="4f2d1c8")
            >>> draft.get_script()["working_dir"], draft.get_script()["version_num"]
            ('src', '4f2d1c8')
        """
        given = {
            "repository": masked(repository) if repository is not None else None,
            "branch": branch,
            "version_num": commit,
            "diff": diff,
            "working_dir": working_dir,
            "entry_point": entry_point,
        }
        self._put_script({name: masked_text(value) for name, value in given.items() if value is not None})

    def set_repo(self, repo: str | None = None, branch: str | None = None, commit: str | None = None) -> None:
        """Replace the repository; branch and commit that are not given are forgotten.

        Args:
            repo: its address; None clears it.
            branch: of it.
            commit: of it.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> draft.set_repo("https://git.example.org/digits.git", branch="main")
            >>> draft.get_script()["repository"], draft.get_script()["branch"]
            ('https://git.example.org/digits.git', 'main')
        """
        self._put_script(
            {"repository": masked(repo or ""), "branch": branch or "", "version_num": commit or ""}
        )

    def set_packages(self, packages: str | Path | Sequence[str]) -> None:
        """Replace the list of packages.

        Args:
            packages: requirement lines, or the path of a file of them. They are recorded as they are, except that
                ``-r FILE`` becomes the lines of that file, and ``trialbook`` the address of this SDK on the server.

        Raises:
            UsageError: there is no such file, or the task is neither a draft nor running.

        Example:
            >>> draft.set_packages(["numpy>=1.26", "pandas"])
            >>> draft.get_requirements()["pip"].split()
            ['numpy>=1.26', 'pandas']
        """
        from trialbook.capture.packages import listed_lines, requirement_lines

        if isinstance(packages, (str, Path)):
            path = Path(packages).expanduser()
            if not path.is_file():
                raise UsageError(
                    f"there is no requirements file {packages}; a list of lines is taken as well"
                )
            text = requirement_lines(path)
        else:
            text = listed_lines(packages)
        from trialbook.capture.own_package import names_own

        if names_own(text):
            text = code.own_too(text, code.server_of(self._record))
        self._put_script({"requirements": {"pip": masked_text(text)}})

    def get_requirements(self) -> dict[str, str]:
        """The packages of the task.

        Returns:
            Name of a package manager (``pip``) to requirement lines as one string; empty before they are known.

        Example:
            >>> draft.set_packages(["numpy>=1.26", "pandas"])
            >>> draft.get_requirements()
            {'pip': 'numpy>=1.26\\npandas\\n'}
        """
        found = self._script().get("requirements") or {}
        if self._record.connection is not None and any(
            PENDING.search(str(lines)) for lines in found.values()
        ):
            # The server completes the address of this SDK; while it is away, it is shown as it will be sent.
            with suppress(ConnectionFailed):
                found = (self._record.fresh().get("script") or {}).get("requirements") or found
        return {
            str(name): "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines)
            for name, lines in found.items()
        }

    @classmethod
    def force_store_standalone_script(cls, force: bool = True) -> None:
        """Record the whole text of the script instead of its repository. To be called before ``Task.init``.

        Args:
            force: False goes back to the repository.

        Raises:
            UsageError: a task runs already.

        Example:
            >>> Task.force_store_standalone_script()
            >>> Task.force_store_standalone_script(False)
        """
        if current.main_task() is not None:
            raise UsageError("force_store_standalone_script must come before Task.init")
        code.stand_alone(bool(force))

    # -- inside ---

    def _script(self) -> dict[str, Any]:
        found = self._document().get("script")
        return found if isinstance(found, dict) else {}

    def _put_script(self, parts: dict[str, Any]) -> None:
        self._record.require_editable("The code")
        if self._record.own:
            # The search for the code that is under way must not undo it.
            code.keep(self.id, set(parts))
        with self._record.lock:
            self._document()["script"] = {**self._script(), **parts}
            self._record.changes.tasks.edit({"task": self.id, "force": True, "script": parts})
