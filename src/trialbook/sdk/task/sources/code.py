"""Recording the code of a run: at once what costs nothing, the rest from a thread."""

import hashlib
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trialbook
from trialbook.base.files import write_atomic
from trialbook.base.guard import guard
from trialbook.base.process import Kept
from trialbook.capture.code import Code, EntryPoint, detect, entry_point, masked, repository_root
from trialbook.capture.secrets import masked_arguments, masked_text
from trialbook.client import settings
from trialbook.client.calls import kept
from trialbook.journal.frames import Kind
from trialbook.journal.spool import Upload
from trialbook.machine.host import facts
from trialbook.sdk.names import join, task_folder
from trialbook.sdk.record import Record
from trialbook.sdk.servers.nowhere import NO_SERVER

if TYPE_CHECKING:
    from trialbook.client.api import AddArtifacts, Artifact

_BIG_DIFF = 500_000
OWN = "trialbook"
"""The name of this SDK as a package."""
_extra: dict[str, str | None] = {}
_files: list[Path] = []
_ignored: set[str] = set()
_frozen: "Kept[bool | Path]" = Kept(False)
_busy = threading.Lock()
_alone = Kept(False)
_kept: dict[str, set[str]] = {}


def require(package: str, version: str | None) -> None:
    """Add a package to the list of the next task."""
    _extra[package] = version


def require_file(path: Path) -> None:
    """Add the lines of a requirements file to the list of the next task."""
    _files.append(path.absolute())


def stand_alone(force: bool) -> None:
    """Record the whole script instead of its repository."""
    _alone.value = force


def keep(task: str, parts: set[str]) -> None:
    """Parts of a task's ``script`` that the program has set itself."""
    _kept.setdefault(task, set()).update(parts)


def default_project() -> str:
    """The name of the repository that holds the script; empty when there is none."""
    entry = entry_point()
    root = repository_root(entry.path.parent) if entry.path is not None else None
    if root is None:
        return ""
    return _origin_name(root) or root.name


def _origin_name(root: Path) -> str:
    """The last part of the address of ``origin``, read from git's own file: no process is started for it."""
    inside = False
    with guard("task.project"):
        config = root / ".git" / "config"
        for line in config.read_text("utf-8", "replace").splitlines() if config.is_file() else []:
            text = line.strip()
            if text.startswith("["):
                inside = text == '[remote "origin"]'
            elif inside and text.partition("=")[0].strip() == "url":
                address = text.partition("=")[2].strip().rstrip("/").removesuffix(".git")
                return address.replace(":", "/").rsplit("/", 1)[-1]
    return ""


def ignore(package: str) -> None:
    """Never list a package."""
    _ignored.add(package)


def freeze(force: bool, requirements_file: str | Path | None) -> None:
    """List the whole environment, or the lines of a file, instead of what the program imports."""
    _frozen.value = Path(requirements_file).expanduser().absolute() if force and requirements_file else force


