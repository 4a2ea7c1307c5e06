"""The lines that were typed into an interactive session of this process, as far as the interpreter keeps them."""

import linecache
import os
import re
import sys
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

# Python 3.13 keeps each statement for its tracebacks; its plain prompt, without colours, under the second name.
_STATEMENT = re.compile(r"<(?:python-input|stdin>)-(\d+)>?")


def typed_lines() -> str:
    """What was typed so far, in order; empty in a program, and where nothing keeps the lines.

    Before Python 3.13 they are those of the line editor: blank ones, and repetitions of the line before, are not among
    them.
    """
    if not hasattr(sys, "ps1"):
        return ""
    return _statements() or "".join(f"{line}\n" for line in _edited())


def _statements() -> str:
    found = {
        int(match[1]): "".join(entry[2])
        for name, entry in list(linecache.cache.items())
        if (match := _STATEMENT.fullmatch(name)) is not None and len(entry) > 2
    }
    return "".join(text if text.endswith("\n") else f"{text}\n" for _, text in sorted(found.items()))


def _edited() -> list[str]:
    """The line editor's history without that of earlier sessions, which it has read from a file at the start."""
    editor: Any = sys.modules.get("readline")
    if editor is None:
        return []
    count = editor.get_current_history_length()
    lines = [str(editor.get_history_item(number + 1)) for number in range(count)]
    pairs = zip(lines, earlier(), strict=False)
    return lines[sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) :]


@cache
def earlier() -> list[str]:
    """The history file as it was at the first call: a session adds its own lines when it ends."""
    try:
        return (
            (Path.home() / ".python_history")
            .read_text(os.device_encoding(0) or "utf-8", "replace")
            .splitlines()
        )
    except (OSError, RuntimeError):
        return []
