"""``trialbook`` commands in processes of their own, forked from one that has imported what they need.

Most of a short command is its imports. A process that was forked after them does everything else as one that was
started: it has its own arguments, environment, folder and streams, runs the entry point, and ends by itself.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

_PROGRAM = """
import json, os, sys
import trialbook.cli.data, trialbook.cli.main, trialbook.sdk.dataset
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for number, name in enumerate((os.devnull, order["out"], order["err"])):
    os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), number)
os.environ.clear()
os.environ.update(order["environment"])
os.chdir(order["folder"])
sys.argv = ["trialbook", *order["arguments"]]
trialbook.cli.main.main()
"""


class Commands:
    """Use as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Commands":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``trialbook`` with these arguments; what came of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as name:
            out, err = Path(name, "out"), Path(name, "err")
            order = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(folder),
                "out": str(out),
                "err": str(err),
            }
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            return subprocess.CompletedProcess(
                list(arguments), status, out.read_text("utf-8"), err.read_text("utf-8")
            )
