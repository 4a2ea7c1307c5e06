"""``trialbook demo``: a real training run, live in the browser, with nothing configured."""

import importlib.util
import signal
import subprocess
import sys
import threading

import click

from trialbook.client.settings import load
from trialbook.sdk.servers.private_server import find_or_start, stop


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End after the run, with its exit status.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(leave: bool, arguments: tuple[str, ...]) -> None:
    """Train a small network on real handwritten digits and keep the whole run.

    Uses the configured server; without one it starts your private server and stops it again at the end.
    ARGUMENTS go to the training program, for example: trialbook demo -- --epochs 200
    """
    if importlib.util.find_spec("sklearn") is None:
        raise click.ClickException("The demo trains with scikit-learn: pip install 'trialbook[demo]'")
    settings = load()
    started = False
    if not settings.api_host:
        settings, started = find_or_start(settings)
    click.echo(f"Page: {settings.web_host}/projects")
    try:
        status = subprocess.run([sys.executable, "-m", "trialbook.examples.digits", *arguments]).returncode
        if status:
            click.echo(f"The training program ended with status {status}.", err=True)
        if not leave:
            click.echo(f"The run is kept. Look at it: {settings.web_host}/projects   (Ctrl-C ends)")
            _wait()
    finally:
        if started:
            stop(settings)
    sys.exit(status)


def _wait() -> None:
    """Until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    ended.wait()
