"""Where a server offers the package that this program is: what the SDK records, and what the server makes of it."""

import re

OFFER = "/sdk/current"
"""The path that stands for a server's own package. The server that gets such an address writes the file that it has,
with its digest, in its place; so a run that begins without a server can name it as well."""

PENDING = re.compile(
    r"^(?P<name>trialbook(?:\[[\w.,\- ]*\])?) @ (?P<server>[^\s#]+)" + re.escape(OFFER) + r"(?=\s|$)",
    re.MULTILINE,
)
"""A requirement line that waits for a server to complete it."""


def pending(server: str, extras: str = "") -> str:
    """The requirement line for the package of a server that is still to be asked.

    Args:
        server: its address, without a slash at the end.
        extras: as they are written, with their brackets.

    Example:
        >>> pending("http://team:8008", "[fast]")
        'trialbook[fast] @ http://team:8008/sdk/current'
    """
    return f"trialbook{extras} @ {server}{OFFER}"
