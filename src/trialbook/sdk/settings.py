"""What a training process is told by its surroundings: environment, configuration file, defaults.

This is the only file of the SDK that reads ``os.environ``. A variable ``TRIALBOOK_X`` wins over ``CLEARML_X``,
both over the configuration file (``~/trialbook.conf``, else ``~/clearml.conf``), and that over
``Task.set_credentials``.
"""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trialbook.base.files import write_atomic
from trialbook.base.process import Kept
from trialbook.client.session import Credentials
from trialbook.errors import ConfigurationError
from trialbook.sdk import folders, hosts

PREFIXES = ("TRIALBOOK_", "CLEARML_", "TRAINS_")
_REFUSED_SECONDS = 2.0
_YES = frozenset({"1", "true", "yes", "on"})
_STORAGE_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_", "STORAGE_", "HOME")


@dataclass(frozen=True)
class Settings:
    """Everything the SDK can be told.

    Attributes:
        api_host: address of the API; empty means the private server of this user.
        web_host: address of the page, for printed links.
        files_host: address of the files endpoint.
        former_files: addresses that the files endpoint had before; recorded files are found under them.
        credentials: key pair or token, with the place where it was found.
        verify: False, or a bundle of authorities.
        offline: keep everything on this host.
        no_reuse: always a new task.
        deferred: ``Task.init`` does not wait for the server.
        reuse_hours: how long a finished task may be reused.
        default_output_uri: where models go when a task names no place.
        cache_dir: journals, downloads, memory of earlier runs. Who writes there asks ``own_cache`` for it.
        cache_named: ``cache_dir`` was named by the user.
        data_dir: of the private server.
        task_id: set by an agent: run as this task.
        simulated: no agent set ``task_id``, but ``Task.debug_simulate_remote_task``.
        master: ``(pid, task id)`` of the process that started this one and has a task.
        connect_timeout: seconds that ``Task.init`` waits for the server before it goes on offline.
        refused_timeout: the same while nobody listens at its address, or its name is not known, and it has not
            answered yet; ``connect_timeout`` when that was named.
        close_timeout: seconds that ``Task.close`` waits for the last reports.
        worker: name of this host.
        history: images kept per title and series.
        journal_budget: bytes that may wait on this host.
        block_pickles: refuse to unpickle artifacts.
        source: what named the server, for messages.
    """

    api_host: str = ""
    web_host: str = ""
    files_host: str = ""
    former_files: tuple[str, ...] = ()
    credentials: Credentials = field(default_factory=Credentials)
    verify: bool | str = True
    offline: bool = False
    no_reuse: bool = False
    deferred: bool = False
    reuse_hours: float = 72.0
    default_output_uri: str | None = None
    cache_dir: Path = Path()
    cache_named: bool = False
    data_dir: Path = Path()
    task_id: str = ""
    simulated: bool = False
    master: tuple[int, str] | None = None
    connect_timeout: float = 10.0
    refused_timeout: float = _REFUSED_SECONDS
    close_timeout: float = 10.0
    worker: str = ""
    history: int = 100
    journal_budget: int = 4 << 30
    block_pickles: bool = False
    source: str = ""

    def own_cache(self, below: str = "") -> Path:
        """``cache_dir``, or a folder in it, made and kept for this user alone."""
        folder = folders.keep_private(self.cache_dir, self.cache_named)
        return folders.closed(folder, below) if below else folder

    @property
    def journals(self) -> Path:
        """Folder of the journals on this host."""
        return self.cache_dir / "journal"

    @property
    def spare_journals(self) -> Path:
        """Folder of the journals when ``journals`` cannot be written to."""
        import tempfile

        user = os.getuid() if hasattr(os, "getuid") else "user"
        return Path(tempfile.gettempdir()) / f"trialbook-{user}" / "journal"


_given: dict[str, str] = {}
_offline: "Kept[bool | None]" = Kept(None)
_simulated = Kept("")


def set_default(name: str, value: str | None) -> None:
    """``Task.set_credentials``: a value that holds when neither environment nor file has one."""
    if value:
        _given[name] = value


