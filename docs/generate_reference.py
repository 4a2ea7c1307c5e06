"""Writes the pages of ``docs/reference`` that describe classes, from their docstrings.

Run it after changing a public docstring: ``python docs/generate_reference.py``. A test fails while a page is stale.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialbook.sdk import dataset, logger, models, storage, task, task_parameters
from trialbook.sdk.artifacts import artifact as artifacts
from trialbook.sdk.models import listing
from trialbook.sdk.task import answers
from trialbook.wire import states

FOLDER = Path(__file__).parent / "reference"
_SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Example")
_TITLES = {
    "LifecycleMixin": "Beginning and end",
    "ParametersMixin": "Connecting",
    "ValuesMixin": "Parameters one by one",
    "IdentityMixin": "Names and places",
    "DeletionMixin": "Deleting",
    "QueuesMixin": "Queues",
    "ScriptMixin": "Code",
    "SurroundingsMixin": "Before a run",
    "UploadsMixin": "Object storages",
    "StatusMixin": "Status",
    "ConfigurationMixin": "Configuration, labels, container",
    "ArtifactsMixin": "Artifacts",
    "ModelsMixin": "Models",
    "ReportingMixin": "Reports",
    "RequirementsMixin": "Packages",
    "RemoteMixin": "Running elsewhere",
    "NodesMixin": "Several machines",
    "CreationMixin": "Drafts",
    "QueryMixin": "Finding, copying, exporting",
    "TaskBase": "Identity",
    "SquashMixin": "Joining versions",
    "MakingMixin": "Creating and finding",
    "ContentMixin": "Changing an open version",
    "ClosingMixin": "Upload, finalize, publish",
    "CopiesMixin": "Copies",
    "ReadingMixin": "Reading in place",
    "ListingMixin": "Content",
    "WordsMixin": "Name, version, tags, metadata",
    "WholesMixin": "Whole datasets",
    "OfflineMixin": "Without a server",
    "DatasetBase": "Identity",
    "PicturesMixin": "Pictures and media",
    "PlotsMixin": "Plots and tables",
    "MetadataMixin": "Metadata",
}
"""The parts of a page, in the order in which one reads them."""


@dataclass(frozen=True)
class Page:
    """A page of the reference.

    Attributes:
        name: of the file, without ``.md``.
        title: its heading.
        intro: one paragraph.
        classes: what it describes.
        functions: functions beside them.
    """

    name: str
    title: str
    intro: str
    classes: tuple[type[Any], ...]
    functions: tuple[Any, ...] = ()


PAGES = (
    Page(
        "dataset",
        "Dataset",
        "Versions of data; the [guide](../howto/datasets.md) shows how they are used. In the examples, `images` is a "
        "folder with `labels.csv`, `train/a.jpg` and `train/b.jpg`, and `data` is a finalized version of the dataset "
        "digits in the project Vision that holds it.",
        (dataset.Dataset, dataset.FileEntry),
    ),
    Page(
        "task",
        "Task",
        "`from trialbook import Task`. In the examples, `task` is "
        '`Task.init("Examples", "example", reuse_last_task_id=False)`, `draft` is '
        '`Task.create("Examples", "draft")` and `model` an output model of the run.',
        (
            task.Task,
            task_parameters.TaskParameters,
            states.TaskTypes,
            states.TaskStatusEnum,
            answers.View,
        ),
        (task_parameters.param, task_parameters.percent_param),
    ),
    Page(
        "logger",
        "Logger",
        "`from trialbook import Logger`. Everything that a run reports. In the examples, `logger` is "
        "`task.get_logger()`.",
        (logger.Logger,),
    ),
    Page(
        "models",
        "Models",
        "`from trialbook import InputModel, Model, OutputModel`. Weights with their configuration, labels and origin. "
        "A model has the plots and tables of a [logger](logger.md#plots-and-tables) too; they stand on its own page. "
        'In the examples, `task` is a run and `model` is `OutputModel(task, name="net")` with the weights `net.pt`.',
        (models.Model, models.InputModel, models.OutputModel, listing.TaskModels, listing.ModelList),
    ),
    Page(
        "artifacts",
        "Artifacts",
        "What `task.artifacts` holds; `Task.upload_artifact` and `Task.register_artifact` are on the page of "
        "[Task](task.md#artifacts). In the examples, `task` is a run.",
        (artifacts.Artifact, artifacts.Artifacts),
    ),
    Page(
        "storage",
        "Storage",
        "`from trialbook import StorageManager`. Files by address. In the examples, `images` is a folder with "
        "`labels.csv`, `train/a.jpg` and `train/b.jpg`.",
        (storage.StorageManager,),
    ),
)


@dataclass
class Parsed:
    """A docstring in its parts."""

    text: str
    parts: dict[str, str] = field(default_factory=dict)


def parse(doc: str) -> Parsed:
    """Split a docstring at its section names."""
    pieces = re.split(rf"^({'|'.join(_SECTIONS)}):\n", inspect.cleandoc(doc), flags=re.MULTILINE)
    parsed = Parsed(pieces[0].strip())
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        lines = body.split("\n")
        end = next(
            (n for n, line in enumerate(lines) if line and not line.startswith(" ")),
            len(lines),
        )
        parsed.parts[name] = textwrap.dedent("\n".join(lines[:end])).strip("\n")
        rest = "\n".join(lines[end:]).strip()
        parsed.text += f"\n\n{rest}" if rest else ""
    return parsed


def markdown(text: str) -> str:
    """Code in single instead of double back-ticks; paragraphs on one line each."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(paragraphs).replace("``", "`")


def entries(body: str) -> Iterator[tuple[str, str]]:
    """``name: text`` entries, each with its continuation lines."""
    for entry in re.split(r"\n(?=\S)", body):
        name, _, text = entry.partition(":")
        yield name.strip(), markdown(text)


def signature(function: Any, name: str) -> str:
    """The definition as it is written, one argument per line when it is long."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    given = tree.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    if names and names[0] in ("self", "cls") and not _is_static(tree):
        given.args = given.args[1:]
    parts = _arguments(given)
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns is not None else ""
    returns = returns.replace("'", "")
    short = f"{name}({', '.join(parts)}){returns}"
    if len(short) <= 100:
        return short
    inside = "".join(f"    {part},\n" for part in parts)
    return f"{name}(\n{inside}){returns}"


def _is_static(tree: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in tree.decorator_list)


def _arguments(given: ast.arguments) -> list[str]:
    plain = [*given.posonlyargs, *given.args]
    defaults: list[Any] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    parts = [_argument(argument, default) for argument, default in zip(plain, defaults, strict=True)]
    if given.vararg:
        parts.append("*" + _argument(given.vararg, None))
    elif given.kwonlyargs:
        parts.append("*")
    parts += [_argument(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return parts + (["**" + _argument(given.kwarg, None)] if given.kwarg else [])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    note = f": {ast.unparse(argument.annotation)}".replace("'", "") if argument.annotation else ""
    if default is None:
        return argument.arg + note
    return f"{argument.arg}{note}{' = ' if note else '='}{ast.unparse(default)}"


def members(kind: type[Any]) -> dict[str, list[tuple[str, Any]]]:
    """The public members of a class by the class of ours that defines them."""
    found: dict[str, list[tuple[str, Any]]] = {}
    seen: set[str] = set()
    for owner in kind.__mro__:
        if not owner.__module__.startswith("trialbook") or _elsewhere(kind, owner):
            continue
        for name, member in vars(owner).items():
            if name.startswith("_") or name in seen or not _callable(member):
                continue
            seen.add(name)
            found.setdefault(owner.__name__, []).append((name, member))
    read = ["LifecycleMixin", kind.__name__, *_TITLES]
    return {owner: found[owner] for owner in sorted(found, key=read.index)}


def _elsewhere(kind: type[Any], owner: type[Any]) -> bool:
    """Whether another class describes the members of ``owner``: a base on a page, or the logger."""
    if owner is kind:
        return False
    bases = [base for wanted in PAGES for base in wanted.classes if base is not kind and base in kind.__mro__]
    bases += [logger.Logger] if kind is models.Model else []
    return any(owner in base.__mro__ for base in bases)


def _callable(member: Any) -> bool:
    return isinstance(member, (property, classmethod, staticmethod)) or inspect.isfunction(member)


def _function(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    return getattr(member, "__func__", member)


def _body(parsed: Parsed) -> Iterator[str]:
    yield markdown(parsed.text)
    for part in ("Args", "Attributes"):
        if part in parsed.parts:
            yield "\n".join(
                ["| | |", "|---|---|", *(f"| `{n}` | {_cell(t)} |" for n, t in entries(parsed.parts[part]))]
            )
    if "Returns" in parsed.parts:
        yield f"**Returns** {markdown(parsed.parts['Returns'])}"
    if "Raises" in parsed.parts:
        yield "\n".join(["**Raises**", *(f"- `{n}`: {t}" for n, t in entries(parsed.parts["Raises"]))])
    if "Example" in parsed.parts:
        yield f"```python\n{parsed.parts['Example']}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n\n", "<br>")


