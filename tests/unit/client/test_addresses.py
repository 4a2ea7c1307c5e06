"""Addresses of one server, and of others: what belongs together is told by the server's identity alone."""

import pytest

from trialbook.client.addresses import Addresses, Told, told

HOST = "http://lab:8008/files"
ME, OTHER = "a" * 32, "b" * 32


class Net:
    """Who answers where: a base to the identity there (empty: somebody else); everything else is silent."""

    def __init__(self, **bases: str) -> None:
        self.bases = {HOST: ME}
        self.asked: list[str] = []

    def look(self, url: str) -> str | None:
        self.asked.append(url)
        for base, identity in self.bases.items():
            if url == base or url.startswith(base + "/"):
                path = url[len(base) + 1 :].partition("?")[0]
                return f"{identity} {path}".strip() if identity else ""
        return None


def never(_: str) -> bool:
    raise AssertionError("nobody is asked")


@pytest.mark.parametrize(
    ("base", "path", "now"),
    [
        ("http://localhost:8008/files", "p/x", "p/x"),
        ("http://127.0.0.1:8008/files", "p/a%20b%2523.bin", "p/a%20b%2523.bin"),
        ("https://files.lab.org", "p/x", "p/x"),
        ("https://lab.org/tools/trialbook/files", "files/files/x", "files/files/x"),
        ("http://[::1]:8008/files", "p/x?download", "p/x?download"),
        ("HTTP://LocalHost:80/files", "p/X", "p/X"),
    ],
)
def test_D1_two_addresses_of_one_server_are_one_server(base: str, path: str, now: str) -> None:
    net = Net()
    net.bases[base.lower().replace(":80/", "/")] = ME
    known = Addresses(HOST, net.look)
    assert known.here(f"{base}/{path}", never) == f"{HOST}/{now}"
    count = len(net.asked)
    assert known.here(f"{base}/other", never) == f"{HOST}/other"
    assert len(net.asked) == count, "a server that is known is not asked again"


def test_D1_another_server_keeps_its_addresses_whatever_paths_both_have() -> None:
    net = Net()
    net.bases |= {"http://other:8008/files": OTHER, "http://old:8008/files": "", "https://hub": ""}
    known = Addresses(HOST, net.look)
    for url in (
        "http://other:8008/files/trialbook-datasets/format.json",
        "http://old:8008/files/p/x",
        "https://hub/models/a",
        "https://hub/models/b",
    ):
        assert known.here(url, never) == url
    assert net.asked.count("https://hub/models/b") == 0, "one question for a host"


def test_D1_a_server_without_an_identity_has_no_other_addresses() -> None:
    known = Addresses(HOST, lambda url: "")
    assert known.here("http://localhost:8008/files/x", never) == "http://localhost:8008/files/x"


def test_D1_a_server_that_was_away_is_asked_again() -> None:
    net = Net()
    known = Addresses(HOST, net.look)
    url = "http://tunnel:1/files/p/x"
    assert known.here(url, lambda _: False) == url
    net.bases["http://tunnel:1/files"] = ME
    assert known.here(url, never) == f"{HOST}/p/x"


def test_a_file_that_is_here_makes_its_silent_host_ours() -> None:
    asked = []

    def exists(url: str) -> bool:
        asked.append(url)
        return url.endswith("/p/x")

    known = Addresses(HOST, Net().look)
    assert known.here("http://old:1/files/p/gone", exists) == "http://old:1/files/p/gone"
    assert known.here("http://old:1/files/p/x", exists) == f"{HOST}/p/x"
    assert known.here("http://old:1/files/p/gone", exists) == f"{HOST}/p/gone"
    assert known.here("https://old:1/files/p/gone", exists) == "https://old:1/files/p/gone"
    assert asked == [f"{HOST}/p/gone", f"{HOST}/p/x", f"{HOST}/p/gone"]


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/p/x",
        HOST,
        "http://LAB:8008/files/p",
        "s3://bucket/files/x",
        "/files/x",
        "file:///files/x",
        "",
    ],
)
def test_nobody_is_asked_for_what_is_known(url: str) -> None:
    known = Addresses(HOST, never, ["http://before:9/files/"])  # type: ignore[arg-type]
    assert known.here(url, never) == url.replace("LAB", "lab")
    assert known.here("http://before:9/files/a", never) == f"{HOST}/a"


@pytest.mark.parametrize(
    ("header", "url", "found"),
    [
        ("", "http://h/files/x", None),
        (ME, "http://h/files", Told(ME, "http://h/files")),
        (f"{ME} x", "http://h/files/x", Told(ME, "http://h/files")),
        (f"{ME} a/b%20c", "http://h/files/a/b c?list", Told(ME, "http://h/files")),
        (f"{ME} a%3Ab", "http://h/a:b", Told(ME, "http://h")),
        (f"{ME} another", "http://h/files/x", None),
        (f"{ME} h/files/x", "http://h/files/x", None),
    ],
)
def test_D1_where_an_endpoint_begins_follows_from_what_it_was_asked_for(
    header: str, url: str, found: Told | None
) -> None:
    assert told(header, url) == found
