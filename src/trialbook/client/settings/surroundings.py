"""What else a process is told by its surroundings: by an agent, a launcher, a notebook, the process that started it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trialbook.base.files import write_atomic
from trialbook.client.settings.reader import PREFIXES, YES, plain_reader, reader
from trialbook.client.settings.table import Settings, simulated


def agent_task() -> str:
    """The task that an agent, or a simulation, runs this process as; empty without one. Reads no file."""
    for prefix in PREFIXES:
        if os.environ.get(f"{prefix}TASK_ID"):
            return os.environ[f"{prefix}TASK_ID"].strip()
    return simulated()


def visible_gpus() -> str | None:
    """Which GPUs the environment gives to this process; None means all."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", os.environ.get("NVIDIA_VISIBLE_DEVICES"))


def console_is_shipped() -> bool:
    """Whether this process has to send its console. An agent that sends what its child prints says no: each line would
    be there twice."""
    said = plain_reader().find("LOG_TASK_TO_BACKEND")[0].lower()
    return not said or said in YES


def notebook_session() -> str:
    """The path of the notebook, as its server tells the kernel; empty elsewhere."""
    return os.environ.get("JPY_SESSION_NAME", "")


def conda_prefix() -> Path | None:
    """The conda environment that is active; None without one."""
    prefix = os.environ.get("CONDA_PREFIX")
    return Path(prefix) if prefix else None


def variables() -> dict[str, str]:
    """The environment as it is now."""
    return dict(os.environ)


def recorded_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Names, or wildcards of names, of the variables that belong to the record of a run; none by default.

    Raises:
        ConfigurationError: the configuration file is broken.
    """
    found: Any = reader(environment).plain("LOG_ENVIRONMENT", "sdk.development.log_os_environments") or []
    given = found.split(",") if isinstance(found, str) else found
    return [str(one).strip() for one in given if str(one).strip()]


def code_overrides() -> dict[str, str]:
    """Parts of the recorded code that the environment knows better than git does, such as a build without one."""
    read = plain_reader()
    names = {
        "repository": "VCS_REPO_URL",
        "branch": "VCS_BRANCH",
        "version_num": "VCS_COMMIT_ID",
        "diff": "VCS_DIFF",
        "entry_point": "VCS_ENTRY_POINT",
        "working_dir": "VCS_WORK_DIR",
    }
    found = {part: read.find(name)[0] for part, name in names.items()}
    return {part: value for part, value in found.items() if value}


def export(values: Mapping[str, object]) -> None:
    """Set variables of this process and its children."""
    os.environ.update({name: str(value) for name, value in values.items()})


def announce_master(task_id: str | None) -> None:
    """Tell child processes which task this process runs; None takes it back."""
    if task_id is None:
        os.environ.pop("TRIALBOOK_PROC_MASTER_ID", None)
    else:
        os.environ["TRIALBOOK_PROC_MASTER_ID"] = f"{os.getpid()}:{task_id}"


@dataclass(frozen=True)
class Launch:
    """Which process of a distributed launch this is; ``key`` is the same for all of them on this machine."""

    rank: int
    local_rank: int
    key: str


def launch() -> Launch | None:
    """What ``torchrun`` and its like tell; None for a process that was started alone."""
    env = os.environ
    rank, world = env.get("RANK", ""), env.get("WORLD_SIZE", "")
    local = env.get("LOCAL_RANK", "") or rank
    if not (rank.isdigit() and world.isdigit() and local.isdigit()) or int(world) < 2:
        return None
    names = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "WORLD_SIZE")
    return Launch(int(rank), int(local), ":".join([_parent(), *(env.get(name, "") for name in names)]))


def _parent() -> str:
    """The process that launched this one; its start tells it from an earlier one of the same number."""
    pid = os.getppid()
    try:
        # Behind the name, which may hold anything, the start is the 20th field.
        return f"{pid}@{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except (OSError, IndexError):
        return str(pid)


def follow(settings: Settings, pid: int, task_id: str) -> Settings:
    """As if the process ``pid``, which has the task, had started this one; its own children inherit it."""
    os.environ["TRIALBOOK_PROC_MASTER_ID"] = f"{pid}:{task_id}"
    return replace(settings, master=(pid, task_id))


def without_master(settings: Settings) -> Settings:
    """The settings of the process that the mark itself names."""
    return replace(settings, master=None)


def store(api: str, web: str, files: str, key: str, secret: str) -> Path | None:
    """Write ``~/trialbook.conf`` for later runs, readable by its owner only; None when a file names servers already."""
    path = Path.home() / "trialbook.conf"
    if path.exists() or (Path.home() / "clearml.conf").exists():
        return None
    entries = {"api_server": api, "web_server": web, "files_server": files}
    lines = [f"  {name}: {json.dumps(value)}" for name, value in entries.items() if value]
    keys = f"  credentials {{ access_key: {json.dumps(key)}, secret_key: {json.dumps(secret)} }}"
    write_atomic(path, "\n".join(["api {", *lines, keys, "}", ""]).encode(), 0o600)
    return path


def clean_environment() -> dict[str, str]:
    """The environment for a helper process: without the marks that would attach it to this task."""
    marks = {prefix + name for prefix in PREFIXES for name in ("PROC_MASTER_ID", "TASK_ID")}
    return {name: value for name, value in os.environ.items() if name not in marks}


def successor_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that goes on for this one, with what was only said in memory."""
    keys = settings.credentials
    said = {
        "API_HOST": settings.api_host,
        "WEB_HOST": settings.web_host,
        "FILES_HOST": settings.files_host,
        "API_ACCESS_KEY": keys.access_key,
        "API_SECRET_KEY": keys.secret_key,
        "AUTH_TOKEN": keys.token,
        "CACHE_DIR": str(settings.cache_dir.absolute()),
    }
    environment = clean_environment()
    environment.update({f"TRIALBOOK_{name}": value for name, value in said.items() if value})
    for prefix in PREFIXES:
        environment.pop(f"{prefix}OFFLINE_MODE", None)
    return environment
