"""What a terminal would show, as lines: a progress bar, or a block of them, becomes one state per period.

Only what moves the cursor between lines is followed; colours are dropped. A block begins when the cursor goes up into
lines that were written before (nested bars, live tables), and ends when a line is finished below it.
"""

import re
import threading
import time
from collections.abc import Callable

_BAR_PERIOD = 10.0
_LONGEST = 1 << 20
_LONGEST_STATE = 1 << 16
_ROWS = 100
_LONGEST_ESCAPE = 100
_STROKES = re.compile("[^\x08]+|\x08+")
_ESCAPE = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
_TOKEN = re.compile(rf"(?P<text>[^\x1b\n]+)|(?P<end>\n)|(?P<escape>{_ESCAPE})|\x1b")
# An escape sequence whose end comes with the next write.
_OPEN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*)?\Z")
_MOVE = re.compile(r"\x1b\[([0-?]*)[ -/]*([A-HJKf])")


class _Row:
    """One line of the terminal.

    Attributes:
        shown: what was given out of it last; None before the first time.
        bar: it has been drawn over.
    """

    __slots__ = ("_parts", "bar", "shown", "size")

    def __init__(self, text: str = "", shown: str | None = None) -> None:
        self._parts = [text] if text else []
        self.size = len(text)
        self.shown = shown
        self.bar = False

    def write(self, text: str) -> None:
        self._parts.append(text)
        self.size += len(text)
        if "\r" in text:
            self.bar = True
            state = self.state()
            # A bar that only erases itself keeps its last state.
            self._parts = [state + "\r" if text.endswith("\r") else "\r" + state]
            self.size = len(self._parts[0])

    def state(self) -> str:
        text = _fold("".join(self._parts))
        self._parts = [text]
        return text


class LineFolder:
    """Turns writes into lines; a progress bar that redraws itself becomes one line per period.

    Args:
        emit: gets whole lines, joined by line ends.
        clock: monotonic seconds.
        period: seconds between two states of a bar, or of a block of lines that is drawn again and again.
    """

    def __init__(
        self,
        emit: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        period: float = _BAR_PERIOD,
    ) -> None:
        self._emit = emit
        self._clock = clock
        self._period = period
        self._given = clock()
        self._lock = threading.RLock()
        self._open = ""
        self._rows = [_Row()]
        self._at = 0
        self._block = False
        self._top = self._bottom = 0

    def write(self, text: str) -> None:
        """Take what was written."""
        with self._lock:
            if self._open:
                text, self._open = self._open + text, ""
            if self._block or "\x1b" in text:
                self._follow(text)
            else:
                self._lines(text)
            if self._block:
                self._drawn_again()
            elif (row := self._rows[self._at]).bar:
                if row.size > _LONGEST_STATE:
                    self.flush()
                elif self._due() and (state := row.state()) != row.shown:
                    row.shown, self._given = state, self._clock()
                    self._emit(state)
                    row.write("\r")
            elif row.size > _LONGEST:
                self.flush()

    def flush(self) -> None:
        """Give out what waits for its line end."""
        with self._lock:
            if self._block:
                self._give_block()
                return
            row = self._rows[self._at]
            state = row.state()
            self._rows[self._at] = _Row()
            if state:
                self._emit(state)

    def _lines(self, text: str) -> None:
        """The ordinary case: no escape sequences, and the cursor is on the last line."""
        head, end, tail = text.rpartition("\n")
        if end:
            first, *others = head.split("\n")
            out = self._finished(first)
            others = [_fold(line) for line in others]
            self._rows += [_Row(line, line) for line in others[-_ROWS:]]
            self._emit_all(out + others)
            self._rows.append(_Row())
            self._trim()
        if tail:
            self._rows[self._at].write(tail)

    def _finished(self, text: str) -> list[str]:
        """The line that the cursor is on, with its last part; nothing when it is shown already."""
        row = self._rows[self._at]
        if text:
            row.write(text)
        state = row.state()
        shown, row.shown = row.shown, state
        return [] if state and state == shown else [state]

    def _follow(self, text: str) -> None:
        opened = _OPEN.search(text, max(0, len(text) - _LONGEST_ESCAPE))
        if opened:
            text, self._open = text[: opened.start()], opened[0]
        out: list[str] = []
        for token in _TOKEN.finditer(text):
            if token["text"]:
                self._rows[self._at].write(token["text"])
            elif token["end"]:
                out += self._next_line()
            elif token["escape"]:
                self._move(token["escape"])
        self._emit_all(out)

    def _next_line(self) -> list[str]:
        out: list[str] = []
        if not self._block:
            out = self._finished("")
        elif self._at >= self._bottom:
            # A whole line below the block: it is over.
            out = self._changes()
            self._block = False
        self._at += 1
        if self._at == len(self._rows):
            self._rows.append(_Row())
            self._trim()
        else:
            self._rows[self._at].write("\r")
        return out

    def _move(self, escape: str) -> None:
        found = _MOVE.match(escape)
        if found is None:
            return
        count = int(found[1]) if found[1].isdigit() else 1
        kind = found[2]
        if kind in "AF":
            self._up_to(max(0, self._at - count))
        elif kind in "Hf":
            self._up_to(self._top if self._block else self._at)
        elif kind in "BE":
            self._at = min(self._at + count, len(self._rows) - 1)
        if kind in "AFHfBEGK":
            self._rows[self._at].write("\r")

    def _up_to(self, row: int) -> None:
        if row == self._at:
            return
        if not self._block:
            self._block, self._top = True, row
        self._top = min(self._top, row)
        self._bottom = len(self._rows) - (0 if self._rows[-1].size else 1)
        self._at = row

    def _drawn_again(self) -> None:
        if self._due():
            self._give_block()
        elif self._rows[self._at].size > _LONGEST_STATE:
            self._give_block()
            self._block = False
            self._rows, self._at = [_Row()], 0

    def _give_block(self) -> None:
        out = self._changes()
        if out:
            self._given = self._clock()
            self._emit_all(out)

    def _changes(self) -> list[str]:
        out = []
        for row in self._rows[self._top :]:
            state = row.state()
            if state.strip() and state != row.shown:
                row.shown = state
                out.append(state)
            row.write("\r")
        return out

    def _due(self) -> bool:
        return self._clock() - self._given >= self._period

    def _emit_all(self, lines: list[str]) -> None:
        if lines:
            self._emit("\n".join(lines))

    def _trim(self) -> None:
        extra = max(0, len(self._rows) - _ROWS)
        del self._rows[:extra]
        self._at = len(self._rows) - 1
        self._top, self._bottom = max(0, self._top - extra), max(0, self._bottom - extra)


def _fold(line: str) -> str:
    """The line as a terminal would leave it after carriage returns and backspaces."""
    if "\r" in line:
        states = [state for state in line.split("\r") if state.strip()]
        line = states[-1] if states else ""
    if "\b" in line:
        letters: list[str] = []
        for strokes in _STROKES.findall(line):
            if strokes[0] == "\b":
                del letters[-len(strokes) :]
            else:
                letters.extend(strokes)
        line = "".join(letters)
    return line