def set_offline(offline: bool | None) -> None:
    """``Task.set_offline``: wins over the environment; None gives it back."""
    _offline.value = offline


def simulate(task_id: str) -> None:
    """``Task.debug_simulate_remote_task``: as if an agent ran this process; an empty text takes it back."""
    _simulated.value = task_id


def agent_task() -> str:
    """The task that an agent, or a simulation, runs this process as; empty without one. Reads no file."""
    for prefix in PREFIXES:
        if os.environ.get(f"{prefix}TASK_ID"):
            return os.environ[f"{prefix}TASK_ID"].strip()
    return _simulated.value


def visible_gpus() -> str | None:
    """Which processors the surroundings give to this process; None means all."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", os.environ.get("NVIDIA_VISIBLE_DEVICES"))


def console_is_shipped() -> bool:
    """Whether this process has to send its console. An agent that sends what its child prints says no: each line would
    be there twice."""
    said = _Reader(os.environ, None, "").find("LOG_TASK_TO_BACKEND")[0].lower()
    return not said or said in _YES


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
    env = os.environ if environment is None else environment
    tree, _ = _file(env, Path(env.get("HOME") or Path.home()))
    read = _Reader(env, None, "")
    found: Any = read.find("LOG_ENVIRONMENT")[0]
    if not found and tree is not None:
        found = tree.get("sdk.development.log_os_environments", None) or []
    given = found.split(",") if isinstance(found, str) else found
    return [str(one).strip() for one in given if str(one).strip()]


def code_overrides() -> dict[str, str]:
    """Parts of the recorded code that the surroundings know better than git does, such as a build without one."""
    read = _Reader(os.environ, None, "")
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


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings anew.

    Args:
        environment: None is the process's.

    Raises:
        ConfigurationError: the configuration file is broken, with its position, or a value is of the wrong kind.
    """
    env = os.environ if environment is None else environment
    home = Path(env.get("HOME") or Path.home())
    tree, path = _file(env, home)
    read = _Reader(env, tree, str(path) if path else "")

    api, source = read.find("API_HOST", "api.api_server", "api.host")
    web, web_source = read.find("WEB_HOST", "api.web_server")
    files, files_source = read.find("FILES_HOST", "api.files_server")
    api, web, files = hosts.complete(
        hosts.address(api, source),
        hosts.address(web, web_source),
        hosts.files_address(files, files_source),
    )
    token, token_source = read.find("AUTH_TOKEN")
    key, key_source = read.find("API_ACCESS_KEY", "api.credentials.access_key")
    secret, _ = read.find("API_SECRET_KEY", "api.credentials.secret_key")
    cache, _ = read.find("CACHE_DIR", "sdk.storage.cache.default_base_dir")
    task_id, _ = read.find("TASK_ID")
    return Settings(
        api_host=api,
        web_host=web,
        files_host=files,
        credentials=Credentials(key, secret, token, token_source or key_source),
        verify=_verify(read.find("API_HOST_VERIFY_CERT", "api.verify_certificate")[0]),
        offline=_offline.value if _offline.value is not None else read.flag("OFFLINE_MODE"),
        no_reuse=read.flag("TASK_NO_REUSE"),
        deferred=read.flag("DEFERRED_TASK_INIT"),
        reuse_hours=read.number("TASK_REUSE_HOURS", "sdk.development.task_reuse_time_window_in_hours", 72.0),
        default_output_uri=read.find("DEFAULT_OUTPUT_URI", "sdk.development.default_output_uri")[0] or None,
        cache_dir=Path(cache).expanduser() if cache else folders.cache(env, home),
        cache_named=bool(cache),
        data_dir=folders.data(env, home),
        task_id=task_id or _simulated.value,
        simulated=bool(_simulated.value) and not task_id,
        master=_master(read.find("PROC_MASTER_ID")[0]),
        connect_timeout=read.number("CONNECT_TIMEOUT", "sdk.network.connect_timeout", 10.0),
        refused_timeout=read.number("CONNECT_TIMEOUT", "sdk.network.connect_timeout", _REFUSED_SECONDS),
        close_timeout=read.number("CLOSE_TIMEOUT", "sdk.network.close_timeout", 10.0),
        worker=read.find("WORKER_NAME", "agent.worker_name")[0] or socket.gethostname(),
        history=int(read.number("IMAGE_HISTORY", "sdk.metrics.file_history_size", 100)),
        journal_budget=int(read.number("JOURNAL_BUDGET_MB", "sdk.journal.budget_mb", 4096) * (1 << 20)),
        block_pickles=read.flag("BLOCK_PICKLED_ARTIFACTS"),
        source=source,
    )


