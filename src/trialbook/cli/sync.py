"""``trialbook sync``: send what earlier runs left on this machine."""

import sys

import click

from trialbook.sdk.settings import load


@click.command()
@click.option("--task", help="Only this task's reports.")
@click.option(
    "--timeout", type=float, default=3600.0, show_default=True, help="Seconds for all of them together."
)
def command(task: str | None, timeout: float) -> None:
    """Send the reports of runs that crashed, were killed, or had no network.

    Exit status 1 when something is still waiting.
    """
    from trialbook.sdk.recovery import recover  # urllib3 and msgspec load only when there is something to do

    outcomes = recover(load(), task=task, timeout=timeout)
    if not outcomes:
        click.echo("Nothing is waiting on this machine.")
        return
    for outcome in outcomes:
        state = "sent" if outcome.complete else f"waiting ({outcome.error or 'the server did not answer'})"
        click.echo(f"task {outcome.identity.task}: {outcome.bytes:,} bytes {state}")
    sys.exit(0 if all(outcome.complete for outcome in outcomes) else 1)
