"""The few lines that the SDK says to the person at the terminal."""

import sys

from trialbook.base.guard import guard


def say(text: str) -> None:
    """One line on standard output; a closed terminal is no reason to fail."""
    if sys.stdout is None:
        return
    with guard("console.say"):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
