"""Processes of one distributed launch (``torchrun`` and whatever sets ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK`` as it
does) share one task: the first process of the machine makes it, the others join it.

They find each other through a small file in the cache folder. Its name holds who launched them, so that no launch meets
the file of another.
"""

import hashlib
import logging
import os
import time
from pathlib import Path

from trialbook.base.files import read_json, write_json
from trialbook.base.process import Kept
from trialbook.client import settings as settings_module
from trialbook.client.settings import Settings

_log = logging.getLogger("trialbook")
_WAIT_SECONDS = 60.0
_begun = Kept(0)
_joined: "Kept[tuple[int, str] | None]" = Kept(None)


def join(settings: Settings) -> Settings:
    """Wait for the task of the first process of this launch, unless this is the first, or none was launched.

    Args:
        settings: of this process.

    Returns:
        The settings to go on with: they name the process that has the task.
    """
    launch = settings_module.launch()
    # A mark that is our own, from a task before this one, says nothing of this one.
    if launch is None or settings.task_id or settings.master not in (None, _joined.value):
        return settings
    # The second task of a process belongs to the second task of the first one.
    _begun.value += 1
    if launch.local_rank == 0:
        return settings
    path = _meeting(settings, launch.key)
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        found = read_json(path)
        if isinstance(found, dict) and found.get("task"):
            _joined.value = int(found["pid"]), str(found["task"])
            return settings_module.follow(settings, *_joined.value)
        time.sleep(0.05)
    _log.warning(
        "rank %d waited %.0f s for the first process of the launch to call Task.init; it makes a task of its own",
        launch.rank,
        _WAIT_SECONDS,
    )
    return settings_module.without_master(settings)


def lead(settings: Settings, task: str) -> None:
    """Tell the other processes of this launch which task they join; does nothing where this process joined one."""
    launch = settings_module.launch()
    if launch is None or launch.local_rank != 0 or settings.master is not None or settings.task_id:
        return
    path = _meeting(settings, launch.key)
    try:
        for old in path.parent.glob("*.json"):
            if time.time() - old.stat().st_mtime > 24 * 3600:
                old.unlink(missing_ok=True)
        write_json(path, {"task": task, "pid": os.getpid()})
    except OSError as error:
        _log.warning("the other processes of this launch cannot find the task: %s", error)


def is_first() -> bool:
    """Whether this process speaks for its launch: rank 0, or no launch at all."""
    launch = settings_module.launch()
    return launch is None or launch.rank == 0


def _meeting(settings: Settings, key: str) -> Path:
    name = hashlib.sha256(f"{key}:{_begun.value}:{settings.api_host}".encode()).hexdigest()[:24]
    return settings.own_cache("launches") / f"{name}.json"
