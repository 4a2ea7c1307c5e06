"""Several people who use one account of a machine."""

from pathlib import Path
from uuid import uuid4

from tests.integration.program import Program, document
from tests.support.server import RunningServer

RUN = """
from trialbook import Task
task = Task.init("Shared", "run", auto_resource_monitoring=False, auto_connect_streams=False)
print("TASK", task.id)
"""


def test_S15_nobody_takes_over_the_run_of_another(server: RunningServer, tmp_path: Path) -> None:
    people = []
    for name in ("alice", "bob"):
        made = server.call("users.create", name=f"{name} {uuid4()}", role="user")
        key = made["credentials"]
        people.append(
            (
                made["user"]["id"],
                {
                    "TRIALBOOK_API_ACCESS_KEY": key["access_key"],
                    "TRIALBOOK_API_SECRET_KEY": key["secret_key"],
                },
            )
        )
    runs = []
    for place in (0, 1, 0, 1):
        user, key = people[place]
        program = Program(RUN, server, tmp_path, **key)
        assert program.wait() == 0, program.text
        runs.append(program.wait_for("TASK"))
        assert document(server, runs[-1])["user"] == user
    # Each takes the place of the own run only.
    assert runs[0] == runs[2] and runs[1] == runs[3] and runs[0] != runs[1]
