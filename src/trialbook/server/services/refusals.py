"""What a database refused, as the refusal that a caller understands; and what is worth another try."""

import sqlalchemy as sa

from trialbook.errors import BadField, BadPattern, TaskRace
from trialbook.server.core.database_faults import looked_too_long
from trialbook.server.core.patterns import took_too_long
from trialbook.server.series.erase import clear
from trialbook.server.stores.database import Database
from trialbook.server.stores.graves import Buried

REFUSED = (Buried, sa.exc.DBAPIError, OverflowError)
"""What a transaction may end by that is not a refusal of ours yet."""


def may_repeat(database: Database, error: Exception) -> bool:
    """Whether a transaction that ended by this may well succeed when it is begun again: it met another server's, or
    former results were in its way, which are gone now."""
    if isinstance(error, Buried):
        clear(database, error.owner)
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, sa.exc.IntegrityError) or state in {"40001", "40P01"}


def refusal(error: Exception) -> Exception:
    """What the database refused, as the caller's mistake where it is one."""
    if isinstance(error, OverflowError):
        return BadField("a number is out of range", field="body")
    if not isinstance(error, sa.exc.DBAPIError):
        return error
    state = getattr(error.orig, "sqlstate", None)
    if state == "2201B":
        return BadPattern(f"PostgreSQL cannot use this pattern: {error.orig}. Use lower counts")
    if looked_too_long(error):
        return took_too_long()
    if state in {"40001", "40P01"}:
        return TaskRace("another client changed the same rows in the same moment; repeat the call")
    if state in {"22003", "22P02", "22008"}:
        return BadField("a number is out of range", field="body")
    return error
