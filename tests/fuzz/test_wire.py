"""Whatever is sent, by whomever: a right answer or a refusal, never a fault of the server, and a refusal changes nothing.

All requests are drawn from a seed. ``TRIALBOOK_FUZZ=10000`` sends that many of each kind, ``TRIALBOOK_FUZZ_SEED`` draws
others. A failure lists each kind of mistake once, with one request that makes it.
"""

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tests.conftest import ON_EACH
from tests.fuzz.values import DIGITS, TEXTS, Values, dumped, mutated
from tests.fuzz.world import World, data_url
from tests.support.length import rounds
from tests.support.server import RunningServer
from tests.support.template import Templates
from trialbook.wire.catalogue import METHODS
from trialbook.wire.table import RawBody

SEED = int(os.environ.get("TRIALBOOK_FUZZ_SEED", "7"))
MANY = rounds("TRIALBOOK_FUZZ", short=330, long=10_000)
JSON = {"Content-Type": "application/json"}
POINTS = {"Content-Type": "application/x-trialbook-points"}
LINES = {"Content-Type": "application/json-lines"}
PARTS = {"Content-Type": "multipart/form-data; boundary=bound"}
HARMFUL = {"auth.revoke_credentials", "users.delete", "users.edit", "auth.logout"}
"""What takes the callers' own keys away: rarely, and then all is made new."""
pytestmark = pytest.mark.timeout(60 + MANY)


@pytest.fixture(scope="module", params=ON_EACH)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, templates: Templates
) -> Iterator[World]:
    data = tmp_path_factory.mktemp("fuzz")
    database = None
    if request.param == "postgresql":
        database = templates.postgresql(request.getfixturevalue("postgres"))
    server = RunningServer(data, database)
    made = World(server, data_url(server))
    yield made
    made.watch.close()
    server.stop()


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    """What one test has found is not the next one's."""
    world.found.clear()
    world.renew()
    yield


def version(chance: random.Random) -> str:
    usual = ["", "/v2.34", "/api/v2.13", "/v1.5", "/v2"]
    odd = ["/v0", "/v999", "/v" + "9" * 5000 + ".1", "/v2." + "9" * 5000, "/v2.34.5", "/v-1", "/v٢.٣", "/vx"]
    return chance.choice(usual if chance.random() < 0.9 else odd)


def test_S8_every_method(world: World) -> None:
    chance = random.Random(SEED)
    methods = list(METHODS)
    for number in range(max(MANY, 2 * len(methods))):
        method = methods[number % len(methods)]
        if method.name in HARMFUL and chance.random() < 0.5:
            continue
        if number % 400 == 399 or (number and methods[number % len(methods) - 1].name in HARMFUL):
            world.renew()
        values = Values(chance, world.known)
        body = b"" if method.request is RawBody else dumped(values.params(method.request))
        caller = chance.choices(list(world.tokens), [1, 1, 12, 4, 2, 2])[0]
        world.call("POST", f"{version(chance)}/{method.name}", body, JSON, caller, raw=chance.random() < 0.05)
    assert not world.found, world.report()
    # Callers who are only ever refused would find nothing.
    assert world.answers[200] > sum(world.answers.values()) / 10, world.answers


