"""What deleted versions left behind: artifacts by address, and repositories that only clients reach."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trialbook.blobs.store import BlobStore
from trialbook.datasets.storage.objects import Objects
from trialbook.errors import DatasetMissing, FileMissing, TrialbookError, UsageError
from trialbook.sdk.accounts.nearer import nearer
from trialbook.sdk.console import say
from trialbook.sdk.dataset.given import online
from trialbook.sdk.dataset.stores import bucket_blobs, open_blobs
from trialbook.sdk.servers.connection import Connection, local_path

if TYPE_CHECKING:
    from trialbook.client.api import Sweep

_KINDS = ("packs", "ranges", "roots", "states")


def delete_url(connection: Connection, url: str) -> None:
    """Delete what lies at an address.

    Raises:
        UsageError: this process may not delete there.
    """
    url = nearer(url)
    bucket = bucket_blobs(url)
    path = None if bucket is not None else local_path(url)
    if bucket is not None:
        bucket[0].delete(bucket[1])
    elif path is not None:
        Path(path).unlink(missing_ok=True)
    elif connection.files.owns(url):
        connection.files.delete(url)
    else:
        raise UsageError("files of other web servers cannot be deleted")


def sweep(connection: Connection, sweeps: "Sequence[Sweep]", urls: Sequence[str] = ()) -> int:
    """Free what the server cannot.

    Args:
        connection: to it.
        sweeps: repositories that it does not hold, and what stays there.
        urls: of artifacts.

    Returns:
        Number of objects that were deleted.
    """
    count = sum(_tried_url(connection, url) for url in urls)
    freed = {item["owner"]: _tried_sweep(connection, item) for item in sweeps}
    done = [owner for owner, number in freed.items() if number is not None]
    if done:
        connection.session.api.datasets.swept({"owners": done})
    return count + sum(number or 0 for number in freed.values())


def waiting_to_be_freed() -> "list[Sweep]":
    """Deleted versions whose files lie where the server cannot free them: ``owner``, ``repository``, ``keep`` each."""
    return online("The trash of datasets").session.api.datasets.get_trash()["sweeps"]


def free_deleted() -> "tuple[int, list[Sweep]]":
    """Free what deleted versions left in storages that only clients reach.

    Returns:
        Number of objects that were deleted, and what still waits because its storage could not be reached.
    """
    count = sweep(online("The trash of datasets"), waiting_to_be_freed())
    return count, waiting_to_be_freed()


def _tried_url(connection: Connection, url: str) -> int:
    try:
        delete_url(connection, url)
    except (TrialbookError, OSError) as error:
        say(f"Trialbook: {url} was not deleted: {error}")
        return 0
    return 1


def _tried_sweep(connection: Connection, item: "Sweep") -> int | None:
    try:
        blobs = open_blobs(connection, str(item["repository"]))
        if not Objects(blobs).check():
            # What is not mounted is not freed.
            raise DatasetMissing("there is no repository of datasets: is it mounted?")
        keep, owner = set(item["keep"]), str(item["owner"])
        gone = [info.key for kind in _KINDS for info in blobs.list(f"{kind}/{owner}") if info.key not in keep]
        return sum(_dropped(blobs, key) for key in [*gone, f"versions/{owner}.json", f"drafts/{owner}.json"])
    except (TrialbookError, OSError) as error:
        say(f"Trialbook: the files of {item['owner']} in {item['repository']} stay for now: {error}")
        return None


def _dropped(blobs: BlobStore, key: str) -> int:
    try:
        blobs.delete(key)
    except FileMissing:
        return 0
    return 1
