"""``trialbook run script.py``: an unmodified script of the clearml SDK on Trialbook."""

import runpy
import sys
from pathlib import Path

import click

from trialbook.compat import install_as


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "module", help="Run a module by name, as `python -m` does.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(module: str | None, arguments: tuple[str, ...]) -> None:
    """Run SCRIPT [ARGUMENTS], with `clearml` meaning Trialbook.

    \b
    trialbook run train.py --epochs 3
    trialbook run -m package.train --epochs 3
    """
    install_as("clearml")
    if module:
        sys.argv = [module, *arguments]
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    if not arguments:
        raise click.UsageError("Name a script, as in: trialbook run train.py")
    script = Path(arguments[0])
    if not script.is_file():
        raise click.UsageError(f"There is no file {script}.")
    sys.argv = [str(script), *arguments[1:]]
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
