"""Addresses of files: encoded once and decoded once, where the scheme encodes at all."""

import os
from pathlib import Path

import pytest

from trialbook.client.places import (
    child_address,
    existing_path,
    from_unencoded,
    local_path,
    path_of,
    unencoded,
)
from trialbook.errors import UsageError

NAMES = [
    "g h.txt", "g%20h.txt", "g%2520h", "100%", "a#b", "a?b", "a;b", "a+b", "ü", "日本", "a&b=c", "%", "#1", "a:b",
    "tab\tnew\nline", "[x]", "~", "a\\b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_D6_a_name_comes_back_from_its_address(name: str) -> None:
    path = f"sub/{name}"
    assert local_path(child_address("file:///data/", path)) == Path("/data", path)
    assert local_path(child_address("/data", path)) == Path("/data", path)
    assert path_of(child_address("https://host/data", path)) == f"/data/{path}"
    assert path_of(child_address("file:///data", path)) == f"/data/{path}"
    for scheme in ("s3", "gs", "azure"):
        assert child_address(f"{scheme}://bucket/data/", path) == f"{scheme}://bucket/data/{path}"
        assert path_of(f"{scheme}://bucket/{path}") == f"/{path}"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b", "/a b"),
        ("file:///a%2520b", "/a%20b"),
        ("file:///a b#1?2", "/a b#1?2"),
        ("file://localhost/a", "/a"),
        ("FILE:///a", "/a"),
    ],
)
def test_D6_a_written_address_is_decoded_once(url: str, path: str) -> None:
    assert local_path(url) == Path(path)


@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"n\xff")])
def test_D6_an_address_that_the_released_sdk_wrote(name: str) -> None:
    path = Path("/data", name)
    assert local_path(from_unencoded(unencoded(path))) == path
    assert from_unencoded(f"s3://bucket/{name}") == f"s3://bucket/{name}"


def test_D6_reading_finds_what_was_registered_without_encoding(tmp_path: Path) -> None:
    (tmp_path / "w%20.bin").write_bytes(b"1")
    url = f"{tmp_path.as_uri()}/w%20.bin"
    assert existing_path(url) == tmp_path / "w%20.bin"
    (tmp_path / "w .bin").write_bytes(b"2")
    assert existing_path(url) == tmp_path / "w .bin" == local_path(url)
    assert existing_path(f"{tmp_path.as_uri()}/none%20") == tmp_path / "none "
    assert existing_path("s3://bucket/a%20b") is None


@pytest.mark.parametrize("url", ["file://", "file://host", "FILE://", "file:///a%00b", "/a\0b"])
def test_D18_an_address_without_a_path(url: str) -> None:
    with pytest.raises(UsageError, match="does not name a path"):
        local_path(url)


def test_a_name_that_is_no_utf8_stays_on_this_machine() -> None:
    name = os.fsdecode(b"n\xff.bin")
    assert child_address("file:///data", name) == "file:///data/n%FF.bin" == Path("/data", name).as_uri()
    assert local_path("file:///data/n%FF.bin") == Path("/data", name)
    for elsewhere in (
        "http://host/files",
        "https://host",
        "s3://bucket",
        "gs://bucket/x",
        "azure://account/box",
    ):
        with pytest.raises(UsageError, match=r"is not UTF-8.*rename"):
            child_address(elsewhere, name)
