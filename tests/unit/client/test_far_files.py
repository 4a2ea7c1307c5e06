"""Files of other web servers: redirects, refused questions, connections that break."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.web_server import WebServer, web_server
from trialbook.client.blobs import http_head, http_read
from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.client.storage import Storage
from trialbook.errors import ConnectionFailed, FileMissing, Forbidden, WireError

SECRET = "a.token.of-ours"


@pytest.fixture
def ours() -> Iterator[WebServer]:
    with web_server() as web:
        yield web


@pytest.fixture
def far() -> Iterator[WebServer]:
    with web_server() as web:
        yield web


@pytest.fixture
def files(ours: WebServer) -> FileClient:
    class LoggedIn(Session):
        def token(self, patience: float | None = None) -> str:
            return SECRET

    return FileClient(LoggedIn(ours.url, Credentials(), patience=1.0), f"{ours.url}/files")


def tokens(web: WebServer) -> list[str]:
    return [headers["authorization"] for _, _, headers in web.asked if "authorization" in headers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_D3_a_redirect_is_followed_and_the_token_stays(
    ours: WebServer, far: WebServer, files: FileClient, tmp_path: Path, status: int
) -> None:
    far.files = {"/cdn/x?sig=a%2Fb": b"content", "/plain": b"far"}
    far.leads = {"/near": "cdn/../plain", "/hop": "/near"}
    ours.leads = {"/files/x": f"{far.url}/cdn/x?sig=a%2Fb", "/files/hops": f"{far.url}/hop"}
    ours.status = far.status = status
    for path, wanted in (("x", b"content"), ("hops", b"far")):
        url = f"{ours.url}/files/{path}"
        files.download(url, tmp_path / path)
        assert (tmp_path / path).read_bytes() == wanted == b"".join(http_read(files, url))
        assert http_head(files, url).size == len(wanted)
        assert b"".join(http_read(files, url, 1, 3)) == wanted[1:3]
    assert tokens(far) == [] and set(tokens(ours)) == {f"Bearer {SECRET}"}


def test_D3_a_redirect_to_us_is_read_as_ours(
    ours: WebServer, far: WebServer, files: FileClient, tmp_path: Path
) -> None:
    ours.files = {"/files/x": b"ours", "/filesystem": b"beside", "/elsewhere": b"beside"}
    far.leads = {"/x": f"{ours.url}/files/x", "/y": f"{ours.url}/filesystem", "/z": f"{ours.url}/elsewhere"}
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"ours" and tokens(ours)
    ours.asked.clear()
    for name in ("y", "z"):
        files.download(f"{far.url}/{name}", tmp_path / name)
    assert tokens(ours) == [] == tokens(far), "the token is for our files alone"


def test_D3_redirects_that_lead_nowhere_are_named(far: WebServer, files: FileClient, tmp_path: Path) -> None:
    far.leads = {
        "/round": "/round",
        "/file": "file:///etc/passwd",
        "/other": "s3://bucket/x",
        "/broken": "http://[",
        "/gone": "/404",
    }
    for path, kind, said in (
        ("round", WireError, "10 times"),
        ("file", WireError, "not an address of the web"),
        ("other", WireError, "not an address of the web"),
        ("broken", WireError, "not an address of the web"),
        ("gone", FileMissing, "no file"),
    ):
        with pytest.raises(kind, match=said):
            files.download(f"{far.url}/{path}", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [302, 307])
def test_D3_nothing_is_written_where_a_redirect_leads(
    ours: WebServer, far: WebServer, files: FileClient, tmp_path: Path, status: int
) -> None:
    far.leads, far.status = {"/x": f"{ours.url}/files/x"}, status
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(WireError, match=f"leads to {ours.url}/files/x"):
        files.upload(tmp_path / "x", f"{far.url}/x")
    with pytest.raises(WireError, match="leads to"):
        files.delete(f"{far.url}/x")
    assert [method for method, _, _ in ours.asked if method not in ("HEAD", "GET")] == []


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("refused", [400, 403, 404, 405, 501])
def test_D3_where_head_is_refused_a_get_tells(
    far: WebServer, files: FileClient, tmp_path: Path, refused: int, ranges: bool
) -> None:
    far.files, far.no_head, far.ranges = {"/x": b"content", "/empty": b""}, refused, ranges
    far.leads = {"/to": "/x"}
    storage = Storage(files)
    for path, size in (("x", 7), ("to", 7), ("empty", 0)):
        found = storage.facts(f"{far.url}/{path}")
        assert found is not None and found.size == size
        storage.download(f"{far.url}/{path}", tmp_path / path)
        assert (tmp_path / path).stat().st_size == size
    assert storage.facts(f"{far.url}/none") is None


@pytest.mark.parametrize("refused", [0, 403])
@pytest.mark.parametrize("ranges", [True, False])
def test_D3_the_length_of_what_a_server_packs_is_not_the_files(
    far: WebServer, files: FileClient, tmp_path: Path, ranges: bool, refused: int
) -> None:
    """A bucket's objects may be stored packed, and are sent so to whoever asks."""
    far.files, far.packed, far.ranges, far.no_head = {"/x": b"content" * 999}, True, ranges, refused
    found = Storage(files).facts(f"{far.url}/x")
    assert found is not None and found.size == -1
    Storage(files).download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"content" * 999


