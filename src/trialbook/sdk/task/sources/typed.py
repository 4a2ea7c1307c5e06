"""Recording the lines of an interactive session once more when its task ends: most are typed after ``Task.init``."""

from dataclasses import replace

from trialbook.capture.code import EntryPoint, detect
from trialbook.capture.secrets import masked_text
from trialbook.sdk.record import Record
from trialbook.sdk.task.sources import code


class TypedCode:
    """Brings the task's code up to date at the end.

    Args:
        record: of the task.
        entry: what was started, with what was typed up to ``Task.init``.
    """

    def __init__(self, record: Record, entry: EntryPoint) -> None:
        self._record = record
        self._entry = entry

    def start(self) -> None:
        """Remember what is of earlier sessions. What was typed so far is described like the code of any program."""
        from trialbook.capture.typed import earlier

        earlier()

    def stop(self) -> None:
        """Record what was typed since."""
        from trialbook.capture.typed import typed_lines

        typed = typed_lines()
        if typed == self._entry.typed:
            return
        if self._entry.path is not None:
            self._append(typed)
            return
        found = detect(replace(self._entry, typed=typed))
        packages = code.requirements(self._record, code.as_file(self._record, found), None)
        code.put(self._record, {"diff": found.diff, "requirements": packages})

    def _append(self, typed: str) -> None:
        """``python -i script.py``: the script, then the lines. A patch of a repository has no place for them."""
        script = self._record.document.get("script") or {}
        if not script.get("repository") and not script.get("version_num"):
            whole = f"{script.get('diff') or ''}\n# What was typed after the script:\n{masked_text(typed)}"
            code.put(self._record, {"diff": whole})
