"""Every setting of a process that talks to a server: its variable, its key in the configuration file, default, meaning.

This table is the only place where they stand: ``load`` reads by it, and the page of the documentation is made from it.
"""

import dataclasses
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialbook.base.process import Kept
from trialbook.client.session import Credentials
from trialbook.client.settings import folders, hosts
from trialbook.client.settings.reader import YES, Reader, home, reader

_offline: "Kept[bool | None]" = Kept(None)
_simulated = Kept("")


def _told(name: str, *keys: str, help: str, shown: str = "", unit: float = 1) -> dict[str, Any]:
    """A setting that somebody may make.

    Args:
        name: of the variable, without its prefix.
        keys: in the configuration file; the first that is there counts.
        help: what it means, for the documentation.
        shown: the default as the documentation says it; empty is the default itself.
        unit: what one of its numbers stands for.
    """
    return {"name": name, "keys": keys, "help": help, "shown": shown, "unit": unit}


@dataclass(frozen=True)
class Settings:
    """Everything that a process can be told.

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
        connect_timeout: seconds that ``Task.init`` waits for the server before it continues offline.
        refused_timeout: the same while nobody listens at its address, or its name is not known, and it has not
            answered yet; ``connect_timeout`` when that was named.
        close_timeout: seconds that ``Task.close`` waits for the last reports.
        worker: name of this host.
        history: images kept per title and series.
        journal_budget: bytes that may wait on this host.
        block_pickles: refuse to unpickle artifacts.
        source: what named the server, for messages.
    """

    api_host: str = field(
        default="",
        metadata=_told(
            "API_HOST",
            "api.api_server",
            "api.host",
            help=(
                "address of the server: `http://HOST:PORT`, with a path where a proxy has one. `http://` may "
                "be left out, and the address of a page that was copied from the browser will do; a name and "
                "password in it are not sent"
            ),
            shown="the private server of this user",
        ),
    )
    web_host: str = field(
        default="",
        metadata=_told(
            "WEB_HOST",
            "api.web_server",
            help="address of the page, for printed links",
            shown="derived",
        ),
    )
    files_host: str = field(
        default="",
        metadata=_told(
            "FILES_HOST",
            "api.files_server",
            help="address of the files endpoint: `…/files`",
            shown="derived",
        ),
    )
    former_files: tuple[str, ...] = ()
    credentials: Credentials = field(default_factory=Credentials)
    verify: bool | str = field(
        default=True,
        metadata=_told(
            "API_HOST_VERIFY_CERT",
            "api.verify_certificate",
            help="false, or a bundle of authorities",
            shown="true",
        ),
    )
    offline: bool = field(
        default=False,
        metadata=_told(
            "OFFLINE_MODE",
            help="keep everything on this machine",
            shown="off",
        ),
    )
    no_reuse: bool = field(
        default=False,
        metadata=_told(
            "TASK_NO_REUSE",
            help="`Task.init` always makes a new task",
            shown="off",
        ),
    )
    deferred: bool = field(
        default=False,
        metadata=_told(
            "DEFERRED_TASK_INIT",
            help=(
                "`Task.init` does not wait for the server (`deferred_init`), unless it is to reuse or "
                "continue a task that is named"
            ),
            shown="off",
        ),
    )
    reuse_hours: float = field(
        default=72.0,
        metadata=_told(
            "TASK_REUSE_HOURS",
            "sdk.development.task_reuse_time_window_in_hours",
            help="how long a finished task may be reused, hours",
            shown="72",
        ),
    )
    default_output_uri: str | None = field(
        default=None,
        metadata=_told(
            "DEFAULT_OUTPUT_URI",
            "sdk.development.default_output_uri",
            help="where models go when a task names no place",
            shown="–",
        ),
    )
    cache_dir: Path = field(
        default=Path(),
        metadata=_told(
            "CACHE_DIR",
            "sdk.storage.cache.default_base_dir",
            help=(
                "journals, downloads, memory of earlier runs; made for you alone (0700). The usual one is "
                "closed when others can look into it, one that you name keeps its mode, and what is made in "
                "it is closed to others unless they may write to it"
            ),
            shown="the user's cache folder",
        ),
    )
    cache_named: bool = False
    data_dir: Path = Path()
    task_id: str = field(
        default="",
        metadata=_told(
            "TASK_ID",
            help=(
                "set by an agent: run as this task. The agent ends it: a process that no agent started "
                "leaves it in progress, and says so, unless it calls `task.mark_completed()`"
            ),
            shown="–",
        ),
    )
    simulated: bool = False
    master: tuple[int, str] | None = field(
        default=None,
        metadata=_told(
            "PROC_MASTER_ID",
            help="set for child processes: `pid:task` of the process that has the task",
            shown="–",
        ),
    )
    connect_timeout: float = field(
        default=10.0,
        metadata=_told(
            "CONNECT_TIMEOUT",
            "sdk.network.connect_timeout",
            help=(
                "seconds that `Task.init` waits for the server before it goes on without. A refused "
                "connection, or a name that nobody knows, is waited for no longer than 2 seconds unless you "
                "name a number; the run finds a server that comes later in each case"
            ),
            shown="10; 2 where nobody listens",
        ),
    )
    refused_timeout: float = 2.0
    close_timeout: float = field(
        default=10.0,
        metadata=_told(
            "CLOSE_TIMEOUT",
            "sdk.network.close_timeout",
            help="seconds that `close` waits for the last reports",
            shown="10",
        ),
    )
    worker: str = field(
        default="",
        metadata=_told(
            "WORKER_NAME",
            "agent.worker_name",
            help="how this machine is called",
            shown="host name",
        ),
    )
    history: int = field(
        default=100,
        metadata=_told(
            "IMAGE_HISTORY",
            "sdk.metrics.file_history_size",
            help="images kept per title and series",
            shown="100",
        ),
    )
    journal_budget: int = field(
        default=4096 << 20,
        metadata=_told(
            "JOURNAL_BUDGET_MB",
            "sdk.journal.budget_mb",
            help="MiB of reports that may wait on this machine",
            shown="4096",
            unit=1 << 20,
        ),
    )
    block_pickles: bool = field(
        default=False,
        metadata=_told(
            "BLOCK_PICKLED_ARTIFACTS",
            help="refuse to unpickle artifacts",
            shown="off",
        ),
    )
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


