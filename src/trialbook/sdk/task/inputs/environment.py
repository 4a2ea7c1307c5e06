"""Environment variables on the record of a run, and back when an agent runs it."""

from collections.abc import Mapping
from typing import Any

from trialbook.base import globs
from trialbook.capture.secret_names import is_secret_name
from trialbook.capture.secret_values import MASK, remember
from trialbook.capture.secrets import masked_text
from trialbook.client import settings

SECTION = "Environment"
# What describes a machine or a shell, not a run: another machine has its own.
_MACHINE = frozenset(
    {
        "_",
        "HOME",
        "HOSTNAME",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "OLDPWD",
        "PATH",
        "PWD",
        "PYTHONHOME",
        "PYTHONPATH",
        "SHELL",
        "SHLVL",
        "TERM",
        "TMPDIR",
        "USER",
        "VIRTUAL_ENV",
    }
)


def wanted(patterns: list[str], variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that belong to the record.

    Args:
        patterns: names and wildcards. Our own variables, and those with the name of a secret, are recorded only when
            a pattern is exactly their name.
        variables: of the process.

    Example:
        >>> found = {"DATA": "/d", "DATA_TOKEN": "x", "TRIALBOOK_API_HOST": "h"}
        >>> wanted(["*"], found), wanted(["DATA_TOKEN"], found)
        ({'DATA': '/d'}, {'DATA_TOKEN': 'x'})
    """
    chosen = {}
    for name, value in sorted(variables.items()):
        hidden = name.startswith(settings.PREFIXES) or is_secret_name(name)
        if name in patterns or (not hidden and any(globs.fits(name, one) for one in patterns)):
            chosen[name] = value if name in patterns else masked_text(value)
            if is_secret_name(name):
                remember(value)
    return chosen


def restore(document: Mapping[str, Any]) -> None:
    """Give this process the variables that the task has; those of the machine and our own stay as they are."""
    items = (document.get("hyperparams") or {}).get(SECTION) or {}
    settings.export(
        {
            name: str(item.get("value") or "")
            for name, item in items.items()
            # A part that was masked is known to the machine that runs the task, or to nobody.
            if name not in _MACHINE
            and MASK not in str(item.get("value") or "")
            and not name.startswith((*settings.PREFIXES, "CONDA_"))
        }
    )
