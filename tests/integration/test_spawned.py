"""What workers print that begin as an interpreter of their own, without a line of code for it."""

from pathlib import Path

import pytest

from tests.integration.program import Program, console, document
from tests.support.server import RunningServer

PLAIN = """
import multiprocessing, sys
def inner():
    print("a worker's worker")
def work(number):
    print("plain", number)
    print("to stderr", number, file=sys.stderr)
    if number == 0:
        process = multiprocessing.get_context("spawn").Process(target=inner)
        process.start(); process.join()
    if number == 1:
        print("no end of line", end="")
    if number == 2:
        from trialbook import Logger
        Logger.current_logger().report_text("reported", print_console=False)
        print("afterwards", number)
        raise ValueError("worker fails")
def square(number):
    print("pooled", number)
    return number * number
if __name__ == "__main__":
    from trialbook import Task
    task = Task.init("Processes", "spawned", auto_resource_monitoring=False)
    print("TASK", task.id)
    context = multiprocessing.get_context(sys.argv[1])
    processes = [context.Process(target=work, args=(n,)) for n in range(3)]
    for process in processes: process.start()
    for process in processes: process.join()
    with context.Pool(1) as pool:
        print("SQUARES", pool.map(square, [3]))
        pool.close(); pool.join()
    print("CODES", [process.exitcode for process in processes])
    task.close()
    process = context.Process(target=square, args=(9,))
    process.start(); process.join()
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_T39_what_spawned_workers_print_is_on_the_console(
    server: RunningServer, tmp_path: Path, method: str
) -> None:
    program = Program(PLAIN, server, tmp_path, arguments=(method,))
    assert program.wait() == 0, program.text
    assert program.wait_for("CODES") == "[0, 0, 1]" and program.wait_for("SQUARES") == "[9]"
    task = program.wait_for("TASK")
    text = console(server, task)
    for number in range(3):
        assert text.count(f"plain {number}\n") == 1 and text.count(f"to stderr {number}") == 1, text
    for line in (
        "a worker's worker",
        "no end of line",
        "afterwards 2",
        "ValueError: worker fails",
        "pooled 3",
    ):
        assert text.count(line) == 1, (line, text)
    # The run is over: what is printed then belongs to nobody.
    assert program.text.count("pooled 9") == 1 and "pooled 9" not in text
    assert document(server, task)["status"] == "completed"


CHOSEN = """
import multiprocessing, sys
def work():
    print("said out")
    print("said err", file=sys.stderr)
if __name__ == "__main__":
    from trialbook import Task
    task = Task.init("Processes", "chosen", auto_resource_monitoring=False, auto_connect_streams={"stderr": True})
    print("TASK", task.id)
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start(); process.join()
"""


def test_T39_only_the_streams_that_the_run_records(server: RunningServer, tmp_path: Path) -> None:
    program = Program(CHOSEN, server, tmp_path)
    assert program.wait() == 0, program.text
    text = console(server, program.wait_for("TASK"))
    assert "said err" in text and "said out" not in text and "said out" in program.text
