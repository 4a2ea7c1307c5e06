"""Object storages that the program opens itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogue.conftest import Begin, again
from tests.support.object_storages import S3Server
from trialbook import StorageManager, Task
from trialbook.blobs.accounts import Accounts
from trialbook.errors import ConfigurationError, UsageError
from trialbook.sdk.accounts import storage_settings


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    running = S3Server()
    yield running
    running.stop()


@pytest.mark.covers("TI-17", "TK-015")
def test_a_bucket_without_a_configuration_file(
    begin: Begin, s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(storage_settings._given, "value", Accounts())
    address = s3.make_bucket("given")
    account = s3.accounts().s3[0]
    task = begin()
    task.setup_aws_upload(
        "given", host=s3.host, key=account.key, secret=account.secret, region="us-east-1", secure=False
    )
    task.output_uri = address
    task.upload_artifact("x", {"k": 1}, wait_on_upload=True)
    url = task.artifacts["x"].url
    assert url.startswith(address) and again(task).artifacts["x"].get() == {"k": 1}
    assert StorageManager.exists_file(url)
    task.close()
    assert Task.get_task(task.id).delete()  # type: ignore[union-attr]
    assert not StorageManager.exists_file(url)


@pytest.mark.covers("TI-17")
def test_what_is_given(task: Task, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(storage_settings._given, "value", Accounts())
    task.setup_aws_upload("one", key="first", secret="s")
    task.setup_aws_upload("one", key="second", secret="s")
    task.setup_gcp_upload("two", subdir="below/", credentials_json='{"type": "service_account"}')
    task.setup_azure_upload("account", "key", "box")
    known = storage_settings.accounts()
    assert known.for_s3("", "one").key == "second" and known.for_s3("", "other").key != "second"
    assert known.for_google("two", "below/x").credentials and not known.for_google("two", "above").credentials
    assert known.for_azure("account", "box").key == "key"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws"))
    (tmp_path / "aws").write_text("[lab]\naws_access_key_id = AK\naws_secret_access_key = SK\n")
    task.setup_aws_upload("three", profile="lab")
    assert storage_settings.accounts().for_s3("", "three").secret == "SK"
    for call, words in (
        (lambda: task.setup_aws_upload(""), "bucket"),
        (lambda: task.setup_aws_upload("b", key="k"), "together"),
        (lambda: task.setup_aws_upload("b", key="k", secret="s", profile="p"), "either"),
        (lambda: task.setup_gcp_upload("b", credentials_json="missing.json"), "neither JSON nor a file"),
        (lambda: task.setup_gcp_upload("b", credentials_json="{no"), "not JSON"),
        (lambda: task.setup_azure_upload("a", ""), "account_key"),
    ):
        with pytest.raises(UsageError, match=words):
            call()
    with pytest.raises(ConfigurationError, match="no profile 'none'"):
        task.setup_aws_upload("b", profile="none")
