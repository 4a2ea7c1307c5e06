"""The code of a notebook: the cells that ran, as one script that runs anywhere.

No notebook file is read and no notebook server is asked, so that neither passwords nor unsaved changes matter.
"""

import ast
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trialbook.base.ids import new_id

_WRAPPERS = ("%%time", "%%timeit", "%%capture", "%%prun")


def shell() -> Any:
    """The interactive shell of this process; None in a script."""
    ipython = sys.modules.get("IPython")
    get = getattr(ipython, "get_ipython", None)
    return get() if get is not None else None


def notebook_name(running: Any, session: str) -> str:
    """The name of the notebook's file without its ending; empty when nobody tells it.

    Args:
        running: the shell.
        session: path that the notebook server has put into the environment.
    """
    named = str(getattr(running, "user_ns", {}).get("__vsc_ipynb_file__") or session)
    return Path(named.replace("\\", "/")).stem if named.endswith(".ipynb") else ""


class Cells:
    """The cells that have run, each once, in the order of their first run; those that failed as well, for what they did
    before they failed is what later ones may stand on.

    Args:
        running: the shell.
        changed: called after each cell, in the thread of the shell, with the error that ended it.
    """

    def __init__(self, running: Any, changed: Callable[[BaseException | None], None]) -> None:
        self._shell = running
        self._changed = changed
        self._lock = threading.Lock()
        raw = list(getattr(getattr(running, "history_manager", None), "input_hist_raw", [])) or [""]
        # The last one is the cell that is running now, with Task.init in it.
        self._cells: dict[Any, str] = {
            f"before {number}": text for number, text in enumerate(raw) if text.strip()
        }
        self._first = True
        self._failed: dict[Any, str] = {}
        """Kinds of the errors that ended cells, by the cells' keys."""
        self._last: tuple[str, Any] | None = None
        """The cell that ran last and failed, with its key, if it has one."""

    def start(self) -> None:
        """Follow the cells from now on."""
        self._shell.events.register("post_run_cell", self._ran)

    def stop(self) -> None:
        """Follow them no longer."""
        self._shell.events.unregister("post_run_cell", self._ran)

    def text(self) -> str:
        """The script."""
        with self._lock:
            cells = [
                survived(cell, self._failed[key]) if key in self._failed else f"# %%\n{as_script(cell)}"
                for key, cell in self._cells.items()
                if self._last is None or key != self._last[1]
            ]
            if self._last is not None:
                # What the run ended with ends the script.
                cells.append(f"# %%\n{as_script(self._last[0])}")
        return "\n".join(cells)

    def _ran(self, result: Any) -> None:
        cell = str(getattr(getattr(result, "info", None), "raw_cell", "") or "")
        name = getattr(result.info, "cell_id", None) if result is not None else None
        error = None if result is None else result.error_before_exec or result.error_in_exec
        with self._lock:
            self._last = None
            known = [key for key, text in self._cells.items() if text == cell]
            if self._first and known:
                # The cell that began the run; from here on it goes by its own name.
                self._cells = {
                    (name or key) if key == known[-1] else key: t for key, t in self._cells.items()
                }
            elif error is not None:
                self._last = (cell, self._note_failed(cell, name, result, known))
            elif cell.strip() and getattr(result, "success", True):
                self._note(cell, name, known)
            self._first = False
        self._changed(error)

    def _note(self, cell: str, name: Any, known: list[Any]) -> None:
        # Written anew, it stands for what was tried under its name.
        for key in [key for key in self._failed if key == (name, "failed") or (not name and key in known)]:
            del self._cells[key], self._failed[key]
            known = [one for one in known if one != key]
        if name or not known:
            self._cells[name or f"cell {new_id()}"] = cell

    def _note_failed(self, cell: str, name: Any, result: Any, known: list[Any]) -> Any:
        """Its key; None when nothing of it ran, or the same text has run well before."""
        ran = getattr(result, "error_in_exec", None)
        if ran is None or any(key not in self._failed for key in known):
            return None
        key = (name, "failed") if name else (known[0] if known else f"cell {new_id()}")
        self._cells[key] = cell
        self._failed[key] = type(ran).__name__
        return key


def survived(cell: str, error: str) -> str:
    """A cell that failed, as a part of a script that goes on after it as the notebook did.

    Args:
        cell: its text.
        error: kind of the error that ended it.

    Example:
        >>> print(survived("x = 1\\nx / 0", "ZeroDivisionError"), end="")
        # %% ended with ZeroDivisionError
        try:
            x = 1
            x / 0
        except Exception:
            pass
    """
    script, head = as_script(cell), f"# %% ended with {error}\n"
    if _can_be_indented(script):
        body = "".join(f"    {line}\n" if line.strip() else "\n" for line in script.rstrip().split("\n"))
        return f"{head}try:\n{body}except Exception:\n    pass\n"
    return head + "".join(f"# {line}\n" for line in script.rstrip().split("\n"))


def _can_be_indented(script: str) -> bool:
    """Whether it means the same further to the right: texts over several lines would not."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return False
    texts = (ast.Constant, ast.JoinedStr)
    future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    return (
        bool(tree.body)
        and not future
        and not any(node.lineno != node.end_lineno for node in ast.walk(tree) if isinstance(node, texts))
    )


def as_script(cell: str) -> str:
    """A cell as Python: what only a notebook understands becomes a comment.

    Example:
        >>> print(as_script("%matplotlib inline\\n!pip install x\\nx = 1"), end="")
        # %matplotlib inline
        # !pip install x
        x = 1
    """
    lines = cell.rstrip().split("\n")
    first = lines[0].strip()
    whole = first.startswith("%%") and not first.startswith(_WRAPPERS)
    plain = []
    for line in lines:
        start = line.lstrip()
        magic = start.startswith(("%", "!", "?")) or start.rstrip().endswith("?")
        plain.append(f"# {line}" if whole or magic else line)
    return "\n".join(plain) + "\n"
