"""Carrying out what ``decide`` chose: the record of the main task, ready to report to."""

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trialbook.base.ids import is_id, new_id
from trialbook.client.settings import Settings
from trialbook.errors import ConnectionFailed, ServerFault, TaskNotFound, TrialbookError, UsageError
from trialbook.journal import replay
from trialbook.journal.sync import sync_all
from trialbook.sdk.offline import recovery
from trialbook.sdk.record import REPLACES, Record
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.servers.nowhere import NOWHERE
from trialbook.sdk.task.running.decide import (
    Decision,
    Move,
    Situation,
    Wish,
    candidate,
    decide,
    reported_offset,
)
from trialbook.sdk.task.running.memory import Memory

if TYPE_CHECKING:
    from trialbook.client.api import CreateTask, EditTask

_log = logging.getLogger("trialbook")
DEFERRED = "deferred"
_PARENT_SECONDS = 0.2


@dataclass(frozen=True)
class Started:
    """The main task's record and how it came to be; ``kept`` is the archived task that has the results of the run that
    this one replaces."""

    record: Record
    decision: Decision
    offset: int = 0
    remote: bool = False
    kept: str = ""


@dataclass(frozen=True)
class Birth:
    """What a new task is made with.

    Attributes:
        wish: project, name, type, and what to reuse.
        tags: of the task.
        destination: where models go, as text; empty when none is named.
        script: what is known of the code at once.
        runtime: facts about this process and host.
    """

    wish: Wish
    tags: list[str]
    destination: str
    script: dict[str, Any]
    runtime: dict[str, Any]


def defers(wish: Wish, settings: Settings, asked: bool | None) -> bool:
    """Whether the task begins before the server knows of it.

    Args:
        wish: of ``Task.init``.
        settings: of this process.
        asked: the ``deferred_init`` of ``Task.init``.

    Raises:
        UsageError: it is asked for, and a task to reuse or to continue as well.
    """
    if settings.offline or settings.task_id or settings.master:
        return False
    named = isinstance(wish.reuse, str) or wish.resume is not False
    if asked and named:
        raise UsageError(
            "deferred_init does not wait for the server, and only the server can say whether a task may be reused or "
            "continued: leave out deferred_init, or reuse_last_task_id and continue_last_task"
        )
    return bool(asked) or (asked is None and settings.deferred and not named)


def start(birth: Birth, settings: Settings, deferred: bool = False) -> Started:
    """The record for ``Task.init``.

    Args:
        birth: what the call and this process know.
        settings: of this process.
        deferred: do not wait for the server; see ``defers``.

    Returns:
        A record whose task is in progress. When the server is away, a record that works offline: its reports stay in a
        journal on this host and are sent when the server answers.

    Raises:
        BadCredentials: the key is wrong.
        ConfigurationError: the configuration is broken.
    """
    if settings.offline:
        return _offline(birth, settings, None)
    try:
        connection = connections.connect()
        if deferred:
            known = replace(connection.settings, master=settings.master)
            return _unknown_yet(birth, known, connection, DEFERRED)
        connection.session.token(settings.connect_timeout)
    except (ConnectionFailed, ServerFault) as error:
        _log.warning(
            "%s This run continues offline; its reports are kept on this host and sent later.", error
        )
        later = connections.Connection(settings) if settings.api_host else None
        return _offline(birth, settings, later)
    try:
        return _online(birth, replace(connection.settings, master=settings.master), connection)
    except (ConnectionFailed, ServerFault) as error:
        _log.warning(
            "%s This run continues offline; its reports are kept on this host and sent later.", error
        )
        return _offline(birth, replace(connection.settings, master=settings.master), connection)


def _online(birth: Birth, settings: Settings, connection: Connection) -> Started:
    wish = birth.wish
    session = connection.session
    memory = Memory(settings.own_cache(), session.known_server or settings.api_host, session.known_user)
    remembered = memory.find(wish)
    situation = Situation(
        agent_task=settings.task_id,
        parent_task=settings.master[1] if settings.master else "",
        no_reuse=settings.no_reuse,
        remembered=remembered.task if remembered else "",
        age_hours=(time.time() - remembered.time) / 3600 if remembered else 0.0,
        window_hours=settings.reuse_hours,
        project_id=remembered.project if remembered else None,
    )
    task = candidate(wish, situation)
    if task:
        # What a killed run left must be on the server before its task is judged or continued.
        if task != situation.parent_task:
            sync_all(
                settings.journals,
                lambda identity: connection.transport if recovery.meant(identity, connection) else None,
                task,
                timeout=settings.connect_timeout,
            )
        situation = _looked_up(situation, task, settings, connection)
    decision = decide(wish, situation)
    if decision.warn:
        _log.warning("a new task is made: %s", decision.why)
    try:
        started = _carry_out(decision, birth, settings, connection)
    except ConnectionFailed:
        raise
    except TrialbookError as error:
        if decision.move in (Move.NEW, Move.ATTACH):
            raise
        _log.warning("task %s cannot be taken again (%s); a new one is made", decision.task, error)
        started = _carry_out(Decision(Move.NEW, why=str(error)), birth, settings, connection)
    if decision.move is not Move.ATTACH:
        memory.note(wish, started.record.id, str(started.record.document.get("project") or ""))
    return started