def _member(name: str, member: Any, prefix: str) -> Iterator[str]:
    function = _function(member)
    yield f"#### {name}"
    if isinstance(member, property):
        note = inspect.signature(function).return_annotation
        shown = note if isinstance(note, str) else getattr(note, "__name__", str(note))
        yield f"```python\n{name}: {shown}\n```"
    else:
        called = f"{prefix}.{name}" if isinstance(member, (classmethod, staticmethod)) else name
        # Who reads the page knows the class by its name.
        shown = re.sub(r"\bSelf\b", prefix, signature(function, called))
        yield f"```python\n{shown}\n```"
    yield from _body(parse(function.__doc__ or ""))


def _class(kind: type[Any], alone: bool) -> Iterator[str]:
    if not alone:
        yield f"## {kind.__name__}"
    yield from _body(parse(kind.__doc__ or ""))
    if issubclass(kind, str) and hasattr(kind, "__members__"):
        yield ", ".join(f"`{name}`" for name in kind.__members__)
    groups = members(kind)
    if alone and len(groups) > 1:
        yield "\n".join(_index(groups))
    for owner, found in groups.items():
        if len(groups) > 1:
            yield f"### {_TITLES.get(owner, 'More')}"
        for name, member in sorted(found, key=lambda entry: entry[0]):
            yield from _member(name, member, kind.__name__)


