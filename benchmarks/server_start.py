"""How fast a server is up and how much it weighs idle, beside the smallest web server of the standard library.

    python benchmarks/server_start.py [--runs 5]

The peer is ``python -m http.server`` in the same run: what it needs, no Python web server can undercut.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import urllib3

READY = re.compile(r"(http://[\d.:]+)")


def start(command: list[str], ask: str) -> tuple[float, float]:
    """Seconds to the first answer, and resident megabytes two seconds later."""
    http = urllib3.PoolManager(retries=False)
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        while True:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the server ended before it was ready")
            found = READY.search(line)
            if found:
                break
        port = found[1].rsplit(":", 1)[1].strip("/)")
        http.request("GET", f"http://127.0.0.1:{port}{ask}")
        took = time.perf_counter() - began
        time.sleep(2)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        return took, sum(member.memory_info().rss for member in family) / 2**20
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    bare = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    first, again, peer = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            ours = [
                sys.executable,
                "-m",
                "trialbook",
                "server",
                "--port",
                "0",
                "--data",
                str(Path(folder) / "data"),
            ]
            first.append(start(ours, "/debug.ping"))
            again.append(start(ours, "/debug.ping"))
            peer.append(start([*bare, "--directory", folder], "/"))
    print(f"{'':34}{'start, s':>10}{'of http.server':>16}{'idle MB':>10}")
    base = statistics.median(took for took, _ in peer)
    for name, rows in (
        ("empty folder, schema made", first),
        ("folder in use", again),
        ("python -m http.server", peer),
    ):
        took = statistics.median(took for took, _ in rows)
        size = statistics.median(size for _, size in rows)
        print(f"{name:34}{took:10.2f}{took / base:15.1f}x{size:10.0f}")


if __name__ == "__main__":
    main()