def _looked_up(situation: Situation, task: str, settings: Settings, connection: Connection) -> Situation:
    document: dict[str, Any] | None = None
    # The process that started this one may not have waited for the server to know its task.
    end = time.monotonic() + (settings.connect_timeout if task == situation.parent_task else 0.0)
    while is_id(task):
        try:
            document = connection.session.api.tasks.get_by_id({"task": task})["task"]
            break
        except TaskNotFound:
            if time.monotonic() >= end:
                break
            time.sleep(_PARENT_SECONDS)
    return replace(situation, document=document, running=_running(task, settings))


def _running(task: str, settings: Settings) -> bool:
    """Whether a process of this host holds a journal of the task."""
    folder = settings.journals / task
    if not folder.is_dir():
        return False
    held = sum(1 for journal in folder.iterdir() if (journal / "journal.json").is_file())
    free = 0
    for orphan in replay.orphans(settings.journals, task):
        with orphan:
            free += 1
    return held > free


def _carry_out(decision: Decision, birth: Birth, settings: Settings, connection: Connection) -> Started:
    tasks = connection.session.api.tasks
    wish = birth.wish
    offset = 0
    kept = ""
    task = decision.task
    if decision.move is Move.NEW:
        task = new_id()
        tasks.create({"id": task, **_birth_fields(birth, settings)})
        tasks.started({"task": task})
    elif decision.move is Move.REUSE:
        for orphan in replay.orphans(settings.journals, task):
            # Outputs of the run that is about to be erased must not come back.
            with orphan:
                orphan.discard()
        reset = tasks.reset({"task": task, "force": True, "clear_all": True, "keep_results": True})
        kept = str(reset.get("kept") or "")
        fields = _birth_fields(birth, settings)
        again: EditTask = {
            "task": task,
            "force": True,
            "hyperparams": {},
            "configuration": {},
            "type": wish.type,
            "tags": birth.tags,
            "script": birth.script,
            "runtime": {**birth.runtime, REPLACES: kept} if kept else birth.runtime,
        }
        if "name" in wish.said:
            again["name"] = wish.name
        if "output_dest" in fields:
            again["output_dest"] = fields["output_dest"]
        tasks.edit(again)
        if "project" in wish.said and isinstance(wish.reuse, str):
            tasks.move({"ids": [task], "project_name": fields.get("project_name")})
        tasks.started({"task": task})
    elif decision.move is Move.CONTINUE:
        tasks.started({"task": task, "force": True})
    elif settings.task_id:
        tasks.started({"task": task, "force": settings.simulated})
    document = tasks.get_by_id({"task": task})["task"]
    if decision.move is Move.CONTINUE:
        offset = reported_offset(document) if decision.offset is None else decision.offset
    elif decision.move is Move.ATTACH and settings.task_id:
        offset = reported_offset(document)
    record = Record(document, connection, settings, own=True)
    if decision.move is Move.NEW:
        record.project_name = wish.project
    # A simulated run belongs to this process: there is no agent that would end it.
    record.main = decision.move is not Move.ATTACH or settings.simulated
    return Started(
        record, decision, offset, remote=bool(settings.task_id) and not settings.simulated, kept=kept
    )


def _offline(birth: Birth, settings: Settings, connection: Connection | None) -> Started:
    """A task that exists in a journal first; the server makes it when the journal arrives."""
    if settings.task_id or settings.master:
        task = settings.task_id or (settings.master[1] if settings.master else "")
        document = {"id": task, **_birth_fields(birth, settings), "status": "in_progress"}
        record = Record(document, connection, settings, own=True)
        return Started(record, Decision(Move.ATTACH, task), remote=bool(settings.task_id))
    return _unknown_yet(birth, settings, connection, "offline")


def _unknown_yet(birth: Birth, settings: Settings, connection: Connection | None, why: str) -> Started:
    task = new_id()
    fields = _birth_fields(birth, settings)
    record = Record({"id": task, "status": "created", **fields}, connection, settings, own=True)
    record.main = True
    if why != DEFERRED:
        record.journal.presume_away()
    record.later.tasks.create({"id": task, **fields})
    record.later.tasks.started({"task": task})
    record.document["status"] = "in_progress"
    return Started(record, Decision(Move.NEW, why=why))


def _birth_fields(birth: Birth, settings: Settings) -> "CreateTask":
    wish = birth.wish
    fields: CreateTask = {
        "name": wish.name,
        "type": wish.type,
        "project_name": wish.project,
        "system_tags": ["development"],
        "tags": birth.tags,
        "script": birth.script,
        "runtime": birth.runtime,
    }
    if birth.destination:
        named = birth.destination
        fields["output_dest"] = (settings.files_host or NOWHERE) if named == "files" else named
    return fields
