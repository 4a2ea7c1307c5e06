"""Every setting of the server program: name, environment variable, default and help. The only reader of
``os.environ`` in the server.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trialbook.base.web_address import web_address
from trialbook.errors import ConfigurationError
from trialbook.server.core.limits import BYTES_UNDER_WAY, REQUESTS_PER_CALLER


def _about(variable: str, help: str) -> dict[str, str]:
    return {"variable": variable, "help": help}


def default_data_folder(environment: Mapping[str, str] | None = None) -> Path:
    """``$XDG_DATA_HOME/trialbook/server``, by default below ``~/.local/share``."""
    environment = os.environ if environment is None else environment
    base = environment.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(base) / "trialbook" / "server"


@dataclass(frozen=True)
class Settings:
    """What the server is told at start."""

    host: str = field(default="127.0.0.1", metadata=_about("TRIALBOOK_SERVER_HOST", "Address to listen on."))
    port: int = field(
        default=8008, metadata=_about("TRIALBOOK_SERVER_PORT", "Port to listen on; 0 takes a free one.")
    )
    address: str = field(
        default="",
        metadata=_about(
            "TRIALBOOK_SERVER_ADDRESS",
            "Address to hand out, such as https://trialbook.example.org behind a proxy; empty is where it listens.",
        ),
    )
    data: Path = field(
        default=Path(),
        metadata=_about("TRIALBOOK_SERVER_DATA", "Folder of the database, the files and the first key."),
    )
    database: str = field(
        default="",
        metadata=_about(
            "TRIALBOOK_SERVER_DATABASE",
            "Database address: sqlite:///PATH or postgresql://…; empty is SQLite in DATA.",
        ),
    )
    json_limit: int = field(
        default=16 << 20, metadata=_about("TRIALBOOK_SERVER_JSON_LIMIT", "Greatest JSON body, bytes.")
    )
    batch_limit: int = field(
        default=64 << 20, metadata=_about("TRIALBOOK_SERVER_BATCH_LIMIT", "Greatest batch body, bytes.")
    )
    file_limit: int = field(
        default=1 << 40, metadata=_about("TRIALBOOK_SERVER_FILE_LIMIT", "Greatest uploaded file, bytes.")
    )
    body_memory: int = field(
        default=BYTES_UNDER_WAY,
        metadata=_about(
            "TRIALBOOK_SERVER_BODY_MEMORY",
            "Bodies of all calls that are in memory at a moment, bytes; one caller may hold half.",
        ),
    )
    caller_requests: int = field(
        default=REQUESTS_PER_CALLER,
        metadata=_about(
            "TRIALBOOK_SERVER_CALLER_REQUESTS",
            "Uploads, and calls whose body is on its way, that one access key may have at a moment.",
        ),
    )
    threads: int = field(
        default=16, metadata=_about("TRIALBOOK_SERVER_THREADS", "Threads that answer calls.")
    )
    token_days: float = field(
        default=30.0, metadata=_about("TRIALBOOK_SERVER_TOKEN_DAYS", "Life of a token, days.")
    )
    silent_task_seconds: float = field(
        default=7200.0,
        metadata=_about(
            "TRIALBOOK_SERVER_SILENT_TASK_SECONDS",
            "A running task without a sign of life for so long is stopped.",
        ),
    )
    idle_hours: float = field(
        default=0.0,
        metadata=_about(
            "TRIALBOOK_SERVER_IDLE_HOURS",
            "The server ends itself when for so long nobody asked it anything, no page was open and no task ran; 0 is"
            " never. A private server has 8.",
        ),
    )
    log_level: str = field(
        default="warning", metadata=_about("TRIALBOOK_SERVER_LOG_LEVEL", "debug, info, warning or error.")
    )
    web: str = field(
        default="", metadata=_about("TRIALBOOK_SERVER_WEB", "Folder of the built page; empty looks for it.")
    )

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the server."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def database_url(self) -> str:
        """The database address in use."""
        return self.database or f"sqlite:///{self.data / 'trialbook.db'}"


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from the command line, else the environment, else the default.

    Args:
        environment: ``os.environ`` when None.
        given: settings by name; None means not given.

    Raises:
        ConfigurationError: a value has the wrong type.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {"data": default_data_folder(environment)}
    for item in dataclasses.fields(Settings):
        text = environment.get(item.metadata["variable"])
        if given.get(item.name) is not None:
            values[item.name] = _convert(item, given[item.name], item.name)
        elif text:
            values[item.name] = _convert(item, text, item.metadata["variable"])
    return Settings(**values)


def _convert(item: "dataclasses.Field[Any]", value: Any, name: str) -> Any:
    kind: Any = {"port": int, "data": Path}.get(item.name, type(item.default))
    try:
        converted = kind(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name}: {value!r} is no {kind.__name__}") from None
    if item.name == "port" and not 0 <= converted <= 65535:
        raise ConfigurationError(f"{name}: {value!r} is not a port (0 to 65535)")
    if item.name == "address":
        return _address(converted, name)
    return converted.expanduser().resolve() if kind is Path else converted


def _address(given: str, name: str) -> str:
    try:
        parts = urlsplit(given)
        plain = web_address(given) if given else ""
    except ValueError:
        parts, plain = urlsplit(""), ""
    # It is handed out to others: a guess would send them elsewhere.
    if given and (not plain or parts.scheme not in ("http", "https") or parts.query or parts.fragment):
        raise ConfigurationError(
            f"{name}: {given!r} is not an address; write one such as https://trialbook.example.org"
        )
    return plain
