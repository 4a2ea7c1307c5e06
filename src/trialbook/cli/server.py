"""``trialbook server``: the whole platform on one port."""

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from trialbook.cli.own_server import announced
from trialbook.server.settings import Settings

_STOP_SECONDS = 30.0


_KINDS = {int: click.INT, float: click.FLOAT, str: click.STRING}


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    """An option for each setting of the server, as its table has it."""
    for item in reversed(dataclasses.fields(Settings)):
        kind = _KINDS.get(type(item.default), click.Path(path_type=Path))
        told = item.metadata["help"]
        if item.default not in ("", Path()):
            told += f"  [default: {item.default}]"
        option = click.option(f"--{item.name.replace('_', '-')}", item.name, type=kind, help=told)
        function = option(function)
    return function


@click.group(invoke_without_command=True)
@_settings
@click.pass_context
def command(ctx: click.Context, /, data: Path | None, **told: str | float | None) -> None:
    """Serve the API, the files, the page and live updates in one process.

    The first start writes an administrator's key to DATA/credentials.json. Every option can also be said in the
    environment, as TRIALBOOK_SERVER_ and its name in capitals.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = data
        return
    from trialbook.server.main import main  # the server's libraries load only for this command

    sys.exit(main(data=data, **told))


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
