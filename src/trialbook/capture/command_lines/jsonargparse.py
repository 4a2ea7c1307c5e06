"""Parsers of ``jsonargparse``: whole configurations, with nested names, types of classes and files."""

import contextvars
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import ARGS, Parsed, Stored
from trialbook.capture.command_lines.plain import plain
from trialbook.capture.patches import Patches

SWITCH = "jsonargparse"
# A parameter of the task: when somebody sets it, the stored values do not count.
IGNORE = "_ignore_ui_overrides_"
_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("trialbook_jsonargparse", default=False)


def install(jsonargparse: ModuleType) -> None:
    """Watch what parsers read; sub-commands and classes have parsers of their own, which are seen as parts."""
    parser: Any = vars(jsonargparse)["ArgumentParser"]

    def reads(original: Any) -> Any:
        def parse_args(self: Any, args: Any = None, *more: Any, **named: Any) -> Any:
            if _inside.get():
                return original(self, args, *more, **named)
            token = _inside.set(True)
            try:
                return _read(self, original, args, more, named)
            finally:
                _inside.reset(token)

        return parse_args

    Patches("jsonargparse").around(parser, "parse_args", reads)


def _read(parser: Any, original: Any, args: Any, more: Any, named: Any) -> Any:
    stored = lines.stored(ARGS, SWITCH)
    ignored = stored.texts.get(IGNORE, "").lower() in ("true", "1")
    edited: dict[str, Any] = {}
    if stored.texts and not ignored:
        with guard("capture.jsonargparse.stored"):
            edited = _edited(parser, stored)
    given = sys.argv[1:] if args is None else args
    if edited and not given:
        # What is required is on the task, not on the command line.
        found = parser.parse_object(edited)
    else:
        found = original(parser, args, *more, **named)
        if edited:
            found = parser.parse_object(edited, namespace=found)
    with guard("capture.jsonargparse"):
        _note(parser, found, ignored)
    return found


def _edited(parser: Any, stored: Stored) -> dict[str, Any]:
    """The stored values as one nested configuration, without those that name files or are not arguments of it."""
    nested: dict[str, Any] = {}
    known = _tops(parser)
    for name in stored.texts:
        *path, leaf = name.split(".")
        if name.partition(".")[0] not in known or name in _config_files(parser):
            continue
        level = nested
        for part in path:
            below = level.setdefault(part, {})
            if not isinstance(below, dict):
                below = level[part] = {}
            level = below
        level[leaf] = stored.value(name)
    return nested


def _tops(parser: Any) -> set[str]:
    """First parts of names: of the arguments, the sub-commands, and what tells which of these was chosen."""
    tops = set()
    for action in parser._actions:
        tops.add(str(action.dest).partition(".")[0])
        if isinstance(action.choices, dict):
            tops.update(map(str, action.choices))
    return tops


def _config_files(parser: Any) -> set[str]:
    """Arguments that name files to read the configuration from; what the files say is among the values."""
    return {action.dest for action in parser._actions if "ConfigFile" in type(action).__name__}


def _note(parser: Any, found: Any, ignored: bool) -> None:
    files = _config_files(parser)
    shown = json.loads(parser.dump(found, format="json", skip_none=False, skip_validation=True))
    parsed = Parsed(switch=SWITCH)
    for name, value in _leaves(shown):
        parsed.values[name] = json.dumps(value) if isinstance(value, (list, dict)) else value
        parsed.types[name] = type(value).__name__ if value is not None else ""
    chosen = {action.dest for action in parser._actions if isinstance(action.choices, dict)}
    for name in (files | chosen) & set(vars(found)):
        parsed.values[name] = plain(found[name])
    for action in parser._actions:
        if action.help and action.dest in parsed.values and "==SUPPRESS==" not in action.help:
            parsed.descriptions[action.dest] = action.help
    parsed.values[IGNORE] = ignored
    parsed.descriptions[IGNORE] = (
        "True: the values of the code and the command line count, not those of the task"
    )
    lines.give("jsonargparse", parsed)


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
