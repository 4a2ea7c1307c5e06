"""Who may log in without a key, and how sessions, keys and users end."""

import http.server
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.support.server import RunningServer

from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.errors import BadRequest, BadToken
from trialbook.server import migrations
from trialbook.server.rpc import peer
from trialbook.server.services.call import Call
from trialbook.server.settings import Settings
from trialbook.server.stores.bundle import Stores
from trialbook.server.stores.database import Database
from trialbook.server.wiring import build_services

HTTP = urllib3.PoolManager(retries=False)
PAGE = {"X-Trialbook-Web": "1"}
OTHER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


def post(url: str, ask: Any = None, **headers: str) -> tuple[int, Any, Any]:
    sent = {**PAGE, "Content-Type": "application/json", **headers}
    reply = HTTP.request("POST", url, body=json.dumps(ask or {}).encode(), headers=sent)
    return reply.status, reply.json(), reply.headers


def _ask_as(uid: int, url: str, answers: Any) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    request = urllib.request.Request(url, b"{}", PAGE, method="POST")
    try:
        with urllib.request.urlopen(request) as reply:
            answers.put(reply.status)
    except urllib.error.HTTPError as error:
        answers.put(error.code)


def ask_as(uid: int, url: str) -> int:
    """The status that another account of this machine gets."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=_ask_as, args=(uid, url, answers))
    process.start()
    status = answers.get(timeout=30)
    process.join()
    return int(status)


@needs_root
def test_S2_another_account_of_the_machine_is_refused(server: RunningServer) -> None:
    url = f"{server.url}/auth.login_local"
    assert post(url)[0] == 200
    assert ask_as(OTHER, url) == 403
    assert ask_as(os.geteuid(), url) == 200


class Forwarding(http.server.BaseHTTPRequestHandler):
    """A proxy that tells nobody that it is one."""

    target = ""

    def do_POST(self) -> None:
        request = urllib.request.Request(self.target + self.path, b"{}", PAGE, method="POST")
        try:
            status = urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            status = error.code
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence."""


def _proxy_as(uid: int, listener: http.server.HTTPServer) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    listener.handle_request()


@needs_root
def test_S2_a_silent_proxy_of_another_account_is_refused(server: RunningServer) -> None:
    handler = type("Handler", (Forwarding,), {"target": server.url})
    listener = http.server.HTTPServer(("127.0.0.1", 0), handler)
    process = multiprocessing.get_context("fork").Process(target=_proxy_as, args=(OTHER, listener))
    process.start()
    try:
        assert HTTP.request("POST", f"http://127.0.0.1:{listener.server_port}/auth.login_local").status == 403
    finally:
        process.terminate()
        process.join()
        listener.server_close()


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Anything"]
)
def test_S2_whoever_comes_through_a_proxy_is_refused(server: RunningServer, header: str) -> None:
    assert post(f"{server.url}/auth.login_local", **{header: "127.0.0.1"})[0] == 403


@pytest.mark.parametrize(
    "header",
    [
        "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Host", "CDN-Loop",
        "X-Envoy-External-Address", "Tailscale-User-Login", "X-ProxyContextPath", "Ngrok-Trace-Id", "Proxy-Connection",
    ],
)  # fmt: skip
def test_S2_a_tunnel_of_the_same_account_is_known_by_what_it_adds(server: RunningServer, header: str) -> None:
    assert post(f"{server.url}/auth.login_local", **{header: "203.0.113.7"})[0] == 403


def test_S2_what_browsers_send_is_not_taken_for_a_proxy(server: RunningServer) -> None:
    chrome = {
        "Accept": "*/*", "Accept-Encoding": "gzip, br, zstd", "Accept-Language": "en", "Cache-Control": "no-cache",
        "Connection": "keep-alive", "DNT": "1", "Origin": server.url, "Pragma": "no-cache", "Priority": "u=1, i",
        "Referer": f"{server.url}/login", "Sec-Ch-Ua": '"Chromium";v="140"', "Sec-Fetch-Mode": "cors", "Sec-GPC": "1",
        "Sec-Fetch-Site": "same-origin", "TE": "trailers", "User-Agent": "Mozilla/5.0", "Cookie": "a=b",
    }  # fmt: skip
    assert post(f"{server.url}/auth.login_local", **chrome)[0] == 200


