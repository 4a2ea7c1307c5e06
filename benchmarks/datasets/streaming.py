"""Reading a version in a bucket without a copy, beside bare GETs of the same packs, in the same run.

    python -m benchmarks.datasets.streaming [--large 6] [--small 4000] [--rounds 3]

The bucket is moto's, one Python process on this machine that cuts each answer out of the whole object: its rate is the
limit here, so what counts is the ratio. "bare" asks for every byte of every pack once, in parts of 8 MB, one after the
other, through ``obstore``, and does nothing with them; ours checks what it gives out.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import obstore
from benchmarks.datasets.engine import make
from tests.support.object_storages import S3Server
from tests.support.server import RunningServer

_PART = 8 << 20
_READ = 1 << 20


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and the bytes that came."""
    start = time.perf_counter()
    count = work()
    return time.perf_counter() - start, count


def bare(store: "obstore.store.ObjectStore", keys: list[str]) -> int:
    """Every byte of some objects."""
    count = 0
    for key in keys:
        size = obstore.head(store, key)["size"]
        for start in range(0, size, _PART):
            count += len(obstore.get_range(store, key, start=start, end=min(start + _PART, size)))
    return count


def through_fsspec(files: Any, paths: list[str]) -> int:
    """Every file, from its beginning to its end."""
    count = 0
    for path in paths:
        with files.open(path) as file:
            while part := file.read(_READ):
                count += len(part)
    return count


def iterated(data: Any) -> int:
    """The whole version as a stream."""
    return sum(len(content) for _, content in data.iterate())


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--large", type=int, default=6, help="files of 30 MB")
    parser.add_argument("--small", type=int, default=4000, help="files of 40 KB")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        server, bucket = RunningServer(top / "server"), S3Server()
        try:
            os.environ.update(server.client_environment(top))
            (top / "trialbook.conf").write_text(bucket.configuration())
            run(top, bucket, given.large, given.small, given.rounds)
        finally:
            server.stop()
            bucket.stop()


def run(top: Path, bucket: S3Server, large: int, small: int, rounds: int) -> None:
    """Print a line for each way of reading."""
    from trialbook import Dataset

    for kind, count, size in (("large", large, 30_000_000), ("small", small, 40_000)):
        address = bucket.make_bucket(f"stream-{kind}")
        make(top / kind, count, size)
        data = Dataset.create(kind, "Benchmark", output_uri=address)
        data.add_files(top / kind)
        data.finalize(auto_upload=True)
        store = obstore.store.S3Store(
            f"stream-{kind}", endpoint=bucket.url, access_key_id="test", secret_access_key="test",
            region="us-east-1", virtual_hosted_style_request=False, client_options={"allow_http": True},
        )  # fmt: skip
        listed = [info["path"] for part in obstore.list(store) for info in part]
        keys = sorted(key for key in listed if key.endswith(".zip"))
        paths = data.list_files()
        files = fsspec.filesystem("trialbook", skip_instance_cache=True)
        head = f"trialbook://dataset/Benchmark/{kind}@{data.version}"

        ways: dict[str, Callable[[], int]] = {"iterate": partial(iterated, data)}
        if kind == "large":
            ways["fsspec"] = partial(through_fsspec, files, [f"{head}/{path}" for path in paths])
        for way, work in ways.items():
            ratios, rates = [], []
            work()
            for _ in range(rounds):
                limit, raw = timed(partial(bare, store, keys))
                took, count = timed(work)
                rates.append(count / took / 1e6)
                ratios.append((count / took) / (raw / limit))
            print(
                f"{kind:6} {way:8} {statistics.median(rates):7.0f} MB/s   "
                f"{statistics.median(ratios):5.2f} of bare GETs",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
