"""``Task``: one class, one mixin per concern. Each mixin's file is the place to look for its members.

``Logger`` is taken from here: in a process that one with a task has started, ``Logger.current_logger`` joins that task.
"""

from trialbook.capture import command_lines
from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.logger import Logger
from trialbook.sdk.record import Record
from trialbook.sdk.task.creation import CreationMixin
from trialbook.sdk.task.deletion import DeletionMixin
from trialbook.sdk.task.identity import IdentityMixin
from trialbook.sdk.task.inputs.arguments import ArgumentsMixin, restore_environment
from trialbook.sdk.task.inputs.configuration import ConfigurationMixin
from trialbook.sdk.task.outputs.artifacts import ArtifactsMixin
from trialbook.sdk.task.outputs.models import ModelsMixin
from trialbook.sdk.task.outputs.reporting import ReportingMixin
from trialbook.sdk.task.outputs.uploads import UploadsMixin
from trialbook.sdk.task.query import QueryMixin
from trialbook.sdk.task.running.lifecycle import LifecycleMixin
from trialbook.sdk.task.running.nodes import NodesMixin
from trialbook.sdk.task.running.queues import QueuesMixin
from trialbook.sdk.task.running.remote import RemoteMixin
from trialbook.sdk.task.sources.requirements import RequirementsMixin
from trialbook.sdk.task.sources.script import ScriptMixin
from trialbook.sdk.task.status import StatusMixin
from trialbook.sdk.task.surroundings import SurroundingsMixin
from trialbook.sdk.values.argument_types import checked
from trialbook.wire.states import TaskStatusEnum, TaskTypes

# A program may read its command line before Task.init, so parsing is remembered from the import on.
command_lines.install()
restore_environment()


@checked
class Task(
    NodesMixin,
    RemoteMixin,
    LifecycleMixin,
    ArgumentsMixin,
    ArtifactsMixin,
    ModelsMixin,
    CreationMixin,
    ConfigurationMixin,
    QueryMixin,
    IdentityMixin,
    ReportingMixin,
    StatusMixin,
    QueuesMixin,
    DeletionMixin,
    ScriptMixin,
    SurroundingsMixin,
    UploadsMixin,
    RequirementsMixin,
):
    """A run and everything that is kept of it.

    Get one from ``Task.init`` (the run of this process), ``Task.get_task`` (any other) or ``Task.clone``; never by
    calling the class.

    Example:
        >>> found = Task.get_task(task.id)
        >>> found.name, found.get_project_name(), found.status
        ('example', 'Examples', 'in_progress')
    """

    TaskTypes = TaskTypes
    TaskStatusEnum = TaskStatusEnum

    def __init__(self) -> None:
        raise UsageError(
            "use Task.init() for the run of this process, or Task.get_task() for another; not Task()"
        )

    def __repr__(self) -> str:
        return f"<Task {self.id} {self.name!r}>"


current.join_by(Task.current_task)

__all__ = ["Logger", "Record", "Task"]
