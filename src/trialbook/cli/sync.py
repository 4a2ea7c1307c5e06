"""``trialbook sync``: send what earlier runs left on this machine."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from trialbook.client.settings import load
from trialbook.client.settings.hosts import address, complete

if TYPE_CHECKING:
    from trialbook.sdk.offline.recovery import Waiting


@click.command()
@click.option("--task", help="Only this task's reports.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=3600.0,
    show_default=True,
    help="Seconds for all of them together.",
)
@click.option(
    "--to",
    metavar="ADDRESS",
    help="Send all of it to the server at this address, also what is meant for another one.",
)
@click.option(
    "--discard",
    metavar="TASK",
    help="Remove what a server has refused to take of this task; everything else stays.",
)
def command(task: str | None, timeout: float, to: str | None, discard: str | None) -> None:
    """Send the reports of runs that crashed, were killed, or had no network, each to the server it is meant for.

    Exit status 1 when something is still waiting, or on its way by another process.
    """
    from trialbook.sdk.offline.recovery import (  # urllib3 and msgspec load only when there is something to do
        discard as remove_refused,
    )
    from trialbook.sdk.offline.recovery import (
        recover,
        waiting,
    )

    settings = load()
    if discard:
        gone = remove_refused(settings, discard)
        none = f"task {discard}: no reports that a server has refused are on this machine"
        click.echo(f"task {discard}: {gone} refused journal(s) removed" if gone else none)
        sys.exit(0 if gone else 1)
    if to:
        api, web, files = complete(address(to, "--to"), "", "")
        settings = replace(settings, api_host=api, web_host=web, files_host=files)
    outcomes = recover(settings, task=task, timeout=timeout, anyones=bool(to))
    for outcome in outcomes:
        state = "sent" if outcome.complete else f"waiting ({outcome.error or 'the server did not answer'})"
        if outcome.refused:
            state = (
                f"refused ({outcome.error}); `trialbook sync --discard {outcome.identity.task}` removes them"
            )
        click.echo(f"task {outcome.identity.task}: {outcome.bytes:,} bytes {state}")
    tried = {outcome.identity.journal for outcome in outcomes}
    left = [one for one in waiting(settings, task) if one.identity.journal not in tried and not _is_done(one)]
    for one in left:
        click.echo(f"task {one.identity.task}: {_why(one, settings.api_host)}")
    if not outcomes and not left:
        click.echo(
            f"Nothing of task {task} is waiting here." if task else "Nothing is waiting on this machine."
        )
    # A program that runs sends its own. What another process sends for one that is gone has not arrived yet.
    others = any(not one.held or one.pid != one.identity.pid for one in left)
    sys.exit(0 if all(outcome.complete for outcome in outcomes) and not others else 1)


def _is_done(one: "Waiting") -> bool:
    if one.session is None:
        return False
    from trialbook.sdk.dataset.versions.importing import was_imported

    return was_imported(one.identity.task)


def _why(one: "Waiting", here: str) -> str:
    server = one.identity.server or "no server yet"
    if one.held and one.pid == one.identity.pid:
        return f"process {one.pid} is still running and sends its reports to {server}"
    if one.session is not None and not one.held:
        return (
            "a version of a dataset that was made offline; bring it with its files, in Python: "
            f"Dataset.import_offline_session({str(one.session)!r}, finalize=True)"
        )
    if one.held:
        return f"process {one.pid or '(unknown)'} is sending it; it was recorded for {server}"
    if here and server == here:
        return (
            f"waiting for the server that was at {server} when it was recorded; another one answers there now: name "
            "the new address of the first with TRIALBOOK_API_HOST=ADDRESS, or send it to the one that answers with "
            f"`trialbook sync --to {server}`"
        )
    return (
        f"waiting for {server}, which is not the server of this configuration: name it with "
        f"TRIALBOOK_API_HOST={server}, or send it elsewhere with `trialbook sync --to ADDRESS`"
    )
