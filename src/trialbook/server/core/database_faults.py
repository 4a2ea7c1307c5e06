"""What an error of the database means."""

import errno
import os
import sqlite3

import sqlalchemy as sa

_DAMAGED = (
    "database disk image is malformed",
    "file is not a database",
    "malformed database schema",
    "Could not decode to UTF-8",
)
_FAILING = ("attempt to write a readonly database", "disk I/O error", "unable to open database file")


def out_of_room(error: BaseException) -> bool:
    """Whether a failure comes from a disk that is full, under the database or under a file."""
    # Not the whole chain of causes: SQLAlchemy's go round in a circle.
    for found in (error, error.__cause__, getattr(error, "orig", None)):
        if isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        # 53100 is PostgreSQL's disk_full; SQLite says the same in words.
        if getattr(found, "sqlstate", None) == "53100" or "disk is full" in str(found):
            return True
    return False


def damaged(error: BaseException) -> bool:
    """Whether a failure comes from a database whose file does not hold what was written to it."""
    for found in (error, error.__cause__, getattr(error, "orig", None)):
        # XX001 and XX002 are PostgreSQL's data_corrupted and index_corrupted; SQLite says the same in words.
        if getattr(found, "sqlstate", None) in ("XX001", "XX002"):
            return True
        if isinstance(found, sqlite3.DatabaseError) and any(mark in str(found) for mark in _DAMAGED):
            return True
    return False


def failing(error: BaseException) -> str:
    """What a disk that takes or gives nothing any more says; empty when the failure is another one. A file system that
    finds itself damaged lets nobody write."""
    for found in (error, error.__cause__, getattr(error, "orig", None)):
        if isinstance(found, OSError) and found.errno in (errno.EROFS, errno.EIO):
            return os.strerror(found.errno)
        if isinstance(found, sqlite3.DatabaseError):
            return next((mark for mark in _FAILING if mark in str(found)), "")
    return ""


def looked_too_long(error: sa.exc.DBAPIError) -> bool:
    """Whether a statement was given up because of the pattern that it looks for."""
    # 57014 is PostgreSQL's query_canceled. SQLite has one function of ours only: `_search`.
    state = getattr(error.orig, "sqlstate", None)
    return state == "57014" or "user-defined function raised exception" in str(error.orig)
