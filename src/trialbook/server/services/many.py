"""The same for each thing of a long list; one that is refused does not stop the others."""

from collections.abc import Callable
from typing import Any

from trialbook.errors import WireError
from trialbook.server.services.call import THINGS_AT_ONCE, Call
from trialbook.server.stores.graves import Buried
from trialbook.wire.query import ManyFailure, ManyReply


def many(
    call: Call,
    ids: list[str],
    act: Callable[[str], Any],
    shown: Callable[[Any], dict[str, Any]] = lambda _: {},
    at_once: int = THINGS_AT_ONCE,
) -> ManyReply:
    """Do something to each, some in each transaction.

    Args:
        call: of this request.
        ids: may hold one twice; it counts once.
        act: takes an id.
        shown: what the answer says of one that succeeded beside its id, from what ``act`` returned.
        at_once: how many in one transaction.
    """
    distinct = list(dict.fromkeys(ids))
    outcomes = call.in_slices(distinct, lambda some: [_attempt(call, id, act) for id in some], at_once)
    succeeded: list[dict[str, Any]] = []
    failures: list[ManyFailure] = []
    for id, outcome in zip(distinct, outcomes, strict=True):
        if isinstance(outcome, WireError):
            codes = [outcome.code, outcome.subcode]
            described = {"codes": codes, "msg": outcome.message, "data": outcome.data}
            failures.append(ManyFailure(id=id, error=described))
        else:
            succeeded.append({"id": id, **shown(outcome)})
    return ManyReply(succeeded=succeeded, failed=failures)


def _attempt(call: Call, id: str, act: Callable[[str], Any]) -> Any:
    try:
        with call.attempt():
            return act(id)
    except Buried:
        # Of all of the slice: it begins again when what is in the way has been cleared.
        raise
    except WireError as error:
        return error
