"""Command lines that ``argparse`` reads: watched, before and after a task begins. Parsing itself is never changed."""

import argparse
import functools
import threading
import weakref
from collections.abc import Callable
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
    """

    namespace: argparse.Namespace
    values: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        """Change a value in the program's result."""
        setattr(self.namespace, name.rsplit("/", 1)[-1], value)


Sink = Callable[[Parsed], None]
_depth = threading.local()
_last: "tuple[weakref.ref[argparse.ArgumentParser], Parsed] | None" = None
_watched: "weakref.WeakKeyDictionary[argparse.ArgumentParser, Sink]" = weakref.WeakKeyDictionary()
_everything: Sink | None = None
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
            return _original(self, *args, **kwargs)
        _depth.nested = []
        try:
            result = _original(self, *args, **kwargs)
            with guard("capture.arguments"):
                _note(self, result[0], _depth.nested)
        finally:
            _depth.nested = None
        return result

    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]


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


def _own(parser: argparse.ArgumentParser) -> list[str]:
    return [action.dest for action in parser._actions if action.dest not in ("help", argparse.SUPPRESS)]
