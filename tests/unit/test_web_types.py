"""The types of the page and of the client come from the method table; a stale file is a page, or a client, that calls
what no longer exists."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_types_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "web" / "generate_types.py"), "--check"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