def storage_state(environment: Mapping[str, str] | None = None) -> object:
    """Equal as long as ``storage_tree`` would answer the same."""
    env = os.environ if environment is None else environment
    path = _path(env, Path(env.get("HOME") or Path.home()))
    facts = path.stat() if path is not None else None
    told = {name: value for name, value in env.items() if name.startswith(_STORAGE_VARIABLES)}
    return (path, facts.st_mtime_ns if facts else 0, facts.st_size if facts else 0, told)


def storage_tree(environment: Mapping[str, str] | None = None) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The part ``sdk`` of the configuration file as plain dicts, and the environment: what storages are opened with.

    Raises:
        ConfigurationError: the configuration file is broken.
    """
    env = os.environ if environment is None else environment
    tree, _ = _file(env, Path(env.get("HOME") or Path.home()))
    whole: dict[str, Any] = tree.as_plain_ordered_dict() if tree is not None else {}
    found = whole.get("sdk")
    return found if isinstance(found, dict) else {}, env


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


class _Reader:
    def __init__(self, environment: Mapping[str, str], tree: Any, path: str) -> None:
        self._environment = environment
        self._tree = tree
        self._path = path

    def find(self, name: str, *keys: str) -> tuple[str, str]:
        """The value as text and where it was found; two empty texts when nowhere."""
        for prefix in PREFIXES:
            value = self._environment.get(prefix + name)
            if value:
                return value.strip(), f"the environment variable {prefix}{name}"
        for key in keys:
            value = self._tree.get(key, None) if self._tree is not None else None
            if value not in (None, ""):
                return str(value).strip(), f"{key} in {self._path}"
        if name in _given:
            return _given[name], "Task.set_credentials"
        return "", ""

    def flag(self, name: str) -> bool:
        return self.find(name)[0].lower() in _YES

    def number(self, name: str, key: str, default: float) -> float:
        value, source = self.find(name, key)
        if not value:
            return default
        try:
            return float(value)
        except ValueError as error:
            raise ConfigurationError(f"{source} must be a number, not {value!r}") from error


def _file(env: Mapping[str, str], home: Path) -> tuple[Any, Path | None]:
    path = _path(env, home)
    return (_parse(path), path) if path is not None else (None, None)


def _path(env: Mapping[str, str], home: Path) -> Path | None:
    named = env.get("TRIALBOOK_CONFIG_FILE") or env.get("CLEARML_CONFIG_FILE")
    if named and not Path(named).expanduser().exists():
        variable = "TRIALBOOK_CONFIG_FILE" if env.get("TRIALBOOK_CONFIG_FILE") else "CLEARML_CONFIG_FILE"
        raise ConfigurationError(
            f"there is no file {named}, which {variable} names: correct the variable, or remove it"
        )
    candidates = [Path(named).expanduser()] if named else [home / "trialbook.conf", home / "clearml.conf"]
    return next((path for path in candidates if path.is_file()), None)


def _parse(path: Path) -> Any:
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    try:
        return ConfigFactory.parse_file(str(path))
    except ParseBaseException as error:
        raise ConfigurationError(f"{path}, line {error.lineno}, column {error.col}: {error.msg}") from None
    except (ConfigException, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None


def _verify(text: str) -> bool | str:
    if not text or text.lower() in _YES:
        return True
    return False if text.lower() in {"0", "false", "no", "off"} else text


def _master(text: str) -> tuple[int, str] | None:
    pid, _, task = text.partition(":")
    return (int(pid), task) if pid.isdigit() and task else None
