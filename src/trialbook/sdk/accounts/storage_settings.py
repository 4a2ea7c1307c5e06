"""What the configuration file (``sdk.aws``, ``sdk.google``, ``sdk.azure``, ``sdk.storage``) says about storages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from trialbook.base.process import Kept
from trialbook.blobs.accounts import Accounts, AzureAccount, GoogleAccount, S3Account
from trialbook.capture.secret_values import SHORTEST_VARIABLE, remember
from trialbook.client.settings import storage_state, storage_tree
from trialbook.errors import ConfigurationError

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*$", re.IGNORECASE)
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class StorageSettings:
    """All of it.

    Attributes:
        accounts: what opens the object storages.
        cache_files: files that one cache context keeps.
        cache_bytes: bytes that all contexts keep together; 0 is no limit.
        free_bytes: bytes that the cache leaves free on its disk.
        substitutions: ``(registered prefix, local prefix)``: addresses that this host has nearer.
    """

    accounts: Accounts = field(default_factory=Accounts)
    cache_files: int = 100
    cache_bytes: int = 0
    free_bytes: int = 1 << 30
    substitutions: tuple[tuple[str, str], ...] = ()


def storage_settings(environment: Mapping[str, str] | None = None) -> StorageSettings:
    """Read them; the file is parsed anew when it, or the environment, has changed.

    Raises:
        ConfigurationError: a value of the wrong kind.
    """
    state = storage_state(environment)
    if environment is None and _read.get("state") == state:
        known: StorageSettings = _read["settings"]
        return known
    found = _settings(*storage_tree(environment))
    _mask(found.accounts)
    if environment is None:
        _read.update(state=state, settings=found)
    return found


_read: dict[str, Any] = {}
_given = Kept(Accounts())


def _settings(tree: Mapping[str, Any], env: Mapping[str, str]) -> StorageSettings:
    cache = _dict(tree, "storage", "cache")
    size = _dict(cache, "size")
    return StorageSettings(
        Accounts(_s3(tree, env), _google(tree, env), _azure(tree, env)),
        int(_number(cache.get("default_cache_manager_size"), "default_cache_manager_size", 100)),
        max(0, _bytes(size.get("max_used_bytes"), "max_used_bytes", 0)),
        max(0, _bytes(size.get("min_free_bytes"), "min_free_bytes", 1 << 30)),
        tuple(
            (str(entry["registered_prefix"]), str(entry["local_prefix"]))
            for entry in _list(tree, "storage", "path_substitution")
            if entry.get("registered_prefix") and entry.get("local_prefix")
        ),
    )


def accounts() -> Accounts:
    """What opens the object storages, for this process: what the program gave, then what is configured."""
    known = storage_settings().accounts
    return Accounts(
        (*_given.value.s3, *known.s3),
        (*_given.value.google, *known.google),
        (*_given.value.azure, *known.azure),
    )


def give(
    s3: S3Account | None = None, google: GoogleAccount | None = None, azure: AzureAccount | None = None
) -> None:
    """An account that this process uses before all configured ones; the last one for a bucket counts."""
    _given.value = Accounts(
        (s3, *_given.value.s3) if s3 else _given.value.s3,
        (google, *_given.value.google) if google else _given.value.google,
        (azure, *_given.value.azure) if azure else _given.value.azure,
    )
    _mask(_given.value)


def given() -> bytes | None:
    """What the program gave, for a process that goes on in its place; None when it gave nothing. Holds secrets."""
    if _given.value == Accounts():
        return None
    import msgspec

    return msgspec.json.encode(_given.value)


def take_over(text: bytes) -> None:
    """Use what another process was given, before all that is configured."""
    import msgspec

    _given.value = msgspec.json.decode(text, type=Accounts)
    _mask(_given.value)


def _mask(accounts: Accounts) -> None:
    """A program that prints its configuration must not publish what opens its storages."""
    s3 = [value for one in accounts.s3 for value in (one.secret, one.token)]
    azure = [value for one in accounts.azure for value in (one.key, one.sas)]
    for value in (*s3, *azure):
        if len(value) >= SHORTEST_VARIABLE:
            remember(value)


def s3_profile(name: str) -> dict[str, str]:
    """Keys of a profile of the shared files of Amazon's tools.

    Raises:
        ConfigurationError: there is no such profile.
    """
    found = _profile(name, storage_tree(None)[1])
    if not found:
        raise ConfigurationError(f"there is no profile {name!r} in ~/.aws/credentials")
    return found


def _s3(tree: Mapping[str, Any], env: Mapping[str, str]) -> tuple[S3Account, ...]:
    section = _dict(tree, "aws", "s3")
    ours = [_s3_account(entry, section, env) for entry in _list(section, "credentials")]
    general = _s3_account({**section, "bucket": "", "host": section.get("host") or ""}, {}, env)
    return (*ours, general)


def _s3_account(entry: Mapping[str, Any], default: Mapping[str, Any], env: Mapping[str, str]) -> S3Account:
    key, secret, token = (_text(entry, name) for name in ("key", "secret", "token"))
    region = _text(entry, "region") or _text(default, "region")
    region = region or env.get("AWS_REGION", "") or env.get("AWS_DEFAULT_REGION", "")
    anonymous = _flag(entry.get("anonymous"), False)
    profile = _text(entry, "profile")
    if not key and not anonymous:
        # The driver knows the environment and the machine's role, but not the shared file.
        if profile or not env.get("AWS_ACCESS_KEY_ID"):
            found = _profile(profile or env.get("AWS_PROFILE", "default"), env)
            key, secret = found.get("aws_access_key_id", ""), found.get("aws_secret_access_key", "")
            token = found.get("aws_session_token", "")
            region = region or found.get("region", "")
        else:
            key, secret = env["AWS_ACCESS_KEY_ID"], env.get("AWS_SECRET_ACCESS_KEY", "")
            token = env.get("AWS_SESSION_TOKEN", "")
    verify = entry.get("verify", default.get("verify"))
    host = _text(entry, "host")
    return S3Account(
        bucket=_text(entry, "bucket").strip("/"),
        host=host.partition("://")[2] or host,
        key=key,
        secret=secret,
        token=token,
        region=region,
        secure=_flag(entry.get("secure"), not host.startswith("http://")),
        verify=_verify(verify),
        anonymous=anonymous,
    )


def _profile(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """Keys of a profile of the shared files of Amazon's tools."""
    home = Path(env.get("HOME") or Path.home())
    files = (
        (env.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials", name),
        (
            env.get("AWS_CONFIG_FILE") or home / ".aws" / "config",
            name if name == "default" else f"profile {name}",
        ),
    )
    values: dict[str, str] = {}
    for path, section in files:
        changed = Path(path).stat().st_mtime_ns if Path(path).is_file() else 0
        for key, value in _ini(str(path), changed).get(section, {}).items():
            values.setdefault(key, value)
    return values


@lru_cache(maxsize=8)
def _ini(path: str, _changed: int) -> dict[str, dict[str, str]]:
    import configparser

    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _google(tree: Mapping[str, Any], env: Mapping[str, str]) -> tuple[GoogleAccount, ...]:
    section = _dict(tree, "google", "storage")
    general = _google_account(section, env.get("GOOGLE_APPLICATION_CREDENTIALS", ""), env, False)
    ours = [_google_account(entry, general.credentials, env, True) for entry in _list(section, "credentials")]
    return (*ours, general)


def _google_account(
    entry: Mapping[str, Any], default: str, env: Mapping[str, str], named: bool
) -> GoogleAccount:
    given = entry.get("credentials_json")
    return GoogleAccount(
        bucket=_text(entry, "bucket").strip("/") if named else "",
        folder=_text(entry, "subdir") if named else "",
        credentials=json.dumps(given) if isinstance(given, Mapping) else str(given or default),
        endpoint=_text(entry, "endpoint") or env.get("STORAGE_EMULATOR_HOST", ""),
        anonymous=_flag(entry.get("anonymous"), False),
    )


def _azure(tree: Mapping[str, Any], env: Mapping[str, str]) -> tuple[AzureAccount, ...]:
    section = _dict(tree, "azure", "storage")
    found = [
        AzureAccount(
            account=_text(entry, "account_name"),
            key=_text(entry, "account_key"),
            container=_text(entry, "container_name").strip("/"),
            endpoint=_text(entry, "endpoint"),
            sas=_text(entry, "sas_token"),
            anonymous=_flag(entry.get("anonymous"), False),
        )
        for entry in _list(section, "containers")
    ]
    name = env.get("AZURE_STORAGE_ACCOUNT") or env.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    if name:
        key = env.get("AZURE_STORAGE_KEY") or env.get("AZURE_STORAGE_ACCOUNT_KEY", "")
        sas = env.get("AZURE_STORAGE_SAS_TOKEN", "")
        found.append(AzureAccount(name, key, sas=sas, endpoint=env.get("AZURE_STORAGE_ENDPOINT", "")))
    return tuple(found)


def _dict(tree: Any, *names: str) -> dict[str, Any]:
    for name in names:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return dict(tree) if isinstance(tree, Mapping) else {}


def _list(tree: Any, *names: str) -> list[dict[str, Any]]:
    for name in names:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    if tree is None or isinstance(tree, (str, Mapping)):
        return []
    if not isinstance(tree, Sequence) or not all(isinstance(entry, Mapping) for entry in tree):
        raise ConfigurationError(f"sdk: {names[-1]} must be a list of entries in braces")
    return [dict(entry) for entry in tree]


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value is None else str(value).strip()


def _flag(value: Any, default: bool) -> bool:
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).strip().lower() not in _FALSE


def _verify(value: Any) -> bool | str:
    if value is None or isinstance(value, bool):
        return value is not False
    text = str(value).strip()
    if text.lower() in _FALSE:
        return False
    return text if text and text.lower() not in ("true", "yes", "on", "1") else True


def _number(value: Any, name: str, default: float) -> float:
    if value in (None, ""):
        return default
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"sdk.storage.cache: {name} must be a number, not {value!r}") from None


def _bytes(value: Any, name: str, default: int) -> int:
    if value in (None, ""):
        return default
    if isinstance(value, (int, float)):
        return int(value)
    found = _SIZE.match(str(value))
    if not found:
        if str(value).strip() == "-1":
            return 0
        raise ConfigurationError(f"sdk.storage.cache.size: {name} must be bytes, such as 10GB, not {value!r}")
    return int(float(found[1]) * _UNITS[found[2].lower()])
