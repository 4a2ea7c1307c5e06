"""A real PostgreSQL for one test run: made with ``initdb``, on a socket and a free loopback port, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path


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


class Postgres:
    """A running server; ``fresh_url()`` makes an empty database in it.

    Args:
        data: folder of its files; None is beside its socket. Removed by ``stop`` either way.
    """

    def __init__(self, data: Path | None = None) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
        self._binaries = binaries
        self._user = _server_user()
        self._folder = Path(tempfile.mkdtemp(prefix="tb-pg-"))
        self._data = str(data or self._folder / "data")
        if self._user:
            owner = pwd.getpwnam(self._user)
            for folder in (self._folder, data):
                if folder is not None:
                    os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
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
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        options += " -c max_connections=200 -c shared_buffers=64MB"
        log = str(self._folder / "log")
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
            cwd=self._folder,
            env={**os.environ, "HOME": str(self._folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def fresh_url(self) -> str:
        """The address of a new empty database."""
        import psycopg

        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(
            f"postgresql://trialbook@127.0.0.1:{self.port}/postgres", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql://trialbook@127.0.0.1:{self.port}/{name}"

    def restart(self) -> None:
        """As an upgrade does: connections are closed, what was committed stays."""
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "restart")

    def stop(self) -> None:
        """End the server and remove its files."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)
