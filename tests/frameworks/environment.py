"""The libraries that Trialbook watches, in a virtual environment of their own (``.venv-frameworks``).

Run as ``python -m tests.frameworks.environment`` to make it; the tests make it as well when it is missing. What the
project's own environment has is seen there too, so that only these libraries are installed.
"""

import fcntl
import hashlib
import subprocess
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def make() -> Path:
    """Make the environment when it is missing or its requirements have changed.

    Returns:
        Its interpreter.
    """
    folder = ROOT / ".venv-frameworks"
    python = folder / "bin" / "python"
    stamp = folder / f".{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Workers of one test run want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            venv.create(folder, with_pip=True)
            own = sysconfig.get_path("purelib", vars={"base": str(folder)})
            ours = sysconfig.get_path("purelib")
            # After its own folder, and with the .pth files of ours: Trialbook itself is installed through one.
            Path(own, "trialbook-tests.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], check=True)
            stamp.touch()
    return python


if __name__ == "__main__":
    print(make())
