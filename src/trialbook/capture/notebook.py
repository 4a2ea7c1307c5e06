"""The code of a notebook: the cells that ran, as one script that runs anywhere.

No notebook file is read and no notebook server is asked, so that neither passwords nor unsaved changes matter.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    """The cells that have run, each once, in the order of their first run.

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
        self._failed = ""

    def start(self) -> None:
        """Follow the cells from now on."""
        self._shell.events.register("post_run_cell", self._ran)

    def stop(self) -> None:
        """Follow them no longer."""
        self._shell.events.unregister("post_run_cell", self._ran)

    def text(self) -> str:
        """The script."""
        with self._lock:
            # A cell that failed is left out when another one followed: it was written anew, or was a try. The last one
            # is what the run ended with.
            cells = [*self._cells.values(), *([self._failed] if self._failed else [])]
        return "\n".join(f"# %%\n{as_script(cell)}" for cell in cells)

    def _ran(self, result: Any) -> None:
        cell = str(getattr(getattr(result, "info", None), "raw_cell", "") or "")
        name = getattr(result.info, "cell_id", None) if result is not None else None
        error = None if result is None else result.error_before_exec or result.error_in_exec
        with self._lock:
            known = [key for key, text in self._cells.items() if text == cell]
            if self._first and known:
                # The cell that began the run; from here on it goes by its own name.
                self._cells = {
                    (name or key) if key == known[-1] else key: t for key, t in self._cells.items()
                }
            elif cell.strip() and getattr(result, "success", True) and (name or not known):
                self._cells[name or f"cell {len(self._cells)}"] = cell
            self._failed = "" if error is None or cell in self._cells.values() else cell
            self._first = False
        self._changed(error)


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
