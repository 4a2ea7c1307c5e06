"""Who may use which bucket: what the configuration file and the environment say, as records."""

from dataclasses import dataclass


@dataclass(frozen=True)
class S3Account:
    """Access to S3 or to a storage that speaks like it. An empty bucket and host mean: all others.

    Attributes:
        bucket: the bucket it is for.
        host: ``name:port`` of a storage that is not Amazon's.
        key, secret, token: credentials; without a key the environment and the machine's role are asked.
        region: of the bucket.
        secure: TLS to ``host``.
        verify: False accepts any certificate; a path names a bundle of authorities.
        anonymous: send no signature: public buckets.
    """

    bucket: str = ""
    host: str = ""
    key: str = ""
    secret: str = ""
    token: str = ""
    region: str = ""
    secure: bool = True
    verify: bool | str = True
    anonymous: bool = False

    def __repr__(self) -> str:
        return f"S3Account(bucket={self.bucket!r}, host={self.host!r}, key={self.key[:4]}…)"


@dataclass(frozen=True)
class GoogleAccount:
    """Access to Google Cloud Storage.

    Attributes:
        bucket: the bucket it is for; empty: all others.
        folder: only for keys below this.
        credentials: path of a service account's JSON file, or its text.
        endpoint: another address than Google's.
        anonymous: send no signature.
    """

    bucket: str = ""
    folder: str = ""
    credentials: str = ""
    endpoint: str = ""
    anonymous: bool = False

    def __repr__(self) -> str:
        return f"GoogleAccount(bucket={self.bucket!r}, folder={self.folder!r})"


@dataclass(frozen=True)
class AzureAccount:
    """Access to Azure Blob Storage.

    Attributes:
        account: its name.
        key: its key.
        container: the container it is for; empty: all of the account.
        endpoint: another address than ``https://<account>.blob.core.windows.net``.
        sas: a shared access signature instead of the key.
        anonymous: send no signature.
    """

    account: str = ""
    key: str = ""
    container: str = ""
    endpoint: str = ""
    sas: str = ""
    anonymous: bool = False

    def __repr__(self) -> str:
        return f"AzureAccount(account={self.account!r}, container={self.container!r})"


@dataclass(frozen=True)
class Accounts:
    """All that is known, the most particular first."""

    s3: tuple[S3Account, ...] = ()
    google: tuple[GoogleAccount, ...] = ()
    azure: tuple[AzureAccount, ...] = ()

    def for_s3(self, host: str, bucket: str) -> S3Account:
        """The account of a bucket on a host; an empty host is Amazon's."""
        found = [
            account
            for account in self.s3
            if account.host in ("", host) and account.bucket in ("", bucket) and (host or not account.host)
        ]
        return max(found, key=lambda account: (bool(account.host), bool(account.bucket)), default=S3Account())

    def for_google(self, bucket: str, key: str) -> GoogleAccount:
        """The account of a bucket."""
        found = [
            account
            for account in self.google
            if account.bucket in ("", bucket) and f"{key}/".startswith(account.folder.strip("/"))
        ]
        return max(found, key=lambda one: (bool(one.bucket), len(one.folder)), default=GoogleAccount())

    def for_azure(self, account: str, container: str) -> AzureAccount:
        """The account of a container."""
        found = [
            one
            for one in self.azure
            if one.account == account and one.container.strip("/") in ("", container)
        ]
        return max(found, key=lambda one: bool(one.container), default=AzureAccount(account))

    @property
    def s3_hosts(self) -> frozenset[str]:
        """Hosts that are not Amazon's."""
        return frozenset(account.host for account in self.s3 if account.host)
