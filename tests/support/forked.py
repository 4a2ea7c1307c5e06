"""``trialbook server`` in processes that are forked from one that has imported it.

Most of a start are imports. A process that was forked after them does everything else as one that was started: it has
its own arguments, environment and output, runs the entry point, can be killed, and ends with a status of its own.
"""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

AVAILABLE = sys.platform == "linux"
"""Elsewhere there are no sockets that keep messages apart and carry files."""

_MOST_BYTES = 1 << 17
_PROGRAM = """
import gc, json, os, select, signal, socket, sys
import alembic.command, psycopg, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite.pysqlite
import uvicorn.protocols.http.httptools_impl
import trialbook.cli.main, trialbook.cli.server, trialbook.server.main, trialbook.server.wiring

channel = socket.socket(fileno=int(sys.argv[1]))
woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
gc.freeze()
children = 0
while True:
    ready = select.select([channel, woken], [], [])[0]
    if woken in ready:
        os.read(woken, 1000)
        while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            children -= 1
            channel.send(json.dumps([ended[0], os.waitstatus_to_exitcode(ended[1])]).encode())
    if channel in ready:
        text, handed, *_ = socket.recv_fds(channel, MOST_BYTES, 1)
        if not text:
            sys.exit()
        (output,) = handed
        child = os.fork()
        if not child:
            break
        children += 1
        os.close(output)
        channel.send(json.dumps([child, None]).encode())
signal.set_wakeup_fd(-1)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
channel.close()
os.close(woken)
os.close(wake)
for number in (1, 2):
    os.dup2(output, number)
os.close(output)
order = json.loads(text)
os.environ.clear()
os.environ.update(order["environment"])
os.chdir(order["folder"])
sys.argv = ["trialbook", *order["arguments"]]
trialbook.cli.main.main()
"""


class Process:
    """What of ``subprocess.Popen`` the tests use, for a process that is not this one's child."""

    def __init__(
        self, pid: int, stdout: IO[str], changed: threading.Condition, ended: dict[int, int]
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self._changed = changed
        self._ended = ended

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._ended.get(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, as soon as it has one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.pid in self._ended, timeout):
                raise subprocess.TimeoutExpired(["trialbook", "server"], timeout or 0.0)
        return self._ended[self.pid]

    def send_signal(self, how: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        """``kill -9``."""
        self.send_signal(signal.SIGKILL)


class _Origin:
    """The process that they are forked from."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _PROGRAM.replace("MOST_BYTES", str(_MOST_BYTES)),
                    str(theirs.fileno()),
                ],
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._changed = threading.Condition()
        self._ended: dict[int, int] = {}
        self._begun: list[int] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while text := self._channel.recv(_MOST_BYTES):
            pid, status = json.loads(text)
            with self._changed:
                if status is None:
                    # The number may have been that of another one.
                    self._ended.pop(pid, None)
                    self._begun.append(pid)
                else:
                    self._ended[pid] = status
                self._changed.notify_all()

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
        order = {"arguments": list(arguments), "environment": dict(environment), "folder": str(Path.cwd())}
        reading, writing = os.pipe()
        with self._changed:
            try:
                socket.send_fds(self._channel, [json.dumps(order).encode()], [writing])
            finally:
                os.close(writing)
            if not self._changed.wait_for(lambda: self._begun, 60):
                raise RuntimeError(f"no server was forked; the origin has ended: {self._process.poll()}")
            return Process(self._begun.pop(), os.fdopen(reading), self._changed, self._ended)


_origin = functools.cache(_Origin)


def start(arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Run ``trialbook`` with these arguments; what it prints, on either stream, is in ``stdout``."""
    return _origin().start(arguments, environment)
