"""Names as arguments of the commands, and in what they print."""

import io
import os
import re
import subprocess
import sys
import uuid
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.names.conftest import file_names
from tests.names.hostile import NAMES
from tests.support.length import LONG
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.base.unicode import LONGEST_NAME, storable
from trialbook.cli.main import main

ARGUMENTS = [name for name in NAMES.values() if "\0" not in name]
"""No system passes on the character 0."""
_COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    exit_code: int
    output: str


def command(*arguments: str) -> Done:
    """A command in this process. A refusal is one sentence, never a traceback; no name commands the terminal."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8")
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(output):
        patch.setattr(sys, "argv", ["trialbook", *arguments])
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    output.seek(0)
    done = Done(int(code), output.read())
    assert not _COMMANDS.search(done.output), (arguments, done.output)
    if done.exit_code:
        assert len(done.output.strip()) > 15, (arguments, done.output)
    return done


def test_N5_people(sdk: RunningServer) -> None:
    for name in ARGUMENTS:
        unique = uuid.uuid4().hex[:6]
        person = f"{name}{unique}" if name.strip() else name
        added = command("user", "add", "--data", str(sdk.data), "--", person)
        users = [user["name"] for user in sdk.call("users.get_all")["users"]]
        if added.exit_code:
            assert not [user for user in users if user.endswith(unique)], "a refusal makes nobody"
            continue
        (made,) = [user for user in users if user.endswith(unique)]
        assert made in (storable(person), storable(person).strip())
        for what in ("disable", "enable"):
            assert command("user", what, "--data", str(sdk.data), "--", person).exit_code == 0, person
    assert command("user", "list", "--data", str(sdk.data)).exit_code == 0


def test_N5_datasets(sdk: RunningServer, project: str, tmp_path: Path) -> None:
    top = tmp_path / "top"
    names = [name for name in file_names() if name == storable(name) and "/" not in name]
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)

    def process(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "trialbook", "data", *arguments],
            env=sdk.client_environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    process("create", "--project", project, "--name", "data")
    given = [argument for name in names for argument in ("--files", str(top / name))]
    process("add", *given, "--dataset-folder", "below")
    found = Dataset.get(dataset_project=project, dataset_name="data")
    assert set(found.list_files()) == {f"below/{name}" for name in names}
    listed = command("data", "list", "--id", found.id)
    assert listed.exit_code == 0 and listed.output.count("below/") == len(names)
    if LONG:
        process("remove", *[part for name in names[1:] for part in ("--files", f"below/{name}")])
        process("close")
        copy = tmp_path / "copy"
        assert command("data", "get", "--id", found.id, "--copy", str(copy)).exit_code == 0
        assert [path.name for path in (copy / "below").iterdir()] == names[:1]


def test_N5_datasets_of_every_name(project: str) -> None:
    for name in ARGUMENTS:
        if not name.strip("/ ") or len(name) > LONGEST_NAME or name.startswith("/"):
            assert command("data", "create", "--project", project, "--name", name).exit_code
            continue
        data = Dataset.create(name, project)
        assert data.finalize()
        assert Dataset.get(dataset_name=name, dataset_project=f" {project} /").id == data.id
        listed = command("data", "list", "--project", project, "--name", name)
        assert listed.exit_code == 0, (name, listed.output)
    assert command("data", "search", "--project", project).exit_code == 0


def test_N5_a_program_and_its_arguments(sdk: RunningServer, tmp_path: Path) -> None:
    names = [name for name in file_names() if not name.startswith("-")][: None if LONG else 4]
    told = tmp_path / "told"
    for name in names:
        folder = tmp_path / "programs" / name
        folder.mkdir(parents=True)
        program = folder / f"{name}.py"
        try:
            program.write_text(
                f"import os, sys; open({str(told)!r}, 'ab').write(os.fsencode(repr(sys.argv[1:])))"
            )
        except OSError:
            continue
        told.write_bytes(b"")
        arguments = [argument for argument in ARGUMENTS if len(argument) < 1000]
        done = subprocess.run(
            [sys.executable, "-m", "trialbook", "run", os.fsencode(program), *map(os.fsencode, arguments)],
            env=sdk.client_environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert os.fsdecode(told.read_bytes()) == repr(arguments)
