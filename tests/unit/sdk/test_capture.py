"""Console folding, command lines and code detection."""

import argparse
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trialbook.capture.code import EntryPoint, detect, masked
from trialbook.capture.command_lines import argparse as arguments
from trialbook.capture.command_lines import lines
from trialbook.capture.folding import LineFolder
from trialbook.capture.notebook import Cells
from trialbook.capture.packages import imported, required
from trialbook.capture.streams import ConsoleCapture


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_writes_become_lines() -> None:
    out: list[str] = []
    folder = LineFolder(out.append)
    for piece in ("one", "\n", "two\nthree", " more\n", "rest"):
        folder.write(piece)
    assert out == ["one", "two", "three more"]
    folder.flush()
    assert out[-1] == "rest"


def test_a_progress_bar_of_1000_steps_is_a_few_lines() -> None:
    out: list[str] = []
    clock = Clock()
    folder = LineFolder(out.append, clock)
    for step in range(1001):
        clock.now += 0.03
        folder.write(f"\r{step / 10:5.1f}%|{'#' * (step // 50)}")
    folder.write("\n")
    assert 3 <= len(out) <= 6
    assert out[-1].startswith("100.0%")


def test_colours_and_backspaces_are_removed() -> None:
    out: list[str] = []
    folder = LineFolder(out.append)
    folder.write("\x1b[31mred\x1b[0m ab\b\bcd\x1b[2K\x1b[1A\n")
    assert out == ["red cd"]


def test_a_line_without_end_stays_bounded() -> None:
    out: list[str] = []
    folder = LineFolder(out.append)
    for _ in range(300):
        folder.write("x" * 10_000)
    assert sum(map(len, out)) >= 2 << 20


def test_capture_leaves_the_stream_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr(sys, "stdout", buffer)
    seen: list[tuple[str, int, int]] = []
    capture = ConsoleCapture(lambda *line: seen.append(line), stdout=True, stderr=False)
    capture.install()
    print("hello")
    assert sys.stdout is buffer
    capture.remove()
    print("after")
    assert [line[0] for line in seen] == ["hello"]
    assert buffer.buffer.getvalue() == b"hello\nafter\n"  # type: ignore[attr-defined]


def test_a_sink_that_fails_does_not_break_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr(sys, "stdout", buffer)

    def broken(text: str, level: int, stream: int) -> None:
        raise RuntimeError("sink")

    capture = ConsoleCapture(broken, stdout=True, stderr=False)
    capture.install()
    print("still here")
    capture.remove()
    assert buffer.buffer.getvalue() == b"still here\n"  # type: ignore[attr-defined]


def test_command_lines_before_and_after_with_subcommands() -> None:
    arguments.install()
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1, help="step")
    commands = parser.add_subparsers(dest="command")
    train = commands.add_parser("train")
    train.add_argument("--epochs", type=int, default=3)
    parser.parse_args(["train", "--epochs", "5"])
    seen: list[lines.Parsed] = []
    lines.watch_all(seen.append)
    del seen[:-1]
    assert seen[0].values == {"lr": 0.1, "command": "train", "train/epochs": 5}
    assert seen[0].descriptions["lr"] == "step"
    namespace = parser.parse_args(["--lr", "2"])
    assert seen[1].values["lr"] == 2.0
    assert seen[1].replace is not None
    seen[1].replace("lr", 7.0)
    assert namespace.lr == 7.0
    lines.forget()
    parser.parse_args([])
    assert len(seen) == 2


def test_magics_of_notebooks_and_old_command_lines_are_left_out() -> None:
    class Magic(argparse.ArgumentParser):
        """What ``%magic`` commands are read with."""

    Magic.__module__ = "IPython.core.magic_arguments"
    arguments.install()
    magic = Magic()
    magic.add_argument("gui", nargs="?")
    magic.parse_args(["inline"])
    for number in range(40):
        parser = argparse.ArgumentParser()
        parser.add_argument("--number", type=int)
        parser.parse_args(["--number", str(number)])
    seen: list[lines.Parsed] = []
    lines.watch_all(seen.append)
    lines.forget()
    assert seen[-1].values == {"number": 39} and len(seen) <= 16
    assert not [parsed for parsed in seen if "gui" in parsed.values]


