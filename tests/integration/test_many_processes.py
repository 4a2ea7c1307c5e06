"""Many processes on one task: forks, spawned workers, ranks of a launch; every point of each is there once."""

import os
from pathlib import Path

from tests.integration.program import Program, console, document, points
from tests.support.server import RunningServer

EACH = int(os.environ.get("TRIALBOOK_POINTS_EACH", "10000"))
"""Points of each of the eight processes; 100 000 for a release."""

WORKER = """
import sys
from trialbook import Logger
def work(number, count):
    logger = Logger.current_logger()
    for step in range(count):
        logger.report_scalar("workers", str(number), step * 0.5, step)
    print("worker", number, "ends")
"""

MAIN = """
import multiprocessing, sys
from trialbook import Task
from worker import work
if __name__ == "__main__":
    task = Task.init("Processes", "run", reuse_last_task_id=False)
    print("TASK", task.id)
    context = multiprocessing.get_context(sys.argv[1])
    processes = [context.Process(target=work, args=(n, int(sys.argv[2]))) for n in range(8)]
    for process in processes: process.start()
    for process in processes: process.join()
    print("CODES", [process.exitcode for process in processes])
    task.get_logger().report_scalar("main", "m", 1.0, 1)
"""


def eight(server: RunningServer, home: Path, method: str, each: int) -> None:
    home.mkdir()
    (home / "worker.py").write_text(WORKER)
    program = Program(MAIN, server, home, arguments=(method, str(each)))
    assert program.wait(150) == 0, program.text
    assert program.wait_for("CODES") == str([0] * 8)
    task = program.wait_for("TASK")
    found = points(server, task)
    for number in range(8):
        series = found[f"workers/{number}"]
        assert series["iter"] == list(range(each))
        assert series["value"] == [step * 0.5 for step in range(each)]
    assert found["main/m"]["iter"] == [1]
    assert sum(len(one["iter"]) for name, one in found.items() if name.startswith("workers")) == 8 * each
    assert document(server, task)["status"] == "completed"
    text = console(server, task)
    assert all(text.count(f"worker {number} ends") == 1 for number in range(8))
    assert not list((home / ".cache/trialbook/journal").iterdir())


def test_eight_forked_processes(server: RunningServer, tmp_path: Path) -> None:
    eight(server, tmp_path / "home", "fork", EACH)


def test_eight_spawned_processes(server: RunningServer, tmp_path: Path) -> None:
    eight(server, tmp_path / "home", "spawn", 500)


def test_processes_of_a_fork_server(server: RunningServer, tmp_path: Path) -> None:
    eight(server, tmp_path / "home", "forkserver", 500)


LAUNCHER = """
import os, subprocess, sys
def launched(rank, restart):
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 4, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 29500,
            "TORCHELASTIC_RESTART_COUNT": restart}
    environment = {**os.environ, **{name: str(value) for name, value in told.items()}}
    return subprocess.Popen([sys.executable, "rank.py"], env=environment)
codes = []
for restart in range(int(sys.argv[1])):
    # The first rank last, so that the others have to wait for it.
    codes += [process.wait() for process in [launched(rank, restart) for rank in reversed(range(4))]]
print("CODES", codes)
"""

RANK = """
import os, threading
from trialbook import Task, Logger
rank, restart = os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]
for name in ("first", "second"):
    task = Task.init("Ranks", name, reuse_last_task_id=False)
    # In one write: the ranks share the pipe.
    os.write(1, f"TASK {name} {rank} {task.id}\\n".encode())
    for step in range(300):
        Logger.current_logger().report_scalar("ranks", rank, step, step)
    task.flush()
    open(f"{name}-{restart}-{rank}", "w").close()
    while rank == "0" and not all(os.path.exists(f"{name}-{restart}-{other}") for other in range(4)):
        threading.Event().wait(0.05)
    task.close()
"""


def test_ranks_of_a_launch_share_a_task(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "rank.py").write_text(RANK)
    program = Program(LAUNCHER, server, tmp_path, arguments=("2",))
    assert program.wait(120) == 0, program.text
    assert program.wait_for("CODES") == str([0] * 8), program.text
    tasks: dict[str, list[str]] = {}
    for line in program.said("TASK"):
        name, _, task = line.split()
        tasks.setdefault(name, []).append(task)
    for name in ("first", "second"):
        # One task for each start of the launch.
        assert sorted(tasks[name].count(task) for task in set(tasks[name])) == [4, 4], tasks
        for task in set(tasks[name]):
            found = points(server, task)
            assert sorted(found) == [f"ranks/{rank}" for rank in range(4)]
            assert all(one["iter"] == list(range(300)) for one in found.values())
            assert document(server, task)["status"] == "completed"


def test_a_single_process_with_a_rank_is_like_any_other(server: RunningServer, tmp_path: Path) -> None:
    source = 'from trialbook import Task\nprint("TASK", Task.init("Ranks", "alone").id)\n'
    program = Program(source, server, tmp_path, RANK="0", WORLD_SIZE="1", LOCAL_RANK="0")
    assert program.wait() == 0, program.text
    assert document(server, program.wait_for("TASK"))["status"] == "completed"
