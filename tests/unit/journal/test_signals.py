"""Signal handlers that report while they interrupt a report: nothing waits for ever, nothing is lost or torn."""

import itertools
import signal
import threading
from pathlib import Path
from types import FrameType

from tests.unit.journal.server import MemoryServer
from tests.unit.journal.test_journal import open_journal
from trialbook.journal.frames import Kind, decode_text


def test_a_handler_may_report_at_any_moment(tmp_path: Path) -> None:
    assert threading.current_thread() is threading.main_thread()
    server = MemoryServer()
    journal = open_journal(tmp_path, server)
    calls, numbers = 0, itertools.count()

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal calls
        # It may be interrupted by the next one itself.
        mine = next(numbers)
        journal.scalar("handler", "h", mine, mine)
        journal.text(f"line {mine}" + "x" * 200)
        journal.call("debug.ping", {"number": mine})
        calls = max(calls, mine + 1)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.002)
    try:
        step = 0
        while calls < 400:
            journal.scalar("main", "m", step, step)
            if step % 50 == 0:
                journal.text(f"main {step}")
            step += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert journal.close(30)
    points = server.points()
    assert [p[2] for p in points if p[0] == "main"] == list(range(step))
    assert sorted(p[2] for p in points if p[0] == "handler") == list(range(calls))
    texts = [
        decode_text(f.payload)[3]
        for applied in server.applied.values()
        for f in applied
        if f.kind == Kind.TEXT
    ]
    assert sorted(int(t.split("x")[0].split()[1]) for t in texts if t.startswith("line")) == list(
        range(calls)
    )
    assert [t for t in texts if t.startswith("main")] == [f"main {n}" for n in range(0, step, 50)]
    assert len(server.json_frames(Kind.CALL)) == calls
