"""``trialbook open``: the page, logged in by a link that works once."""

import webbrowser
from pathlib import Path

import click

from trialbook.cli.own_server import OwnServer


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder of the server.")
@click.option("--print", "only_print", is_flag=True, help="Print the link and start no browser.")
def command(data: Path | None, only_print: bool) -> None:
    """Open the page of the server that runs on this machine.

    The link logs one browser in, within five minutes. Hand it to nobody: it stands for the administrator.
    """
    server = OwnServer(data)
    link = f"{server.address}/login#link={server.api.auth.create_link()['link']}"
    if only_print or not webbrowser.open(link):
        click.echo(link)
