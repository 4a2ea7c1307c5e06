"""What ``trialbook sync`` says of journals that it does not send."""

from trialbook.cli.sync import _why
from trialbook.journal.delivery import Identity
from trialbook.sdk.recovery import Waiting


def test_T45_who_sends_is_named_and_no_place_that_nobody_knows() -> None:
    """Another ``sync`` may have been told ``--to``: where it sends is its own knowledge."""
    mine = Identity("j", "t", "host", 7, 0.0, server="http://first:8008")
    assert _why(Waiting(mine, True, 7), "http://other:8008") == (
        "process 7 is still running and sends its reports to http://first:8008"
    )
    assert _why(Waiting(mine, True, 8), "http://other:8008") == (
        "process 8 is sending it; it was recorded for http://first:8008"
    )
    assert "process (unknown) is sending it" in _why(Waiting(mine, True, 0), "http://other:8008")
    assert "waiting for http://first:8008" in _why(Waiting(mine, False, 0), "http://other:8008")
