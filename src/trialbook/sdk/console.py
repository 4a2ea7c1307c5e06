"""The few lines that the SDK says to the person at the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

from trialbook.base.guard import guard
from trialbook.base.process import Kept
from trialbook.base.unicode import legible, one_line

_ALONE = "_trialbook_alone"
_commands = Kept(False)


@contextmanager
def speaking_of_commands() -> Iterator[None]:
    """Meanwhile ``advice`` is for somebody who types commands, and has no program whose arguments could change."""
    before, _commands.value = _commands.value, True
    try:
        yield
    finally:
        _commands.value = before


def advice(code: str, command: str) -> str:
    """What to do, or what is meant, in the words of whoever reads it.

    Args:
        code: for the author of a program: arguments and calls.
        command: for who runs ``trialbook``: options and commands.
    """
    return command if _commands.value else code


def say(text: str) -> None:
    """One line on standard output, whatever names are in it; a closed terminal is not a reason to fail."""
    put(sys.stdout, one_line(text) + "\n")


def put(stream: TextIO | None, text: str) -> None:
    """Write at once, as ``legible`` has it.

    Args:
        stream: of this process; None when it has none.
        text: of one or more lines.
    """
    if stream is None:
        return
    with guard("console.say"):
        stream.write(legible(text, getattr(stream, "encoding", None) or "utf-8"))
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
