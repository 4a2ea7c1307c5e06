"""What is said to this process before a run: server and keys, offline work, seeds, how long the monitor waits."""

import logging
from pathlib import Path

from trialbook.client import settings as settings_module
from trialbook.client.settings import hosts
from trialbook.errors import UsageError
from trialbook.sdk import current
from trialbook.sdk.process import seeds
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.task.base import TaskBase

_log = logging.getLogger("trialbook")


class SurroundingsMixin(TaskBase):
    """Class members that concern the whole process."""

    @classmethod
    def running_locally(cls) -> bool:
        """Whether a person runs this code. May be asked before ``Task.init``.

        Returns:
            False when an agent runs it, or ``debug_simulate_remote_task`` says so.

        Example:
            >>> Task.running_locally()
            True
        """
        return not settings_module.load().task_id

    @classmethod
    def set_credentials(
        cls,
        api_host: str | None = None,
        web_host: str | None = None,
        files_host: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        store_conf_file: bool = False,
    ) -> None:
        """Name the server and the key for this process. Environment and configuration file win over it.

        Args:
            api_host: such as ``http://localhost:8008``.
            web_host: of the web UI, for links.
            files_host: of the files.
            key: access key.
            secret: secret key.
            store_conf_file: also write ``~/trialbook.conf``, when there is no configuration file; never when an agent
                runs this process.

        Raises:
            UsageError: a task runs already.

        Example:
            >>> Task.set_credentials("http://localhost:8008", key="KEY", secret="SECRET")
        """
        if current.main_task() is not None:
            raise UsageError("set_credentials must come before Task.init")
        pairs = {
            "API_HOST": api_host,
            "WEB_HOST": web_host,
            "FILES_HOST": files_host,
            "API_ACCESS_KEY": key,
            "API_SECRET_KEY": secret,
        }
        for name, value in pairs.items():
            settings_module.set_default(name, value)
        connections.disconnect()
        read = settings_module.load()
        if api_host and read.api_host != hosts.address(api_host, "api_host"):
            _log.warning("set_credentials has no effect here: %s names the server", read.source)
        if store_conf_file and not read.task_id:
            written = settings_module.store(
                api_host or "", web_host or "", files_host or "", key or "", secret or ""
            )
            if written is None:
                _log.warning("no configuration file was written: %s has one already", Path.home())

    @classmethod
    def set_offline(cls, offline_mode: bool = False) -> None:
        """Work without a server from now on: runs are kept on this host; ``trialbook sync`` sends them later.

        Args:
            offline_mode: True to begin, False to end it.

        Raises:
            UsageError: a task runs already.

        Example:
            >>> Task.set_offline(True)
            >>> Task.is_offline()
            True
            >>> Task.set_offline(False)
        """
        if current.main_task() is not None:
            raise UsageError("set_offline must come before Task.init, or after Task.close")
        settings_module.set_offline(bool(offline_mode))
        connections.disconnect()

    @classmethod
    def is_offline(cls) -> bool:
        """Whether runs are kept on this host only.

        Returns:
            True after ``set_offline(True)``, or when ``TRIALBOOK_OFFLINE_MODE`` is set.

        Example:
            >>> Task.is_offline()
            False
        """
        return settings_module.load().offline

    @classmethod
    def set_random_seed(cls, random_seed: int | None) -> None:
        """Choose the seed that the next ``Task.init`` gives to the generators of random numbers.

        They are those of ``random``, and of NumPy, PyTorch and TensorFlow where these are imported by then. Without
        this call the seed is 1337, so that two runs of one script draw the same numbers.

        Args:
            random_seed: the seed; None leaves all generators alone.

        Raises:
            UsageError: it is not an integer, or a task runs already.

        Example:
            >>> Task.set_random_seed(7)
        """
        if current.main_task() is not None:
            raise UsageError("set_random_seed must come before Task.init")
        if random_seed is not None and (isinstance(random_seed, bool) or not isinstance(random_seed, int)):
            raise UsageError(f"a seed is an integer or None, not {random_seed!r}")
        seeds.choose(random_seed)

    @classmethod
    def set_resource_monitor_iteration_timeout(cls, seconds_from_start: float = 1800) -> bool:
        """How long the resource monitor waits for the first scalar or plot.

        Nothing is reported meanwhile; after it, points stand on seconds since the start, until the program reports.
        May be called before or after ``Task.init``.

        Args:
            seconds_from_start: in seconds.

        Returns:
            True; False when it is not a number above or equal to zero, and nothing changed.

        Example:
            >>> Task.set_resource_monitor_iteration_timeout(60)
            True
        """
        if isinstance(seconds_from_start, bool) or not isinstance(seconds_from_start, (int, float)):
            return False
        if not seconds_from_start >= 0:
            return False
        from trialbook.sdk.process.monitor import set_timeout

        set_timeout(float(seconds_from_start))
        return True
