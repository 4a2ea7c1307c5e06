"""Beginning and end of the main task: ``init``, ``current_task``, ``flush``, ``close``, offline mode, credentials."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trialbook.base.guard import guard
from trialbook.capture.code import entry_point
from trialbook.capture.command_lines.lines import jobs
from trialbook.capture.exits import COMPLETED, Outcome
from trialbook.capture.notebook import shell as notebook_shell
from trialbook.client import settings as settings_module
from trialbook.errors import TrialbookError, UsageError
from trialbook.sdk import current
from trialbook.sdk.console import say, say_alone
from trialbook.sdk.process import ranks, seeds
from trialbook.sdk.record import Record
from trialbook.sdk.task.inputs.arguments import ArgumentsMixin, answer_early
from trialbook.sdk.task.outputs.artifacts import ArtifactsMixin
from trialbook.sdk.task.outputs.models import ModelsMixin
from trialbook.sdk.task.sources import notebook
from trialbook.sdk.task.sources.code import default_project, describe_at_once, describe_later
from trialbook.sdk.task.status import StatusMixin
from trialbook.wire.states import TaskTypes

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.sdk.task.running.decide import Wish

_log = logging.getLogger("trialbook")
_AWAY_SECONDS = 1.0
_LAST_SECONDS = 2.0
_DESCRIBED_SECONDS = 5.0


class LifecycleMixin(ArgumentsMixin, ArtifactsMixin, ModelsMixin, StatusMixin):
    """The members that begin and end a run."""

    _wish: "Wish | None" = None
    _complete: bool | None = None

    @classmethod
    def init(
        cls,
        project_name: str | None = None,
        task_name: str | None = None,
        task_type: TaskTypes | str = TaskTypes.training,
        tags: Sequence[str] | str | None = None,
        reuse_last_task_id: bool | str = True,
        continue_last_task: bool | str | int = False,
        output_uri: str | bool | None = None,
        auto_connect_arg_parser: bool | Mapping[str, bool] = True,
        auto_connect_frameworks: bool | Mapping[str, Any] = True,
        auto_resource_monitoring: bool | type[Any] = True,
        auto_connect_streams: bool | Mapping[str, bool] = True,
        *,
        deferred_init: bool | None = None,
    ) -> "Self":
        """Begin a run: the task of this process, from now until ``close`` or the end of the process.

        Args:
            project_name: path of the project, such as ``"Vision/Digits"``; made when missing. None is the name of the
                git repository, else "Untitled".
            task_name: None is the script's file name.
            task_type: what the task is for.
            tags: added to the task.
            reuse_last_task_id: True takes the last task of this host with the same project, name and type again, when
                it has no artifact or model and is neither published nor archived; what it reported is kept in an
                archived task, whose id is printed. False always makes a new one. A string is the id of the task to take
                under the same conditions, whatever it is called; it gets the project and the name that are given here.
            continue_last_task: True continues the last task: nothing is erased, iterations continue after the last one.
                A string is the id of the task; an integer is the offset of iterations, 0 for none.
            output_uri: where models go: True for the files server, a folder or an address. None leaves them where they
                are.
            auto_connect_arg_parser: record command lines that ``argparse``, ``click``, ``fire``, ``jsonargparse`` or
                ``absl`` reads; False and an empty dict switch that off, ``{"password": False}`` single arguments.
            auto_connect_frameworks: what other libraries do is recorded without a line of code: models that they save
                and load, what they plot and log. False and an empty dict switch that off, a dict single libraries;
                ``{"joblib": "*.pkl"}``, or a list of wildcards, takes only these files as models.
                ``{"detect_repository": False}`` records no code.
            auto_resource_monitoring: report what the machine does (processor, memory, disk, network, NVIDIA
                GPUs) beside the program's own scalars. A class is used in place of ``ResourceMonitor``: it is
                called with the task and has ``start()`` and ``stop()``.
            auto_connect_streams: record the console; a dict with ``stdout``, ``stderr``, ``logging`` chooses.
            deferred_init: True does not wait for the server: it makes the task in the background, always a new one,
                and says in the log what is wrong. None is the setting ``DEFERRED_TASK_INIT``. Under an agent, which
                has the task already, it changes nothing.

        Returns:
            The task. A second call with the same project and name returns the same object.

        Raises:
            UsageError: a task of another name runs in this process, or an argument is wrong: ``deferred_init=True``
                with a task to reuse or to continue, for one.
            BadCredentials: the server refuses the access key; the message says where it was found.
            ConfigurationError: the configuration file is broken.

        Example:
            >>> task.close()
            >>> task = Task.init("Examples/Vision", "first", tags=["baseline"])
            >>> task.get_logger().report_scalar("loss", "train", 0.5, 1)
            >>> task.close()
        """
        kind = TaskTypes.of(task_type).value
        running = cls._of_this_process()
        if running is not None:
            # Of the same class: this is a method of it that has no object yet.
            return running._again(project_name, task_name)
        try:
            settings = settings_module.load()
        except TrialbookError as error:
            raise _bare(error) from None
        if settings.master is not None and settings.master[0] == os.getpid():
            settings = settings_module.without_master(settings)
        settings = ranks.join(settings)
        # What only a run needs: a program that looks at tasks loads none of it.
        from trialbook.sdk.process.monitor import ResourceMonitor
        from trialbook.sdk.task.frameworks import Frameworks
        from trialbook.sdk.task.run import Run, default_name
        from trialbook.sdk.task.running.announce import announce
        from trialbook.sdk.task.running.decide import Move, Wish
        from trialbook.sdk.task.running.start import Birth, defers, start
        from trialbook.sdk.task.sources.typed import TypedCode

        detect = not (
            isinstance(auto_connect_frameworks, Mapping)
            and not auto_connect_frameworks.get("detect_repository", True)
        )
        script, runtime = describe_at_once(detect)
        wish = Wish(
            _project(project_name, detect),
            task_name or notebook.name() or default_name(),
            kind,
            # The second job of a sweep would erase the first.
            False if reuse_last_task_id is True and jobs.number else reuse_last_task_id,
            continue_last_task,
            frozenset(
                what for what, given in (("project", project_name), ("name", task_name)) if given is not None
            ),
        )
        deferred = defers(wish, settings, deferred_init)
        destination = _destination(output_uri, settings.default_output_uri, tried=not deferred)
        birth = Birth(wish, sorted(set(_listed(tags))), destination, script, runtime)
        try:
            started = start(birth, settings, deferred)
        except TrialbookError as error:
            raise _bare(error) from None
        if started.decision.move is not Move.ATTACH or settings.task_id:
            # Not in workers of a run: they would all draw the same numbers.
            seeds.sow()
        ranks.lead(settings, started.record.id)
        self = cls._wrap(started.record)
        self._wish = wish
        self._watched_arguments = auto_connect_arg_parser
        started.record.offset = started.offset
        # Opened now: a process that is ending can start no thread, and the final status goes through the journal.
        _ = started.record.journal
        run = Run(started.record, started.remote, not started.record.main, self._finish)
        if auto_resource_monitoring and (started.record.main or started.remote):
            with guard("monitor.make"):
                kind_of_monitor = (
                    auto_resource_monitoring
                    if isinstance(auto_resource_monitoring, type)
                    else ResourceMonitor
                )
                run.monitor = kind_of_monitor(self)
        self._run = run
        current.set_main_task(self)
        run.frameworks = Frameworks(self, auto_connect_frameworks, self._merge)
        announce(started, self.get_output_log_web_page())
        background: list[Callable[[], None]] = []
        if detect and started.decision.move is not Move.ATTACH:
            entry, shell = entry_point(), notebook_shell()
            if entry.path is None and shell is not None:
                run.notebook = notebook.NotebookCode(started.record, shell, run.watch_on, run.would_end)
            else:
                if entry.typed or sys.flags.interactive:
                    run.notebook = TypedCode(started.record, entry)
                background.append(lambda: describe_later(started.record, entry))
        run.begin(auto_connect_streams, background)
        if started.decision.move not in (Move.NEW, Move.REUSE) and not settings.task_id:
            _add_tags(started.record, birth.tags)
        self._connect_earlier_arguments()
        return self

    @property
    def _arguments(self) -> "_Arguments":
        """Under this name the callback of transformers records a trainer's arguments."""
        return _Arguments(self._merge)

    def _unwatch(self, library: str) -> None:
        if self._run is not None and self._run.frameworks is not None:
            self._run.frameworks.leave(library)

    @classmethod
    def current_task(cls) -> "Self | None":
        """The task that this process runs. In a process that was started by one with a task, it is that task.

        Returns:
            The object of ``init``; None before it and after ``close``.

        Example:
            >>> Task.current_task() is task
            True
        """
        running = cls._of_this_process()
        if running is not None:
            return running
        settings = settings_module.load()
        if settings.master is None or settings.master[0] == os.getpid() or settings.offline:
            return None
        return cls.init(reuse_last_task_id=False)

    def get_offline_mode_folder(self) -> Path | None:
        """The folder that holds this run when it works offline, for ``import_offline_session``.

        Returns:
            The folder; None when the run has a server.

        Example:
            >>> task.get_offline_mode_folder() is None
            True
        """
        if self._record.connection is not None or not self._record.has_journal:
            return None
        return self._record.journal.folder.parent

    def is_main_task(self) -> bool:
        """Whether this is the object that ``Task.init`` returned.

        Returns:
            True until it is closed.

        Example:
            >>> task.is_main_task(), draft.is_main_task()
            (True, False)
        """
        return current.is_main(self)

    def is_current_task(self) -> bool:
        """The same as ``is_main_task``, under an older name.

        Returns:
            True until it is closed.

        Example:
            >>> task.is_current_task()
            True
        """
        return self.is_main_task()

    def flush(self, wait_for_uploads: bool = False) -> bool:
        """Wait until the server has everything that was reported before this call.

        Args:
            wait_for_uploads: wait for files as well, as long as it takes.

        Returns:
            True when it has; False when the server did not answer within the close timeout. After ``close``, whether
            everything had arrived by then.

        Example:
            >>> task.get_logger().report_scalar("loss", "train", 0.5, 1)
            >>> task.flush()
            True
        """
        if self._run is not None:
            self._run.flush_console()
        if self._complete is not None:
            return self._complete
        if not self._record.has_journal:
            return True
        self._sync_artifacts()
        timeout = 1e7 if wait_for_uploads and self._record.connection else self._record.settings.close_timeout
        return self._record.journal.flush(timeout, uploads=wait_for_uploads)

    def close(self) -> None:
        """End the run: send the rest, set the status to completed, stop watching this process.

        Waits at most the close timeout (10 s); what is left then is sent by a process of its own. A second call does
        nothing; the task can be read, copied and renamed after it, but not reported to.

        Example:
            >>> task.close()
            >>> Task.current_task() is None
            True
        """
        self._finish(COMPLETED)

    def _finish(self, outcome: Outcome) -> None:
        run, self._run = self._run, None
        if run is None:
            if not current.is_main(self):
                self._sync_artifacts(end=True)
                self._complete = self._record.close(self._record.settings.close_timeout)
            return
        if not run.ours:
            self._run = run
            return
        record = self._record
        settings = record.settings
        deadline = time.monotonic() + settings.close_timeout
        with guard("task.close"):
            # A script that ends at once has its code recorded as well.
            run.described.wait(_DESCRIBED_SECONDS)
            self._sync_artifacts(end=True)
        run.end()
        current.set_main_task(None)
        answer_early()
        if (
            record.has_journal
            and record.journal.online
            and not record.journal.away
            and record.journal.has_uploads
        ):
            record.journal.flush(max(0.0, deadline - time.monotonic()), uploads=True, patient=False)
        if run.aborted:
            outcome = Outcome("stopped", "USER ABORTED", f"Stopped: {run.aborted}")
        if not (run.remote or run.attached or run.keep_status):
            from trialbook.sdk.task.run import finish_status

            finish_status(record, outcome, self._publish_at_end)
        # A fresh margin, so that a slow upload does not take the last points' time. A server that is away will hardly
        # come back in these seconds: the rest goes to the background at once.
        away = record.has_journal and record.journal.away
        self._complete = complete = record.close(
            _AWAY_SECONDS if away else max(_LAST_SECONDS, deadline - time.monotonic())
        )
        status = record.document.get("status")
        if (
            run.remote
            and not settings.master
            and status == "in_progress"
            and settings_module.console_is_shipped()
        ):
            # An agent sends the console itself and says so; nothing else tells that one is there.
            say(
                f"Trialbook: task {record.id} stays in_progress: TRIALBOOK_TASK_ID (or CLEARML_TASK_ID) says that an "
                "agent runs this process, and the agent ends the task. Where there is none, call task.mark_completed() "
                "at the end, or leave the variable out."
            )
        if complete or record.connection is None:
            if not complete:
                say(
                    f"Trialbook: the run is kept in {self._record.journal.folder.parent}; `trialbook sync` sends it."
                )
            return
        if record.journal.kept is not None:
            say(
                f"Trialbook: {record.journal.kept}. It is kept on this host: `trialbook sync` tries again, "
                f"`trialbook sync --discard {record.id}` removes it."
            )
        elif record.journal.refused is None:
            from trialbook.sdk.offline.recovery import sync_in_background

            log = settings.own_cache() / "sync.log"
            sync_in_background(record.id, record.connection.settings, log)
            server = "private server of your account" if record.connection.private else "server"
            say(
                f"Trialbook: the {server} has not taken all reports yet; a background process continues to send them "
                f"(log: {log})."
            )

    @classmethod
    def _of_this_process(cls) -> "Self | None":
        """The object of ``init``; whoever called it did so on this class."""
        return cast("Self | None", current.main_task())

    def _again(self, project_name: str | None, task_name: str | None) -> "Self":
        wish = self._wish
        if wish is not None and (project_name in (None, wish.project)) and (task_name in (None, wish.name)):
            return self
        known = f"{wish.project}/{wish.name}" if wish else self.id
        raise UsageError(
            f"this process runs the task {known!r} already; call Task.close() on it before Task.init() of another, or "
            "Task.get_task() to refer to one"
        )


