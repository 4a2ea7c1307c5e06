"""Object storages by address: ``s3://``, ``gs://`` and ``azure://``."""

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trialbook.base import process
from trialbook.base.process import Kept
from trialbook.blobs.accounts import Accounts, AzureAccount, GoogleAccount, S3Account
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.relay import RelayBlobs
from trialbook.blobs.schemes import SCHEMES
from trialbook.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True)
class Bucket:
    """One bucket or container, with the account that opens it.

    Attributes:
        address: such as ``s3://host:port/bucket``; all addresses of its blobs begin with it.
        name: of the bucket.
        account: see ``accounts``.
        patience: seconds that one request is repeated while the storage does not answer or is busy.
    """

    address: str
    name: str
    account: S3Account | GoogleAccount | AzureAccount
    patience: float = 30.0


@dataclass(frozen=True)
class Place:
    """A bucket and a key in it; an empty key is the bucket itself."""

    bucket: Bucket
    key: str


def place(url: str, accounts: Accounts, patience: float = 30.0) -> Place:
    """What an address names.

    Args:
        url: the text behind the bucket is the key as it is: nothing in it is decoded.
        accounts: see ``accounts``.
        patience: see ``Bucket``.

    Raises:
        UsageError: no bucket, or another scheme.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise UsageError(f"{url!r} is not an address of an object storage: {sorted(SCHEMES)}")
    first, _, behind = rest.partition("/")
    account: S3Account | GoogleAccount | AzureAccount
    if scheme == "gs":
        account = accounts.for_google(first, behind)
        return Place(Bucket(f"gs://{first}", _named(first, url), account, patience), behind.strip("/"))
    if scheme == "s3" and ":" not in first and first not in accounts.s3_hosts:
        account = accounts.for_s3("", first)
        return Place(Bucket(f"s3://{first}", _named(first, url), account, patience), behind.strip("/"))
    second, _, key = behind.partition("/")
    name = _named(second, url)
    azure = scheme == "azure"
    account = accounts.for_azure(first.partition(".")[0], name) if azure else accounts.for_s3(first, name)
    return Place(Bucket(f"{scheme}://{first}/{second}", name, account, patience), key.strip("/"))


def open_bucket(bucket: Bucket) -> ObjectStoreBlobs | RelayBlobs:
    """The blobs of a bucket; one per bucket and process. Nothing is asked of the storage yet."""
    with _lock:
        found = _opened.get(bucket)
        if found is None:
            # The driver's threads do not come along into a forked child, where a call would wait for ever.
            if _driver.value not in (0, os.getpid()):
                found = RelayBlobs(bucket.address, partial(direct, bucket))
            else:
                _driver.value = os.getpid()
                found = direct(bucket)
            _opened[bucket] = found
        return found


def direct(bucket: Bucket) -> ObjectStoreBlobs:
    """The blobs of a bucket by a driver of this very process."""
    return ObjectStoreBlobs(lambda: _open(bucket), bucket.address, marked=True)


_lock = process.Lock()
_opened: dict[Bucket, ObjectStoreBlobs | RelayBlobs] = {}
_driver = Kept(0, lasting=True)
"""The process whose threads serve the driver; 0 before its first use."""


process.after_fork(_opened.clear)


def _open(bucket: Bucket) -> "ObjectStore":
    from datetime import timedelta

    common: dict[str, Any] = {
        "client_options": {
            "allow_http": True,
            "connect_timeout": timedelta(seconds=max(1.0, min(10.0, bucket.patience))),
            # Of one request: 16 MiB at 50 kB/s.
            "timeout": timedelta(seconds=330),
            "user_agent": "trialbook",
        },
        "retry_config": {
            "max_retries": 20,
            "retry_timeout": timedelta(seconds=bucket.patience),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
        },
    }
    if isinstance(bucket.account, S3Account):
        return _s3(bucket.name, bucket.account, common)
    if isinstance(bucket.account, GoogleAccount):
        return _google(bucket.name, bucket.account, common)
    return _azure(bucket, bucket.account, common)


def _s3(name: str, account: S3Account, common: dict[str, Any]) -> "ObjectStore":
    from obstore.store import S3Store

    options: dict[str, Any] = {"region": account.region or "us-east-1", "copy_if_not_exists": "multipart"}
    # One request per object: not every storage that speaks like S3 knows the other way.
    options["disable_bulk_delete"] = True
    if account.key:
        options.update(access_key_id=account.key, secret_access_key=account.secret)
    if account.token:
        options["session_token"] = account.token
    if account.anonymous:
        options["skip_signature"] = True
    if account.host:
        options["endpoint"] = f"{'https' if account.secure else 'http'}://{account.host}"
    if account.verify is False:
        common["client_options"]["allow_invalid_certificates"] = True
    elif isinstance(account.verify, str):
        common["client_options"]["root_certificate"] = _text(account.verify, "verify")
    return S3Store(name, config=options, **common)  # type: ignore[arg-type]


def _google(name: str, account: GoogleAccount, common: dict[str, Any]) -> "ObjectStore":
    from obstore.store import GCSStore

    options: dict[str, Any] = {}
    if account.anonymous:
        options["skip_signature"] = True
    elif account.credentials:
        given = account.credentials
        options["service_account_key"] = (
            given if given.lstrip().startswith("{") else _text(given, "credentials_json")
        )
    if account.endpoint and "service_account_key" in options:
        options["base_url"] = account.endpoint
    elif account.endpoint:
        # An emulator: the driver asks Google's metadata server for a token otherwise, even for one that wants none.
        nobody = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
        options["service_account_key"] = json.dumps({**nobody, "gcs_base_url": account.endpoint})
        options.pop("skip_signature", None)
    return GCSStore(name, config=options, **common)  # type: ignore[arg-type]


def _azure(bucket: Bucket, account: AzureAccount, common: dict[str, Any]) -> "ObjectStore":
    from obstore.store import AzureStore

    options: dict[str, Any] = {"account_name": account.account}
    if account.key:
        options["account_key"] = account.key
    if account.sas:
        options["sas_key"] = account.sas.lstrip("?")
    if account.anonymous:
        options["skip_signature"] = True
    if account.endpoint:
        options["endpoint"] = account.endpoint
    else:
        host = urlsplit(bucket.address).netloc
        if "." in host and not host.endswith(".core.windows.net"):
            options["endpoint"] = f"https://{host}"
    return AzureStore(bucket.name, config=options, **common)  # type: ignore[arg-type]


def _text(path: str, setting: str) -> str:
    try:
        text = Path(path).expanduser().read_text("utf-8")
        if setting == "credentials_json":
            json.loads(text)
        return text
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{setting}: {path} cannot be read: {error}") from None


def _named(name: str, url: str) -> str:
    if not name:
        raise UsageError(f"{url!r} does not name a bucket")
    return name
