"""One script on several machines: copies of the run wait in a queue, each with its rank."""

import socket
import time
from typing import TYPE_CHECKING, Any

from trialbook.client import settings as settings_module
from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.record import record_of
from trialbook.sdk.task.running.remote import RemoteMixin

if TYPE_CHECKING:
    from trialbook.client.api import Parameter

SECTION = "launch_multi_node"
_LOOK_SECONDS = 5.0
_WAITING = frozenset({"created", "queued"})


class NodesMixin(RemoteMixin):
    """The member that starts a run on several machines."""

    def launch_multi_node(
        self,
        total_num_nodes: int,
        port: int = 29500,
        queue: str | None = None,
        wait: bool = False,
        addr: str | None = None,
        devices: int | None = None,
        hide_children: bool = False,
    ) -> dict[str, Any]:
        """Run this script on several machines at once: this process is rank 0, copies of the task wait for agents.

        Each copy runs the script up to this call, which then answers with its own rank. ``MASTER_ADDR``,
        ``MASTER_PORT``, ``WORLD_SIZE``, ``NODE_RANK`` and ``RANK`` (that of the node's first process) are set in the
        environment, so that ``torch.distributed`` finds the others. Each node reports to its own task, whose parent is
        this one.

        Args:
            total_num_nodes: with this one.
            port: on which rank 0 listens.
            queue: name of the queue for the others; None is the queue that this task was taken from.
            wait: return when all the others run.
            addr: of this machine; None is that of its host name.
            devices: processes on each node; None is 1.
            hide_children: keep the copies out of lists.

        Returns:
            ``node_rank``, ``total_num_nodes``, ``master_addr``, ``master_port``, ``world_size``, ``queue`` and, on rank
            0, ``nodes``: the ids of the copies.

        Raises:
            UsageError: not the task of ``Task.init``, fewer than one node, or no queue.
            QueueNotFound: there is no such queue.

        Example:
            >>> node = task.launch_multi_node(2, queue="default", addr="10.0.0.1")
            >>> node["node_rank"], node["world_size"], len(node["nodes"])
            (0, 2, 1)
        """
        if not current.is_main(self):
            raise UsageError("launch_multi_node belongs to the task that Task.init returned")
        if isinstance(total_num_nodes, bool) or not isinstance(total_num_nodes, int) or total_num_nodes < 1:
            raise UsageError(f"total_num_nodes is 1 or more, not {total_num_nodes!r}")
        stored = self._sections().get(SECTION) or {} if self._record.settings.task_id else {}
        if stored and int(_plain(stored.get("node_rank") or {}) or 0) > 0:
            return _announced({name: _plain(item) for name, item in stored.items()})
        each = max(1, int(devices or 1))
        node = {
            "node_rank": 0,
            "total_num_nodes": total_num_nodes,
            "master_addr": addr or socket.gethostbyname(socket.gethostname()),
            "master_port": int(port),
            "devices": each,
            "world_size": total_num_nodes * each,
            "queue": queue or self.get_executed_queue(return_name=True) or "",
        }
        if total_num_nodes > 1 and not node["queue"]:
            raise UsageError("launch_multi_node needs the name of a queue for the other nodes")
        nodes = self._queue_nodes(node, hide_children)
        if wait:
            self._wait_until_running(nodes)
        return _announced({**node, "nodes": nodes})

    # -- inside ---

    def _queue_nodes(self, node: dict[str, Any], hidden: bool) -> list[str]:
        count = int(node["total_num_nodes"])
        queue = self._find_queue(str(node["queue"])) if count > 1 else ""
        self._described()
        made = []
        for rank in range(1, count):
            copy = self.clone(self, name=f"{self.name} node {rank}", parent=self.id)
            copy.update_parameters({f"{SECTION}/{name}": value for name, value in node.items()})
            copy.update_parameters({f"{SECTION}/node_rank": rank})
            if hidden:
                record_of(copy).edit(system_tags=[*copy.get_system_tags(), "hidden"])
            self.enqueue(copy, queue_id=queue)
            made.append(copy.id)
        return made

    def _wait_until_running(self, nodes: list[str]) -> None:
        while True:
            found = self.query_tasks(additional_return_fields=["status"], task_filter={"id": nodes})
            if not any(entry["status"] in _WAITING for entry in found):
                return
            time.sleep(_LOOK_SECONDS)


def _plain(item: "Parameter") -> Any:
    text = str(item.get("value") or "")
    return int(text) if item.get("type") == "int" else text


def _announced(node: dict[str, Any]) -> dict[str, Any]:
    settings_module.export(
        {
            "MASTER_ADDR": node["master_addr"],
            "MASTER_PORT": node["master_port"],
            "WORLD_SIZE": node["world_size"],
            "NODE_RANK": node["node_rank"],
            "RANK": int(node["node_rank"]) * int(node["devices"]),
        }
    )
    return node