def _index(groups: dict[str, list[tuple[str, Any]]]) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    for owner, found in groups.items():
        names = ", ".join(f"[{name}](#{name.lower()})" for name, _ in sorted(found, key=lambda one: one[0]))
        yield f"| {_TITLES.get(owner, 'More')} | {names} |"


def page(wanted: Page) -> str:
    """The text of a page."""
    blocks = [f"# {wanted.title}", wanted.intro]
    for kind in wanted.classes:
        blocks += _class(kind, alone=kind is wanted.classes[0])
    for function in wanted.functions:
        blocks += [
            f"## {function.__name__}",
            f"```python\n{signature(function, function.__name__)}\n```",
            *_body(parse(function.__doc__ or "")),
        ]
    note = "<!-- Written by docs/generate_reference.py from the docstrings; edit those. -->"
    return "\n\n".join([note, *(block for block in blocks if block)]) + "\n"


def documented() -> Iterator[tuple[str, Any]]:
    """Qualified name and function of everything that the pages describe, classes included."""
    for wanted in PAGES:
        for kind in wanted.classes:
            yield kind.__name__, kind
            for found in members(kind).values():
                for name, member in found:
                    yield f"{kind.__name__}.{name}", _function(member)
        for function in wanted.functions:
            yield function.__name__, function


def main() -> int:
    """Write the pages."""
    for wanted in PAGES:
        (FOLDER / f"{wanted.name}.md").write_text(page(wanted), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
