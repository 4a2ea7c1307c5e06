"""What a run has on the server."""

from typing import Any

from tests.integration.program import document
from tests.support.server import RunningServer


def models(server: RunningServer, task: str, side: str) -> dict[str, dict[str, Any]]:
    """The task's models by slot."""
    listed = document(server, task)["models"][side]
    return {
        entry["name"]: server.call("models.get_by_id", {"model": entry["model"]})["model"] for entry in listed
    }


def parameters(server: RunningServer, task: str, section: str) -> dict[str, str]:
    """A section of the task's parameters."""
    found = document(server, task)["hyperparams"].get(section) or {}
    return {name: item["value"] for name, item in found.items()}
