"""The group of commands and its way of failing: one line that says what to do, exit status 1."""

import errno
from importlib import import_module
from typing import Any

import click

import trialbook
from trialbook.base.unicode import legible, one_line
from trialbook.errors import ConnectionFailed, TrialbookError

_COMMANDS = {
    "data": ("trialbook.cli.data", "Datasets: create, fill, close, find, fetch, compare."),
    "demo": ("trialbook.cli.demo", "Train a real classifier and watch it in the browser."),
    "open": ("trialbook.cli.open", "Open the page of the server on this machine, logged in."),
    "run": (
        "trialbook.cli.run",
        "Run a script that says `from clearml import Task` on Trialbook, unchanged.",
    ),
    "server": ("trialbook.cli.server", "Serve the API, the files and the page on one port."),
    "user": ("trialbook.cli.user", "People of the server on this machine: add, list, disable, enable."),
    "sync": ("trialbook.cli.sync", "Send what crashed, offline or cut-off runs left on this machine."),
}


class LazyGroup(click.Group):
    """Lists all commands without importing any: the server's libraries load only for ``trialbook server``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if type(error) is not click.ClickException:
                raise
            raise click.ClickException(one_line(error.message)) from error
        except TrialbookError as error:
            if ctx.invoked_subcommand == "run":
                raise  # the user's script failed, not the command: it ends with its own traceback
            # That of a server that did not start has the end of its log.
            shown = legible if isinstance(error, ConnectionFailed) else one_line
            raise click.ClickException(shown(str(error))) from error
        except OSError as error:
            # A closed pipe is click's to end on.
            if ctx.invoked_subcommand == "run" or error.errno == errno.EPIPE:
                raise
            raise click.ClickException(legible(str(error))) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(trialbook.__version__, prog_name="trialbook")
def group() -> None:
    """Trialbook keeps your experiments: code, data, metrics and models, in one process."""


def main() -> None:
    """Entry point of the console script."""
    group()
