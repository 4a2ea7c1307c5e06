"""Command lines that ``click`` reads, and libraries that are made of it.

A context is made for each command on the way, from the program's own to the chosen one, and each is recorded when its
arguments are known: the function of the command runs after that.
"""

from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import COMMAND, Parsed, Stored
from trialbook.capture.command_lines.plain import items, plain
from trialbook.capture.patches import Patches
from trialbook.capture.secret_values import remember

_KEY = "trialbook.command_lines"


def install(module: ModuleType) -> None:
    """Watch how commands read their arguments; typer has a click of its own."""
    core: Any = module
    patches = Patches("click")
    owner = next((kind for kind in core.Command.__mro__ if "make_context" in vars(kind)), core.Command)

    def contexts(original: Any) -> Any:
        def make_context(self: Any, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
            resilient = extra.get("resilient_parsing")
            if not resilient:
                with guard("capture.click.stored"):
                    args = _with_command(self, info_name, args, parent)
            context = original(self, info_name, args, parent, **extra)
            if not resilient:
                with guard("capture.click"):
                    _note(self, context)
            return context

        return make_context

    def parameters(original: Any) -> Any:
        def handle_parse_result(self: Any, ctx: Any, opts: Any, args: Any) -> Any:
            if not ctx.resilient_parsing:
                with guard("capture.click.stored"):
                    opts = _with_stored(self, ctx, opts)
            return original(self, ctx, opts, args)

        return handle_parse_result

    patches.around(owner, "make_context", contexts)
    patches.around(core.Parameter, "handle_parse_result", parameters)


def _line(ctx: Any) -> tuple[Parsed, Stored]:
    """What is recorded of the command line, and what the task has; one for all its contexts, which share ``meta``."""
    if _KEY not in ctx.meta:
        ctx.meta[_KEY] = (Parsed(), lines.stored())
    found: tuple[Parsed, Stored] = ctx.meta[_KEY]
    return found


def _prefix(ctx: Any) -> str:
    """The names of the commands below the program's own."""
    names = ""
    while ctx is not None and ctx.parent is not None:
        names = f"{ctx.info_name}/{names}"
        ctx = ctx.parent
    return names


def _with_command(command: Any, info_name: Any, args: Any, parent: Any) -> Any:
    """Without a command line, a group gets the sub-command that the task has, after its own positional arguments."""
    if args or not hasattr(command, "list_commands"):
        return args
    found = _line(parent)[1] if parent is not None else lines.stored()
    prefix = f"{_prefix(parent)}{info_name}/" if parent is not None else ""
    chosen = found.commands(prefix)
    if not chosen:
        return args
    positional = [one.name for one in command.params if one.param_type_name == "argument"]
    given = [found.texts[prefix + name] for name in positional if prefix + name in found.texts]
    return [*given, *(chosen if getattr(command, "chain", False) else chosen[:1])]


def _with_stored(parameter: Any, ctx: Any, opts: Any) -> Any:
    """The stored value counts as given on the command line: click's own types read it, and ask for nothing."""
    stored = _line(ctx)[1]
    name = _prefix(ctx) + str(parameter.name)
    if name not in stored.texts:
        return opts
    text = stored.texts[name]
    default = None if callable(parameter.default) else plain(parameter.get_default(ctx, call=False))
    if parameter.name not in opts and default is not None and str(default) == text:
        return opts
    if getattr(parameter, "is_flag", False) and not _is_switch(parameter):
        # Several flags of one name: each stands for a value, and only the one that was chosen is given.
        chosen = str(plain(parameter.flag_value)) == text
        return {**opts, parameter.name: parameter.flag_value} if chosen else _without(opts, parameter.name)
    raw: Any = text
    if getattr(parameter, "multiple", False) or parameter.nargs != 1:
        raw = items(text)
        nested = getattr(parameter, "multiple", False) and parameter.nargs != 1
        raw = [tuple(map(str, item)) for item in raw] if nested else [str(item) for item in raw]
    with guard(f"capture.click.{name}"):
        if hasattr(parameter, "type_cast_value"):
            parameter.type_cast_value(ctx, raw)
        return {**opts, parameter.name: raw}
    return opts


def _is_switch(flag: Any) -> bool:
    """Whether a flag is on or off, instead of standing for a value."""
    return bool(getattr(flag, "is_bool_flag", isinstance(flag.flag_value, bool | None)))


def _without(opts: Any, name: str) -> Any:
    return {known: value for known, value in opts.items() if known != name}


def _note(command: Any, ctx: Any) -> None:
    parsed = _line(ctx)[0]
    prefix = _prefix(ctx)
    if ctx.parent is not None:
        _mark(parsed, ctx, prefix.rstrip("/"))
    for parameter in command.params:
        if parameter.name not in ctx.params:
            continue
        value = plain(ctx.params[parameter.name])
        name = prefix + parameter.name
        parsed.values[name] = value
        if getattr(parameter, "help", None):
            parsed.descriptions[name] = parameter.help
        if getattr(parameter, "hide_input", False):
            remember(value)
    lines.give("click", parsed)


def _mark(parsed: Parsed, ctx: Any, path: str) -> None:
    """The chosen command, and its siblings, so that the page can choose another."""
    above, _, _ = path.rpartition("/")
    with guard("capture.click.commands"):
        for name in ctx.parent.command.list_commands(ctx.parent):
            sibling = f"{above}/{name}" if above else name
            parsed.values.setdefault(sibling, False)
            parsed.types[sibling] = COMMAND
    parsed.values[path] = True
    parsed.types[path] = COMMAND
