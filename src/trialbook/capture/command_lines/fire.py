"""Functions and classes that ``fire`` calls from a command line."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import argparse, lines
from trialbook.capture.command_lines.lines import COMMAND, Parsed, Stored
from trialbook.capture.command_lines.plain import items, plain
from trialbook.capture.patches import Patches


@dataclass
class _Line:
    """The command line that is being read, and the names of the members on the way so far."""

    parsed: Parsed
    stored: Stored
    path: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return "".join(f"{name}/" for name in self.path)


_current: list[_Line] = []


def install(fire: ModuleType) -> None:
    """Watch what the functions are called with."""
    core: Any = vars(fire)["core"]
    patches = Patches("fire")

    def runs(original: Any) -> Any:
        def _fire(component: Any, args: Any, *more: Any, **named: Any) -> Any:
            line = _Line(Parsed(), lines.stored())
            with guard("capture.fire.stored"):
                args = args or _commands(line.stored)
            _current.append(line)
            try:
                return original(component, args, *more, **named)
            finally:
                _current.pop()

        return _fire

    def calls(original: Any) -> Any:
        def _call(component: Any, args: Any, component_trace: Any, *more: Any, **named: Any) -> Any:
            if _current:
                with guard("capture.fire"):
                    _follow(_current[-1], component_trace)
            return original(component, args, component_trace, *more, **named)

        return _call

    def readers(original: Any) -> Any:
        def _make(fn: Any, metadata: Any) -> Any:
            read = original(fn, metadata)
            return _reader(core, read, fn, _current[-1]) if _current else read

        return _make

    def makes(original: Any) -> Any:
        def create() -> Any:
            parser = original()
            with guard("capture.fire"):
                # Of fire's own switches, which stand behind a lone "--".
                argparse.ignore(parser)
            return parser

        return create

    patches.around(core.parser, "CreateParser", makes)
    patches.around(core, "_Fire", runs)
    patches.around(core, "_CallAndUpdateTrace", calls)
    patches.around(core, "_MakeParseFn", readers)


def _commands(stored: Stored) -> list[str]:
    """The stored way to the function, for a program without a command line."""
    path: list[str] = []
    while found := stored.commands("".join(f"{name}/" for name in path)):
        path.append(found[0])
    return path


def _follow(line: _Line, trace: Any) -> None:
    """Note the members that were taken since the last call, and those beside them."""
    line.path = []
    component = trace.elements[0].component
    for element in trace.elements[1:]:
        name = getattr(element, "_target", None)
        if getattr(element, "_action", "") == "Accessed property" and isinstance(name, (str, int)):
            for sibling in _members(component):
                line.parsed.values.setdefault(line.prefix + sibling, False)
                line.parsed.types[line.prefix + sibling] = COMMAND
            line.path.append(str(name).replace("-", "_"))
            line.parsed.values[line.prefix[:-1]] = True
            line.parsed.types[line.prefix[:-1]] = COMMAND
        component = element.component


def _members(component: Any) -> list[str]:
    """What else could have been chosen."""
    if isinstance(component, Mapping):
        # A module's own names are not a list of commands.
        return [str(name) for name in component] if "__name__" not in component else []
    names = [name for name in dir(component) if not name.startswith("_")]
    return [name for name in names if inspect.isroutine(inspect.getattr_static(component, name, None))]


def _reader(core: Any, read: Any, fn: Any, line: _Line) -> Any:
    prefix = line.prefix

    def reads(args: Any) -> Any:
        try:
            found = read(list(args))
        except core.FireError:
            # What is required may be on the task.
            missing: list[str] = []
            with guard("capture.fire.stored"):
                missing = _required(core, fn, prefix, line.stored)
            if not missing:
                raise
            found = read([*args, *missing])
        with guard("capture.fire"):
            (given, named), *rest = found
            given, named = _note(core, fn, list(given), dict(named), prefix, line)
            return ((given, named), *rest)
        return found

    return reads


def _required(core: Any, fn: Any, prefix: str, stored: Stored) -> list[str]:
    spec = core.inspectutils.GetFullArgSpec(fn)
    names = [*spec.args[: len(spec.args) - len(spec.defaults)], *spec.kwonlyargs]
    return [f"--{name}={stored.texts[prefix + name]}" for name in names if prefix + name in stored.texts]


def _note(
    core: Any, fn: Any, given: list[Any], named: dict[str, Any], prefix: str, line: _Line
) -> tuple[list[Any], dict[str, Any]]:
    """Put stored values in the place of what was read, and record what the function gets."""
    spec = core.inspectutils.GetFullArgSpec(fn)
    stored = line.stored
    count = len(spec.args)
    for index, name in enumerate(spec.args):
        if prefix + name in stored.texts:
            given[index] = stored.value(prefix + name, given[index])
    if spec.varargs and prefix + spec.varargs in stored.texts:
        given[count:] = items(stored.texts[prefix + spec.varargs])
    shown: dict[str, Any] = {**spec.kwonlydefaults, **named}
    for name in shown:
        if prefix + name in stored.texts:
            named[name] = shown[name] = stored.value(prefix + name, shown[name])
    if spec.varkw:
        for full in stored.texts:
            name = full[len(prefix) :]
            known = {*spec.args, *shown, spec.varargs}
            extra = full.startswith(prefix) and name.isidentifier() and name not in known
            if extra and stored.kinds.get(full) != COMMAND:
                named[name] = shown[name] = stored.value(full)
    values = {**dict(zip(spec.args, given, strict=False)), **shown}
    if spec.varargs:
        values[spec.varargs] = tuple(given[count:])
    line.parsed.values.update({prefix + name: plain(value) for name, value in values.items()})
    lines.give("fire", line.parsed)
    return given, named
