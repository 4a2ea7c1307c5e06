"""matplotlib, as libraries that report their own figures switch it."""

from trialbook.sdk.task import Task


class PatchedMatplotlib:
    """Whether figures are reported by themselves."""

    @staticmethod
    def update_current_task(task: Task | None) -> None:
        """Stop watching, for the rest of the run, when ``task`` is None; a task changes nothing.

        Args:
            task: None, or the task of this process, whose figures are watched already.
        """
        running = Task.current_task()
        if task is None and running is not None:
            running._unwatch("matplotlib")