def describe_at_once(detect_code: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """``script`` and ``runtime`` of a new task, as far as they cost nothing."""
    runtime: dict[str, Any] = {**facts(), "trialbook_version": trialbook.__version__}
    if not detect_code:
        return {}, runtime
    entry = entry_point()
    runtime["CLI"] = " ".join(masked_arguments(sys.argv))
    script: dict[str, Any] = {
        "binary": f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "working_dir": ".",
    }
    if entry.path is not None:
        script["entry_point"] = f"-m {entry.module}" if entry.module else entry.path.name
    return script, runtime


def describe_later(record: Record, entry: EntryPoint) -> None:
    """Find repository, changes and packages, and put them on the task; in a thread, some tenths of a second.

    Args:
        record: of the task.
        entry: seen while the script ran: Python forgets its name at the end of it, when this may still be at work.
    """
    with _busy, guard("task.code"):
        from trialbook.capture.checkout import standalone

        code = (
            standalone(entry.path, None, False) if _alone.value and entry.path is not None else detect(entry)
        )
        script = entry.path or as_file(record, code)
        found = {**_fields(code, record), "requirements": requirements(record, script, code.root)}
        put(record, {**found, **_overrides()})


def as_file(record: Record, code: Code) -> Path | None:
    """The text of a program that no file holds as one, for the search of its imports; None where there is none."""
    if not code.entry_point:
        return None
    script = record.settings.own_cache(record.id) / code.entry_point
    write_atomic(script, code.diff.encode("utf-8", "replace"))
    return script


def _overrides() -> dict[str, str]:
    told = {name: masked_text(value) for name, value in settings.code_overrides().items()}
    return {**told, "repository": masked(told["repository"])} if "repository" in told else told


def put(record: Record, found: dict[str, Any]) -> None:
    """Put parts of the code on the task, except those that the program has set itself."""
    with record.lock:
        kept = _kept.get(record.id, set())
        script = dict(record.document.get("script") or {})
        script.update({name: value for name, value in found.items() if name not in kept})
        record.edit(script=script)


def finish_describing(timeout: float) -> bool:
    """Wait for a description that is under way, so that a short script has one as well; True when none is left."""
    if _busy.acquire(timeout=timeout):
        _busy.release()
        return True
    return False


def requirements(record: Record, script: Path | None, root: Path | None) -> dict[str, str]:
    """The lists of packages: of pip, and of conda in an environment of it.

    Args:
        record: of the task, whose server has the SDK.
        script: the entry point.
        root: folder of the program's own modules.
    """
    from trialbook.capture.conda import installed

    listed = {"pip": masked_text(own_too(packages(script, root), server_of(record)))}
    with guard("task.conda"):
        conda = installed(settings.conda_prefix())
        if conda is not None:
            listed["conda"] = conda
    return listed


def packages(script: Path | None, root: Path | None) -> str:
    """The requirement lines of a script, as the program wishes them."""
    # The metadata of packages takes a tenth of the time in which a script can import us; this is the thread for it.
    from trialbook.capture.packages import frozen, required, requirement_lines

    if isinstance(_frozen.value, Path):
        return requirement_lines(_frozen.value)
    # This SDK gets its line from ``own_too``, wherever it was installed from.
    others = _ignored if OWN in _extra else {*_ignored, OWN}
    listed = frozen(_extra, others) if _frozen.value else required(script, root, _extra, others)
    return listed + "".join(requirement_lines(path) for path in _files)


def own_too(lines: str, server: str) -> str:
    """Requirement lines with one for this SDK, unless the program has said that it is never listed.

    Args:
        lines: as in a requirements file.
        server: the address of the server that records the run.
    """
    from trialbook.capture.own_package import with_own

    return lines if OWN in {package.lower() for package in _ignored} else with_own(lines, server)


def server_of(record: Record) -> str:
    """The address of the server that a record goes to; where there is none yet, one that is replaced on the way."""
    settings = record.connection.settings if record.connection is not None else record.settings
    return settings.api_host or NO_SERVER


def _fields(code: Code, record: Record) -> dict[str, Any]:
    fields = {
        "repository": code.repository,
        "branch": code.branch,
        "version_num": code.commit,
        "entry_point": code.entry_point,
        "working_dir": code.working_dir,
        "diff": code.diff,
    }
    if len(code.diff) > _BIG_DIFF and code.repository:
        fields["diff"] = "# The changes are too long for this page: see the artifact auxiliary_git_diff."
        _keep_diff(code.diff, record)
    return fields


def _keep_diff(diff: str, record: Record) -> None:
    raw = diff.encode()
    source = record.journal.spool.reserve(".bin")
    source.write_bytes(raw)
    folder = task_folder(record.project(), str(record.document.get("name") or ""), record.id)
    files = record.connection.settings.files_host if record.connection else record.settings.files_host
    url = join(files, folder, "artifacts", "auxiliary_git_diff", "auxiliary_git_diff.txt")
    artifact: Artifact = {
        "key": "auxiliary_git_diff",
        "type": "string",
        "mode": "output",
        "uri": url,
        "content_size": len(raw),
        "hash": hashlib.sha256(raw).hexdigest(),
        "timestamp": int(time.time()),
        "type_data": {"preview": diff[:60_000], "content_type": "text/plain"},
    }
    ask: AddArtifacts = {"task": record.id, "artifacts": [artifact], "force": True}
    call = kept(lambda changes: changes.tasks.add_or_update_artifacts(ask))
    record.journal.upload(Upload(source, url, True, ((Kind.CALL, call),)))
