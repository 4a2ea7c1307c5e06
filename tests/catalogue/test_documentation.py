"""The reference pages are those of the docstrings, and everything in them runs."""

import contextlib
import doctest
import inspect
import io
import pathlib
import re
from pathlib import Path
from typing import Any

import pytest

import trialbook
from tests.catalogue.conftest import Begin, as_a_new_process
from tests.integration.program import Program
from tests.support.reference import GENERATOR
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.sdk import current, task_parameters
from trialbook.sdk.task.answers import View
from trialbook.wire.states import TaskStatusEnum

ROOT = Path(__file__).parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


DOCUMENTED: dict[str, Any] = dict(GENERATOR.documented())


@pytest.mark.parametrize("page", GENERATOR.PAGES, ids=lambda page: page.name)
def test_pages_are_fresh(page: Any) -> None:
    written = (ROOT / "docs" / "reference" / f"{page.name}.md").read_text("utf-8")
    assert written == GENERATOR.page(page), "run: python docs/generate_reference.py"


def _arguments(function: Any) -> list[str]:
    found = inspect.signature(function).parameters
    return [name for name in found if name not in ("self", "cls", "_") and not name.startswith("_")]


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if not inspect.isclass(DOCUMENTED[name])])
def test_docstrings_say_everything(name: str) -> None:
    function = DOCUMENTED[name]
    assert function.__doc__, f"{name} has no docstring"
    parsed = GENERATOR.parse(function.__doc__)
    described = [entry for entry, _ in GENERATOR.entries(parsed.parts.get("Args", ""))]
    assert [entry for entry in described if entry] == _arguments(function), "each argument, in order"
    returns = str(inspect.signature(function).return_annotation).strip("'\"")
    is_property = isinstance(inspect.getattr_static(_owner(name), name.rsplit(".", 1)[-1], None), property)
    if returns not in ("None", "<class 'NoneType'>") and not is_property:
        assert "Returns" in parsed.parts, f"{name} answers {returns}"


def _owner(name: str) -> Any:
    return DOCUMENTED.get(name.rpartition(".")[0], object)


class Quiet(doctest.OutputChecker):
    """Leaves out what the SDK says to the person at the terminal."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        lines = [line for line in got.splitlines(keepends=True) if not line.startswith("Trialbook")]
        return super().check_output(want, "".join(lines), optionflags)


EXAMPLES = {name: thing for name, thing in DOCUMENTED.items() if ">>>" in (thing.__doc__ or "")}
OWNERS = list(dict.fromkeys(name.split(".")[0] for name in EXAMPLES))


class Prepared:
    """The names that examples use without making them, as the intros of the pages say; made for each example."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._read: trialbook.Dataset | None = None

    def task(self) -> Task:
        return self._begin("example", project="Examples", reuse_last_task_id=False)

    def draft(self) -> Task:
        return Task.create("Examples", "draft")

    def data(self, code: str) -> trialbook.Dataset:
        """One for all examples that look at nothing else and change nothing."""
        if self._read is not None and not _ALONE.search(code):
            return self._read
        data = trialbook.Dataset.create("digits", "Vision")
        data.add_files("images")
        data.finalize(auto_upload=True)
        if not _ALONE.search(code):
            self._read = data
        return data

    def model(self) -> trialbook.OutputModel:
        Path("net.pt").write_bytes(b"weights")
        running = Task.current_task()
        model = trialbook.OutputModel(running if running is not None else self.task(), name="net")
        model.update_weights("net.pt", auto_delete_file=False, async_enable=False)
        return model

    def names(self, code: str) -> dict[str, Any]:
        """Those in the code, and the public ones."""
        asked = set(re.findall(r"\w+", code))
        names: dict[str, Any] = {name: getattr(trialbook, name) for name in trialbook.__all__}
        names |= {one.__name__: one for one in (View, *_OF_PARAMETERS, TaskStatusEnum)}
        names |= {"pathlib": pathlib}
        if asked & {"task", "logger", "current_logger", "current_task"}:
            names["task"] = self.task()
            names["logger"] = names["task"].get_logger()
        if "data" in asked:
            names["data"] = self.data(code)
        for name in asked & {"draft", "model"}:
            names[name] = getattr(self, name)()
        return names


_ALONE = re.compile(r"Dataset\.(?!create\()|\bdata\.(publish|tags|add_tags|set_|update_)")
_OF_PARAMETERS = (
    task_parameters.TaskParameters,
    task_parameters.param,
    task_parameters.percent_param,
)


