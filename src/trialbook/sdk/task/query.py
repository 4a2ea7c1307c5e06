"""Finding tasks and projects; copying, exporting and importing tasks."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from trialbook.base.clock import parse_iso
from trialbook.base.ids import is_id
from trialbook.base.unicode import findable, storable
from trialbook.client.calls import filled
from trialbook.client.session import Session
from trialbook.errors import ProjectNotFound, TaskNotFound, UsageError
from trialbook.sdk import current
from trialbook.sdk.record import Record, record_of, settle
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers.projects import project_ids
from trialbook.sdk.task.answers import Response, View, known_fields, server_session
from trialbook.sdk.task.identity import IdentityMixin
from trialbook.sdk.task.status import StatusMixin

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.client.api import Clone, CreateTask, EditTaskFields, GetAllProjects, GetAllTasks

_log = logging.getLogger("trialbook")
_PAGE = 500
_MOMENTS = (
    "created",
    "started",
    "completed",
    "published",
    "status_changed",
    "last_update",
    "last_change",
    "last_worker_report",
)
_EXPORTED = (
    "name",
    "type",
    "comment",
    "tags",
    "system_tags",
    "script",
    "hyperparams",
    "configuration",
    "container",
    "models",
    "output",
    "execution",
)


class QueryMixin(IdentityMixin, StatusMixin):
    """Members that find, copy, export and import tasks."""

    @classmethod
    def get_task(
        cls,
        task_id: str | None = None,
        project_name: str | None = None,
        task_name: str | None = None,
        tags: Sequence[str] | None = None,
        allow_archived: bool = True,
        task_filter: Mapping[str, Any] | None = None,
    ) -> "Self | None":
        """One task.

        Args:
            task_id: its id; the rest is ignored then.
            project_name: of its project, exactly.
            task_name: its name, exactly.
            tags: that it must have.
            allow_archived: also from the archive, when there is none outside.
            task_filter: more conditions, as of ``get_tasks``.

        Returns:
            The task; of several the one that changed last. None when no task matches.

        Raises:
            TaskNotFound: there is no task with that id.
            ProjectNotFound: there is no project of that name.
            UsageError: nothing to look for.

        Example:
            >>> Task.get_task(project_name="Examples", task_name="example").id == task.id
            True
        """
        if task_id:
            return cls._open(str(task_id))
        if not (project_name or task_name or tags or task_filter):
            raise UsageError("get_task needs task_id, or project_name and task_name")
        session = server_session()
        settle()
        ask = _conditions(task_filter)
        if project_name:
            found = project_ids(session, project_name)
            if not found:
                raise ProjectNotFound(f"there is no project {project_name!r}")
            projects = _both(ask.get("project"), found)
            if not projects:
                return None
            ask["project"] = projects
        if task_name:
            _once(ask, "name", "task_name")
            ask["name"] = f"^{re.escape(storable(task_name))}$"
        if tags:
            _once(ask, "tags", "tags")
            ask["tags"] = ["__$all", *tags]
        ask.setdefault("order_by", ["-last_update"])
        ask.update(
            {"only_fields": ["id", "system_tags"], "page": 0, "page_size": _PAGE, "search_hidden": True}
        )
        tasks = session.api.tasks.get_all(ask).get("tasks") or []
        fresh = [task for task in tasks if "archived" not in (task.get("system_tags") or [])]
        chosen = fresh or (tasks if allow_archived else [])
        return cls._open(str(chosen[0]["id"])) if chosen else None

    @classmethod
    def get_tasks(
        cls,
        task_ids: Sequence[str] | None = None,
        project_name: str | Sequence[str] | None = None,
        task_name: str | None = None,
        tags: Sequence[str] | None = None,
        allow_archived: bool = True,
        task_filter: Mapping[str, Any] | None = None,
    ) -> "list[Self]":
        """Tasks that match; complete, whatever their number.

        Args:
            task_ids: ids; the rest is ignored then.
            project_name: one name or several; None is all projects.
            task_name: a part of the name, or a regular expression.
            tags: with the operators of the server (``-tag`` excludes).
            allow_archived: also from the archive.
            task_filter: more conditions of ``tasks.get_all``, such as ``{"status": ["completed"]}``.

        Returns:
            The tasks, the last changed first; none when no project has the name, which is logged.

        Example:
            >>> task.set_tags(["baseline"])
            >>> [one.id == task.id for one in Task.get_tasks(project_name="Examples", tags=["baseline", "-old"])][0]
            True
        """
        session = server_session()
        documents = _documents(session, task_ids, project_name, task_name, tags, allow_archived, task_filter)
        return [cls._of(document) for document in documents]

    @classmethod
    def query_tasks(
        cls,
        project_name: str | Sequence[str] | None = None,
        task_name: str | None = None,
        tags: Sequence[str] | None = None,
        additional_return_fields: Sequence[str] | None = None,
        task_filter: Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """Ids of the tasks that match; complete, whatever their number.

        Args:
            project_name: one name or several; None is all projects.
            task_name: a part of the name, or a regular expression.
            tags: with the operators of the server (``-tag`` excludes).
            additional_return_fields: of the task's document, such as ``["name", "last_metrics"]``.
            task_filter: more conditions of ``tasks.get_all``.

        Returns:
            Ids; with ``additional_return_fields`` dicts of these fields and the id.

        Example:
            >>> Task.query_tasks("no such project")
            []
        """
        more = {"only_fields": ["id", *(additional_return_fields or [])]}
        documents = _documents(
            server_session(), None, project_name, task_name, tags, True, {**(task_filter or {}), **more}
        )
        return documents if additional_return_fields else [document["id"] for document in documents]

    @classmethod
    def get_all(cls, session: Any = None, log: Any = None, **kwargs: Any) -> Response:
        """The raw answer of ``tasks.get_all`` for these conditions.

        Args:
            session: accepted for compatibility.
            log: accepted for compatibility.
            kwargs: as the server's method takes them, such as ``status``, ``search_text``, ``user``, ``project``.

        Returns:
            The answer: ``tasks`` holds the documents, readable by key and by attribute.

        Raises:
            BadRequest: there is no such condition.

        Example:
            >>> Task.get_all(name="^no such name$", page=0, page_size=10).tasks
            []
        """
        return Response(server_session().api.tasks.get_all(cast("GetAllTasks", kwargs)))

    @classmethod
    def get_project_id(cls, project_name: str, search_hidden: bool = True) -> str | None:
        """Id of a project.

        Args:
            project_name: its full path, exactly.
            search_hidden: accepted for compatibility; hidden projects are found as well.

        Returns:
            The id; of several projects that of the one changed last; None when there is none.

        Example:
            >>> Task.get_project_id("no such project") is None
            True
        """
        found = project_ids(server_session(), project_name)
        return found[0] if found else None

    @classmethod
    def get_projects(cls, **filters: Any) -> list[View]:
        """All projects, the last changed first.

        Args:
            filters: conditions of ``projects.get_all``, such as ``name``.

        Returns:
            Their documents, complete, readable by key and by attribute.

        Example:
            >>> [project.name for project in Task.get_projects(name="^Examples$")]
            ['Examples']
        """
        session = server_session()
        found: list[View] = []
        page = 0
        while True:
            ask = {"order_by": ["-last_update"], **filters, "page": page, "page_size": _PAGE}
            projects = session.api.projects.get_all(cast("GetAllProjects", ask)).get("projects") or []
            found += [View(project) for project in projects]
            page += 1
            if len(projects) < _PAGE:
                return found

    @classmethod
    def clone(
        cls,
        source_task: "str | Self | None" = None,
        name: str | None = None,
        comment: str | None = None,
        parent: str | None = None,
        project: str | None = None,
    ) -> "Self":
        """A copy of a task as a draft: code, parameters and configuration, without outputs.

        Args:
            source_task: the task or its id; None is the task of this process.
            name: None is "Clone Of <name>".
            comment: description.
            parent: id of a parent; None is the source's parent, else the source.
            project: id of a project; None is the source's.

        Returns:
            The copy, with an id of its own.

        Raises:
            UsageError: no source, and this process runs no task.
            TaskNotFound: there is no such source.

        Example:
            >>> copy = Task.clone(task, name="the copy")
            >>> copy.status, copy.parent == task.id
            ('created', True)
        """
        source = source_task or current.main_task()
        if source is None:
            raise UsageError("clone needs source_task")
        if isinstance(source, str):
            task_id = source
        else:
            task_id = source.id
            record_of(source).flush()
        known = cls._open(task_id)
        ask: Clone = {
            "task": task_id,
            "new_task_name": name or f"Clone Of {known.name}",
            "new_task_comment": comment or None,
            "new_task_parent": getattr(parent, "id", parent) or None,
            "new_task_project": project or None,
        }
        return cls._open(server_session().api.tasks.clone(filled(ask), repeat=False)["id"])

    def export_task(self) -> dict[str, Any]:
        """The task's configuration, for ``import_task``.

        Returns:
            A dict of JSON values with code, packages, parameters, configuration and container; no metrics, console,
            artifacts or models that the run made.

        Example:
            >>> copy = Task.import_task(task.export_task())
            >>> copy.get_parameters() == task.get_parameters()
            True
        """
        document = self._record.fresh()
        exported = {name: document[name] for name in _EXPORTED if document.get(name) is not None}
        exported["models"] = {"input": (document.get("models") or {}).get("input") or [], "output": []}
        execution = {**(document.get("execution") or {})}
        for gone in ("artifacts", "queue"):
            execution.pop(gone, None)
        exported["execution"] = execution
        exported["output"] = {"destination": (document.get("output") or {}).get("destination") or ""}
        exported["id"] = self.id
        exported["project_name"] = self._record.project()
        return exported

    @classmethod
    def import_task(
        cls, task_data: Mapping[str, Any], target_task: "str | Self | None" = None, update: bool = False
    ) -> "Self | None":
        """Make a task from exported data, or put the data into one.

        Args:
            task_data: of ``export_task``.
            target_task: a task or id to change; None makes a new draft.
            update: merge parameters and configuration instead of replacing them.

        Returns:
            The task; None when the data have no name and there is no target.

        Raises:
            UsageError: the data is not a dict.
            TaskNotFound: there is no such target.

        Example:
            >>> copy = Task.import_task(task.export_task())
            >>> copy.name, copy.status
            ('example', 'created')
        """
        if not isinstance(task_data, Mapping):
            raise UsageError(f"import_task takes the dict of export_task, not a {type(task_data).__name__}")
        parts = {name: task_data[name] for name in _EXPORTED if task_data.get(name) is not None}
        destination = (parts.pop("output", None) or {}).get("destination")
        fields = cast("EditTaskFields", parts)
        if destination:
            fields["output_dest"] = destination
        session = server_session()
        if target_task is None:
            if not fields.get("name"):
                return None
            ask = cast("CreateTask", fields)
            ask["project_name"] = task_data.get("project_name") or "Untitled"
            return cls._open(session.api.tasks.create(ask, repeat=False)["id"])
        task = cls._open(target_task if isinstance(target_task, str) else target_task.id)
        record = record_of(task)
        record.require_editable("The configuration")
        if update:
            known = record.document
            fields["hyperparams"] = _merged(known.get("hyperparams") or {}, fields.get("hyperparams") or {})
            fields["configuration"] = _merged(
                known.get("configuration") or {}, fields.get("configuration") or {}
            )
        session.api.tasks.edit({"task": task.id, "force": True, **fields})
        task.reload()
        return task

    def update_task(self, task_data: Mapping[str, Any]) -> bool:
        """Put exported data into this task. Its id, project, status and outputs stay.

        Args:
            task_data: of ``export_task``; what is not in it stays as well.

        Returns:
            True.

        Raises:
            UsageError: the data is not a dict, or this task is neither a draft nor running.

        Example:
            >>> task.set_parameter("Train/epochs", 3)
            >>> draft.update_task(task.export_task())
            True
            >>> draft.get_parameters()
            {'Train/epochs': '3'}
        """
        type(self).import_task(task_data, self.id, update=True)
        self._record.reload()
        return True

    # -- inside ---

    @classmethod
    def _open(cls, task_id: str) -> "Self":
        if not is_id(task_id):
            raise TaskNotFound(f"{task_id!r} is not a task id: 32 hexadecimal characters")
        settle()
        return cls._of(server_session().api.tasks.get_by_id({"task": task_id})["task"])

    @classmethod
    def _of(cls, document: dict[str, Any]) -> "Self":
        connection = connections.connect()
        return cls._wrap(Record(document, connection, connection.settings))


def _conditions(task_filter: Mapping[str, Any] | None) -> "GetAllTasks":
    """The filter, when each of its names is a condition: a misspelt one would answer with every task.

    Raises:
        UsageError: names what is not a condition, and what is meant.
    """
    if task_filter is None:
        return {}
    if not isinstance(task_filter, Mapping):
        raise UsageError(f"task_filter is a dict of conditions, got {task_filter!r}")
    # msgspec is not part of `import trialbook`.
    import msgspec

    from trialbook.wire.tasks import GetAllTasks as Struct

    known = {field.encode_name for field in msgspec.structs.fields(Struct)} - {"dotted"}
    for name, value in task_filter.items():
        if name not in known and not _is_path(name):
            raise _no_condition(name, known, "")
        if name == "filters" and isinstance(value, Mapping):
            for field, terms in value.items():
                if field not in known and not _is_path(field):
                    raise _no_condition(field, known, "filters: ")
                _only(terms, ("any", "all", "op"), f"filters: {field}: ")
                for joined in ("any", "all"):
                    if isinstance(terms, Mapping):
                        _only(terms.get(joined), ("include", "exclude"), f"filters: {field}: {joined}: ")
        elif name in ("_any_", "_all_", "_or_", "_and_"):
            _only(value, ("fields", "pattern", "datetime"), f"{name}: ")
            if isinstance(value, Mapping):
                _dates(value.get("datetime"), f"{name}: ")
        elif name in _MOMENTS:
            _dates(value, f"{name}: ")
        elif name == "order_by":
            for order in [value] if isinstance(value, str) else value or ():
                field = str(order).lstrip("+-")
                if field not in known_fields() and not _is_path(field):
                    raise _no_condition(field, known_fields() & known, "order_by: ")
    return cast("GetAllTasks", dict(task_filter))


def _both(wanted: Any, found: list[str]) -> list[str]:
    """The projects that have the name and that the filter asks for: what it says must not be lost beside the name."""
    if not wanted:
        return found
    ids = [wanted] if isinstance(wanted, str) else list(wanted)
    if not all(isinstance(one, str) and is_id(one) for one in ids):
        _once({"project": wanted}, "project", "project_name")
    return [one for one in found if one in ids]


def _once(ask: Mapping[str, Any], name: str, argument: str) -> None:
    """Refuse a condition that the filter holds as well: one of the two would be lost."""
    if ask.get(name):
        raise UsageError(f"{argument} and task_filter[{name!r}] are one condition: give one of them")


def _is_path(name: Any) -> bool:
    return isinstance(name, str) and "." in name and name.split(".", 1)[0] in known_fields()


def _only(given: Any, known: tuple[str, ...], where: str) -> None:
    for name in given if isinstance(given, Mapping) else ():
        if name not in known:
            raise _no_condition(name, known, where)


def _dates(given: Any, where: str) -> None:
    """Refuse what is not a date: released clients' servers pass over it, and every task would be found."""
    for one in given if isinstance(given, (list, tuple)) else [given]:
        if one is None or (isinstance(one, (int, float)) and not isinstance(one, bool)):
            continue
        try:
            parse_iso(str(one).lstrip("<>= \t"))
        except (ValueError, OverflowError):
            raise UsageError(
                f"task_filter: {where}{one!r} is not a date: write it as '2026-01-31' or '2026-01-31T10:00:00+00:00', "
                "with >=, <=, > or < before it where a bound is meant"
            ) from None


