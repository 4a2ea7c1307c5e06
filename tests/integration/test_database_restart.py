"""PostgreSQL is restarted under a running server."""

from pathlib import Path

import pytest

from tests.integration.program import until
from tests.support.postgres import Postgres
from tests.support.server import RunningServer


@pytest.mark.postgres
def test_the_server_goes_on(tmp_path: Path) -> None:
    database = Postgres()
    try:
        server = RunningServer(tmp_path / "data", database.fresh_url())
        try:
            made = server.call("projects.create", {"name": "before"})["id"]
            database.restart()
            # A connection that was used in that very second may still be the old one.
            until(lambda: server.ask("projects.get_by_id", {"project": made}).status == 200, 10)
            for _ in range(40):
                assert server.ask("projects.get_all", {"name": "before"}).status == 200
            assert server.call("projects.get_by_id", {"project": made})["project"]["name"] == "before"
        finally:
            server.stop()
    finally:
        database.stop()
