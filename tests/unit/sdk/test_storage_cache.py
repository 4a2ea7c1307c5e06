"""The cache of fetched files: shared by processes, bounded, and never half a file."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trialbook.client.downloads import silent
from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.client.storage import Storage
from trialbook.errors import ConfigurationError, ConnectionFailed, FileMissing
from trialbook.sdk.storage import cache as caches
from trialbook.sdk.storage.cache import Cache, Limits

FETCH = """
import sys
from pathlib import Path
from trialbook.client.downloads import silent
from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.client.storage import Storage
from trialbook.sdk.storage.cache import Cache, Limits
storage = Storage(FileClient(Session("http://127.0.0.1:9", Credentials()), "http://127.0.0.1:9/files"))
sys.stdin.readline()
path = Cache(Path(sys.argv[1]), Limits()).fetch(storage, sys.argv[2], "files", None, False, silent)
print(path.stat().st_size, flush=True)
sys.stdin.readline()
"""


class Web:
    """A plain HTTP server that counts."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}
        self.sent: list[str] = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data, etag = web.files.get(self.path, (b"", ""))
                self.send_response(200 if etag else 404)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("ETag", etag)
                self.end_headers()
                if self.command == "GET":
                    web.sent.append(self.path)
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name: str, data: bytes, etag: str = '"1"') -> str:
        self.files[f"/{name}"] = (data, etag)
        return f"{self.url}/{name}"


@pytest.fixture
def web() -> Iterator[Web]:
    running = Web()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def storage() -> Storage:
    session = Session("http://127.0.0.1:9", Credentials(), patience=0.2)
    return Storage(FileClient(session, "http://127.0.0.1:9/files"))


def fetched(cache: Cache, storage: Storage, url: str) -> Path:
    return cache.fetch(storage, url, "files", None, False, silent)


def let_go() -> None:
    """As if the process that was given the files had ended."""
    while caches._held:
        os.close(caches._held.popitem()[1])


def test_one_transfer_until_it_changes(web: Web, storage: Storage, tmp_path: Path) -> None:
    cache = Cache(tmp_path, Limits(free=0))
    url = web.put("a.bin", b"one")
    assert fetched(cache, storage, url).read_bytes() == b"one"
    assert fetched(cache, storage, url).read_bytes() == b"one"
    assert web.sent == ["/a.bin"]
    web.put("a.bin", b"two", '"2"')
    assert fetched(cache, storage, url).read_bytes() == b"two"
    del web.files["/a.bin"]
    with pytest.raises(FileMissing):
        fetched(cache, storage, url)


def test_what_is_here_serves_while_the_storage_is_away(web: Web, storage: Storage, tmp_path: Path) -> None:
    cache = Cache(tmp_path, Limits(free=0))
    url = web.put("a.bin", b"one")
    fetched(cache, storage, url)
    web.server.shutdown()
    web.server.server_close()
    assert fetched(cache, storage, url).read_bytes() == b"one"
    with pytest.raises(ConnectionFailed):
        fetched(cache, storage, f"{web.url}/b.bin")


def test_a_damaged_copy_is_fetched_again(web: Web, storage: Storage, tmp_path: Path) -> None:
    cache = Cache(tmp_path, Limits(free=0))
    url = web.put("a.bin", b"whole file")
    path = fetched(cache, storage, url)
    path.write_bytes(b"cut")
    assert fetched(cache, storage, url).read_bytes() == b"whole file"


def test_processes_that_want_one_file_fetch_it_once(web: Web, tmp_path: Path) -> None:
    url = web.put("big.bin", os.urandom(5 << 20))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FETCH, str(tmp_path), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{5 << 20}\n"
    assert web.sent == ["/big.bin"]
    for process in processes:
        process.communicate("\n")


def test_the_oldest_go_and_those_in_use_stay(web: Web, storage: Storage, tmp_path: Path) -> None:
    cache = Cache(tmp_path, Limits(files=2, free=0))
    urls = [web.put(f"{number}.bin", b"x" * 100) for number in range(5)]
    keeper = subprocess.Popen(
        [sys.executable, "-c", FETCH, str(tmp_path), urls[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdin is not None and keeper.stdout is not None
    keeper.stdin.write("\n")
    keeper.stdin.flush()
    assert keeper.stdout.readline() == "100\n"
    (held,) = (tmp_path / "downloads" / "files" / ".locks").glob("*.used")
    os.utime(held, (1.0, 1.0))
    paths = []
    for number, url in enumerate(urls[1:]):
        paths.append(fetched(cache, storage, url))
        used = next(path for path in caches._held if paths[-1].parent.name in path.name)
        let_go()
        os.utime(used, (1e9 + number, 1e9 + number))
    cache.evict("files")
    assert [path.exists() for path in paths] == [False, False, True, True]
    entry = tmp_path / "downloads" / "files"
    assert any(path.name == "0.bin" for path in entry.rglob("*.bin"))
    keeper.communicate("\n")
    cache.evict("files")
    assert not any(path.name == "0.bin" for path in entry.rglob("*.bin"))


def test_bytes_are_bounded_over_all_contexts(web: Web, storage: Storage, tmp_path: Path) -> None:
    cache = Cache(tmp_path, Limits(bytes=2500, free=0))
    for number in range(4):
        url = web.put(f"{number}.bin", b"x" * 1000)
        cache.fetch(storage, url, f"context{number % 2}", None, False, silent)
        let_go()
    cache.evict("context0")
    assert len(list((tmp_path / "downloads").rglob("*.bin"))) <= 2


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_makes_room_and_else_says_what_to_do(web: Web, storage: Storage, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        cache = Cache(disk, Limits(free=0))
        for number in range(4):
            fetched(cache, storage, web.put(f"{number}.bin", b"x" * 700_000))
            let_go()
        with pytest.raises(ConfigurationError, match=r"is full: .*TRIALBOOK_CACHE_DIR"):
            fetched(cache, storage, web.put("huge.bin", b"x" * 3_000_000))
        assert not list(disk.rglob(".huge*"))
    finally:
        let_go()
        subprocess.run(["umount", str(disk)], check=False)