def test_D3_what_get_refuses_too_is_refused(far: WebServer, files: FileClient) -> None:
    far.no_head = 403
    far.leads, far.status = {"/x": ""}, 403
    with pytest.raises(Forbidden):
        files.facts(f"{far.url}/x")


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', ""])
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("cut", [0, 100_000, (1 << 20) - 1])
def test_D11_a_connection_cut_early_is_tried_again(
    far: WebServer, files: FileClient, tmp_path: Path, etag: str, ranges: bool, cut: int
) -> None:
    data = os.urandom((1 << 20) + 5)
    far.files, far.etag, far.ranges = {"/x": data}, etag, ranges
    far.cuts = [cut]
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    far.cuts = [cut]
    assert b"".join(http_read(files, f"{far.url}/x")) == data
    far.cuts = [cut // 2]
    assert b"".join(http_read(files, f"{far.url}/x", 7, 1 << 20)) == data[7 : 1 << 20]


@pytest.mark.parametrize("ranges", [True, False])
def test_D11_a_late_cut_goes_on_where_the_file_is_known_to_be_the_same(
    far: WebServer, files: FileClient, tmp_path: Path, ranges: bool
) -> None:
    data = os.urandom((5 << 20) + 5)
    far.files, far.ranges = {"/x": data}, ranges
    far.cuts = [3 << 20]
    assert b"".join(http_read(files, f"{far.url}/x")) == data
    far.cuts, far.etag = [3 << 20], ""
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data, "a file that nobody has seen may begin again"


def test_D11_two_halves_of_two_files_are_no_file(far: WebServer, files: FileClient) -> None:
    far.files, far.etag, far.cuts = {"/x": bytes(5 << 20)}, "", [3 << 20]
    with pytest.raises(ConnectionFailed, match="broke off"):
        list(http_read(files, f"{far.url}/x"))
    far.etag, far.cuts = '"one"', [3 << 20]
    parts = http_read(files, f"{far.url}/x")
    next(parts)
    far.etag = '"two"'
    with pytest.raises(ConnectionFailed, match="was changed"):
        list(parts)


def test_D11_a_server_that_always_breaks_is_given_up(
    far: WebServer, files: FileClient, tmp_path: Path
) -> None:
    far.files, far.cuts = {"/x": bytes(9_000)}, [50] * 100
    with pytest.raises(ConnectionFailed, match="broke off"):
        files.download(f"{far.url}/x", tmp_path / "x")
    with pytest.raises(ConnectionFailed, match="broke off"):
        list(http_read(files, f"{far.url}/x"))
    assert list(tmp_path.iterdir()) == [] and len(far.cuts) > 80


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [0, 7, 3_000_000])
def test_D11_an_answer_cut_in_its_head_is_no_empty_file(
    far: WebServer, files: FileClient, tmp_path: Path, size: int, chunked: bool
) -> None:
    data = os.urandom(size)
    far.files, far.chunked, far.heads = {"/x": data}, chunked, 1
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    far.heads = 1
    assert b"".join(http_read(files, f"{far.url}/x")) == data
    far.heads = 100
    with pytest.raises(ConnectionFailed, match="broke off"):
        files.download(f"{far.url}/x", tmp_path / "y")
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("cut", [0, 1000, 999_999])
def test_D11_what_comes_in_small_pieces_is_tried_again_too(
    far: WebServer, files: FileClient, tmp_path: Path, cut: int
) -> None:
    data = os.urandom(2_500_000)
    far.files, far.chunked, far.etag, far.cuts = {"/x": data}, True, "", [cut]
    assert b"".join(http_read(files, f"{far.url}/x")) == data
    far.cuts = [cut]
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data


def test_D11_another_part_than_was_asked_for_is_not_put_in(
    far: WebServer, files: FileClient, tmp_path: Path
) -> None:
    data = os.urandom(3 << 20)
    far.files, far.moved, far.cuts = {"/x": data}, 5, [2 << 20]
    files.download(f"{far.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    with pytest.raises(ConnectionFailed, match="a different part"):
        list(http_read(files, f"{far.url}/x", 10, 20))


@pytest.mark.parametrize("status", [401, 406, 500])
def test_D3_a_program_that_fails_over_head_is_asked_by_get(
    far: WebServer, files: FileClient, status: int
) -> None:
    far.files, far.no_head = {"/x": b"content"}, status
    found = files.facts(f"{far.url}/x")
    assert found is not None and found.size == 7