def test_code_of_a_repository(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e", *words], check=True
        )

    git("init", "-q", "-b", "trunk")
    script = tmp_path / "src" / "train.py"
    script.parent.mkdir()
    script.write_text("print(1)\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("remote", "add", "origin", "https://me:secret@example.org/lab/digits.git")
    script.write_text("print(2)\n")
    code = detect(EntryPoint(script, "", tmp_path))
    assert code.repository == "https://example.org/lab/digits.git"
    assert (code.branch, code.entry_point, code.working_dir) == ("trunk", "src/train.py", ".")
    assert len(code.commit) == 40 and "+print(2)" in code.diff
    code = detect(EntryPoint(script, "src.train", tmp_path / "src"))
    assert (code.entry_point, code.working_dir) == ("-m src.train", "src")


def test_code_without_a_repository_is_kept_whole(tmp_path: Path) -> None:
    script = tmp_path / "solo.py"
    script.write_text("print('all of it')\n")
    code = detect(EntryPoint(script, "", tmp_path))
    assert (code.repository, code.diff, code.entry_point) == ("", "print('all of it')\n", "solo.py")


def test_masked() -> None:
    assert masked("https://u:p@h.org/x") == "https://h.org/x"
    assert masked("ssh://git@h.org/x") == "ssh://git@h.org/x"
    assert masked("git@h.org:x/y.git") == "git@h.org:x/y.git"


def test_packages_of_a_program_and_its_modules(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import os, numpy as np\nfrom helper.inner import thing\n")
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper" / "__init__.py").write_text("")
    (tmp_path / "helper" / "inner.py").write_text("import psutil\nthing = 1\n")
    assert imported(tmp_path / "main.py", tmp_path) == {"numpy", "psutil"}
    text = required(tmp_path / "main.py", tmp_path, {"scipy": ">=1.0", "numpy": ""}, ["psutil"])
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["numpy", "scipy>=1.0"]


def _nested_bars(write: Callable[[str], object], clock: Clock, outer: int, inner: int) -> None:
    """What two nested bars of tqdm write, at their default rate."""
    for epoch in range(outer):
        write(f"\repochs {epoch}/{outer}")
        for step in range(inner):
            clock.now += 0.1
            write(f"\n\r  steps {step}/{inner}\x1b[A")
        write("\n\r" + " " * 20 + "\r\x1b[A")
    write(f"\repochs {outer}/{outer}\n")


def test_T9_nested_bars_are_one_state_per_period() -> None:
    out: list[str] = []
    clock = Clock()
    folder = LineFolder(out.append, clock)
    folder.write("start\n")
    _nested_bars(folder.write, clock, 36, 1000)
    folder.write("end\nafter\n")
    folder.flush()
    lines = "\n".join(out).split("\n")
    # An hour: two lines in ten seconds.
    assert 300 <= len(lines) <= 800, len(lines)
    assert lines[0] == "start" and lines[-2:] == ["end", "after"]
    assert "epochs 36/36" in lines and "epochs 20/36" in lines


def test_T9_a_live_table_is_one_state_per_period() -> None:
    out: list[str] = []
    clock = Clock()
    folder = LineFolder(out.append, clock)
    for step in range(1000):
        clock.now += 0.1
        if step:
            folder.write("\r\x1b[2K" + "\x1b[1A\x1b[2K" * 2)
        if step == 500:
            folder.write("a line above\n")
        for piece in (f"\x1b[1mepoch\x1b[0m {step}\n", f"loss {step}\n", f"bar {step}"):
            # The library cuts where it likes, also within a sequence.
            folder.write(piece[:3])
            folder.write(piece[3:])
    folder.write("\nthe end\n")
    folder.flush()
    lines = "\n".join(out).split("\n")
    assert len(lines) <= 50, len(lines)
    assert lines.count("a line above") == 1
    assert lines[-3:] == ["loss 999", "bar 999", "the end"]


def test_T9_prints_after_a_block_come_at_once() -> None:
    out: list[str] = []
    folder = LineFolder(out.append, Clock())
    folder.write("one\ntwo\n\x1b[2A\rone more\n\rtwo more\nthree\n")
    assert out == ["one\ntwo\none more\ntwo more\nthree"]
    folder.write("four\n")
    assert out[-1] == "four"


class _Shell:
    """What IPython tells of the cells of a session; ``run`` runs one."""

    def __init__(self) -> None:
        self.events = SimpleNamespace(register=self._register, unregister=lambda *_: None)
        self.history_manager = SimpleNamespace(input_hist_raw=["", "begin()"])
        self.cells = Cells(self, lambda _: None)
        self.cells.start()
        self.run("begin()", "0")

    def _register(self, _: str, heard: Callable[[Any], None]) -> None:
        self._heard = heard

    def run(
        self, cell: str, id: str | None = None, failed: Exception | None = None, before: bool = False
    ) -> None:
        self._heard(
            SimpleNamespace(
                info=SimpleNamespace(raw_cell=cell, cell_id=id),
                success=failed is None,
                error_before_exec=failed if before else None,
                error_in_exec=None if before else failed,
            )
        )


@pytest.mark.parametrize("ids", [True, False])
def test_cells_that_failed_are_in_the_code(ids: bool) -> None:
    shell = _Shell()
    shell.run("x = 1\nx / 0", "1" if ids else None, ZeroDivisionError())
    assert shell.cells.text() == "# %%\nbegin()\n\n# %%\nx = 1\nx / 0\n", "the run would end with it"
    shell.run("this is no Python", "2" if ids else None, SyntaxError(), before=True)
    shell.run("print(x)", "3" if ids else None)
    failed = "# %% ended with ZeroDivisionError\ntry:\n    x = 1\n    x / 0\nexcept Exception:\n    pass\n"
    assert shell.cells.text() == f"# %%\nbegin()\n\n{failed}\n# %%\nprint(x)\n"
    exec(compile(shell.cells.text(), "script", "exec"), {"begin": print})
    shell.run("y = '''a\n b''' / 2", "4" if ids else None, TypeError())
    shell.run("z = 1", "5" if ids else None)
    assert "# %% ended with TypeError\n# y = '''a\n#  b''' / 2\n" in shell.cells.text()
    # The same cell, written anew, or the same text in a session that has no names of cells.
    shell.run("x = 1" if ids else "x = 1\nx / 0", "1" if ids else None)
    assert "ZeroDivisionError" not in shell.cells.text()
    assert shell.cells.text().endswith("# %%\nx = 1\n" if ids else "# %%\nx = 1\nx / 0\n")
