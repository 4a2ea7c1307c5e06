"""Training programs as real processes, with a home of their own."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.server import RunningServer


class Program:
    """A Python program that reports to a server.

    Args:
        source: its text.
        server: where it reports to.
        home: its home folder: cache and journals live there.
        arguments: of its command line.
        python: the interpreter; None is that of the tests.
        more: further environment variables.
    """

    def __init__(
        self,
        source: str,
        server: RunningServer,
        home: Path,
        arguments: tuple[str, ...] = (),
        python: str | None = None,
        **more: str,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        script = home / "train.py"
        script.write_text(source)
        self.home = home
        self.output: list[str] = []
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_", "XDG_"))
        }
        environment |= {
            "HOME": str(home),
            "PYTHONUNBUFFERED": "1",
            "TRIALBOOK_API_HOST": server.url,
            "TRIALBOOK_API_ACCESS_KEY": server.access_key,
            "TRIALBOOK_API_SECRET_KEY": server.secret_key,
            **more,
        }
        self.environment = environment
        self.process = subprocess.Popen(
            [python or sys.executable, str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=home,
            # A shell that runs the tests in the background ignores SIGINT, and children inherit that.
            preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))

    def said(self, mark: str) -> list[str]:
        """The lines that begin with a mark, without it."""
        return [line[len(mark) :].strip() for line in list(self.output) if line.startswith(mark)]

    def wait_for(self, mark: str, seconds: float = 30.0) -> str:
        """The first line that begins with ``mark``, without it."""
        until(lambda: self.said(mark) or self.process.poll() is not None, seconds)
        found = self.said(mark)
        assert found, f"the program did not say {mark!r}:\n" + "\n".join(self.output)
        return found[0]

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(5)
        return status

    def kill(self) -> None:
        """``kill -9``."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    @property
    def text(self) -> str:
        """All that it printed."""
        return "\n".join(self.output)


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Poll until the condition is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "the condition did not come true in time"
        threading.Event().wait(0.05)


def document(server: RunningServer, task: str) -> dict[str, Any]:
    """The task's document."""
    found: dict[str, Any] = server.call("tasks.get_by_id", {"task": task})["task"]
    return found


def points(server: RunningServer, task: str) -> dict[str, dict[str, list[float]]]:
    """Every point: ``{"metric/variant": {"iter": […], "value": […]}}``."""
    reply = server.call("series.raw", {"series": {"tasks": [task]}, "format": "json"})
    return {
        f"{s['metric']}/{s['variant']}": {"iter": s["iter"], "value": s["value"]} for s in reply["series"]
    }


def console(server: RunningServer, task: str) -> str:
    """The console as one text."""
    ask = {"task": task, "batch_size": 5000, "order": "asc", "navigate_earlier": True}
    events = server.call("events.get_task_log", ask)["events"]
    return "\n".join(str(event["msg"]) for event in events)
