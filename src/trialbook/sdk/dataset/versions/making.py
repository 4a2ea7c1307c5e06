"""Making a version on the server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialbook.client.calls import filled
from trialbook.datasets.sources.sniff import Policy
from trialbook.sdk.dataset.given import cache_folder, online
from trialbook.sdk.dataset.home import Home
from trialbook.sdk.dataset.stores import repository_url
from trialbook.sdk.dataset.versions.loading import load
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.task import Task

if TYPE_CHECKING:
    from trialbook.client.api import CreateDataset


def make(ask: "CreateDataset", parents: Sequence[Opened], policy: Policy, host: Task | None = None) -> Opened:
    """A new version, open for writing.

    Args:
        ask: as ``datasets.create`` takes it.
        parents: whose ids it names.
        policy: how files are stored.
        host: a task of this process that becomes the version.
    """
    connection = online("Dataset.create")
    reply = connection.session.api.datasets.create(filled(ask), repeat=False)
    task = host or Task._of(reply["dataset"])
    if host is not None:
        host.reload()
    info = {
        "id": str(reply["dataset"]["id"]),
        "name": ask["name"],
        "project": ask["project"].strip("/"),
        "version": reply["version"],
        "status": "in_progress",
    }
    home = Home(connection, repository_url(task.output_uri or connection.settings.files_host), cache_folder())
    made = Opened(info, [parent.id for parent in parents], policy, home, load, task)
    made.keep_task_open = host is not None
    # A task that becomes a version may have been one in an earlier process.
    made.begin(parents, fresh=host is None)
    return made
