"""Recording the lines of an interactive session once more when its task ends: most are typed after ``Task.init``."""

from pathlib import Path

from trialbook.capture.code import EntryPoint, detect
from trialbook.sdk.record import Record
from trialbook.sdk.task import code


class TypedCode:
    """Brings the task's code up to date at the end.

    Args:
        record: of the task.
        folder: the working directory.
        before: what was typed up to ``Task.init``.
    """

    def __init__(self, record: Record, folder: Path, before: str) -> None:
        self._record = record
        self._folder = folder
        self._before = before

    def start(self) -> None:
        """Nothing: what was typed so far is described like the code of any program."""

    def stop(self) -> None:
        """Record what was typed since."""
        from trialbook.capture.typed import typed_lines

        typed = typed_lines()
        if typed == self._before:
            return
        found = detect(EntryPoint(None, "", self._folder, typed))
        packages = code.requirements(self._record, code.as_file(self._record, found), None)
        code.put(self._record, {"diff": found.diff, "requirements": packages})
