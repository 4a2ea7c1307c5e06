"""Credentials of object storages, said by the program instead of the configuration file."""

import json
from pathlib import Path

from trialbook.errors import UsageError
from trialbook.sdk.task.base import TaskBase


class UploadsMixin(TaskBase):
    """Members that open object storages for this process. They win over the configuration file."""

    def setup_aws_upload(
        self,
        bucket: str,
        subdir: str | None = None,
        host: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        region: str | None = None,
        multipart: bool = True,
        secure: bool = True,
        verify: bool | str = True,
        profile: str | None = None,
    ) -> None:
        """Open a bucket of S3, or of a storage that speaks like it.

        Args:
            bucket: its name.
            subdir: accepted for compatibility; the key is used for the whole bucket.
            host: ``name:port`` of a storage that is not Amazon's.
            key: access key; None asks the environment and the machine's role.
            secret: secret key.
            token: of a session.
            region: of the bucket.
            multipart: accepted for compatibility; long files always go in parts.
            secure: TLS to ``host``.
            verify: False accepts any certificate; a path names a bundle of authorities.
            profile: name of a profile in the shared files of Amazon's tools, instead of a key.

        Raises:
            UsageError: no bucket, a key without a secret, or both a key and a profile.

        Example:
            >>> task.setup_aws_upload("results", key="KEY", secret="SECRET", region="eu-central-1")
        """
        if not bucket:
            raise UsageError("setup_aws_upload needs the name of a bucket")
        if bool(key) != bool(secret):
            raise UsageError("setup_aws_upload needs key and secret together")
        if key and profile:
            raise UsageError("setup_aws_upload takes either key and secret, or profile")
        from trialbook.blobs.accounts import S3Account
        from trialbook.sdk.accounts import storage_settings

        found = storage_settings.s3_profile(profile) if profile else {}
        account = S3Account(
            bucket=bucket.strip("/"),
            host=(host or "").rpartition("://")[2],
            key=key or found.get("aws_access_key_id", ""),
            secret=secret or found.get("aws_secret_access_key", ""),
            token=token or found.get("aws_session_token", ""),
            region=region or found.get("region", ""),
            secure=secure,
            verify=verify,
        )
        storage_settings.give(s3=account)

    def setup_gcp_upload(
        self,
        bucket: str,
        subdir: str = "",
        project: str | None = None,
        credentials_json: str | None = None,
        pool_connections: int | None = None,
        pool_maxsize: int | None = None,
    ) -> None:
        """Open a bucket of Google Cloud Storage.

        Args:
            bucket: its name.
            subdir: only for keys below this folder.
            project: accepted for compatibility; the credentials name it.
            credentials_json: path of a service account's JSON file, or its text.
            pool_connections: accepted for compatibility.
            pool_maxsize: accepted for compatibility.

        Raises:
            UsageError: no bucket, or credentials that are neither a file nor JSON.

        Example:
            >>> task.setup_gcp_upload("my-bucket", project="my-project")
        """
        if not bucket:
            raise UsageError("setup_gcp_upload needs the name of a bucket")
        text = credentials_json or ""
        if text and not text.lstrip().startswith("{") and not Path(text).expanduser().is_file():
            raise UsageError(f"credentials_json is neither JSON nor a file: {text[:80]}")
        if text.lstrip().startswith("{"):
            try:
                json.loads(text)
            except ValueError as error:
                raise UsageError(f"credentials_json is not JSON: {error}") from None
        from trialbook.blobs.accounts import GoogleAccount
        from trialbook.sdk.accounts import storage_settings

        storage_settings.give(google=GoogleAccount(bucket.strip("/"), subdir.strip("/"), text))

    def setup_azure_upload(
        self, account_name: str, account_key: str, container_name: str | None = None
    ) -> None:
        """Open a container of Azure Blob Storage.

        Args:
            account_name: of the storage account.
            account_key: its key.
            container_name: None opens all containers of the account.

        Raises:
            UsageError: no account or no key.

        Example:
            >>> task.setup_azure_upload("myaccount", "a2V5", container_name="runs")
        """
        if not account_name or not account_key:
            raise UsageError("setup_azure_upload needs account_name and account_key")
        from trialbook.blobs.accounts import AzureAccount
        from trialbook.sdk.accounts import storage_settings

        storage_settings.give(
            azure=AzureAccount(account_name, account_key, (container_name or "").strip("/"))
        )
