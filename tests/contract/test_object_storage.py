"""``StorageManager`` on every kind of address, against servers that speak the real protocols."""

import os
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.conftest import Servers
from tests.support.http_proxy import Fault, HttpProxy, Request
from tests.support.object_storages import S3Server, Storages
from tests.support.server import RunningServer

from trialbook.base.ids import new_id
from trialbook.client.storage import Storage
from trialbook.errors import ConnectionFailed, FileMissing, StorageRefused, UsageError
from trialbook.sdk.accounts.storage_settings import storage_settings
from trialbook.sdk.servers import connection
from trialbook.sdk.storage import StorageManager, check_writable, fetch


@pytest.fixture
def file_server(servers: Servers) -> RunningServer:
    return servers["sqlite"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own: no settings, no keys, an empty cache."""
    for name in list(os.environ):
        if name.startswith(("TRIALBOOK_", "CLEARML_", "AWS_", "AZURE_", "GOOGLE_", "STORAGE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TRIALBOOK_CACHE_DIR", str(tmp_path / "cache"))
    # No machine role is looked for.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    connection.disconnect()
    yield tmp_path
    connection.disconnect()


def configure(home: Path, text: str) -> None:
    (home / "trialbook.conf").write_text(text)


@pytest.fixture(params=["s3", "gs", "azure", "http", "file", "path"])
def destination(
    request: pytest.FixtureRequest,
    home: Path,
    storages: Storages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """An empty folder somewhere, with its keys in the configuration file."""
    kind = str(request.param)
    if kind == "file":
        return (tmp_path / "there").as_uri()
    if kind == "path":
        return str(tmp_path / "there")
    if kind == "http":
        server: RunningServer = request.getfixturevalue("file_server")
        monkeypatch.setenv("TRIALBOOK_API_HOST", server.url)
        monkeypatch.setenv("TRIALBOOK_AUTH_TOKEN", server.token)
        return f"{server.files_url}/{new_id()}"
    storage = storages[kind]
    configure(home, storage.configuration())
    return storage.make_bucket(f"b{new_id()[:20]}") + "/some folder"


def test_there_and_back(destination: str, tmp_path: Path) -> None:
    source = tmp_path / "a.bin"
    source.write_bytes(os.urandom(100_000))
    url = f"{destination}/deep/a.bin"
    assert not StorageManager.exists_file(url)
    assert StorageManager.get_local_copy(url) is None
    assert StorageManager.upload_file(str(source), url) == url
    assert StorageManager.exists_file(url)
    assert StorageManager.get_file_size_bytes(url) == 100_000
    copy = StorageManager.get_local_copy(url)
    assert copy is not None and Path(copy).read_bytes() == source.read_bytes()
    told = StorageManager.get_metadata(url)
    assert told is not None and (told["name"], told["size"]) == ("a.bin", 100_000)


@pytest.mark.parametrize("name", ["a b.txt", "x#1?y=2.txt", "100%25.txt", "ünï/日本.txt", "a&b+c=d;e.txt"])
def test_any_name_survives(destination: str, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(name)
    assert StorageManager.upload_folder(str(folder), destination) == destination
    assert StorageManager.list(destination) == [name]
    (url,) = StorageManager.list(destination, return_full_path=True) or []
    assert isinstance(url, str)
    got = StorageManager.download_file(url, str(tmp_path / "back"))
    assert got is not None and Path(got).read_text() == name
    assert got.endswith(name)


def test_folders(destination: str, tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    for name in ("a.txt", "b/c.txt", "b/d.bin", "b/empty.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("" if "empty" in name else name)
    assert StorageManager.upload_folder(str(folder), destination, "*.txt") == destination
    assert StorageManager.list(destination) == ["a.txt", "b/c.txt", "b/empty.txt"]
    listed = StorageManager.list(destination, with_metadata=True) or []
    assert [entry["size"] for entry in listed if isinstance(entry, dict)] == [5, 7, 0]
    back = StorageManager.download_folder(destination, str(tmp_path / "back"))
    assert back == str(tmp_path / "back")
    found = sorted(path.name for path in (tmp_path / "back").rglob("*.txt"))
    assert found == ["a.txt", "c.txt", "empty.txt"]


def test_what_changed_is_fetched_again_and_nothing_else(destination: str, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("one")
    url = f"{destination}/a.txt"
    StorageManager.upload_file(str(source), url)
    first = fetch(url)
    stamp = first.stat().st_mtime_ns
    assert fetch(url).stat().st_mtime_ns == stamp
    source.write_text("two!")
    StorageManager.upload_file(str(source), url)
    assert fetch(url).read_text() == "two!"


def test_an_archive_is_unpacked_once(destination: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("in/x.txt", "x")
    url = f"{destination}/a.zip"
    StorageManager.upload_file(str(tmp_path / "a.zip"), url)
    folder = StorageManager.get_local_copy(url)
    assert folder is not None and (Path(folder) / "in" / "x.txt").read_text() == "x"
    assert StorageManager.get_local_copy(url) == folder
    plain = StorageManager.get_local_copy(url, extract_archive=False)
    assert plain is not None and zipfile.is_zipfile(plain)


def test_an_unknown_scheme_says_which_are_known() -> None:
    with pytest.raises(UsageError, match="s3://"):
        StorageManager.upload_file(__file__, "ftp://host/file")


def test_a_bucket_that_is_not_there(home: Path, storages: Storages, tmp_path: Path) -> None:
    storage = storages["s3"]
    configure(home, storage.configuration())
    url = f"{storage.make_bucket(f'a{new_id()[:10]}').rpartition('/')[0]}/missing-bucket"
    (tmp_path / "x").write_text("x")
    with pytest.raises(StorageRefused, match=r"missing-bucket does not exist"):
        StorageManager.upload_file(str(tmp_path / "x"), f"{url}/x", retries=0)
    with pytest.raises(StorageRefused):
        check_writable(url)


def test_wrong_keys_say_where_to_correct_them(home: Path, storages: Storages, tmp_path: Path) -> None:
    storage = storages["azure"]
    url = storage.make_bucket(f"c{new_id()[:10]}")
    configure(home, re.sub(r'account_key: "...', 'account_key: "AAA', storage.configuration()))
    with pytest.raises(StorageRefused, match=r"sdk\.azure\.storage.*AZURE_STORAGE_KEY"):
        check_writable(url)


def test_a_storage_that_is_away_is_said(home: Path, tmp_path: Path) -> None:
    configure(
        home, 'sdk.aws.s3.credentials: [ { host: "127.0.0.1:9", key: "k", secret: "s", secure: false } ]'
    )
    (tmp_path / "x").write_text("x")
    storage = Storage(None, lambda: storage_settings().accounts, patience=0.5)
    with pytest.raises(ConnectionFailed, match=r"s3://127\.0\.0\.1:9/b cannot be reached"):
        storage.upload(tmp_path / "x", "s3://127.0.0.1:9/b/x")


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_throttling_storage_is_asked_again(
    kind: str, home: Path, storages: Storages, tmp_path: Path
) -> None:
    storage = storages[kind]
    seen: dict[str, int] = {}

    def rule(request: Request) -> Fault | None:
        # Every request fails twice, in three ways, before it gets through.
        seen[request.method + request.path] = count = seen.get(request.method + request.path, 0) + 1
        if count > 2:
            return None
        return [Fault(503), Fault(429), Fault(500), Fault()][(len(seen) + count) % 4]

    bucket = storage.make_bucket(f"t{new_id()[:10]}")
    proxy = HttpProxy(storage.url, rule)
    host = storage.url.removeprefix("http://")
    configure(home, storage.configuration().replace(host, proxy.host))
    try:
        source = tmp_path / "big"
        source.write_bytes(os.urandom(20 << 20))
        url = f"{bucket.replace(host, proxy.host)}/big"
        StorageManager.upload_file(str(source), url)
        assert fetch(url).read_bytes() == source.read_bytes()
    finally:
        proxy.close()
    assert max(seen.values()) >= 3


@pytest.mark.parametrize("kind", ["s3", "http"])
def test_a_download_that_breaks_goes_on(
    kind: str,
    home: Path,
    storages: Storages,
    file_server: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = file_server.url if kind == "http" else storages[kind].url
    breaks = [3 << 20, 2 << 20]

    def rule(request: Request) -> Fault | None:
        return (
            Fault(after=breaks.pop())
            if request.method == "GET" and "big" in request.path and breaks
            else None
        )

    proxy = HttpProxy(target, rule)
    if kind == "http":
        monkeypatch.setenv("TRIALBOOK_API_HOST", proxy.url)
        monkeypatch.setenv("TRIALBOOK_AUTH_TOKEN", file_server.token)
        base = f"{proxy.url}/files/{new_id()}"
    else:
        storage = storages[kind]
        base = storage.make_bucket(f"d{new_id()[:10]}")
        host = storage.url.removeprefix("http://")
        configure(home, storage.configuration().replace(host, proxy.host))
        base = base.replace(host, proxy.host)
    try:
        source = tmp_path / "big"
        source.write_bytes(os.urandom(9 << 20))
        StorageManager.upload_file(str(source), f"{base}/big")
        assert fetch(f"{base}/big").read_bytes() == source.read_bytes()
        assert not breaks
    finally:
        proxy.close()


def test_a_large_upload_to_the_server_goes_on_where_it_broke(
    home: Path, file_server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    def rule(request: Request) -> Fault | None:
        if request.method == "PUT" and request.body:
            sent.append(len(request.body))
            if len(sent) == 1:
                # The server gets the first half only.
                half = len(request.body) // 2
                request.body = request.body[:half]
                request.headers["Content-Length"] = str(half)
                return Fault(after=0)
        return None

    proxy = HttpProxy(file_server.url, rule)
    monkeypatch.setenv("TRIALBOOK_API_HOST", proxy.url)
    monkeypatch.setenv("TRIALBOOK_AUTH_TOKEN", file_server.token)
    try:
        source = tmp_path / "big"
        source.write_bytes(os.urandom(24 << 20))
        url = f"{proxy.url}/files/{new_id()}/big"
        StorageManager.upload_file(str(source), url)
        assert fetch(url).read_bytes() == source.read_bytes()
    finally:
        proxy.close()
    assert sent[0] == 24 << 20 and sent[-1] == 12 << 20


def test_keys_come_from_file_environment_and_profile(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        home,
        """
        sdk.aws.s3 { key: "general", secret: "s", region: "eu-west-1", credentials: [
            { bucket: "mine", key: "own", secret: "t", token: "u", region: "eu-north-1" }
            { host: "minio:9000", key: "m", secret: "n", secure: false, verify: false }
            { bucket: "open", anonymous: true } ] }
        sdk.google.storage { credentials_json: "/g.json"
            credentials: [ { bucket: "gb", subdir: "x/y", credentials_json: "/h.json" } ] }
        sdk.azure.storage.containers: [ { account_name: "acc", account_key: "k", container_name: "c" } ]
        """,
    )
    known = storage_settings().accounts
    assert known.for_s3("", "other").key == "general"
    mine = known.for_s3("", "mine")
    assert (mine.key, mine.token, mine.region) == ("own", "u", "eu-north-1")
    minio = known.for_s3("minio:9000", "any")
    assert (minio.key, minio.secure, minio.verify, minio.region) == ("m", False, False, "eu-west-1")
    assert known.for_s3("", "open").anonymous
    assert known.for_google("gb", "x/y/z").credentials == "/h.json"
    assert known.for_google("gb", "z").credentials == "/g.json"
    assert known.for_azure("acc", "c").key == "k"
    assert known.for_azure("acc", "d").key == ""
    configure(home, "")
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[work]\naws_access_key_id = p\naws_secret_access_key = q\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert storage_settings().accounts.for_s3("", "b").key == "p"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "e")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "f")
    assert storage_settings().accounts.for_s3("", "b").key == "e"
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "env")
    monkeypatch.setenv("AZURE_STORAGE_KEY", "z")
    assert storage_settings().accounts.for_azure("env", "any").key == "z"


def test_an_address_that_this_host_has_nearer(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    (tmp_path / "mnt" / "x.txt").write_text("near")
    configure(
        home,
        f'sdk.storage.path_substitution: [ {{ registered_prefix: "s3://far/", local_prefix: "{tmp_path}/mnt/" }} ]',
    )
    assert fetch("s3://far/x.txt") == tmp_path / "mnt" / "x.txt"


def test_a_missing_file_is_told_apart(home: Path, storages: Storages) -> None:
    storage = storages["s3"]
    configure(home, storage.configuration())
    with pytest.raises(FileMissing):
        fetch(f"{storage.make_bucket(f'e{new_id()[:10]}')}/no")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has heard of, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    place = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(place, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def test_certificates(home: Path, tmp_path: Path) -> None:
    files = certificate(tmp_path)
    storage = S3Server(files)
    (tmp_path / "x").write_text("x")
    try:
        bucket = storage.make_bucket("tls")
        said = storage.configuration().replace("secure: false", "secure: true")
        for verify, accepted in (("true", False), ("false", True), (f'"{files[0]}"', True)):
            configure(home, said.replace("secure: true", f"secure: true, verify: {verify}"))
            door = Storage(None, lambda: storage_settings().accounts, patience=1.0)
            if accepted:
                door.upload(tmp_path / "x", f"{bucket}/x")
            else:
                with pytest.raises(ConnectionFailed, match=r"certificate of .* was not accepted.*verify"):
                    door.upload(tmp_path / "x", f"{bucket}/x")
    finally:
        storage.stop()
