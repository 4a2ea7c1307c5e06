"""The environment and the configuration file, as values by name.

A variable ``TRIALBOOK_X`` wins over ``CLEARML_X``, both over the configuration file (``~/trialbook.conf``, else
``~/clearml.conf``), and that over ``Task.set_credentials``.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.errors import ConfigurationError

if TYPE_CHECKING:
    from pyparsing import ParseBaseException

PREFIXES = ("TRIALBOOK_", "CLEARML_", "TRAINS_")
YES = frozenset({"1", "true", "yes", "on"})
_STORAGE_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_", "STORAGE_", "HOME")
_given: dict[str, str] = {}


def set_default(name: str, value: str | None) -> None:
    """``Task.set_credentials``: a value that holds when neither environment nor file has one."""
    if value:
        _given[name] = value


class Reader:
    """Looks values up.

    Args:
        environment: variables by name.
        tree: the configuration file; None without one.
        path: of that file, for messages.
    """

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

    def plain(self, name: str, key: str) -> Any:
        """The value of a variable as text, else what the file has there; None when nowhere."""
        for prefix in PREFIXES:
            if self._environment.get(prefix + name):
                return self._environment[prefix + name].strip()
        return self._tree.get(key, None) if self._tree is not None else None

    def flag(self, name: str, *keys: str) -> bool:
        """Whether it says yes."""
        return self.find(name, *keys)[0].lower() in YES

    def number(self, name: str, default: float, *keys: str) -> float:
        """A number.

        Raises:
            ConfigurationError: it is another thing.
        """
        value, source = self.find(name, *keys)
        if not value:
            return default
        try:
            return float(value)
        except ValueError as error:
            raise ConfigurationError(f"{source} must be a number, not {value!r}") from error


def reader(environment: Mapping[str, str] | None = None) -> Reader:
    """A reader of the process's environment, or another one, and of the file that belongs to it.

    Raises:
        ConfigurationError: the configuration file is broken, with its position.
    """
    env = os.environ if environment is None else environment
    tree, path = _file(env, home(env))
    return Reader(env, tree, str(path) if path else "")


def plain_reader() -> Reader:
    """A reader of the process's environment alone: it opens no file."""
    return Reader(os.environ, None, "")


def home(env: Mapping[str, str]) -> Path:
    """The user's folder."""
    return Path(env.get("HOME") or Path.home())


def storage_state(environment: Mapping[str, str] | None = None) -> object:
    """Equal as long as ``storage_tree`` would answer the same."""
    env = os.environ if environment is None else environment
    path = _path(env, home(env))
    facts = path.stat() if path is not None else None
    told = {name: value for name, value in env.items() if name.startswith(_STORAGE_VARIABLES)}
    return (path, facts.st_mtime_ns if facts else 0, facts.st_size if facts else 0, told)


def storage_tree(environment: Mapping[str, str] | None = None) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The part ``sdk`` of the configuration file as plain dicts, and the environment: what storages are opened with.

    Raises:
        ConfigurationError: the configuration file is broken.
    """
    env = os.environ if environment is None else environment
    tree, _ = _file(env, home(env))
    whole: dict[str, Any] = tree.as_plain_ordered_dict() if tree is not None else {}
    found = whole.get("sdk")
    return found if isinstance(found, dict) else {}, env


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


def where(error: "ParseBaseException") -> str:
    """Where a text is no HOCON.

    Neither the line, which may hold a key, nor what the parser would have taken there, which is its whole grammar.
    """
    return (
        f"line {error.lineno}, column {error.col}: this is no HOCON from here on; a quote, a brace or a sign is "
        "missing, or one is too many"
    )


def _parse(path: Path) -> Any:
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    try:
        return ConfigFactory.parse_file(str(path))
    except ParseBaseException as error:
        raise ConfigurationError(f"{path}, {where(error)}") from None
    except (ConfigException, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
