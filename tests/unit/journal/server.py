"""The receiving end of the journal's rules, in memory: what the real server does, without a network."""

import json
import struct
import threading
from pathlib import Path
from typing import Any

from trialbook.errors import ConnectionFailed, JournalGap, TrialbookError
from trialbook.journal import frames, rows
from trialbook.journal.delivery import Reply
from trialbook.journal.frames import Frame, Kind


class MemoryServer:
    """A ``Transport`` that applies bodies by the table in docs/design/journal.md."""

    def __init__(self) -> None:
        self.have: dict[str, int] = {}
        self.applied: dict[str, list[Frame]] = {}
        self.files: dict[str, bytes] = {}
        self.away = False
        self.lose_replies = 0
        self.refusal: TrialbookError | None = None
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def send(self, body: bytes) -> Reply:
        self.gate.wait(20)
        if self.away:
            raise ConnectionFailed("the test took the server away.")
        if self.refusal is not None:
            raise self.refusal
        assert body[:4] == b"TBP1"
        (length,) = struct.unpack_from("<I", body, 4)
        header = json.loads(body[8 : 8 + length])
        span = body[8 + length :]
        with self._lock:
            journal, first = header["journal"], header["first"]
            have = self.have.get(journal, 0)
            if first > have:
                raise JournalGap("gap", expected=have)
            if not span:
                return Reply(have)
            found = list(frames.frames(span))
            assert found and found[-1].end == len(span), "a body holds whole frames"
            starts = {first + frame.start for frame in found} | {first + len(span)}
            if first + len(span) > have:
                assert have in starts, "the server's offset is a frame boundary"
                self.applied.setdefault(journal, []).extend(f for f in found if first + f.start >= have)
                self.have[journal] = first + len(span)
            if self.lose_replies:
                self.lose_replies -= 1
                raise ConnectionFailed("the reply was lost.")
            return Reply(self.have[journal])

    def reachable(self, timeout: float) -> bool:
        return not self.away

    def upload(self, source: Path, url: str) -> None:
        if self.away:
            raise ConnectionFailed("the test took the server away.")
        self.files[url] = source.read_bytes()

    def points(self, journal: str | None = None) -> list[tuple[str, str, int, float]]:
        """Every point of every journal, or of one, in the order of its arrival."""
        found = []
        for name, applied in self.applied.items():
            if journal not in (None, name):
                continue
            series: dict[int, tuple[str, str]] = {}
            for frame in applied:
                if frame.kind == Kind.SERIES:
                    number, metric, variant = frames.decode_series(frame.payload)
                    series[number] = (metric, variant)
                elif frame.kind == Kind.POINT:
                    number, iteration, _, value = frames.decode_point(frame.payload)
                    found.append((*series.get(number, ("?", str(number))), iteration, value))
                elif frame.kind == Kind.ROW:
                    for number, iteration, _, value in rows.decode(frame.payload):
                        found.append((*series.get(number, ("?", str(number))), iteration, value))
        return found

    def json_frames(self, kind: Kind) -> list[Any]:
        """The EVENT, CALL or LOSS frames of all journals."""
        return [json.loads(f.payload) for applied in self.applied.values() for f in applied if f.kind == kind]
