"""How much a run of the tests does: the short form of ``make test``, or the long one.

``TRIALBOOK_TESTS=long`` runs the whole cross product of tests and databases, more kills, and more generated examples.
"""

import os

LONG = os.environ.get("TRIALBOOK_TESTS", "short") == "long"

SQLITE_ENOUGH = ("catalogue", "datasets", "e2e", "faults", "integration", "interop")
"""Tiers that promise something of the SDK, its host or the page: which database is below them is the contract tier's
business, so the short form runs them on SQLite. What befalls a server itself is tested on each (``victim``)."""


def rounds(variable: str, short: int, long: int) -> int:
    """How often to do something that is drawn at random.

    Args:
        variable: an environment variable that overrules both.
        short: in the short form.
        long: in the long form.
    """
    return int(os.environ.get(variable) or (long if LONG else short))
