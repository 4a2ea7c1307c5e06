"""Tables that are followed: stored again whenever the program has changed them."""

import atexit
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialbook.base.guard import guard
from trialbook.errors import UsageError

PERIOD = 10.0
Store = Callable[[str, Any, "Mapping[str, Any] | None", str], None]


@dataclass
class _Followed:
    """One registered table.

    Attributes:
        frame: the program's own object.
        metadata: shown with the artifact.
        columns: that make a row unique; None is all.
        digest: of the content that was stored last.
    """

    frame: Any
    metadata: Mapping[str, Any] | None
    columns: list[str] | None
    digest: str = ""


class RegisteredArtifacts:
    """The registered tables of a task, looked at every ten seconds, at each flush and at the end.

    Args:
        store: keeps a snapshot: name, table, metadata, preview.
        period: seconds between two looks.
    """

    def __init__(self, store: Store, period: float = PERIOD) -> None:
        self._store = store
        self._period = period
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(
        self, name: str, frame: Any, metadata: Mapping[str, Any] | None, columns: bool | Sequence[str]
    ) -> None:
        """Follow a table; one of the same name is followed no longer.

        Raises:
            UsageError: it is not a DataFrame, or ``columns`` is neither True nor names of its columns.
        """
        if not is_frame(frame):
            raise UsageError(
                f"only a pandas DataFrame can be registered, not a {type(frame).__name__}; "
                "use upload_artifact for other objects"
            )
        with self._lock:
            self._followed[name] = _Followed(frame, metadata, _columns(frame, columns))
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="trialbook-artifacts", daemon=True)
                self._thread.start()
                # Runs before the task itself ends, so that the last change is part of it.
                atexit.register(self.stop)
        self.sync()

    def remove(self, name: str) -> bool:
        """Store the last state and follow the table no longer; False when there is none of that name."""
        with self._lock:
            if name not in self._followed:
                return False
            self.sync()
            del self._followed[name]
        return True

    def objects(self) -> dict[str, Any]:
        """The program's own tables by name."""
        with self._lock:
            return {name: followed.frame for name, followed in self._followed.items()}

    def sync(self) -> None:
        """Store the tables that changed since they were stored."""
        with self._lock:
            for name, followed in self._followed.items():
                # A table that another thread changes this very moment is seen at the next look.
                with guard("artifacts.registered"):
                    self._look(name, followed)

    def stop(self) -> None:
        """Store the last states and end."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        atexit.unregister(self.stop)
        self.sync()

    def _run(self) -> None:
        while not self._stop.wait(self._period):
            self.sync()

    def _look(self, name: str, followed: _Followed) -> None:
        now = followed.frame.copy()
        digest = _digest(now)
        if digest == followed.digest:
            return
        others = {key: item.frame for key, item in self._followed.items() if key != name}
        self._store(name, now, followed.metadata, _preview(now, followed.columns, others))
        followed.digest = digest


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame, without importing pandas."""
    return any(
        base.__name__ == "DataFrame" and base.__module__.partition(".")[0] == "pandas"
        for base in type(value).__mro__
    )


def _columns(frame: Any, columns: bool | Sequence[str]) -> list[str] | None:
    if columns is True:
        return None
    if isinstance(columns, (str, bytes)) or not isinstance(columns, Sequence) or not len(columns):
        raise UsageError("uniqueness_columns is True or a list of column names")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UsageError(f"the table has no column {', '.join(map(repr, missing))}")
    return list(columns)


def _row_hashes(frame: Any, index: bool) -> Any:
    from pandas.util import hash_pandas_object

    try:
        return hash_pandas_object(frame, index=index)
    except (TypeError, UnicodeError):
        # Cells that hold lists, dicts or names of files that are not UTF-8 have no hash; their text has.
        return hash_pandas_object(_written(frame, index), index=index)


def _written(frame: Any, index: bool) -> Any:
    texts = frame.apply(lambda column: column.map(ascii))
    if index:
        texts.index = [ascii(label) for label in frame.index]
    return texts


def _digest(frame: Any) -> str:
    head = repr((list(frame.columns), [str(kind) for kind in frame.dtypes], frame.index.names))
    total = hashlib.sha256(head.encode("utf-8", "replace"))
    total.update(_row_hashes(frame, index=True).to_numpy().tobytes())
    return total.hexdigest()


def _preview(frame: Any, columns: list[str] | None, others: Mapping[str, Any]) -> str:
    rows, width = frame.shape
    keys = _keys(frame, columns)
    share = 100.0 * len(keys) / rows if rows else 100.0
    lines = [f"{rows} rows × {width} columns; {len(keys)} unique rows ({share:.1f} %)"]
    for name, other in others.items():
        if columns is None and list(other.columns) != list(frame.columns):
            continue
        if columns is not None and any(column not in other.columns for column in columns):
            continue
        common = len(keys & _keys(other, columns))
        lines.append(f"{common} of them are also in {name!r}")
    return "\n".join([*lines, "", frame.head(50).to_csv()])


def _keys(frame: Any, columns: list[str] | None) -> set[int]:
    return set(_row_hashes(frame[columns] if columns else frame, index=False).tolist())
