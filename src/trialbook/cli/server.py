"""``trialbook server``: the whole platform on one port."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from trialbook.cli.own_server import announced

_STOP_SECONDS = 30.0


@click.group(invoke_without_command=True)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8008]"
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the database, the files and the first key."
)
@click.option("--database", help="postgresql://USER@HOST/NAME; without it, SQLite in the data folder.")
@click.pass_context
def command(
    ctx: click.Context, host: str | None, port: int | None, data: Path | None, database: str | None
) -> None:
    """Serve the API, the files, the page and live updates in one process.

    The first start writes an administrator's key to DATA/credentials.json.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = data
        return
    from trialbook.server.main import main  # the server's libraries load only for this command

    sys.exit(main(host=host, port=port, data=data, database=database))


_SAME = click.option("--data", "here", type=click.Path(path_type=Path), help="Data folder of the server.")


@command.command()
@_SAME
@click.pass_obj
def status(data: Path | None, here: Path | None) -> None:
    """Say which server runs on this machine's data folder; exit status 1 when none does."""
    running = announced(here or data)
    if running is None:
        click.echo("no server runs there")
        sys.exit(1)
    click.echo(f"{running['url']} (process {running['pid']}, version {running['version']})")


@command.command()
@_SAME
@click.pass_obj
def stop(data: Path | None, here: Path | None) -> None:
    """End the server of this machine's data folder, also the private one; what it stored stays."""
    data = here or data
    running = announced(data)
    if running is None:
        click.echo("no server runs there")
        return
    os.kill(int(running["pid"]), signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while announced(data) is not None:
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"process {running['pid']} has not ended after {_STOP_SECONDS:.0f} seconds: "
                f"`kill -9 {running['pid']}` ends it, what it has answered to is stored"
            )
        time.sleep(0.05)
    click.echo(f"the server at {running['url']} has ended")
