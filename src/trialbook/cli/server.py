"""``trialbook server``: the whole platform on one port."""

import sys
from pathlib import Path

import click


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8008]"
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the database, the files and the first key."
)
@click.option("--database", help="postgresql://USER@HOST/NAME; without it, SQLite in the data folder.")
def command(host: str | None, port: int | None, data: Path | None, database: str | None) -> None:
    """Serve the API, the files, the page and live updates in one process.

    The first start writes an administrator's key to DATA/credentials.json.
    """
    from trialbook.server.main import main  # the server's libraries load only for this command

    sys.exit(main(host=host, port=port, data=data, database=database))
