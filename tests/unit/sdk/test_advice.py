"""What errors of datasets advise: arguments and calls to programs, options and commands to people."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import trialbook
from trialbook.errors import UsageError
from trialbook.sdk import console
from trialbook.sdk.dataset.given import required

ROOT = Path(trialbook.__file__).parent
READ_AT_THE_COMMAND_LINE = [
    *ROOT.glob("cli/*.py"),
    *ROOT.glob("datasets/**/*.py"),
    *ROOT.glob("sdk/dataset/**/*.py"),
]
PYTHON = re.compile(r"\b[a-z_]+=[\w\[(]|\b[a-z]\w*\(\)|\b(Dataset|Task)\.[a-z]|\b[a-z]+_[a-z_]+\b")
# No command leads there: a constructor, a file system of fsspec, arguments without an option, sessions of Python.
PROGRAMS_ALONE = {
    "sdk/dataset/__init__.py",
    "sdk/dataset/filesystem.py",
    "sdk/dataset/foreign/session.py",
    "sdk/dataset/members/offline.py",
    "sdk/dataset/versions/importing.py",
}
NO_OPTION = (
    "Dataset.get does not know",
    "max_workers",
    "local_base_folder",
    "dataset_path has",
    "use_current_task",
    "dataset_project_name_pairs",
)


def _said(node: ast.AST) -> Iterator[str]:
    """The texts of a call, but for those that ``advice`` chooses among."""
    if isinstance(node, ast.Subscript) or getattr(getattr(node, "func", None), "id", "") == "advice":
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    # Keys are no words; of a text with values in it only the text: names of fields are no words.
    parts = node.values if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node)
    for child in parts:
        if not isinstance(child, ast.FormattedValue):
            yield from _said(child)


def _calls(file: Path) -> Iterator[ast.Call]:
    """Of errors, and of lines for the person at the terminal."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            if re.search("^say$|(Error|Missing|InUse|Refused|Deletable|Changed|Exception)$", name):
                yield node


def test_what_a_command_says_names_no_arguments_of_methods() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {text}"
        for file in READ_AT_THE_COMMAND_LINE
        if str(file.relative_to(ROOT)) not in PROGRAMS_ALONE
        for node in _calls(file)
        for argument in node.args
        for text in _said(argument)
        if PYTHON.search(text) and not any(word in text for word in NO_OPTION)
    ]
    assert found == []


def test_a_command_is_told_its_options() -> None:
    with pytest.raises(UsageError, match="sync_folder: local_path is ''"):
        required("sync_folder", "local_path", "", "--folder")
    with console.speaking_of_commands(), pytest.raises(UsageError, match=r"^--folder is ''"):
        required("sync_folder", "local_path", "", "--folder")
    assert console.advice("code", "command") == "code"
