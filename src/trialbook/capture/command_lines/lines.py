"""What command lines were read, and what the task has stored for them: between the watchers and the SDK.

A program usually reads its command line before ``Task.init``. So watchers give what they see from the import of
``Task`` on; it is remembered here, and a task that begins later gets it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trialbook.base.guard import guard
from trialbook.base.process import Kept
from trialbook.capture.secret_names import is_secret_name
from trialbook.capture.secret_values import remember

ARGS = "Args"
COMMAND = "command"
_MOST = 16


@dataclass
class Parsed:
    """One command line that was read.

    Attributes:
        values: by name; the arguments of a sub-command are ``command/name``.
        descriptions: the help texts.
        types: names of types that are not the value's own.
        converters: the ``type`` of arguments that are not plain text.
        texts: configurations by name, each with its text and its format.
        section: where the values belong.
        switch: the key in ``auto_connect_frameworks``, where the library has one.
        arguments: whether ``auto_connect_arg_parser`` rules as well.
        replace: changes a value in the program's result; None when the stored ones were used while reading.
        own: whether it is the command line of this process, not a list that the program or a library made up.
    """

    values: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    converters: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    section: str = ARGS
    switch: str | None = None
    arguments: bool = True
    replace: Callable[[str, Any], None] | None = None
    own: bool = True


@dataclass(frozen=True)
class Stored:
    """One section of the task's parameters, when an agent runs this process; empty without one.

    Attributes:
        texts: values by name; a value of nothing is left out.
        kinds: names of their types.
        read: makes a value of a text, an example of its type (or None) and the name of the type.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[str, Any, str], Any] = lambda text, example, kind: text

    def value(self, name: str, example: Any = None) -> Any:
        """The stored value in the type of the example; the example itself when they are the same."""
        return self.read(self.texts[name], example, self.kinds.get(name, ""))

    def commands(self, prefix: str = "") -> list[str]:
        """The sub-commands that are marked as chosen directly below ``prefix``."""
        return [
            name[len(prefix) :]
            for name, kind in self.kinds.items()
            if kind == COMMAND
            and name.startswith(prefix)
            and "/" not in name[len(prefix) :]
            and self.texts.get(name, "").lower() in ("true", "1")
        ]


NOTHING = Stored()
Sink = Callable[[Parsed], None]
Supplier = Callable[[str, str | None], Stored]
TextSupplier = Callable[[str, str | None], str | None]
_remembered: dict[Hashable, Parsed] = {}
_everything: "Kept[Sink | None]" = Kept(None)
_single: dict[Hashable, Sink] = {}
_supplier: "Kept[Supplier | None]" = Kept(None)
_texts: "Kept[TextSupplier | None]" = Kept(None)


def supply(supplier: Supplier, texts: TextSupplier) -> None:
    """Ask these for what the task has stored.

    Args:
        supplier: gets a section and the key in ``auto_connect_frameworks`` (or None), and answers its parameters.
        texts: gets the name of a configuration and such a key, and answers its text.
    """
    _supplier.value, _texts.value = supplier, texts


def stored(section: str = ARGS, switch: str | None = None) -> Stored:
    """What the task has in a section; nothing without an agent."""
    with guard("capture.supplied"):
        if _supplier.value is not None:
            return _supplier.value(section, switch)
    return NOTHING


def stored_text(name: str, switch: str | None = None) -> str | None:
    """A configuration that the task has; None without one, and without an agent."""
    with guard("capture.supplied"):
        if _texts.value is not None:
            return _texts.value(name, switch)
    return None


def give(source: Hashable, parsed: Parsed) -> None:
    """Remember what a source has read, instead of what it read before, and tell the task."""
    for name, value in parsed.values.items():
        if is_secret_name(name):
            # A program that prints its arguments must not bring the secret to the console of the task.
            remember(value)
    _remembered.pop(source, None)
    _remembered[source] = parsed
    while len(_remembered) > _MOST:
        del _remembered[next(iter(_remembered))]
    sink = _single.get(source) or _everything.value
    if sink is not None:
        sink(parsed)


def others(source: Hashable) -> list[Parsed]:
    """What other sources have read."""
    return [parsed for known, parsed in _remembered.items() if known != source]


def watch(source: Hashable, sink: Sink) -> None:
    """Give what this source has read, or reads later, to ``sink``."""
    _single[source] = sink
    if source in _remembered:
        sink(_remembered[source])


def watch_all(sink: Sink) -> None:
    """Give every command line that was read, and each later one, to ``sink``."""
    _everything.value = sink
    for source, parsed in list(_remembered.items()):
        if source not in _single:
            sink(parsed)


def forget() -> None:
    """Stop giving; what was read stays known."""
    _everything.value = None
    _single.clear()


@dataclass
class Jobs:
    """Programs that run several jobs in one process, each of which is a run of its own.

    Attributes:
        number: of the job that runs, from 0; None outside of jobs.
        ended: called when it has ended, with the error that ended it.
    """

    number: int | None = None
    ended: Callable[[BaseException | None], None] | None = None


jobs = Jobs()
