"""The package list of the next task."""

import logging
from pathlib import Path

from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task.sources import code

_log = logging.getLogger("trialbook")


class RequirementsMixin(TaskBase):
    """Members about packages; to be called before ``Task.init``."""

    @classmethod
    def add_requirements(cls, package_name: str, package_version: str | None = None) -> None:
        """List a package even when no import shows it. To be called before ``Task.init``.

        Args:
            package_name: its name, or the path of a requirements file whose lines are added.
            package_version: ``"2.4.0"``, ``">=2.4"``; None is the installed version, ``""`` leaves it open.

        Example:
            >>> Task.add_requirements("scikit-learn", ">=1.5")
        """
        if not _early("add_requirements"):
            return
        path = Path(package_name).expanduser()
        if path.is_file() and (path.suffix == ".txt" or len(path.parts) > 1):
            code.require_file(path)
        else:
            code.require(package_name, package_version)

    @classmethod
    def ignore_requirements(cls, package_name: str) -> None:
        """Never list a package, whatever the program imports. To be called before ``Task.init``.

        Args:
            package_name: its name.

        Example:
            >>> Task.ignore_requirements("pywin32")
        """
        if _early("ignore_requirements"):
            code.ignore(package_name)

    @classmethod
    def force_requirements_env_freeze(
        cls, force: bool = True, requirements_file: str | Path | None = None
    ) -> None:
        """List every package of the environment instead of those that the program imports.

        To be called before ``Task.init``.

        Args:
            force: False goes back to the imports.
            requirements_file: a file whose lines are recorded instead.

        Raises:
            UsageError: there is no such file.

        Example:
            >>> Task.force_requirements_env_freeze()
            >>> Task.force_requirements_env_freeze(False)
        """
        if not _early("force_requirements_env_freeze"):
            return
        if requirements_file is not None and not Path(requirements_file).expanduser().is_file():
            raise UsageError(f"there is no requirements file {requirements_file}")
        code.freeze(bool(force), requirements_file)


def _early(name: str) -> bool:
    if current.main_task() is not None:
        _log.warning("%s has no effect after Task.init", name)
        return False
    return True
