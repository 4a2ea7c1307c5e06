"""How fast a server is up and how much it weighs idle, beside the smallest web server of the standard library.

    python -m benchmarks.server_start [--runs 5]

The peer is ``python -m http.server`` in the same run: what it needs, no Python web server can undercut. Then: what a
request costs on a connection that is kept, with one and with two server processes on one PostgreSQL database when
``--database`` names one, beside a bare exchange of one byte over a loopback socket.
"""

import argparse
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import urllib3
from benchmarks.ingest import Server

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


def kept_alive(most: int, database: str | None, rounds: int = 500) -> list[float]:
    """Median ms of a small call with one server, with two, …, going from server to server."""
    medians: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        servers: list[Server] = []
        try:
            for number in range(most):
                folder = Path(name) / str(number)
                if servers:
                    folder.mkdir()
                    shutil.copy(servers[0].data / "credentials.json", folder)
                servers.append(Server(folder, database))
                took = []
                for turn in range(rounds + 20):
                    server = servers[turn % len(servers)]
                    began = time.perf_counter()
                    server.call("users.get_current_user")
                    took.append(time.perf_counter() - began)
                medians.append(statistics.median(took[20:]) * 1e3)
        finally:
            for server in servers:
                server.stop()
    return medians


def bare_exchange(rounds: int = 2000) -> float:
    """Median ms of a byte there and back between two threads over loopback."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        peer, _ = listener.accept()
        with peer:
            while part := peer.recv(1):
                peer.sendall(part)

    thread = threading.Thread(target=echo)
    thread.start()
    took = []
    with socket.create_connection(listener.getsockname()) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(rounds):
            began = time.perf_counter()
            line.sendall(b".")
            line.recv(1)
            took.append(time.perf_counter() - began)
    thread.join()
    listener.close()
    return statistics.median(took) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", default=None, help="address of an empty PostgreSQL database")
    ask = parser.parse_args()
    runs = ask.runs
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
    bare_ms = bare_exchange()
    print(f"{'a byte there and back':34}{bare_ms:10.3f} ms")
    for number, took_ms in enumerate(kept_alive(2 if ask.database else 1, ask.database), 1):
        print(
            f"{f'a small call, {number} server(s)':34}{took_ms:10.3f} ms  {took_ms / 2:5.2f} of 2 ms"
            f"  {took_ms / bare_ms:6.1f} times it"
        )


if __name__ == "__main__":
    main()
