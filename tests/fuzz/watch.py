"""What a database holds, before and after a call that was refused."""

import hashlib
import sqlite3
from pathlib import Path

import psycopg

BOOK_KEEPING = {
    (
        "credential",
        "last_used",
    ): "when a key was last used says that it was used, also for a call that is refused",
    ("credential", "last_used_from"): "the same",
}
"""Columns that a refused call may change, with the reason."""

REWRITTEN = {
    "points": "SELECT (SELECT COALESCE(SUM(points), 0) FROM series_batch) + (SELECT COALESCE(SUM(count), 0) FROM"
    " series_chunk)",
    "console lines": "SELECT owner, SUM(lines), SUM(entries) FROM log_block GROUP BY owner",
}
"""What the compaction loop packs anew at any moment, as what stays the same then; each is one statement, so it sees
one moment."""
_PACKED = frozenset({"series_batch", "series_chunk", "series_level", "log_block"})


class Watch:
    """Digests of a server's database.

    Args:
        url: its address; ``sqlite:///PATH`` or ``postgresql://…``.
    """

    def __init__(self, url: str) -> None:
        self._sqlite: sqlite3.Connection | None = None
        if url.startswith("sqlite:///"):
            self._sqlite = sqlite3.connect(f"file:{Path(url[10:])}?mode=ro", uri=True, isolation_level=None)
            found = self._rows(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
            )
        else:
            self._postgres = psycopg.connect(url, autocommit=True)
            found = self._rows(
                "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t"
                " USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            )
        self._columns: dict[str, list[str]] = {}
        for table, column in sorted(map(tuple, found)):  # type: ignore[arg-type]
            if (table, column) not in BOOK_KEEPING and table not in _PACKED:
                self._columns.setdefault(table, []).append(column)

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        if self._sqlite is not None:
            return self._sqlite.execute(query).fetchall()
        return self._postgres.execute(query.encode()).fetchall()

    def mark(self) -> object:
        """Changes whenever anything was written; may change although nothing was."""
        if self._sqlite is not None:
            return self._rows("PRAGMA data_version")
        return self._rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")

    def digest(self) -> dict[str, str]:
        """One digest for each table."""
        made = {}
        asked = {
            table: "SELECT {} FROM {}".format(", ".join(f'"{column}"' for column in columns), f'"{table}"')
            for table, columns in self._columns.items()
        }
        for table, query in {**asked, **REWRITTEN}.items():
            rows = self._rows(query)
            made[table] = hashlib.sha256(
                "\n".join(sorted(map(repr, rows))).encode("utf-8", "replace")
            ).hexdigest()
        return made

    def close(self) -> None:
        """Let it go."""
        if self._sqlite is not None:
            self._sqlite.close()
        else:
            self._postgres.close()
