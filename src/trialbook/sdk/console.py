"""The few lines that the SDK says to the person at the terminal."""

import re
import sys
from types import TracebackType
from typing import TextIO

from trialbook.base.guard import guard

_ALONE = "_trialbook_alone"
_COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""What a terminal obeys instead of showing it, but for tabs and ends of lines."""


def say(text: str) -> None:
    """One line on standard output; a closed terminal is no reason to fail."""
    put(sys.stdout, text + "\n")


def put(stream: TextIO | None, text: str) -> None:
    """Write at once. Names of files and tasks are in the text: what the stream's encoding does not have, and what would
    command the terminal, is shown as an escape.

    Args:
        stream: of this process; None when it has none.
        text: of one or more lines.
    """
    if stream is None:
        return
    with guard("console.say"):
        code = getattr(stream, "encoding", None) or "utf-8"
        text = _COMMANDS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
        stream.write(text.encode(code, "backslashreplace").decode(code))
        stream.flush()


def say_alone(error: Exception) -> None:
    """When nobody catches this error, its sentence is all that is printed: the lines above it would bury what to do.

    A program that has a hook of its own for uncaught errors, and a debugger, get the error as any other.
    """
    error.__dict__[_ALONE] = True
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _sentence


def _sentence(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    if _ALONE in getattr(value, "__dict__", {}) and sys.stderr is not None:
        put(sys.stderr, f"Trialbook: {value}\n")
    else:
        sys.__excepthook__(kind, value, trace)
