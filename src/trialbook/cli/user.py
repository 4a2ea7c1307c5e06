"""``trialbook user``: the people of the server on this machine."""

from pathlib import Path
from typing import Literal

import click

from trialbook.base.unicode import one_line, storable
from trialbook.cli.own_server import OwnServer
from trialbook.errors import ConfigurationError

_ROLES = click.Choice(["admin", "user", "worker", "read-only"])
_DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder of the server.")


def _here(ctx: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """The folder that the command names, else the one that stands before it."""
    return value or ctx.obj


_HERE = click.option(
    "--data", type=click.Path(path_type=Path), callback=_here, help="Data folder of the server."
)


@click.group()
@_DATA
@click.pass_context
def command(ctx: click.Context, data: Path | None) -> None:
    """Add, list, disable and enable people, as the user who runs the server."""
    ctx.obj = data


@command.command()
@click.argument("name")
@click.option("--role", type=_ROLES, default="user", show_default=True, help="What they may do.")
@_HERE
def add(name: str, role: Literal["admin", "user", "worker", "read-only"], data: Path | None) -> None:
    """Add a person, and print what to hand over: the settings of their machine (the secret is shown this once)."""
    server = OwnServer(data)
    made = server.api.users.create({"name": name, "role": role})
    click.echo(
        f"Added {one_line(made['user']['name'])} ({made['user']['role']}). Hand over what follows; the secret is "
        "shown this once. On their machine:"
    )
    click.echo(f"  export TRIALBOOK_API_HOST={server.address}")
    click.echo(f"  export TRIALBOOK_API_ACCESS_KEY={made['credentials']['access_key']}")
    click.echo(f"  export TRIALBOOK_API_SECRET_KEY={made['credentials']['secret_key']}")


@command.command("list")
@_HERE
def list_people(data: Path | None) -> None:
    """Names and roles."""
    for user in OwnServer(data).api.users.get_all()["users"]:
        click.echo(
            f"{one_line(user['name'])}\t{user['role']}{'  (disabled)' if user.get('disabled') else ''}"
        )


@command.command()
@click.argument("name")
@_HERE
def disable(name: str, data: Path | None) -> None:
    """Refuse a person's keys and log their browsers out. What they made stays."""
    _switch(name, data, True)


@command.command()
@click.argument("name")
@_HERE
def enable(name: str, data: Path | None) -> None:
    """Let a disabled person in again."""
    _switch(name, data, False)


def _switch(name: str, data: Path | None, disabled: bool) -> None:
    server = OwnServer(data)
    # As the server keeps it: blanks at the ends do not count.
    kept = storable(name).strip()
    found = [user["id"] for user in server.api.users.get_all()["users"] if user["name"] == kept]
    if not found:
        raise ConfigurationError(f"there is no user {name!r}: `trialbook user list` shows them")
    server.api.users.edit({"user": found[0], "disabled": disabled})
    click.echo(f"{one_line(name)} is {'disabled' if disabled else 'enabled'}.")
