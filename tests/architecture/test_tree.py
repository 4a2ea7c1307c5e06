"""Rules of the tree that a reader relies on."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "trialbook"
FILES = sorted(SOURCE.rglob("*.py"))
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def test_no_drawer_for_everything() -> None:
    assert [
        str(file) for file in FILES if BANNED_NAMES & set(file.with_suffix("").relative_to(SOURCE).parts)
    ] == []


def test_broad_excepts_live_in_the_guard() -> None:
    offenders = []
    for file in FILES:
        if file == SOURCE / "base" / "guard.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            kind = node.type
            broad = kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
            again = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if broad and not again:
                offenders.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert offenders == []


def test_environment_is_read_in_settings_only() -> None:
    readers = [
        str(file.relative_to(SOURCE))
        for file in FILES
        if re.search(r"os\.environ(\.get|\[)|os\.getenv", file.read_text()) and file.name != "settings.py"
    ]
    assert readers == []


def test_modules_say_what_they_are_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in FILES
        if file.read_text() and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []
