"""What a process that talks to a server is told: by the environment, the configuration file, its surroundings.

The files of this package are the only readers of ``os.environ`` on the client's side.
"""

from trialbook.client.settings.reader import PREFIXES, set_default, storage_state, storage_tree
from trialbook.client.settings.surroundings import (
    Launch,
    agent_task,
    announce_master,
    clean_environment,
    code_overrides,
    conda_prefix,
    console_is_shipped,
    export,
    follow,
    launch,
    notebook_session,
    recorded_variables,
    store,
    successor_environment,
    variables,
    visible_gpus,
    without_master,
)
from trialbook.client.settings.table import Settings, load, set_offline, simulate

__all__ = [
    "PREFIXES",
    "Launch",
    "Settings",
    "agent_task",
    "announce_master",
    "clean_environment",
    "code_overrides",
    "conda_prefix",
    "console_is_shipped",
    "export",
    "follow",
    "launch",
    "load",
    "notebook_session",
    "recorded_variables",
    "set_default",
    "set_offline",
    "simulate",
    "storage_state",
    "storage_tree",
    "store",
    "successor_environment",
    "variables",
    "visible_gpus",
    "without_master",
]
