"""``Task.init`` as a decision table: what is known goes in, one of four moves comes out. Nothing is read or sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Move(Enum):
    """What ``Task.init`` does."""

    NEW = "new"
    REUSE = "reuse"
    CONTINUE = "continue"
    ATTACH = "attach"


@dataclass(frozen=True)
class Wish:
    """The arguments of ``Task.init`` that decide.

    Attributes:
        project: full path.
        name: of the task.
        type: of the task.
        reuse: True uses the last task of this host, False never, a text is a task id.
        resume: True continues instead of resetting, a text is a task id, an integer is the offset of iterations.
        said: which of project and name the program gave itself; the others were found for it.
    """

    project: str
    name: str
    type: str
    reuse: bool | str = True
    resume: bool | str | int = False
    said: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Situation:
    """What this host and the server know.

    Attributes:
        agent_task: set when an agent runs this process.
        parent_task: set when the process that started this one has a task.
        no_reuse: the environment forbids reuse.
        remembered: the task that this host ran last with the same project, name and type.
        age_hours: since that run.
        window_hours: how old it may be.
        document: of the task that could be reused or continued; None when the server does not know it.
        running: a process on this host is running it right now.
        project_id: of the wished project as remembered; None when it is not known.
    """

    agent_task: str = ""
    parent_task: str = ""
    no_reuse: bool = False
    remembered: str = ""
    age_hours: float = 0.0
    window_hours: float = 72.0
    document: Mapping[str, Any] | None = None
    running: bool = False
    project_id: str | None = None


@dataclass(frozen=True)
class Decision:
    """The move and the task it concerns.

    Attributes:
        move: what to do.
        task: id for every move but NEW.
        offset: of iterations when continuing; None is computed from what was reported.
        why: one clause for people.
        warn: whether people must see it.
    """

    move: Move
    task: str = ""
    offset: int | None = None
    why: str = ""
    warn: bool = False


def candidate(wish: Wish, situation: Situation) -> str:
    """The id of the task whose document decides; empty when a new one is certain."""
    if situation.agent_task or situation.parent_task:
        return situation.agent_task or situation.parent_task
    if _resumes(wish):
        if isinstance(wish.resume, str):
            return wish.resume
        return wish.reuse if isinstance(wish.reuse, str) else situation.remembered
    if isinstance(wish.reuse, str):
        return wish.reuse
    if not wish.reuse or situation.no_reuse or situation.age_hours > situation.window_hours:
        return ""
    return situation.remembered


def decide(wish: Wish, situation: Situation) -> Decision:
    """Choose.

    Example:
        >>> decide(Wish("p", "n", "training"), Situation()).move
        <Move.NEW: 'new'>
    """
    task = candidate(wish, situation)
    if situation.agent_task or situation.parent_task:
        return Decision(Move.ATTACH, task, why="started by an agent or a parent process")
    if not task:
        return Decision(Move.NEW, why="nothing to reuse")
    document = situation.document
    if document is None:
        return Decision(Move.NEW, why=f"the server has no task {task}", warn=_named(wish))
    if _resumes(wish):
        return _resume(wish, situation, task, document)
    obstacle = _obstacle(wish, situation, document)
    if obstacle:
        return Decision(Move.NEW, why=obstacle, warn=isinstance(wish.reuse, str))
    return Decision(Move.REUSE, task, why="the last run left no model and no artifact")


def reported_offset(document: Mapping[str, Any]) -> int:
    """Where a continued run goes on: one after the last iteration, 0 when there was none."""
    last = int(document.get("last_iteration") or 0)
    return last + 1 if last > 0 or document.get("last_metrics") else 0


def _resumes(wish: Wish) -> bool:
    # 0 asks to continue without an offset, so truth alone would not do.
    return wish.resume is True or isinstance(wish.resume, str) or type(wish.resume) is int


def _named(wish: Wish) -> bool:
    return isinstance(wish.reuse, str) or isinstance(wish.resume, str)


def _resume(wish: Wish, situation: Situation, task: str, document: Mapping[str, Any]) -> Decision:
    status = document.get("status")
    if status in ("published", "publishing"):
        return Decision(Move.NEW, why=f"task {task} is published and cannot be continued", warn=True)
    if situation.running:
        return Decision(Move.NEW, why=f"another process is running task {task}", warn=True)
    offset = wish.resume if type(wish.resume) is int else None
    return Decision(Move.CONTINUE, task, offset, why=f"it was {status}")


def _obstacle(wish: Wish, situation: Situation, document: Mapping[str, Any]) -> str:
    system_tags = document.get("system_tags") or []
    artifacts = (document.get("execution") or {}).get("artifacts") or []
    project = document.get("project")
    if document.get("status") in ("published", "publishing"):
        return "it is published"
    if "archived" in system_tags:
        return "it is archived"
    if "development" not in system_tags or document.get("status") == "queued":
        return "it was cloned or queued"
    if any(artifact.get("mode", "output") == "output" for artifact in artifacts):
        return "it has artifacts"
    if (document.get("models") or {}).get("output"):
        return "it has output models"
    if situation.running:
        return "another process is running it"
    if isinstance(wish.reuse, str):
        # It is that task because its id was given, whatever it is called and wherever it is.
        return ""
    if document.get("name") != wish.name or document.get("type") != wish.type:
        return "it was renamed or has another type"
    if situation.project_id is not None and project != situation.project_id:
        return "it is in another project"
    return ""
