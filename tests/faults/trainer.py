"""A training program that reports in every way at once and notes, in shared memory, which calls have returned.

Run with the path of the note as its only argument; it goes on until a file ``stop`` lies in its working folder.
What the note says has been acknowledged: whatever is killed afterwards, the server must have it in the end.
"""

import mmap
import sys
import threading
from pathlib import Path

THREADS = 3
LINES, PLOTS, ARTIFACTS, PARAMETERS = range(THREADS, THREADS + 4)
STREAMS = THREADS + 4
_STOP = Path("stop")


class Note:
    """How many calls of each stream have returned; a mapped file, so that it outlives ``kill -9``."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8 * STREAMS))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8 * STREAMS)

    def __getitem__(self, stream: int) -> int:
        return int.from_bytes(self._map[8 * stream : 8 * stream + 8], "little")

    def returned(self, stream: int, count: int) -> None:
        """``count`` calls of a stream have returned."""
        self._map[8 * stream : 8 * stream + 8] = count.to_bytes(8, "little")


def value(stream: int, step: int) -> float:
    """What a thread reports at a step."""
    return stream * 1e6 + step / 8


def main() -> None:
    from trialbook import Task

    task = Task.init("Faults", "run", reuse_last_task_id=False)
    print("TASK", task.id)
    note, logger, pause = Note(Path(sys.argv[1])), task.get_logger(), threading.Event()

    def scalars(stream: int) -> None:
        step = 0
        while not _STOP.exists():
            for _ in range(10):
                if stream % 2:
                    logger.report_scalar("loss", f"t{stream}", value(stream, step), step)
                else:
                    # Two at once in one record; the first of them is what is looked at.
                    logger.report_scalars({f"loss/t{stream}": value(stream, step), "rate": 0.5}, step)
                step += 1
                note.returned(stream, step)
            pause.wait(0.005)

    threads = [threading.Thread(target=scalars, args=(stream,)) for stream in range(THREADS)]
    for thread in threads:
        thread.start()
    step = 0
    while not _STOP.exists():
        print(f"line {step}")
        note.returned(LINES, step + 1)
        if step % 10 == 0:
            plot = step // 10
            logger.report_histogram("histogram", "h", [plot, 1, 2], iteration=plot)
            note.returned(PLOTS, plot + 1)
        if step % 25 == 0:
            number = step // 25
            assert task.upload_artifact(f"artifact {number}", {"number": number})
            note.returned(ARTIFACTS, number + 1)
            task.set_parameter(f"General/p{number}", number)
            note.returned(PARAMETERS, number + 1)
        step += 1
        pause.wait(0.005)
    for thread in threads:
        thread.join()
    print("DONE")


if __name__ == "__main__":
    main()