def test_S2_without_proc_nobody_is_known(tmp_path: Path) -> None:
    here = ("127.0.0.1", 1)
    assert peer.owner(here, here, tables=[tmp_path / "tcp"]) is None
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    row = (
        "   0: 0100007F:0001 0100007F:0002 {state} 00000000:00000000 00:00000000 00000000  1000        0 1\n"
    )
    (tmp_path / "tcp").write_text(head + row.format(state="01"))
    assert peer.owner(here, ("127.0.0.1", 2), tables=[tmp_path / "tcp"]) == 1000
    assert peer.owner(("::ffff:127.0.0.1", 1), ("127.0.0.1", 2), tables=[tmp_path / "tcp"]) == 1000
    assert peer.owner(("127.0.0.1", 2), here, tables=[tmp_path / "tcp"]) is None
    # A connection that closes is shown as root's.
    (tmp_path / "tcp").write_text(head + row.format(state="06"))
    assert peer.owner(here, ("127.0.0.1", 2), tables=[tmp_path / "tcp"]) is None
    mapped = "0000000000000000FFFF00000100007F"
    (tmp_path / "tcp6").write_text(head + row.replace("0100007F", mapped).format(state="01"))
    assert peer.owner(here, ("127.0.0.1", 2), tables=[tmp_path / "tcp6"]) == 1000


def test_S2_a_link_logs_in_once(server: RunningServer) -> None:
    link = server.call("auth.create_link")["link"]
    status, _, headers = post(f"{server.url}/auth.login_link", {"link": link})
    assert status == 200
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    assert post(f"{server.url}/users.get_current_user", **cookie)[0] == 200
    status, answer, _ = post(f"{server.url}/auth.login_link", {"link": link})
    assert status == 403
    assert "trialbook open" in answer["meta"]["result_msg"]
    assert post(f"{server.url}/auth.login_link", {"link": "guess"})[0] == 403


def test_S2_two_clicks_at_once_give_one_session(server: RunningServer) -> None:
    link = server.call("auth.create_link")["link"]
    found: list[int] = []
    clicks = [
        threading.Thread(
            target=lambda: found.append(post(f"{server.url}/auth.login_link", {"link": link})[0])
        )
        for _ in range(8)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(found) == [200] + [403] * 7


def test_S2_a_link_is_too_old_after_five_minutes() -> None:
    from trialbook.errors import Forbidden
    from trialbook.server.services.caller import Caller
    from trialbook.server.services.links import Links

    links = Links()
    link = links.make(Caller("u", "u", "user"), 1_000.0)
    with pytest.raises(Forbidden):
        links.take(link, 1_300.0)
    assert links.take(links.make(Caller("u", "u", "user"), 1_000.0), 1_299.0).user == "u"


def test_S2_the_command_gives_a_link_that_works(server: RunningServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "open", "--print", "--data", str(server.data)],
        capture_output=True,
        text=True,
        check=True,
    )
    address, _, link = done.stdout.strip().partition("#link=")
    assert address == f"{server.url}/login"
    assert post(f"{server.url}/auth.login_link", {"link": link})[0] == 200


