"""Command lines that ``argparse`` reads: watched, before and after a task begins.

Parsing itself is changed in one case only: when an agent runs the program without a command line, what the task has
stored counts as given, so that nothing is "required" in vain.
"""

import argparse
import functools
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import Parsed, Sink

# Packages whose own parsers say nothing about the program: the magics of notebooks, for one.
_FOREIGN = frozenset({"IPython"})
_depth = threading.local()
_ignored: "weakref.WeakSet[argparse.ArgumentParser]" = weakref.WeakSet()


@functools.cache
def install() -> None:
    """Begin to remember the last command line; costs a microsecond per parse."""
    original = argparse.ArgumentParser.parse_known_args

    @functools.wraps(original)
    def parse_known_args(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> Any:
        nested: list[argparse.ArgumentParser] | None = getattr(_depth, "nested", None)
        if nested is not None:
            nested.append(self)
            with _relaxed(self, _depth.stored, f"{self.prog.split()[-1]}/"):
                return original(self, *args, **kwargs)
        _depth.nested, _depth.stored = [], {}
        try:
            with guard("capture.supplied"):
                _depth.stored = {} if _is_foreign(self) else lines.stored().texts
            given = args[0] if args else kwargs.get("args")
            own = given is None or list(given) == sys.argv[1:]
            args, kwargs = _with_command(self, args, kwargs, _depth.stored)
            with _relaxed(self, _depth.stored, ""):
                result = original(self, *args, **kwargs)
            with guard("capture.arguments"):
                if not _is_foreign(self):
                    _note(self, result[0], _depth.nested, own)
        finally:
            _depth.nested = None
        return result

    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]


def watch(parser: argparse.ArgumentParser, sink: Sink) -> None:
    """Give what this parser has read, or reads later, to ``sink``."""
    lines.watch(weakref.ref(parser), sink)


def ignore(parser: argparse.ArgumentParser) -> None:
    """Leave a parser alone: another watcher knows better what it reads."""
    _ignored.add(parser)


def _is_foreign(parser: argparse.ArgumentParser) -> bool:
    return parser in _ignored or type(parser).__module__.partition(".")[0] in _FOREIGN


def _note(
    parser: argparse.ArgumentParser,
    namespace: argparse.Namespace,
    nested: list[argparse.ArgumentParser],
    own: bool,
) -> None:
    source = weakref.ref(parser)
    parsed = Parsed(replace=lambda name, value: setattr(namespace, name.rsplit("/", 1)[-1], value), own=own)
    found = vars(namespace)
    placed: dict[str, str] = {}
    for command in nested:
        for name in _own(command):
            placed[name] = f"{command.prog.split()[-1]}/{name}"
    for one in (parser, *nested):
        for action in one._actions:
            name = placed.get(action.dest, action.dest)
            # Without a value, the type is known from nowhere else.
            plain = (str, bool) if found.get(action.dest) is None else (int, float, bool, str)
            if callable(action.type) and action.type not in plain:
                parsed.converters[name] = action.type
            if action.help and action.help != argparse.SUPPRESS:
                parsed.descriptions[name] = action.help
    for name, value in found.items():
        if not callable(value) or isinstance(value, type):
            parsed.values[placed.get(name, name)] = value
    if not own:
        # A library that reads a list which it has made up must not hide what the user wrote under the same name.
        for other in lines.others(source):
            if other.own and other.section == parsed.section:
                for name in other.values:
                    parsed.values.pop(name, None)
    lines.give(source, parsed)


@contextmanager
def _relaxed(parser: argparse.ArgumentParser, stored: Mapping[str, str], prefix: str) -> Iterator[None]:
    """What the task has stored is not required on the command line."""
    changed: list[Any] = []
    if stored:
        known = [action for action in parser._actions if stored.get(prefix + action.dest)]
        groups: list[Any] = [
            group
            for group in parser._mutually_exclusive_groups
            if any(action in known for action in group._group_actions)
        ]
        changed = [item for item in [*known, *groups] if item.required]
    for item in changed:
        item.required = False
    try:
        yield
    finally:
        for item in changed:
            item.required = True


def _with_command(
    parser: argparse.ArgumentParser, args: tuple[Any, ...], kwargs: dict[str, Any], stored: Mapping[str, str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """An empty command line gets the stored sub-command, whose own parser then fills in its defaults."""
    given = args[0] if args else kwargs.get("args")
    if not stored or (list(given) if given is not None else sys.argv[1:]):
        return args, kwargs
    for action in parser._actions:
        command = stored.get(action.dest)
        if isinstance(action, argparse._SubParsersAction) and command in action.choices:
            rest = {name: value for name, value in kwargs.items() if name != "args"}
            return ([command], *args[1:]), rest
    return args, kwargs


def _own(parser: argparse.ArgumentParser) -> list[str]:
    return [action.dest for action in parser._actions if action.dest not in ("help", argparse.SUPPRESS)]
