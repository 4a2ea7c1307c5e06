"""A real PostgreSQL for one test run: made with ``initdb``, on a socket and a free loopback port, gone afterwards."""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

MIGRATED = "migrated"
"""Name of the database that others are copied from."""


def find_binaries() -> Path | None:
    """The folder that holds ``initdb`` and ``postgres``; None when PostgreSQL is not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    if found:
        places.insert(0, Path(found).resolve().parent)
    return next((place for place in places if (place / "postgres").exists()), None)


def _server_user() -> str | None:
    """The account that runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Databases:
    """Makes databases in a running server.

    Args:
        port: where it listens.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://trialbook@127.0.0.1:{self.port}/{name}"

    def fresh_url(self, template: str = "template1") -> str:
        """The address of a new database: empty, or a copy."""
        import psycopg

        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def migrated_url(self, migrate: Callable[[str], None]) -> str:
        """The address of a new database that has all tables.

        Args:
            migrate: makes them in the empty database of an address; called once for each server.
        """
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # Other workers of the run want the same one.
            connection.execute(b"SELECT pg_advisory_lock(1)")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (MIGRATED,)).fetchone():
                fresh = self.fresh_url()
                migrate(fresh)
                old = fresh.rsplit("/", 1)[1]
                connection.execute(f'ALTER DATABASE "{old}" RENAME TO "{MIGRATED}"'.encode())
        return self.fresh_url(MIGRATED)


class Postgres(Databases):
    """A server of its own.

    Args:
        data: folder of its files; None is beside its socket. Removed by ``stop`` either way.
    """

    def __init__(self, data: Path | None = None) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
        self._binaries = binaries
        self._user = _server_user()
        self.folder = Path(tempfile.mkdtemp(prefix="tb-pg-"))
        self._data = str(data or self.folder / "data")
        if self._user:
            owner = pwd.getpwnam(self._user)
            for folder in (self.folder, data):
                if folder is not None:
                    os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            super().__init__(int(probe.getsockname()[1]))
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "trialbook",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C.UTF-8",
        )
        self.start()

    def start(self) -> None:
        """Start it on its files."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        # The machine is not cut off in a test: what a killed process had written is in the cache of the system.
        options += " -c max_connections=300 -c shared_buffers=64MB -c fsync=off"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "-t", "60", "start")

    def running(self) -> bool:
        """Whether its main process is there."""
        return (Path(self._data) / "postmaster.pid").exists()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            user=self._user,
            group=self._user and pwd.getpwnam(self._user).pw_gid,
            extra_groups=[] if self._user else None,
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def restart(self) -> None:
        """As an upgrade does: connections are closed, what was committed stays."""
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "restart")

    def stop(self) -> None:
        """End the server and remove its files."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Shared:
    """One PostgreSQL for all workers of a test run: the first one that wants it starts it.

    Args:
        folder: a folder that all of them know, and no other run.
    """

    def __init__(self, folder: Path) -> None:
        self._started = folder / "postgres"
        self._lock = folder / "postgres.lock"

    def join(self) -> Databases:
        """Start it, or find it."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._started.exists():
                server = Postgres()
                self._started.write_text(f"{server.port} {server.folder}")
        return Databases(int(self._started.read_text().split()[0]))

    def end(self) -> None:
        """Stop it, if it was ever started. For the process that outlives all others of the run."""
        if not self._started.exists():
            return
        folder = Path(self._started.read_text().split()[1])
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # SIGQUIT is its immediate end.
            main = int((folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(main, signal.SIGQUIT)
            deadline = time.monotonic() + 10
            while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
        shutil.rmtree(folder, ignore_errors=True)