def _run(name: str, thing: Any, prepared: Prepared) -> str:
    """What went wrong in an example; nothing when it is true."""
    example = doctest.DocTestParser().get_doctest(inspect.cleandoc(thing.__doc__), {}, name, None, None)
    assert not any("SKIP" in piece.source for piece in example.examples)
    # What belongs before `Task.init` is shown without a run.
    example.globs = prepared.names("".join(piece.source for piece in example.examples))
    out = io.StringIO()
    failed = doctest.DocTestRunner(Quiet(), optionflags=FLAGS).run(example, out=out.write).failed
    running = current.main_task()
    if running is not None:
        running.close()
    return out.getvalue() if failed else ""


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("owner", OWNERS)
def test_examples_run(owner: str, begin: Begin, sdk: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    prepared = Prepared(begin)
    for name, thing in EXAMPLES.items():
        if name.split(".")[0] != owner:
            continue
        place = Path("places", name)
        for file in ("images/train/a.jpg", "images/train/b.jpg", "images/labels.csv"):
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(b"name,digit\na,1\n")
        with monkeypatch.context() as within:
            within.chdir(place)
            as_a_new_process(within)
            wrong.append(_run(name, thing, prepared))
    assert not any(wrong), "".join(wrong)


IMAGES = """
import os, pathlib
rank = 0
for name in ("images/train/a.jpg", "images/train/b.jpg", "images/labels.csv"):
    pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(name).write_bytes(name.encode() + b"\\n1\\n")
"""
ONE_EPOCH = """
import pathlib
pathlib.Path("predictions.csv").write_text("a")
def train_one_epoch(settings):
    return settings["learning_rate"], 0.5
"""
PATIENT = """
import time
asked = time.sleep
time.sleep = lambda seconds: asked(0 if seconds == 0.01 else seconds)
"""
"""The tutorial's curve grows for twenty seconds, so that one can look; nothing else is changed."""


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("page", "before", "shown"),
    [
        ("docs/tutorial/first-run.md", PATIENT, "{'rate': 0.02}"),
        ("docs/howto/many-processes.md", "", ""),
        ("docs/howto/datasets.md", IMAGES, ""),
        ("README.md", ONE_EPOCH + IMAGES, ""),
    ],
)
def test_T42_every_page_with_code_runs_word_by_word(
    page: str, before: str, shown: str, sdk: RunningServer, tmp_path: Path
) -> None:
    text = (ROOT / page).read_text("utf-8")
    # The same order as on the page, in one program: the page's reader goes on with what the last block made.
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    program = Program("\n".join([before, *blocks]), sdk, tmp_path / "program")
    assert program.wait() == 0, program.text
    assert shown in program.text


def test_T42_no_page_with_code_is_left_out() -> None:
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs" / "tutorial").glob("*.md"),
        *(ROOT / "docs" / "howto").glob("*.md"),
    ]
    with_code = {page.stem for page in pages if "```python" in page.read_text("utf-8")}
    run_here = {
        "README",
        "first-run",
        "many-processes",
        "datasets",
        "from-clearml",
        "from-mlflow",
        "from-wandb",
    }
    # frameworks needs libraries of its own (tests/frameworks), storage needs buckets (tests of storage).
    assert with_code == run_here | {"frameworks", "storage"}


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("handle", ["get_task", "get_tasks", "by name"])
def test_T42_what_this_process_uploads_is_seen_by_it(handle: str, begin: Begin, tmp_path: Path) -> None:
    task = begin("uploads")
    task.set_comment("said at once")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    objects: dict[str, Any] = {
        "settings": {"rate": 0.02},
        "text": "words",
        "folder": folder,
        "pickle": {1, 2},
    }
    for name, value in objects.items():
        task.upload_artifact(name, value)
    if handle == "get_task":
        found: Any = Task.get_task(task.id)
    elif handle == "get_tasks":
        (found,) = Task.get_tasks(task_ids=[task.id])
    else:
        found = Task.get_task(project_name=task.get_project_name(), task_name="uploads")
    assert set(found.artifacts) == set(objects) and found.comment == "said at once"
    assert found.artifacts["settings"].get() == {"rate": 0.02}
    assert found.artifacts["text"].get() == "words" and found.artifacts["pickle"].get() == {1, 2}
    assert (Path(found.artifacts["folder"].get()) / "a.txt").read_text() == "a"
    # Replaced and deleted ones as well, through whichever handle.
    task.upload_artifact("text", "other words")
    assert found.artifacts["text"].get() == "other words"
    task.upload_artifact("late", "x")
    assert found.delete_artifacts(["late", "text"])
    assert set(found.artifacts) == set(objects) - {"text"}


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("page", ["from-clearml", "from-mlflow", "from-wandb"])
def test_the_code_of_a_page_runs(page: str, sdk: RunningServer, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "howto" / f"{page}.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    program = Program("\n".join(blocks), sdk, tmp_path / "program")
    assert program.wait() == 0, program.text
    assert "baseline" in program.text, "the last block finds the run"
    found = Task.get_task(project_name="Digits", task_name="baseline")
    assert found is not None and found.status == "completed"
    assert set(found.get_reported_scalars()) >= {"loss"} and found.get_parameters().items() >= {
        ("General/rate", "0.1"),
        ("General/layers", "3"),
    }
    with contextlib.suppress(OSError):
        (tmp_path / "program").rmdir()
