"""What the members of ``Dataset`` share about their arguments, and about where this process works."""

from pathlib import Path, PurePath

from trialbook.base.versions import is_version
from trialbook.client import settings as settings_module
from trialbook.errors import UsageError
from trialbook.sdk.console import advice, say
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.servers.connection import Connection


def cache_folder() -> Path:
    """Folder of this host for drafts, views and remembered digests."""
    return settings_module.load().own_cache("datasets")


def threads(max_workers: int | None) -> int | None:
    """A number of threads that a caller wishes for.

    Raises:
        UsageError: it is below 1.
    """
    if max_workers is not None and max_workers < 1:
        raise UsageError(f"max_workers is a number from 1 on, or None, not {max_workers}")
    return max_workers


def required(method: str, argument: str, value: str | PurePath, option: str = "") -> str:
    """A path or an address as text.

    Args:
        method: that takes it.
        argument: its name there.
        value: what was given.
        option: its name on the command line; empty is the same.

    Raises:
        UsageError: it is empty: an unset variable, and not "all" or "here".
    """
    if not str(value):
        named = advice(f"{method}: {argument}", option or argument)
        raise UsageError(f"{named} is {str(value)!r}; name a path, '.' for the working directory")
    return str(value)


def both_named() -> UsageError:
    """An id and a name at once, which may be of two versions."""
    given = advice("dataset_id, or dataset_project and dataset_name", "--id, or --project and --name")
    return UsageError(f"give {given}, not both")


def online(what: str) -> Connection:
    """The connection.

    Raises:
        UsageError: this process works offline.
    """
    if settings_module.load().offline:
        how = advice("Dataset.set_offline", "TRIALBOOK_OFFLINE_MODE, or CLEARML_OFFLINE_MODE")
        raise UsageError(
            f"{advice(what, 'this command')} needs the server, and this process works offline ({how})"
        )
    return connections.connect()


def version_text(text: str) -> str:
    """A version as it was wished for; one that has no place in the order is kept, and named."""
    if not is_version(text):
        say(
            f"Trialbook: {text!r} is not a version like 1.2.3; it is kept, but has no place in the order of versions"
        )
    return text