def set_offline(offline: bool | None) -> None:
    """``Task.set_offline``: wins over the environment; None gives it back."""
    _offline.value = offline


def simulate(task_id: str) -> None:
    """``Task.debug_simulate_remote_task``: as if an agent ran this process; an empty text takes it back."""
    _simulated.value = task_id


def simulated() -> str:
    """The task of ``simulate``; empty without one."""
    return _simulated.value


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings anew.

    Args:
        environment: None is the process's.

    Raises:
        ConfigurationError: the configuration file is broken, with its position, or a value is of the wrong kind.
    """
    env = os.environ if environment is None else environment
    read = reader(env)
    values = {item.name: _value(read, item) for item in dataclasses.fields(Settings) if item.metadata}
    values |= _servers(read)
    return Settings(**(values | _derived(read, env, values)))


def _value(read: Reader, item: "dataclasses.Field[Any]") -> Any:
    name, keys = item.metadata["name"], item.metadata["keys"]
    if isinstance(item.default, bool):
        return read.flag(name, *keys)
    if isinstance(item.default, int | float):
        unit = item.metadata["unit"]
        return type(item.default)(read.number(name, item.default / unit, *keys) * unit)
    return read.find(name, *keys)[0] or item.default


def _servers(read: Reader) -> dict[str, Any]:
    given, sources = {}, {}
    for item in dataclasses.fields(Settings):
        if item.name in ("api_host", "web_host", "files_host"):
            text, source = read.find(item.metadata["name"], *item.metadata["keys"])
            cleaned = hosts.files_address if item.name == "files_host" else hosts.address
            given[item.name], sources[item.name] = cleaned(text, source), source
    api, web, files = hosts.complete(given["api_host"], given["web_host"], given["files_host"])
    token, token_source = read.find("AUTH_TOKEN")
    key, key_source = read.find("API_ACCESS_KEY", "api.credentials.access_key")
    secret, _ = read.find("API_SECRET_KEY", "api.credentials.secret_key")
    return {
        "api_host": api,
        "web_host": web,
        "files_host": files,
        "credentials": Credentials(key, secret, token, token_source or key_source),
        "source": sources["api_host"],
    }


def _derived(read: Reader, env: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not simply what somebody wrote."""
    where, cache, task = home(env), values["cache_dir"], values["task_id"]
    patience = Settings.__dataclass_fields__["connect_timeout"].metadata
    named = read.find(patience["name"], *patience["keys"])[0]
    return {
        "verify": _verify(read.find("API_HOST_VERIFY_CERT", "api.verify_certificate")[0]),
        "offline": values["offline"] if _offline.value is None else _offline.value,
        "cache_dir": Path(cache).expanduser() if isinstance(cache, str) else folders.cache(env, where),
        "cache_named": isinstance(cache, str),
        "data_dir": folders.data(env, where),
        "task_id": task or _simulated.value,
        "simulated": bool(_simulated.value) and not task,
        "master": _master(read.find("PROC_MASTER_ID")[0]),
        "refused_timeout": values["connect_timeout"] if named else Settings.refused_timeout,
        "worker": values["worker"] or socket.gethostname(),
    }


def _verify(text: str) -> bool | str:
    if not text or text.lower() in YES:
        return True
    return False if text.lower() in {"0", "false", "no", "off"} else text


def _master(text: str) -> tuple[int, str] | None:
    pid, _, task = text.partition(":")
    return (int(pid), task) if pid.isdigit() and task else None
