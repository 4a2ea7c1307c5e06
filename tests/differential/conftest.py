"""Plays the corpus once with each SDK against one server, both at the same time."""

import shutil
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.differential.records import Flat, Reader, flat_answers
from tests.interop.conftest import clearml_python as clearml_python
from tests.interop.conftest import run_script
from tests.support import length
from tests.support.server import RunningServer

CORPUS = Path(__file__).parent / "corpus"
SHORT = (
    "replaced",
    "console",
    "scalars",
    "queries",
    "artifacts",
    "figures",
    # Last: its argument parser would be recorded by every later run of the process too.
    "parameters",
)
LONG = ("models", "datasets", "pictures")
SCRIPTS = LONG + SHORT if length.LONG else SHORT


class Played:
    """The records of every script by each SDK."""

    def __init__(self, clearml_python: Path, server: RunningServer, home: Path) -> None:
        # A folder that no repository holds: what is recorded of a script's repository has tests of its own.
        play = str(shutil.copytree(CORPUS, home / "corpus") / "play.py")
        commands = {
            "clearml": [str(clearml_python), play],
            "trialbook": [sys.executable, "-m", "trialbook", "run", play],
        }

        def run(sdk: str) -> dict[str, Flat]:
            project = f"Differential/{uuid.uuid4().hex[:8]}"
            answer = run_script([*commands[sdk], project, *SCRIPTS], server, home / sdk, 170)
            (home / f"{sdk}.log").write_text(answer.pop("output"))
            secrets = [project, str(home / sdk), str(home)]
            return {name: _record(server, answer[name], secrets) for name in SCRIPTS}

        with ThreadPoolExecutor(len(commands)) as pool:
            self.theirs, self.ours = pool.map(run, commands)


def _record(server: RunningServer, told: dict[str, Any], secrets: list[str]) -> Flat:
    reader = Reader(server, told["tasks"], secrets)
    answers: Flat = reader.clean_answers(told["answers"])
    return {**flat_answers(answers), **reader.read()}


@pytest.fixture(scope="session")
def played(clearml_python: Path, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Both ways of the corpus; SQLite only, for which database is below is no business of the SDK."""
    return Played(clearml_python, servers["sqlite"], tmp_path_factory.mktemp("differential"))