@pytest.mark.parametrize("door", ["journal", "lines", "parts", "json"])
def test_S8_mutated_bodies(world: World, door: str) -> None:
    chance = random.Random(f"{SEED} {door}")
    for number in range(MANY // 4):
        if number % 400 == 399:
            world.renew()
        encoding = chance.choice(["", "", "", "gzip", "zstd", "odd"])
        if door == "journal":
            path, headers, body = "/events.add_points", POINTS, world.journal()
        elif door == "lines":
            path, headers, body = "/events.add_batch", LINES, world.lines()
        elif door == "parts":
            path, headers, body, encoding = "/files", PARTS, world.parts(f"fuzz/{number}"), ""
        else:
            ask = {
                "id": world.known["task"],
                "name": "x",
                "order_by": ["-name"],
                "_any_": {"pattern": "x", "fields": ["name"]},
            }
            path, headers, body = "/tasks.get_all_ex", JSON, json.dumps(ask).encode()
        late = chance.random() < 0.3
        body = body if late else mutated(chance, body)
        if encoding == "gzip":
            body = gzip.compress(body)
        elif encoding == "zstd":
            body = zstd.compress(body)
        body = mutated(chance, body) if late else body
        sent = {**headers, **({"Content-Encoding": encoding} if encoding else {})}
        world.call("POST", path, body, sent, raw=True)
    assert not world.found, world.report()


def odd_path(chance: random.Random) -> str:
    kind = chance.randrange(10)
    if kind == 0:
        return "x" * 5000
    if kind == 1:
        return "/".join(["d"] * 1500)
    if kind == 2:
        return "%C3%BC" * 100 + "/" + "n" * chance.choice([250, 255, 256, 300])
    return chance.choice([
        "%00", "a%00b", "%ff%fe", "%ed%a0%80", "..", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fx", "%252e%252e/x", "a//b", "/", "//", "a/",
        "./a", "a/./b", "a;b", "a%5c..%5cb", "%", "%zz", "a%0d%0aX:%20y", "%7f", "ü", "a?list", "?list", "fuzz?list=1&download", "CON", ".hidden",
        "a" + "%20" * 300, "fuzz/file", "fuzz/file?download", "fuzz", "fuzz/file/under",
    ])  # fmt: skip


def file_headers(chance: random.Random) -> dict[str, str]:
    many = "9" * 5000
    usual: list[dict[str, str]] = [
        {"Range": f"bytes={many}-"}, {"Range": f"bytes=0-{many}"}, {"Range": f"bytes=-{many}"}, {"Range": "bytes=5-2"}, {"Range": "bytes=-"},
        {"Range": "bytes=0-1,3-4"}, {"Range": "bytes=٣-٤"}, {"Range": "lines=1-2"}, {"Range": "bytes=0-0"}, {"If-Range": '"x"', "Range": "bytes=0-1"},
        {"If-None-Match": "*"}, {"If-None-Match": '"x", W/"y"'}, {"If-None-Match": many}, {"Content-Encoding": "gzip"},
        {"Upload-Id": "0" * 32, "Content-Range": f"bytes 0-{many}/{many}"}, {"Upload-Id": "0" * 32, "Content-Range": f"bytes */{many}"},
        {"Upload-Id": "1" * 32, "Content-Range": "bytes 0-3/2"}, {"Upload-Id": "2" * 32, "Content-Range": "bytes */4"}, {"Upload-Id": "../x"},
        {"Upload-Id": "3" * 32, "Content-Range": "bytes 0-6/7"}, {"Upload-Id": "4" * 32, "Content-Range": "bytes 0-6/9"}, {"Upload-Id": "5" * 32},
        {"Content-Type": "multipart/form-data"}, {"Content-Type": "multipart/form-data; boundary=" + "b" * 5000}, PARTS,
        {"Authorization": "Basic"}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer " + "x" * 9000}, {"Authorization": "Basic /////w=="},
        {"Authorization": "Bearer a.b.c"}, {"Authorization": "Bearer \xff"}, {"Cookie": "trialbook=" + "x" * 3000}, {"Cookie": "a;b=;=c"},
        {"Content-Length": "x"}, {"Content-Length": many}, {"Content-Length": "-1"}, {"Host": "a b"}, {"Host": ""},
        {"Accept-Encoding": many}, {"X-ClearML-Worker": "w\xff"}, {"Last-Event-ID": many}, {"Origin": "null"}, {"X-Forwarded-For": many},
    ]  # fmt: skip
    return chance.choice(usual) if chance.random() < 0.7 else {}


def test_S8_files_and_other_addresses(world: World) -> None:
    chance = random.Random(f"{SEED} files")
    verbs = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "X" * 50]
    for number in range(MANY):
        if number % 100 == 0:
            world.call("PUT", "/files/fuzz/file", b"0123456789", {}, raw=True)
        place = chance.choices(
            ["/files/", "/stream", "/api", "/", "/v" + "9" * 4400 + "/server.info"], [12, 1, 1, 3, 1]
        )[0]
        path = place + (
            odd_path(chance)
            if place.endswith("/")
            else chance.choice(["", "/", "?a=%ff", "?" + "a=1&" * 500])
        )
        verb, sent = chance.choice(verbs), file_headers(chance)
        body: bytes = chance.choice(
            [
                b"",
                b"content",
                World.parts("fuzz"),
                b'{"topics": ["task:1"]}',
                b'{"topics": 5}',
                dumped([DIGITS]),
            ]
        )
        before = world.files()
        status = world.call(
            verb, path, body, sent, chance.choice(["admin", "worker", "read-only", "nobody"]), raw=True
        )
        if status >= 400 and world.files() != before:
            world.found[f"refused with {status}, and changed the files: {verb} {path[:60]} {sent}"[:400]] += 1
            world.examples.setdefault(next(reversed(world.found)), "")
    assert not world.found, world.report()


def test_S8_queries_in_the_address(world: World) -> None:
    chance = random.Random(f"{SEED} query")
    from urllib.parse import quote

    names = [
        "id",
        "page",
        "page_size",
        "order_by",
        "only_fields",
        "name",
        "status",
        "size",
        "x.y",
        "_all_",
        "",
    ]
    reading = [method.name for method in METHODS if not method.changes]
    for _ in range(MANY // 2):
        values: list[Any] = [chance.choice(TEXTS), "9" * 5000, "1e999", "-1", "true", "%ff", "_" * 9000]
        asked = "&".join(
            f"{chance.choice(names)}={quote(str(chance.choice(values)).encode('utf-8', 'replace')[:8000])}"
            for _ in range(chance.randrange(4))
        )
        world.call(chance.choice(["GET", "POST"]), f"/{chance.choice(reading)}?{asked}", b"", {}, raw=True)
    assert not world.found, world.report()


def test_the_watch_sees_a_change(world: World, tmp_path: Path) -> None:
    """The fuzzer's own eyes: a changed row is another digest, what only reads is not."""
    world.server.call("tasks.edit", task=world.known["task"][0], comment="one")
    before = world.watch.digest()
    world.server.call("tasks.get_all", {})
    assert world.watch.digest() == before
    world.server.call("tasks.edit", task=world.known["task"][0], comment="other")
    changed = {table for table, digest in world.watch.digest().items() if digest != before[table]}
    assert changed - {"sqlite_sequence"} == {"task", "project", "task_text", "change"}, changed
