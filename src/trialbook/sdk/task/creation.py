"""``Task.create``: a task for code that does not run here."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trialbook.capture.code import Code
from trialbook.capture.secrets import masked_text
from trialbook.client import settings as settings_module
from trialbook.client.calls import filled
from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.record import record_of
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.task.inputs.values import ValuesMixin
from trialbook.sdk.task.query import QueryMixin
from trialbook.sdk.task.sources.code import OWN, own_too
from trialbook.wire.states import TaskTypes

if TYPE_CHECKING:
    from typing_extensions import Self

    from trialbook.client.api import CreateTask, EditTask


class CreationMixin(ValuesMixin, QueryMixin):
    """The member that makes drafts."""

    @classmethod
    def create(
        cls,
        project_name: str | None = None,
        task_name: str | None = None,
        task_type: TaskTypes | str | None = None,
        repo: str | Path | None = None,
        branch: str | None = None,
        commit: str | None = None,
        script: str | Path | None = None,
        working_directory: str | Path | None = None,
        packages: bool | Sequence[str] | None = None,
        requirements_file: str | Path | None = None,
        docker: str | None = None,
        docker_args: str | None = None,
        docker_bash_setup_script: str | None = None,
        argparse_args: Sequence[tuple[str, Any]] | None = None,
        base_task_id: str | None = None,
        add_task_init_call: bool = True,
    ) -> "Self":
        """Make a draft for an agent, from code that does not run here. The run of this process is not touched.

        Args:
            project_name: path of the project; made when missing. None is that of the task of this process.
            task_name: needed without ``base_task_id``.
            task_type: None is training.
            repo: address of a git repository, or a folder of a checkout on this host, whose uncommitted changes go
                with the task.
            branch: branch or tag; its last commit.
            commit: exactly this commit.
            script: entry point: relative to the repository, or without ``repo`` a file, which is stored whole.
            working_directory: to start it in, relative to the repository; None is its root.
            packages: requirement lines; True finds the packages that local code imports. This SDK is added to them,
                as an address on the server that gets the task.
            requirements_file: a file of requirement lines, likewise. Without it and ``packages``, the
                ``requirements.txt`` of the repository, or what a single file imports; when a repository elsewhere need
                not be read, nothing is recorded, and an agent takes the repository's list alone.
            docker: image of the container.
            docker_args: its arguments.
            docker_bash_setup_script: lines to run in it first.
            argparse_args: pairs of name and value for the command line of the script.
            base_task_id: a task to copy; the other arguments then replace parts of the copy.
            add_task_init_call: have ``Task.init`` called at the start of the script, when it has no call.

        Returns:
            The new task.

        Raises:
            UsageError: no name or project, an unknown type, a script, commit or file that does not exist, or this
                process works offline.
            TaskNotFound: there is no task ``base_task_id``.

        Example:
            >>> _ = pathlib.Path("train.py").write_text("print('training')")
            >>> draft = Task.create("Examples", "digits", script="train.py", argparse_args=[("rate", 0.1)])
            >>> draft.status, draft.get_parameters()
            ('created', {'Args/rate': '0.1'})
            >>> Task.enqueue(draft, "default").queued
            1
        """
        if settings_module.load().offline:
            raise UsageError("Task.create needs the server, and this process works offline")
        main = current.main_task()
        project = project_name or (main.get_project_name() if main is not None else None)
        if not base_task_id and not (project and task_name):
            raise UsageError("Task.create needs project_name and task_name, or base_task_id")
        kind = TaskTypes.of(task_type).value if task_type is not None else None
        entry = None if script is None else str(script)
        place, start = (None if it is None else str(it) for it in (repo, working_directory))
        code = _code(place, branch, commit, entry, start, add_task_init_call)
        told: dict[str, object] = {}
        if code is not None:
            told = {
                "repository": code.repository,
                "branch": code.branch,
                "version_num": code.commit,
                "entry_point": code.entry_point,
                "working_dir": code.working_dir,
                "diff": code.diff,
                "binary": f"python{sys.version_info[0]}.{sys.version_info[1]}",
                "requirements": {},
            }
        lines = _requirements(packages, requirements_file, code, entry)
        if lines is not None:
            # An agent that runs the code there imports this SDK, whether the list thought of it or not.
            lines = own_too(lines, connections.connect().settings.api_host)
            told["requirements"] = {"pip": masked_text(lines)}
        container = {
            "image": docker,
            "arguments": docker_args,
            "setup_shell_script": docker_bash_setup_script,
        }
        fields: CreateTask = {
            "name": task_name or "",
            "project_name": project,
            "type": kind,
            "script": told or None,
            "container": {name: masked_text(value or "") for name, value in container.items()}
            if any(container.values())
            else None,
        }
        made = cls._draft(base_task_id, fields)
        if argparse_args:
            made.update_parameters({f"Args/{name}": value for name, value in _pairs(argparse_args)})
            made.reload()
        return made

    @classmethod
    def _draft(cls, base: str | None, fields: "CreateTask") -> "Self":
        session = connections.connect().session
        fields = filled(fields)
        if not base:
            return cls._open(session.api.tasks.create({"type": "training", **fields}, repeat=False)["id"])
        made = cls.clone(base, name=fields["name"] or None)
        edit: EditTask = {
            "task": made.id,
            "type": fields.get("type"),
            "script": fields.get("script"),
            "container": fields.get("container"),
        }
        project = fields.get("project_name")
        if project:
            edit["project"] = cls.get_project_id(project)
            if not edit["project"]:
                edit["project"] = session.api.projects.create({"name": project}, repeat=False)["id"]
        edit = filled(edit)
        if len(edit) > 1:
            session.api.tasks.edit(edit)
            made.reload()
            record_of(made).project_name = None
        return made


def _code(
    repo: str | None,
    branch: str | None,
    commit: str | None,
    script: str | None,
    working_directory: str | None,
    init: bool,
) -> Code | None:
    from trialbook.capture import checkout

    if repo and _is_address(repo):
        return checkout.from_address(repo, script, working_directory, branch, commit, init)
    if repo:
        folder = Path(repo).expanduser()
        if not folder.is_dir():
            raise UsageError(f"{repo} is neither the address of a repository nor a folder of this host")
        return checkout.from_checkout(folder, script, working_directory, branch, commit, init)
    if not script:
        if branch or commit or working_directory:
            raise UsageError("branch, commit and working_directory need repo")
        return None
    path = Path(script).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no script {script}; pass repo when it is in a repository elsewhere")
    return checkout.standalone(path, working_directory, init)


def _is_address(repo: str) -> bool:
    # git@host:path has no scheme; a drive letter is one letter.
    return len(urlsplit(repo).scheme) > 1 or ("@" in repo.split(":")[0] and ":" in repo)


def _requirements(
    packages: bool | Sequence[str] | None,
    requirements_file: str | Path | None,
    code: Code | None,
    script: str | None,
) -> str | None:
    """Requirement lines; None when nothing is known."""
    from trialbook.capture.packages import listed_lines, required, requirement_lines

    root = code.root if code is not None else None
    if packages is True:
        if root is None or not script:
            raise UsageError("packages=True needs a script on this host; list the packages instead")
        return required(_script_path(root, script), root, {}, (OWN,))
    if packages:
        lines = [packages] if isinstance(packages, str) else [str(line) for line in packages]
        return listed_lines(lines)
    if requirements_file:
        path = Path(requirements_file).expanduser()
        if not path.is_file() and root is not None:
            path = root / requirements_file
        if not path.is_file():
            raise UsageError(f"there is no requirements file {requirements_file}")
        return requirement_lines(path)
    if code is None or root is None:
        return code.listed if code is not None else None
    if not code.repository and script:
        return required(_script_path(root, script), None, {}, (OWN,))
    # As an agent looks for it: from the working directory up.
    start = root / code.working_dir
    for folder in (start, *(folder for folder in start.parents if folder.is_relative_to(root))):
        if (folder / "requirements.txt").is_file():
            return requirement_lines(folder / "requirements.txt")
    return ""


def _script_path(root: Path, script: str) -> Path:
    inside = root / script
    return inside if inside.is_file() else Path(script).expanduser().resolve()


def _pairs(given: Any) -> Iterable[tuple[str, Any]]:
    entries = given.items() if isinstance(given, Mapping) else given
    pairs = []
    for entry in entries:
        if isinstance(entry, str) or len(entry) != 2:
            raise UsageError(f"argparse_args holds pairs of name and value, not {entry!r}")
        pairs.append((str(entry[0]).lstrip("-").replace("-", "_"), entry[1]))
    return pairs