def _no_condition(name: Any, known: Iterable[str], where: str) -> UsageError:
    import difflib

    near = difflib.get_close_matches(str(name), sorted(known), 1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return UsageError(
        f"task_filter: {where}{name!r} is not a condition{meant} There are {', '.join(sorted(known))}"
        + ("" if where and not where.startswith("order") else ", and paths such as 'hyperparams.Args.lr'")
    )


def _documents(
    session: Session,
    task_ids: Sequence[str] | None,
    project_name: str | Sequence[str] | None,
    task_name: str | None,
    tags: Sequence[str] | None,
    allow_archived: bool,
    task_filter: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    settle()
    ask: GetAllTasks = {"search_hidden": True, "order_by": ["-last_update"], **_conditions(task_filter)}
    if task_ids:
        ask = {"id": list(task_ids), "search_hidden": True}
    else:
        names = [project_name] if isinstance(project_name, str) else list(project_name or [])
        if names:
            found_ids = [found for name in names for found in project_ids(session, name)]
            if not found_ids:
                _log.warning("there is no project %s", ", ".join(map(repr, names)))
                return []
            projects = _both(ask.get("project"), found_ids)
            if not projects:
                return []
            ask["project"] = projects
        if task_name:
            _once(ask, "name", "task_name")
            ask["name"] = findable(task_name)
        if tags:
            _once(ask, "tags", "tags")
            ask["tags"] = list(tags)
        if not allow_archived:
            ask["system_tags"] = [*_listed(ask.get("system_tags")), "-archived"]
    if "page" in ask or "page_size" in ask:
        answer: list[dict[str, Any]] = session.api.tasks.get_all(ask).get("tasks") or []
        return answer
    found: list[dict[str, Any]] = []
    # Paging over a moving order would skip tasks; ids break ties and never move.
    ask["order_by"] = [*_listed(ask.get("order_by")), "id"]
    page = 0
    while True:
        tasks = session.api.tasks.get_all({**ask, "page": page, "page_size": _PAGE}).get("tasks") or []
        known = {document["id"] for document in found}
        found += [task for task in tasks if task["id"] not in known]
        page += 1
        if len(tasks) < _PAGE:
            return found


def _listed(given: str | list[Any] | None) -> list[Any]:
    """A condition may be a list, or one value without it."""
    return [given] if isinstance(given, str) else list(given or [])


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and "value" not in value
        merged[key] = {**merged[key], **value} if both else value
    return merged
