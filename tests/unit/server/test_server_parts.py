"""Hub, data folder, settings, tokens."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import BadCredentials, BadField, BadToken, ConfigurationError
from trialbook.server import migrations
from trialbook.server.core.folder import DataFolder
from trialbook.server.core.hub import Change, Hub
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.caller import Caller
from trialbook.server.settings import Settings, load
from trialbook.server.stores.bundle import Stores
from trialbook.server.stores.database import Database
from trialbook.server.stores.users import UserStore
from trialbook.wire.table import Permission


async def take(hub: Hub, topics: set[str], after: int | None, count: int) -> list[Change | str | None]:
    found: list[Change | str | None] = []
    async for change in hub.listen(frozenset(topics), after, beat=5.0):
        found.append(change)
        if len(found) == count:
            break
    return found


def test_the_hub_sends_what_was_asked_for_and_joins_keys() -> None:
    async def scene() -> list[Change | str | None]:
        hub = Hub()
        listening = asyncio.create_task(take(hub, {"a"}, None, 2))
        await asyncio.sleep(0)
        hub.publish("a", "task", ["1"])
        hub.publish("a", "task", ["2", "1"])
        hub.publish("b", "task", ["3"])
        hub.publish("a", "log")
        hub.flush()
        return await asyncio.wait_for(listening, 5)

    first, second = asyncio.run(scene())
    assert isinstance(first, Change)
    assert isinstance(second, Change)
    assert (first.topic, first.kind, first.keys) == ("a", "task", ("1", "2"))
    assert (second.kind, second.number) == ("log", first.number + 2)


def test_the_hub_resumes_or_says_that_it_cannot() -> None:
    async def scene() -> tuple[list[Change | str | None], list[Change | str | None]]:
        hub = Hub()
        for number in range(3):
            hub.publish("a", f"k{number}")
            hub.flush()
        seen = hub._history[0].number
        known = await asyncio.wait_for(take(hub, {"a"}, seen, 2), 5)
        stale = await asyncio.wait_for(take(hub, {"a"}, 17, 1), 5)
        return known, stale

    known, stale = asyncio.run(scene())
    assert [change.kind for change in known if isinstance(change, Change)] == ["k1", "k2"]
    assert stale == ["resync"]


def test_the_hub_gives_a_sign_of_life_and_ends() -> None:
    async def scene() -> list[Change | str | None]:
        hub = Hub()
        found: list[Change | str | None] = []
        async for change in hub.listen(frozenset({"a"}), None, beat=0.01):
            found.append(change)
            hub.close()
        return found

    assert asyncio.run(scene()) == [None]


def test_one_server_per_folder(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from trialbook.server.core.folder import DataFolder
folder = DataFolder(Path({str(tmp_path)!r}))
print("locked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(ConfigurationError, match=rf"process {other.pid}\b"):
            DataFolder(tmp_path)
        other.kill()
    # A killed owner leaves nothing behind that stands in the way.
    DataFolder(tmp_path).close()


@pytest.mark.parametrize("there", [None, [], ["kept"]])
def test_a_start_that_fails_leaves_a_folder_as_it_was(tmp_path: Path, there: list[str] | None) -> None:
    path = tmp_path / "new" / "data"
    if there is not None:
        path.mkdir(parents=True)
        for name in there:
            (path / name).write_text("x")
    folder = DataFolder(path)
    folder.abandon()
    folder.close()
    if there is None:
        assert list(tmp_path.iterdir()) == []
    elif not there:
        assert list(path.iterdir()) == []
    else:
        assert (path / "kept").exists() and (path / "format.json").exists()
    DataFolder(path).close()
    again = DataFolder(path)
    again.abandon()
    again.close()
    assert (path / "format.json").exists(), "of an earlier server"


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    DataFolder(tmp_path).close()
    (tmp_path / "format.json").write_text('{"format": 99}')
    with pytest.raises(ConfigurationError, match="newer Trialbook"):
        DataFolder(tmp_path)
    (tmp_path / "format.json").unlink()
    DataFolder(tmp_path).close()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="--data"):
        DataFolder(tmp_path / "file")


def test_settings_come_from_the_call_then_the_environment() -> None:
    environment = {"TRIALBOOK_SERVER_PORT": "9000", "TRIALBOOK_SERVER_HOST": "0.0.0.0", "HOME": "/nowhere"}
    assert load(environment, port=0).port == 0
    assert load(environment).port == 9000
    assert load(environment).host == "0.0.0.0"
    assert not load(environment).loopback
    assert load({}).loopback


@pytest.mark.parametrize(
    "address",
    ["lab.example.org", "ftp://lab", "https://", "https://lab?x=1", "https://[lab", "https://lab:x"],
)
def test_S15_an_address_that_is_none_is_named(address: str) -> None:
    assert load({"TRIALBOOK_SERVER_ADDRESS": "https://lab/t/"}).address == "https://lab/t"
    assert load({"TRIALBOOK_SERVER_ADDRESS": "HTTPS://me:pw@Lab:1/projects"}).address == "https://lab:1"
    with pytest.raises(ConfigurationError, match="TRIALBOOK_SERVER_ADDRESS"):
        load({"TRIALBOOK_SERVER_ADDRESS": address})


@pytest.mark.parametrize("port", ["x", "-1", "70000"])
def test_a_wrong_setting_is_named(port: str) -> None:
    with pytest.raises(ConfigurationError, match="TRIALBOOK_SERVER_PORT"):
        load({"TRIALBOOK_SERVER_PORT": port})


def test_every_setting_says_its_variable_and_help() -> None:
    import dataclasses

    for item in dataclasses.fields(Settings):
        assert item.metadata["variable"].startswith("TRIALBOOK_SERVER_")
        assert item.metadata["help"]


class Clock:
    def __init__(self) -> None:
        self.moment = 1_000_000_000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    import time

    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrations.prepare(database)
    clock = Clock()
    clock.moment = time.time()
    found = Accounts(database, UserStore(), clock)
    found.prepare(tmp_path / "credentials.json")
    return found


def first_key(tmp_path: Path) -> tuple[str, str]:
    import json

    stored = json.loads((tmp_path / "credentials.json").read_text())
    return stored["access_key"], stored["secret_key"]


def test_the_first_key_opens_and_is_private(accounts: Accounts, tmp_path: Path) -> None:
    key, secret = first_key(tmp_path)
    caller = accounts.by_key(key, secret)
    assert caller.role == "admin"
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadCredentials):
        accounts.by_key(key, secret + "x")
    with pytest.raises(BadCredentials):
        accounts.by_key("nobody", "")
    assert secret not in (tmp_path / "a.db").read_bytes().decode("latin-1")


def test_tokens_are_for_their_caller_and_end(accounts: Accounts, tmp_path: Path) -> None:
    caller = accounts.by_key(*first_key(tmp_path))
    token, life = accounts.token(caller)
    assert life == 30 * 86400
    assert accounts.by_token(token).user == caller.user
    assert accounts.token(caller, 10**9)[1] == 366 * 86400
    with pytest.raises(BadField):
        accounts.token(caller, 0)
    with pytest.raises(BadToken):
        accounts.by_token(token[:-2] + ("aa" if token[-2:] != "aa" else "bb"))
    with pytest.raises(BadToken):
        accounts.by_token("x")


def test_an_expired_token_is_refused(accounts: Accounts, tmp_path: Path) -> None:
    caller = accounts.by_key(*first_key(tmp_path))
    accounts._clock.moment -= 7200  # type: ignore[attr-defined]
    token, _ = accounts.token(caller, 3600)
    with pytest.raises(BadToken, match="expired"):
        accounts.by_token(token)


def test_a_revoked_key_ends_its_tokens(accounts: Accounts, tmp_path: Path) -> None:
    caller = accounts.by_key(*first_key(tmp_path))
    with accounts._database.write() as connection:
        key, secret = accounts.create_key(connection, caller.user, "second")
    second = accounts.by_key(key, secret)
    token, _ = accounts.token(second)
    assert accounts.by_token(token).access_key == key
    with accounts._database.write() as connection:
        assert accounts.revoke(connection, second.user, key) == 1
    accounts.forget(second.user)
    with pytest.raises(BadToken, match="revoked"):
        accounts.by_token(token)


@pytest.mark.parametrize(
    ("role", "held"),
    [
        ("admin", {"public", "read", "work", "write", "admin"}),
        ("user", {"public", "read", "work", "write"}),
        ("worker", {"public", "read", "work"}),
        ("read-only", {"public", "read"}),
        ("", {"public"}),
        ("nonsense", {"public"}),
    ],
)
def test_roles(role: str, held: set[str]) -> None:
    caller = Caller("u", "n", role)
    assert {permission.value for permission in Permission if caller.may(permission)} == held


@pytest.mark.parametrize(
    ("role", "method", "allowed"),
    [
        ("read-only", "tasks.get_all", True),
        ("read-only", "tasks.create", False),
        ("read-only", "tasks.started", False),
        ("worker", "queues.get_next_task", True),
        ("worker", "tasks.started", True),
        ("worker", "tasks.delete", False),
        ("user", "tasks.delete", True),
        ("", "debug.ping", True),
        ("", "tasks.get_all", False),
    ],
)
def test_the_dispatcher_checks_the_table(tmp_path: Path, role: str, method: str, allowed: bool) -> None:
    import time

    from trialbook.errors import Forbidden, NoCredentials, WireError
    from trialbook.server.rpc import registry
    from trialbook.server.rpc.dispatch import Dispatcher, lookup
    from trialbook.server.rpc.http_call import HttpCall
    from trialbook.server.wiring import build_services

    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrations.prepare(database)
    services = build_services(
        database, Settings(data=tmp_path), ObjectStoreBlobs.in_folder(tmp_path / "files")
    )
    dispatcher = Dispatcher(registry.load(), services, Hub())
    call = HttpCall(
        database=database,
        caller=Caller("u" if role else "", "n", role),
        now=time.time(),
        method=method,
        dispatch=dispatcher.nested,
    )
    try:
        dispatcher.run(call, lookup(method, (2, 34)), {"task": "0" * 32, "queue": "0" * 32, "name": "n"})
        passed = True
    except (Forbidden, NoCredentials):
        passed = False
    except WireError:
        # It got past the check and found no such task or queue.
        passed = True
    assert passed == allowed
    # A call inside a call is checked as well.
    if role:
        with call.write():
            if allowed:
                return
            with pytest.raises(Forbidden):
                call.nested(method, {"task": "0" * 32, "name": "n"})
    database.close()


def test_a_refused_inner_call_undoes_only_itself(tmp_path: Path) -> None:
    import time

    from trialbook.errors import TaskStatusRefused
    from trialbook.server.rpc import registry
    from trialbook.server.rpc.dispatch import Dispatcher
    from trialbook.server.rpc.http_call import HttpCall
    from trialbook.server.wiring import build_services

    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrations.prepare(database)
    services = build_services(
        database, Settings(data=tmp_path), ObjectStoreBlobs.in_folder(tmp_path / "files")
    )
    dispatcher = Dispatcher(registry.load(), services, Hub())
    call = HttpCall(
        database=database,
        caller=Caller("u", "n", "admin"),
        now=time.time(),
        method="outer",
        dispatch=dispatcher.nested,
    )
    with call.write() as connection:
        id = call.nested("tasks.create", {"name": "t", "type": "training", "id": "a" * 32, "tags": None}).id
        with pytest.raises(TaskStatusRefused):
            call.nested("tasks.close", {"task": id})
        call.nested("tasks.started", {"task": id})
        assert call.method == "outer"
        assert connection is call.connection
    with database.read() as connection:
        tasks = Stores.on(database).tasks
        assert tasks.require(connection, id).status == "in_progress"
        assert [row.to_status for row in tasks.history(connection, id)] == ["created", "in_progress"]
    database.close()


def test_every_setting_is_documented() -> None:
    import dataclasses

    page = (Path(__file__).parents[3] / "docs" / "reference" / "server-settings.md").read_text("utf-8")
    for item in dataclasses.fields(Settings):
        line = next((line for line in page.splitlines() if f"`{item.metadata['variable']}`" in line), "")
        assert item.metadata["help"] in line, item.name
