"""What storing files costs, against the copy and the bare request of the same machine.

    python -m benchmarks.storage [--mib 1024]

Prints the time that ``snapshot.keep`` takes from its caller as a ratio to a plain copy, and the time of an upload to,
and a download from, the server and an S3 server (moto, one Python process) as ratios to a bare PUT or GET of the same
bytes, all in one run.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.object_storages import S3Server
from tests.support.server import RunningServer

from trialbook.client.files import FileClient
from trialbook.client.session import Credentials, Session
from trialbook.client.storage import Storage
from trialbook.journal import snapshot


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ratio(name: str, ours: Callable[[], object], bare: Callable[[], object], rounds: int = 3) -> None:
    pairs = [(timed(bare), timed(ours)) for _ in range(rounds)]
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:34} {second:7.3f} s, bare {first:7.3f} s, ratio {second / first:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    size = parser.parse_args().mib
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        source = folder / "source"
        block = os.urandom(1 << 20)
        with source.open("wb") as file:
            for _ in range(size):
                file.write(block)
        measure_calls(source, folder)
        with source.open("r+b") as file:
            file.truncate(min(size, 256) << 20)
        measure_transfers(source, folder)


def measure_calls(source: Path, folder: Path) -> None:
    import shutil

    taken: list[Path] = []

    def keep() -> None:
        taken.append(folder / f"{len(taken)}.bin")
        snapshot.keep(source, taken[-1])

    def copy() -> None:
        shutil.copyfile(source, folder / "copy")

    for _ in range(3):
        plain, ours = timed(copy), timed(keep)
        waited = timed(lambda: snapshot.settle(taken[-1]))
        print(
            f"{'caller waits, of a copy':34} {ours:7.4f} s, copy {plain:.3f} s, ratio {ours / plain:.4f}",
            end="",
        )
        print(f"; in the background {waited:.3f} s")
        snapshot.forget(taken[-1])
    (folder / "copy").unlink()


def measure_transfers(source: Path, folder: Path) -> None:
    target = folder / "fetched"
    http = urllib3.PoolManager(retries=False, blocksize=1 << 18)
    server = RunningServer(folder / "server")
    try:
        session = Session(server.url, Credentials(token=server.token))
        storage = Storage(FileClient(session, server.files_url))
        url = f"{server.files_url}/a"
        head = {"Authorization": f"Bearer {server.token}"}

        def put() -> None:
            with source.open("rb") as file:
                length = {"Content-Length": str(source.stat().st_size)}
                http.request("PUT", f"{url}-bare", body=file, headers={**head, **length})

        def get() -> None:
            reply = http.request("GET", url, headers=head, preload_content=False)
            with (folder / "bare").open("wb") as file:
                for part in reply.stream(1 << 20):
                    file.write(part)
            reply.release_conn()

        ratio("upload to the server, in parts", lambda: storage.upload(source, url), put)
        ratio("download from the server", lambda: storage.download(url, target), get)
    finally:
        server.stop()
    s3 = S3Server()
    try:
        bucket = s3.make_bucket("bench")
        cloud = Storage(None, s3.accounts)
        plain = f"{s3.url}/bench/bare"
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/s3/aws4_request"}

        def put_s3() -> None:
            http.request("PUT", plain, body=source.read_bytes(), headers=signed)

        def get_s3() -> None:
            (folder / "bare").write_bytes(http.request("GET", plain, headers=signed).data)

        ratio("upload to S3, in parts", lambda: cloud.upload(source, f"{bucket}/a"), put_s3)
        ratio("download from S3", lambda: cloud.download(f"{bucket}/a", target), get_s3)
    finally:
        s3.stop()


if __name__ == "__main__":
    main()
