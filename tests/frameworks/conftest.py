"""A server for all of these tests, and programs that run where the watched libraries are installed."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Servers
from tests.frameworks import environment
from tests.integration.program import Program
from tests.support.server import RunningServer

Run = Callable[..., Program]


@pytest.fixture(scope="session")
def server(servers: Servers) -> RunningServer:
    """A running server; what is watched does not depend on its database."""
    return servers["sqlite"]


@pytest.fixture(scope="session")
def frameworks_python() -> str:
    """The interpreter that has the watched libraries."""
    return str(environment.make())


@pytest.fixture
def run(server: RunningServer, frameworks_python: str, tmp_path: Path) -> Run:
    """Run a program to its end, by default with exit status 0; it prints what the test wants to know."""

    def start(source: str, *arguments: str, status: int = 0, **more: Any) -> Program:
        program = Program(source, server, tmp_path, arguments, python=frameworks_python, **more)
        try:
            assert program.wait(120) == status, program.text
        except subprocess.TimeoutExpired:
            pytest.fail(f"the program does not end; it has said:\n{program.text}")
        return program

    return start
