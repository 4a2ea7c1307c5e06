"""``trialbook data``: datasets from the shell. The version that was created last is the one that is written."""

import click

from trialbook.cli.data_find import compare, get, listing, search, verify
from trialbook.cli.data_manage import clean, delete, move, publish, rename, set_description, squash
from trialbook.cli.data_sync import sync
from trialbook.cli.data_write import add, close, create, remove, set_version, upload
from trialbook.sdk.console import speaking_of_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def command(ctx: click.Context) -> None:
    """Versions of data: create, fill, close, find, fetch, compare.

    \b
    trialbook data create --project Vision --name digits
    trialbook data add --files images/
    trialbook data close
    trialbook data get --project Vision --name digits --copy ./digits

    A version that was created or synced is remembered: the commands that change one need no --id. An upload that was
    interrupted continues where it was when `upload` or `close` is called again.
    """
    ctx.with_resource(speaking_of_commands())


for member in (
    add,
    clean,
    close,
    compare,
    create,
    delete,
    get,
    listing,
    move,
    publish,
    remove,
    rename,
    search,
    set_description,
    set_version,
    squash,
    sync,
    upload,
    verify,
):
    command.add_command(member)
