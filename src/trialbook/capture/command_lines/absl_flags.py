"""Flags of ``absl``: all that are defined, when the command line has been read."""

from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import Parsed, Stored
from trialbook.capture.command_lines.plain import items, plain
from trialbook.capture.patches import Patches

SECTION = "TF_DEFINE"
# Flags that ask for help, or name files of flags: they say nothing about the run.
_OWN_MODULES = ("absl.app", "absl.flags")


def install(flags: ModuleType) -> None:
    """Watch how the flags of the program are read."""
    everything: Any = vars(flags)["FLAGS"]

    def reads(original: Any) -> Any:
        def read(self: Any, argv: Any, *args: Any, **kwargs: Any) -> Any:
            if self is not everything:
                return original(self, argv, *args, **kwargs)
            stored = lines.stored(SECTION)
            with guard("capture.absl.stored"):
                argv = _with_required(self, argv, stored)
            rest = original(self, argv, *args, **kwargs)
            with guard("capture.absl"):
                _override(self, stored)
                _note(self)
            return rest

        return read

    Patches("absl").around(type(everything), "__call__", reads)


def _known(flags: Any) -> dict[str, Any]:
    """The program's flags by name; a flag's short name is another name of the same flag."""
    found = {}
    for module, defined in flags.flags_by_module_dict().items():
        if not module.startswith(_OWN_MODULES):
            found.update({flag.name: flag for flag in defined})
    return found


def _with_required(flags: Any, argv: Any, stored: Stored) -> Any:
    """What has no value yet may be required: the task's comes first, so that one on the command line wins for now."""
    if not argv or isinstance(argv, (str, bytes)):
        return argv
    given: list[str] = []
    for name, flag in _known(flags).items():
        if flag.value is None and name in stored.texts:
            text = stored.texts[name]
            values = [str(one) for one in items(text)] if stored.kinds.get(name) == "list" else [text]
            given += [f"--{name}={one}" for one in (values if _is_multi(flag) else [",".join(values)])]
    return [argv[0], *given, *argv[1:]]


def _is_multi(flag: Any) -> bool:
    return str(flag.flag_type()).startswith("multi ")


def _override(flags: Any, stored: Stored) -> None:
    """The task's values, as far as the flags take them; all or none when the program's own checks refuse them."""
    before: dict[str, tuple[Any, Any, Any]] = {}
    known = _known(flags)
    for name, flag in known.items():
        text = stored.texts.get(name)
        if text is None or _text(flag.value) == text:
            continue
        before[name] = (flag.value, flag.present, flag.using_default_value)
        with guard(f"capture.absl.{name}"):
            flag.present = 0
            flag.parse([str(one) for one in items(text)] if isinstance(flag.value, list) else text)
            flag.using_default_value = False
    taken = False
    with guard("capture.absl.checks"):
        flags.validate_all_flags()
        taken = True
    for name, values in before.items() if not taken else ():
        known[name].value, known[name].present, known[name].using_default_value = values


def _text(value: Any) -> str:
    return str(plain(value))


def _note(flags: Any) -> None:
    known = _known(flags)
    values = {name: plain(flag.value) for name, flag in known.items()}
    helps = {name: flag.help for name, flag in known.items() if flag.help}
    lines.give("absl", Parsed(values=values, descriptions=helps, section=SECTION))
