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
        if re.search(r"os\.environ(\.get|\[)|os\.getenv", file.read_text())
        and file.name != "settings.py"
        and not file.is_relative_to(SOURCE / "client" / "settings")
    ]
    assert readers == []


def test_modules_say_what_they_are_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in FILES
        if file.read_text() and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_S1_patterns_of_users_never_reach_re() -> None:
    """Python's ``re`` gets patterns that are written in the source, ``re.escape`` of a text, and those of ``globs``."""
    taking = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
    # The last one builds its patterns from tables of its own, and escapes what it is told.
    globs = {
        SOURCE / "base" / "globs.py",
        SOURCE / "datasets" / "patterns.py",
        SOURCE / "capture" / "secrets.py",
        SOURCE / "capture" / "secret_forms.py",
        SOURCE / "capture" / "secret_pairs.py",
    }
    offenders = []
    for file in FILES:
        tree = ast.parse(file.read_text())
        known: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Assign) and _written_here(node.value, known):
                known |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {"fnmatch", "regex", "sre_compile"} & set(names) or (
                isinstance(node, ast.ImportFrom) and node.module == "re"
            ):
                offenders.append(f"{file.relative_to(ROOT)}:{node.lineno} imports {names}")
            if isinstance(node, ast.ImportFrom | ast.Import) and "re2" in names:
                assert file == SOURCE / "server" / "core" / "patterns" / "program.py"
            called = node.func if isinstance(node, ast.Call) else None
            if (
                isinstance(node, ast.Call)
                and isinstance(called, ast.Attribute)
                and isinstance(called.value, ast.Name)
                and called.value.id == "re"
                and called.attr in taking
                and file not in globs
                and not _written_here(node.args[0], known)
            ):
                offenders.append(f"{file.relative_to(ROOT)}:{node.lineno} re.{called.attr}")
    assert offenders == []


def _written_here(pattern: ast.expr, known: set[str]) -> bool:
    if isinstance(pattern, ast.Constant):
        return True
    if isinstance(pattern, ast.Name):
        return pattern.id in known
    if isinstance(pattern, ast.BinOp):
        return _written_here(pattern.left, known) and _written_here(pattern.right, known)
    if isinstance(pattern, ast.JoinedStr):
        return all(_written_here(part, known) for part in pattern.values)
    if isinstance(pattern, ast.FormattedValue):
        return _written_here(pattern.value, known)
    return ast.unparse(pattern).startswith("re.escape(")
