"""Opening versions that are there: on the server, or in a session of this host."""

import json
from collections.abc import Mapping
from typing import Any

from trialbook.datasets.sources.sniff import Policy
from trialbook.errors import UsageError
from trialbook.sdk.dataset.foreign.adopt import adopt
from trialbook.sdk.dataset.given import cache_folder, online
from trialbook.sdk.dataset.home import Home, remembered_places
from trialbook.sdk.dataset.stores import repository_url
from trialbook.sdk.dataset.versions.opened import Opened
from trialbook.sdk.dataset.versions.sessions import load_offline
from trialbook.sdk.servers.connection import Connection
from trialbook.sdk.task import Task
from trialbook.wire.states import FINISHED


def load(dataset_id: str) -> Opened:
    """A version by id.

    Raises:
        UsageError: there is none, or this process works offline and has not made it.
    """
    session = load_offline(dataset_id)
    if session is not None:
        return session
    connection = online("Dataset.get")
    found = connection.session.api.datasets.get_all({"ids": [dataset_id], "archived": True})["versions"]
    if not found:
        raise UsageError(f"there is no dataset {dataset_id!r}")
    return from_server(found[0], connection)


def from_server(told: Mapping[str, Any], connection: Connection) -> Opened:
    """A version that the server has told of, as ``datasets.get_all`` does."""
    info = dict(told)
    dataset_id, cache = str(info["id"]), cache_folder()
    task: Task | None = None
    if info.get("root"):
        home = Home(connection, str(info["repository"]), cache, info.get("places"))
    else:
        task = Task._open(dataset_id)
        if info["status"] in FINISHED:
            adopted = adopt(connection, task.data, cache)
            info["root"] = adopted.root
            home = Home(connection, str(adopted.repository), cache, adopted.places)
        else:
            destination = task.output_uri or connection.settings.files_host
            noted = (task.data.get("runtime") or {}).get("ds_saved_places")
            places = {**(json.loads(noted) if noted else {}), **remembered_places(cache, dataset_id)}
            home = Home(connection, repository_url(destination), cache, places)
    return Opened(info, info.get("parents") or [], Policy(aliases=False), home, load, task)
