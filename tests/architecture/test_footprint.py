"""The promises of the base install: few packages, few megabytes, and an import that loads only the standard library."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

MAX_PACKAGES = 36
MAX_BYTES = 150_000_000
# Parts of the standard library that Python 3.10 does not have yet.
BACKPORTS = {"exceptiongroup", "tomli"}


def base_install() -> dict[str, importlib.metadata.Distribution]:
    """Every distribution that ``pip install trialbook`` brings on this interpreter, Trialbook itself left out."""
    found: dict[str, importlib.metadata.Distribution] = {}

    def walk(name: str) -> None:
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            if key not in found:
                found[key] = importlib.metadata.distribution(key)
                walk(key)

    walk("trialbook")
    return found


def test_base_install_is_small() -> None:
    packages = {name: found for name, found in base_install().items() if name not in BACKPORTS}
    size = 0
    for distribution in packages.values():
        files = [Path(str(distribution.locate_file(file))) for file in distribution.files or []]
        size += sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
    assert 10 < len(packages) <= MAX_PACKAGES, sorted(packages)
    assert size <= MAX_BYTES, f"{size / 1e6:.0f} MB"


def test_import_loads_only_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import trialbook; "
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    tops = {line.partition(".")[0] for line in done.stdout.split()}
    foreign = tops - set(sys.stdlib_module_names) - {"trialbook"}
    assert "trialbook" in tops
    assert not foreign


def test_task_class_loads_no_heavy_part_of_the_standard_library() -> None:
    code = "import sys; from trialbook import Task; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "tarfile",
        "zipfile",
        "csv",
        "concurrent.futures",
        "configparser",
        "mimetypes",
        "email.utils",
        "gzip",
        "tempfile",
        "subprocess",
        "uuid",
        "difflib",
        "platform",
        # What a run, a connection and files need comes with the first of these.
        "trialbook.journal.journal",
        "trialbook.client.storage",
        "trialbook.sdk.storage",
        "trialbook.sdk.offline.recovery",
    }
    assert not heavy & set(done.stdout.split())


def test_task_class_loads_no_server_library() -> None:
    code = "import sys; from trialbook import Task; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "sqlalchemy", "starlette", "uvicorn", "alembic", "obstore", "pyhocon"}