def _bare(error: TrialbookError) -> TrialbookError:
    """The error without the way through our code and its causes, which would bury the sentence that says what to do."""
    if not isinstance(error, UsageError):
        # What the program asked is right; what is wrong lies outside of it.
        say_alone(error)
    return error.with_traceback(None)


def _project(name: str | None, detect: bool) -> str:
    if name:
        return "/".join(part.strip() for part in name.split("/") if part.strip()) or "Untitled"
    return (default_project() if detect else "") or "Untitled"


def _listed(tags: Sequence[str] | str | None) -> list[str]:
    if tags is None:
        return []
    return [tags] if isinstance(tags, str) else [str(tag) for tag in tags]


class _Arguments:
    def __init__(self, merge: Callable[[str, Mapping[str, Any], Mapping[str, str]], None]) -> None:
        self._merge = merge

    def copy_from_dict(self, dictionary: Mapping[str, Any], prefix: str) -> None:
        """Record values as parameters of a section, without a way back."""
        self._merge(prefix, dictionary, {})


def _destination(output_uri: str | bool | None, default: str | None, tried: bool) -> str:
    if output_uri is True:
        return "files"
    if isinstance(output_uri, str) and output_uri:
        from trialbook.sdk.storage import check_writable

        if tried:
            check_writable(output_uri)
        return output_uri
    return "" if output_uri is False else (default or "")


def _add_tags(record: Record, tags: list[str]) -> None:
    known = list(record.document.get("tags") or [])
    missing = [tag for tag in tags if tag not in known]
    if missing:
        record.edit(tags=known + missing)
