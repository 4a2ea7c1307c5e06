"""What the dataset commands share: naming a version, remembering one, and answering as text or JSON."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialbook.base.files import read_json, write_json
from trialbook.base.unicode import legible
from trialbook.client.settings import load

if TYPE_CHECKING:
    from trialbook.sdk.dataset import Dataset

F = TypeVar("F", bound=Callable[..., Any])
ID = click.option("--id", "dataset_id", help="Id of the open version; without it, the one created last here.")


class Several(click.Command):
    """A command whose repeatable options take several values after one flag, as a shell makes of ``--files *.jpg``.

    For commands without arguments: there, whatever follows a value is another value.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        flags = {
            flag for one in self.params if isinstance(one, click.Option) and one.multiple for flag in one.opts
        }
        spread: list[str] = []
        current, taken = "", 0
        for place, text in enumerate(args):
            if text == "--":
                spread += args[place:]
                break
            if text.startswith("-") and not (current and not taken):
                current, taken = (text if text in flags else ""), 0
            elif current:
                if taken:
                    spread.append(current)
                taken += 1
            spread.append(text)
        return super().parse_args(ctx, spread)


def named(function: F) -> F:
    """Options that name a version."""
    for decorate in (
        click.option("--version", "dataset_version", help="Version text; the highest without it."),
        click.option("--name", help="Name of the dataset."),
        click.option("--project", help="Project of the dataset."),
        click.option("--id", "dataset_id", help="Id of the version."),
    ):
        function = decorate(function)
    return function


def as_json(function: F) -> F:
    """``--json``."""
    return click.option("--json", "json_output", is_flag=True, help="Answer with one JSON document.")(
        function
    )


def answer(json_output: bool, value: dict[str, Any], text: str) -> None:
    """Print a result."""
    click.echo(
        json.dumps(value, indent=2, default=str) if json_output else legible(text),
        file=sys.__stdout__ if json_output else None,
    )


def _note() -> Path:
    return load().own_cache("datasets") / "last.json"


def remember(dataset: "Dataset | None") -> None:
    """Make a version the one that commands without ``--id`` mean; None forgets it."""
    if dataset is None:
        _note().unlink(missing_ok=True)
    else:
        write_json(_note(), {"id": dataset.id}, 0o600)


def remembered() -> str | None:
    """Id of the version that was created last on this host and is still open, as far as the commands know."""
    found = read_json(_note())
    return str(found["id"]) if found else None


def find(
    dataset_id: str | None, project: str | None, name: str | None, dataset_version: str | None
) -> "Dataset":
    """The version that options name, else the remembered one."""
    from trialbook.sdk.dataset import Dataset  # the dataset engine loads numpy

    if not (dataset_id or project or name or dataset_version):
        dataset_id = remembered()
        if not dataset_id:
            raise click.UsageError("Name a version with --id, or with --project and --name.")
    return Dataset.get(
        dataset_id=dataset_id,
        dataset_project=project,
        dataset_name=name,
        dataset_version=dataset_version,
        silence_alias_warnings=True,
    )


def closed(
    dataset_id: str | None, project: str | None, name: str | None, dataset_version: str | None
) -> "Dataset":
    """``find``, for what needs a version that does not change any more.

    Raises:
        ClickException: it is open; says which one of the dataset is closed.
    """
    found = find(dataset_id, project, name, dataset_version)
    if found.is_final():
        return found
    said = (
        f"{found.name} {found.version} ({found.id}) is open: `trialbook data close --id {found.id}` closes it"
    )
    before = newest(found.project, found.name, True)
    if before:
        said += f". The newest version that is closed: --id {before['id']} ({before['version']})"
    raise click.ClickException(said)


def newest(project: str | None, name: str, only_completed: bool) -> dict[str, Any] | None:
    """The highest version of a dataset, as ``list_datasets`` describes it; None when there is none.

    Args:
        project: of the dataset; None looks in all.
        name: of the dataset.
        only_completed: leave out open ones.
    """
    from trialbook.sdk.dataset import Dataset
    from trialbook.sdk.dataset.members.creation import highest

    found = Dataset.list_datasets(
        project, f"^{re.escape(name)}$", only_completed=only_completed, recursive_project_search=False
    )
    return highest(found) if found else None


def writable(dataset_id: str | None) -> "Dataset":
    """The open version that is meant."""
    chosen = dataset_id or remembered()
    if not chosen:
        raise click.UsageError("No version is open here: `trialbook data create` makes one, --id names one.")
    return find(chosen, None, None, None)


def quiet(json_output: bool) -> None:
    """With ``--json`` the document alone goes to standard output; what is said goes to standard error."""
    if json_output:
        sys.stdout = sys.stderr


@contextmanager
def going_on(dataset: "Dataset") -> Iterator[None]:
    """Ctrl-C says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException(
            f"interrupted; what was stored stays stored. `trialbook data upload --id {dataset.id}` continues."
        ) from None
