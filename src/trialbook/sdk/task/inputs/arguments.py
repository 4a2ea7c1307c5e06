"""Command lines of the program as parameters of the task, and back when an agent runs it."""

import argparse
import logging
from collections.abc import Callable, Mapping
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import argparse as parsers
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import NOTHING, Parsed, Stored
from trialbook.client import settings
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.task.inputs import environment
from trialbook.sdk.task.inputs.configuration import ConfigurationMixin
from trialbook.sdk.task.inputs.parameters import ParametersMixin, override
from trialbook.sdk.values.casting import cast, text_of

_log = logging.getLogger("trialbook")
# What auto_connect_arg_parser does not rule.
_NO_ARGUMENTS = frozenset({"Hydra"})
# The task as it was before Task.init: libraries ask for it several times while they read one command line.
_early: dict[str, dict[str, Any]] = {}


class ArgumentsMixin(ParametersMixin, ConfigurationMixin):
    """Members about command lines."""

    _watched_arguments: bool | Mapping[str, bool] = False

    def _connect_parser(self, parser: argparse.ArgumentParser, section: str) -> argparse.ArgumentParser:
        parsers.watch(parser, lambda parsed: self._take_arguments(parsed, section))
        return parser

    def _connect_earlier_arguments(self) -> None:
        """Record the command lines that were read before ``Task.init``, and watch for those that are read later."""
        _early.clear()
        lines.supply(self._supplied, self._supplied_text)
        lines.watch_all(self._take_line)
        with guard("task.environment"):
            self._connect_environment()

    def _connect_environment(self) -> None:
        if self._remote:
            environment.restore(self._document())
        patterns = settings.recorded_variables()
        if patterns:
            stored = (self._sections().get(environment.SECTION) or {}) if self._remote else {}
            found = environment.wanted(patterns, settings.variables())
            new = {name: value for name, value in found.items() if name not in stored}
            self._merge(environment.SECTION, new, {})

    def _take_line(self, parsed: Parsed) -> None:
        if self._wants_line(parsed.switch, parsed.arguments):
            self._take_arguments(parsed, parsed.section)

    def _wants_line(self, switch: str | None, arguments: bool) -> bool:
        if arguments and not self._watched_arguments:
            return False
        run = self._run
        return switch is None or run is None or run.frameworks is None or run.frameworks.wants(switch)

    def _take_arguments(self, parsed: Parsed, section: str) -> None:
        values = {
            name: value
            for name, value in parsed.values.items()
            if not parsed.arguments or self._wants_argument(name)
        }
        if self._remote and parsed.replace is not None:
            stored = self._sections().get(section) or {}
            for name, value in values.items():
                if name in stored:
                    values[name] = _converted(override(stored[name], value), parsed.converters.get(name))
                    parsed.replace(name, values[name])
        self._merge(section, values, parsed.descriptions, parsed.types)
        for name, (text, kind) in parsed.texts.items():
            known = (self._document().get("configuration") or {}).get(name) or {}
            if known.get("value") != text:
                self.set_configuration_object(name, config_text=text, config_type=kind)

    def _supplied(self, section: str, switch: str | None) -> Stored:
        """A section of the task, when an agent runs this process as it."""
        if not self._remote or not self._wants_line(switch, section not in _NO_ARGUMENTS):
            return NOTHING
        return _stored(self._sections().get(section) or {}, self._wants_argument)

    def _supplied_text(self, name: str, switch: str | None) -> str | None:
        if not (self._remote and self._wants_line(switch, False)):
            return None
        return _text(self._document(), name)

    def _wants_argument(self, name: str) -> bool:
        wanted = self._watched_arguments if isinstance(self._watched_arguments, Mapping) else {}
        return bool(wanted.get(name.rsplit("/", 1)[-1], True))


def _converted(value: Any, converter: Callable[[str], Any] | None) -> Any:
    """What the parser's own ``type`` makes of texts."""
    if converter is None:
        return value
    try:
        if isinstance(value, str):
            return converter(value)
        if isinstance(value, (list, tuple)):
            return type(value)(converter(item) if isinstance(item, str) else item for item in value)
    except (ValueError, TypeError, argparse.ArgumentTypeError):
        _log.warning("the stored argument %r is not what its parser takes; it stays a string", value)
    return value


def answer_early() -> None:
    """Answer libraries that ask for stored arguments while no task runs: what is required may only be on the server."""
    lines.supply(_early_section, _early_text)


def _early_section(section: str, switch: str | None) -> Stored:
    return _stored((_document().get("hyperparams") or {}).get(section) or {}, lambda name: True)


def _early_text(name: str, switch: str | None) -> str | None:
    return _text(_document(), name)


def _stored(items: Mapping[str, Mapping[str, Any]], wanted: Callable[[str], bool]) -> Stored:
    texts = {name: str(item.get("value") or "") for name, item in items.items()}
    kinds = {name: str(item.get("type") or "") for name, item in items.items()}
    # An empty text is nothing, unless it is a text.
    known = {name: text for name, text in texts.items() if (text or kinds[name] == "str") and wanted(name)}
    return Stored(known, kinds, _read)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    item = (document.get("configuration") or {}).get(name)
    return str(item.get("value") or "") if item else None


def _read(text: str, example: Any, kind: str) -> Any:
    return example if example is not None and text_of(example) == text else cast(text, example, kind)


def _document() -> dict[str, Any]:
    """The task that an agent runs this process as, before ``Task.init``; empty without an agent."""
    task = settings.agent_task()
    if not task or settings.load().offline:
        return {}
    if task not in _early:
        _early[task] = connections.connect().session.api.tasks.get_by_id({"task": task})["task"]
    return _early[task]


def restore_environment() -> None:
    """Give the variables of the task to the program, before it reads them; children of this process inherit them."""
    if not settings.agent_task():
        return
    with guard("task.environment"):
        if settings.load().master is None:
            environment.restore(_document())


answer_early()
