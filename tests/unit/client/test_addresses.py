"""Recorded addresses of a host that is reached under another name today."""

import socket

import pytest

from trialbook.client.addresses import Addresses

HOST = "http://lab:8008/files"


def test_a_server_that_answers_is_another_one_with_the_same_paths() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}/files/trialbook-datasets/format.json"
        known = Addresses(HOST)
        assert known.here(url, lambda _: True) == url
    assert known.here(url, lambda _: True) == f"{HOST}/trialbook-datasets/format.json"


def test_a_file_that_is_here_makes_its_host_ours() -> None:
    asked = []

    def exists(url: str) -> bool:
        asked.append(url)
        return url.endswith("/p/x")

    known = Addresses(HOST)
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
        "http://other/data/files/x",
        "http://other/filesystem/x",
        "s3://bucket/files/x",
        "/files/x",
        "file:///files/x",
        "",
    ],
)
def test_nobody_is_asked_for_what_cannot_be_ours(url: str) -> None:
    def exists(_: str) -> bool:
        raise AssertionError

    assert Addresses(HOST, ["http://before:9/files/"]).here(url, exists) == url
    assert Addresses(HOST, ["http://before:9/files/"]).here("http://before:9/files/a", exists) == f"{HOST}/a"