def test_S12_the_token_of_a_local_login_can_be_ended(server: RunningServer) -> None:
    token = post(f"{server.url}/auth.login_local")[1]["data"]["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert post(f"{server.url}/users.get_current_user", **bearer)[0] == 200
    shown = post(f"{server.url}/auth.get_sessions", **bearer)[1]["data"]["sessions"]
    mine = next(one for one in shown if one["current"])
    assert mine["method"] == "local"
    # A token that is made with it goes as well.
    second = post(f"{server.url}/auth.login", **bearer)[1]["data"]["token"]
    assert server.call("auth.end_session", session=mine["id"])["revoked"] == 1
    for ended in (token, second):
        assert post(f"{server.url}/users.get_current_user", Authorization=f"Bearer {ended}")[0] == 401


def _login(server: RunningServer, key: dict[str, str]) -> tuple[int, str]:
    basic = urllib3.make_headers(basic_auth=f"{key['access_key']}:{key['secret_key']}")
    status, answer, _ = post(f"{server.url}/auth.login", **basic)
    return status, answer["data"].get("token", "")


def test_S12_an_administrator_lists_and_ends_a_colleagues_key(server: RunningServer) -> None:
    made = server.call("users.create", name="leaky", role="user")
    key, user = made["credentials"], made["user"]["id"]
    _, token = _login(server, key)
    listed = server.call("auth.get_credentials", user=user)["credentials"]
    assert [one["access_key"] for one in listed] == [key["access_key"]]
    own = server.access_key
    bearer = {"Authorization": f"Bearer {token}"}
    admin = server.call("users.get_current_user")["user"]["id"]
    for method, ask in (
        ("auth.get_credentials", {"user": admin}),
        ("auth.revoke_credentials", {"user": admin, "access_key": own}),
        ("auth.get_sessions", {"user": admin}),
        ("auth.end_session", {"user": admin, "session": "x"}),
    ):
        assert post(f"{server.url}/{method}", ask, **bearer)[0] == 403, method
    assert server.call("auth.revoke_credentials", user=user, access_key=key["access_key"])["revoked"] == 1
    assert post(f"{server.url}/users.get_current_user", **bearer)[0] == 401
    assert _login(server, key)[0] == 401


def test_S12_a_disabled_user_is_out_at_once(server: RunningServer) -> None:
    made = server.call("users.create", name="leaver", role="user")
    _, token = _login(server, made["credentials"])
    bearer = {"Authorization": f"Bearer {token}"}
    link = post(f"{server.url}/auth.create_link", **bearer)[1]["data"]["link"]
    page = post(f"{server.url}/auth.login_link", {"link": link})[1]["data"]["token"]
    server.call("users.edit", user=made["user"]["id"], disabled=True)
    for ended in (token, page):
        assert post(f"{server.url}/users.get_current_user", Authorization=f"Bearer {ended}")[0] == 401
    assert _login(server, made["credentials"])[0] == 401
    server.call("users.edit", user=made["user"]["id"], disabled=False)
    assert _login(server, made["credentials"])[0] == 200
    # What was given out before stays dead, and nothing is made of it.
    for ended in (token, page):
        bearer = {"Authorization": f"Bearer {ended}"}
        for method in ("users.get_current_user", "auth.login", "auth.create_link"):
            assert post(f"{server.url}/{method}", **bearer)[0] == 401, method
    # In the same second.
    _, fresh = _login(server, made["credentials"])
    assert post(f"{server.url}/users.get_current_user", Authorization=f"Bearer {fresh}")[0] == 200


def test_S12_an_old_token_stays_dead_over_a_restart_and_many_rounds(own_server: RunningServer) -> None:
    server = own_server
    made = server.call("users.create", name="in and out", role="user")
    old = []
    for _ in range(3):
        token = _login(server, made["credentials"])[1]
        old.append({"Authorization": f"Bearer {token}"})
        link = post(f"{server.url}/auth.create_link", **old[-1])[1]["data"]["link"]
        # Disabling one who is disabled ends nothing twice.
        for disabled in (True, True, False):
            server.call("users.edit", user=made["user"]["id"], disabled=disabled)
        reply = post(f"{server.url}/auth.login_link", {"link": link})
        assert (reply[0], reply[1]["meta"]["error_class"]) == (401, "BadToken")
    kept = {"Authorization": f"Bearer {_login(server, made['credentials'])[1]}"}
    server.call("users.edit", user=made["user"]["id"], role="read-only", disabled=False)
    for again in (False, True):
        if again:
            server.kill()
            server.start()
        assert [post(f"{server.url}/users.get_current_user", **bearer)[0] for bearer in old] == [401] * 3
        assert post(f"{server.url}/users.get_current_user", **kept)[0] == 200


def test_S12_what_came_from_a_key_ends_with_it(server: RunningServer) -> None:
    made = server.call("users.create", name="linked", role="user")
    other = server.call("users.create", name="bystander", role="user")
    user, key = made["user"]["id"], made["credentials"]["access_key"]
    bearer = {"Authorization": f"Bearer {_login(server, made['credentials'])[1]}"}
    spare = post(f"{server.url}/auth.create_credentials", **bearer)[1]["data"]["credentials"]
    links = [post(f"{server.url}/auth.create_link", **bearer)[1]["data"]["link"] for _ in range(2)]
    page = post(f"{server.url}/auth.login_link", {"link": links[0]})[1]["data"]["token"]
    by_spare = {"Authorization": f"Bearer {_login(server, spare)[1]}"}
    link = post(f"{server.url}/auth.create_link", **by_spare)[1]["data"]["link"]
    stays = post(f"{server.url}/auth.login_link", {"link": link})[1]["data"]["token"]
    stranger = {"Authorization": f"Bearer {_login(server, other['credentials'])[1]}"}
    assert (
        post(f"{server.url}/auth.revoke_credentials", {"access_key": key}, **stranger)[1]["data"]["revoked"]
        == 0
    )
    seen = [
        post(f"{server.url}/users.get_current_user", Authorization=f"Bearer {t}")[0] for t in (page, stays)
    ]
    assert seen == [200, 200]
    assert server.call("auth.revoke_credentials", user=user, access_key=key)["revoked"] == 1
    seen = [
        post(f"{server.url}/users.get_current_user", Authorization=f"Bearer {t}")[0] for t in (page, stays)
    ]
    assert seen == [401, 200]
    assert post(f"{server.url}/auth.login_link", {"link": links[1]})[0] == 401


def test_S12_a_browser_let_in_by_a_browser_ends_with_the_key(server: RunningServer) -> None:
    made = server.call("users.create", name="chained", role="user")
    user = made["user"]["id"]
    first = {"Authorization": f"Bearer {_login(server, made['credentials'])[1]}"}
    spare = post(f"{server.url}/auth.create_credentials", **first)[1]["data"]["credentials"]
    chains = []
    for key in (made["credentials"], spare):
        bearer, browsers = {"Authorization": f"Bearer {_login(server, key)[1]}"}, []
        for _ in range(3):
            link = post(f"{server.url}/auth.create_link", **bearer)[1]["data"]["link"]
            token = post(f"{server.url}/auth.login_link", {"link": link})[1]["data"]["token"]
            bearer = {"Authorization": f"Bearer {token}"}
            browsers.append(bearer)
        chains.append((browsers, post(f"{server.url}/auth.create_link", **bearer)[1]["data"]["link"]))
    server.call("auth.revoke_credentials", user=user, access_key=made["credentials"]["access_key"])
    (gone, late), (stay, good) = chains
    assert [post(f"{server.url}/users.get_current_user", **one)[0] for one in gone] == [401] * 3
    assert [post(f"{server.url}/users.get_current_user", **one)[0] for one in stay] == [200] * 3
    assert post(f"{server.url}/auth.login_link", {"link": late})[0] == 401
    assert post(f"{server.url}/auth.login_link", {"link": good})[0] == 200


def test_S12_who_listens_is_let_go(server: RunningServer) -> None:
    made = server.call("users.create", name="listener", role="user")
    _, token = _login(server, made["credentials"])
    heard = HTTP.request(
        "POST",
        f"{server.url}/stream",
        body=b'{"topics": ["projects"]}',
        headers={"Authorization": f"Bearer {token}"},
        preload_content=False,
        timeout=60,
    )
    assert heard.read(5)
    server.call("users.edit", user=made["user"]["id"], disabled=True)
    over = threading.Event()

    def stir() -> None:
        while not over.wait(0.3):
            name = f"stirred {os.urandom(4).hex()}"
            server.call("projects.delete", project=server.call("projects.create", name=name)["id"])

    stirring = threading.Thread(target=stir)
    stirring.start()
    try:
        while heard.read(1 << 10):
            pass
    finally:
        over.set()
        stirring.join()
        heard.close()


def test_S12_a_check_that_goes_on_while_a_key_ends_keeps_nothing(tmp_path: Path) -> None:
    """A token that is looked up while its user is disabled must not stay known for a minute."""
    database = Database(f"sqlite:///{tmp_path}/t.db")
    try:
        migrations.prepare(database)
        stores, blobs = Stores.on(database), ObjectStoreBlobs.in_folder(tmp_path)
        services = build_services(database, Settings(data=tmp_path), blobs, stores=stores)
        accounts, users = services.accounts, stores.users
        accounts.prepare(tmp_path / "credentials.json")
        key = json.loads((tmp_path / "credentials.json").read_text())
        token, _ = accounts.token(accounts.by_key(key["access_key"], key["secret_key"]))
        owner = accounts.by_token(token).user
        accounts.forget(owner)
        found = users.get_credential

        def meanwhile(connection: Any, access_key: str) -> Any:
            row = found(connection, access_key)
            with database.write() as writing:
                accounts.revoke(writing, owner, access_key)
            accounts.forget(owner)
            return row

        users.get_credential = meanwhile  # type: ignore[method-assign]
        # It was asked before.
        assert accounts.by_token(token).user == owner
        del users.get_credential
        assert accounts.remembered(token) is None
        with pytest.raises(BadToken, match="revoked"):
            accounts.by_token(token)
    finally:
        database.close()


def test_S12_the_last_administrator_stays(server: RunningServer) -> None:
    admins = [one for one in server.call("users.get_all")["users"] if one["role"] == "admin"]
    assert len(admins) == 1
    assert server.ask("users.edit", {"user": admins[0]["id"], "disabled": True}).status == 400


def test_S15_a_key_has_the_rights_that_its_maker_chose(server: RunningServer) -> None:
    key = server.call("auth.create_credentials", label="look", role="read-only")["credentials"]
    assert key["role"] == "read-only"
    _, token = _login(server, key)
    bearer = {"Authorization": f"Bearer {token}"}
    assert post(f"{server.url}/tasks.get_all", **bearer)[0] == 200
    assert post(f"{server.url}/tasks.create", {"name": "x", "type": "testing"}, **bearer)[0] == 403
    # Neither a link nor a key of it may more.
    link = post(f"{server.url}/auth.create_link", **bearer)[1]["data"]["link"]
    page = post(f"{server.url}/auth.login_link", {"link": link})[1]["data"]["token"]
    pages = {"Authorization": f"Bearer {page}"}
    assert post(f"{server.url}/tasks.create", {"name": "x", "type": "testing"}, **pages)[0] == 403
    user_key = server.call("auth.create_credentials", role="user")["credentials"]
    _, token = _login(server, user_key)
    bearer = {"Authorization": f"Bearer {token}"}
    for ask in ({}, {"role": "admin"}):
        made = post(f"{server.url}/auth.create_credentials", ask, **bearer)[1]["data"]["credentials"]
        assert made["role"] == "user"
        _, weaker = _login(server, made)
        assert post(f"{server.url}/users.create", {"name": "n"}, Authorization=f"Bearer {weaker}")[0] == 403


def test_S15_names_are_unique(server: RunningServer) -> None:
    ada = server.call("users.create", name="Ada")["user"]["id"]
    bob = server.call("users.create", name="bob")["user"]["id"]
    assert server.ask("users.create", {"name": " ada "}).status == 400
    assert server.ask("users.edit", {"user": bob, "name": "ADA"}).status == 400
    assert server.ask("users.create", {"name": "  "}).status == 400
    server.call("users.edit", user=ada, name="ada")


def test_S15_names_that_look_alike_are_one_name(server: RunningServer) -> None:
    server.call("users.create", name="Zo\u00e9 Alike", role="user")
    for name in (
        "Zoe\u0301 Alike",
        "\uff3ao\u00e9 alike",
        "Zo\u00e9\u200b Alike",
        " \u2060zo\u00c9 Alike\u200d",
        "\u200b",
    ):
        assert server.ask("users.create", {"name": name, "role": "user"}).status == 400, name


def test_S15_of_two_who_take_one_name_at_once_one_gets_it(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    migrations.prepare(database)
    services = build_services(database, Settings(data=tmp_path), ObjectStoreBlobs.in_folder(tmp_path))
    services.accounts.prepare(tmp_path / "credentials.json")
    ended = threading.Event()
    refused: list[str] = []

    def add(name: str) -> None:
        call = Call.of_loop(database, 1.0, "test")
        with call.write():
            try:
                services.users.add(call, name, "user", "")
            except BadRequest as error:
                refused.append(str(error))
        ended.set()

    try:
        first = Call.of_loop(database, 1.0, "test")
        with first.write():
            services.users.add(first, "Grace", "user", "")
            second = threading.Thread(target=add, args=("grace ",))
            second.start()
            # Not committed yet: the second must neither miss this row nor end before it is there.
            assert not ended.wait(0.3)
        second.join(30)
        assert refused and "choose another name" in refused[0]
        with database.read() as connection:
            rows: list[Any] = Stores.on(database).users.users(connection, None)
        assert [row.name for row in rows if row.name.strip().casefold() == "grace"] == ["Grace"]
    finally:
        database.close()


def test_S15_a_person_is_added_by_command(server: RunningServer) -> None:
    base = [sys.executable, "-m", "trialbook", "user"]
    done = subprocess.run(
        [*base, "add", "carol", "--role", "read-only", "--data", str(server.data)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(re.findall(r"export TRIALBOOK_API_(\w+)=(\S+)", done.stdout))
    key = {"access_key": told["ACCESS_KEY"], "secret_key": told["SECRET_KEY"]}
    assert told["HOST"] == server.url
    assert _login(server, key)[0] == 200
    subprocess.run([*base, "disable", "carol", "--data", str(server.data)], check=True)
    assert _login(server, key)[0] == 401
    again = subprocess.run(
        [*base, "add", "Carol", "--data", str(server.data)], capture_output=True, text=True
    )
    assert again.returncode == 1
    assert "choose another name" in again.stderr
