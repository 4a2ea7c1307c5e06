"""Command lines that ``argparse`` reads: watched, before and after a task begins.

Parsing itself is changed in one case only: when an agent runs the program without a command line, what the task has
stored counts as given, so that nothing is "required" in vain.
"""

import argparse
import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.secrets import is_secret_name, remember


@dataclass
class Parsed:
    """One command line that was read.

    Attributes:
        namespace: the result that the program gets.
        values: by name; the arguments of a sub-command are ``command/name``.
        descriptions: the help texts.
        converters: the ``type`` of arguments that are no plain text.
    """

    namespace: argparse.Namespace
    values: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    converters: dict[str, Callable[[str], Any]] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        """Change a value in the program's result."""
        setattr(self.namespace, name.rsplit("/", 1)[-1], value)


Sink = Callable[[Parsed], None]
Supplier = Callable[[], Mapping[str, str]]
_depth = threading.local()
_last: "tuple[weakref.ref[argparse.ArgumentParser], Parsed] | None" = None
_watched: "weakref.WeakKeyDictionary[argparse.ArgumentParser, Sink]" = weakref.WeakKeyDictionary()
_everything: Sink | None = None
_supplier: Supplier | None = None
_original: Callable[..., Any] | None = None


def install() -> None:
    """Begin to remember the last command line; costs a microsecond per parse."""
    global _original
    if _original is not None:
        return
    _original = argparse.ArgumentParser.parse_known_args

    @functools.wraps(_original)
    def parse_known_args(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> Any:
        nested: list[argparse.ArgumentParser] | None = getattr(_depth, "nested", None)
        if nested is not None:
            nested.append(self)
            with _relaxed(self, _depth.stored, f"{self.prog.split()[-1]}/"):
                return _original(self, *args, **kwargs)
        _depth.nested, _depth.stored = [], {}
        try:
            with guard("capture.supplied"):
                _depth.stored = _supplier() if _supplier is not None else {}
            args, kwargs = _with_command(self, args, kwargs, _depth.stored)
            with _relaxed(self, _depth.stored, ""):
                result = _original(self, *args, **kwargs)
            with guard("capture.arguments"):
                _note(self, result[0], _depth.nested)
        finally:
            _depth.nested = None
        return result

    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]


def supply(supplier: Supplier) -> None:
    """Ask this for the arguments that the task has stored, before each command line is read; empty without an agent."""
    global _supplier
    _supplier = supplier


def watch(parser: argparse.ArgumentParser, sink: Sink) -> None:
    """Give what this parser has read, or reads later, to ``sink``."""
    _watched[parser] = sink
    if _last is not None and _last[0]() is parser:
        sink(_last[1])


def watch_all(sink: Sink) -> None:
    """Give the last command line, and every later one, to ``sink``."""
    global _everything
    _everything = sink
    if _last is not None:
        sink(_last[1])


def forget() -> None:
    """Stop giving; the last command line stays known."""
    global _everything
    _everything = None
    _watched.clear()


def _note(
    parser: argparse.ArgumentParser, namespace: argparse.Namespace, nested: list[argparse.ArgumentParser]
) -> None:
    global _last
    parsed = Parsed(namespace)
    found = vars(namespace)
    placed: dict[str, str] = {}
    for command in nested:
        for name in _own(command):
            placed[name] = f"{command.prog.split()[-1]}/{name}"
    for one in (parser, *nested):
        for action in one._actions:
            if callable(action.type) and action.type not in (int, float, bool, str):
                parsed.converters[placed.get(action.dest, action.dest)] = action.type
            if action.help and action.help != argparse.SUPPRESS:
                parsed.descriptions[placed.get(action.dest, action.dest)] = action.help
    for name, value in found.items():
        if not callable(value) or isinstance(value, type):
            parsed.values[placed.get(name, name)] = value
    for name, value in parsed.values.items():
        if is_secret_name(name):
            # A program that prints its arguments must not bring the secret to the console of the task.
            remember(value)
    _last = (weakref.ref(parser), parsed)
    sink = _watched.get(parser) or _everything
    if sink is not None:
        sink(parsed)


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
