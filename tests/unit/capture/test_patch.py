"""Patches that apply on any machine."""

import subprocess
from pathlib import Path

import pytest

from trialbook.capture.code import EntryPoint, detect, source
from trialbook.capture.patch import masked_patch, uncommitted
from trialbook.capture.secret_values import MASK

OLD = {
    "plain.py": b"x = 1\n",
    "latin.py": "# coding: latin-1\nname = 'M\xfcller'\n".encode("latin-1"),
    "data.bin": bytes(range(256)) * 20,
    "notes.txt": b"one\r\ntwo\r\n",
    "na\u00efve name.py": b"y = 1\n",
    "gone.py": b"z = 1\n",
    "sheet.dat": b"a\x00b",
}
NEW = {
    **OLD,
    "plain.py": b"x = 2\nno end",
    "latin.py": "# coding: latin-1\nname = 'M\xfcller \xe4'\n".encode("latin-1"),
    "data.bin": bytes(range(255, -1, -1)) * 20,
    "notes.txt": b"one\r\nthree\r\n",
    "na\u00efve name.py": b"y = 2\n",
    "sheet.dat": b"a\x00c",
}
del NEW["gone.py"]
SETTINGS = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.renames": "copies",
    "color.ui": "always",
    "diff.external": "false",
    "diff.sheet.textconv": "strings",
    "core.quotePath": "false",
    "diff.relative": "true",
}


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e", *words],
        check=True,
        capture_output=True,
    ).stdout


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    fill(folder, OLD | {".gitattributes": b"*.dat diff=sheet\n"})
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    for name, value in SETTINGS.items():
        git(folder, "config", name, value)
    return folder


def test_T12_the_patch_applies_elsewhere(checkout: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    git(tmp_path, "clone", "-q", str(checkout), str(fresh))
    fill(checkout, NEW)
    (checkout / "gone.py").unlink()
    patch = masked_patch(uncommitted(checkout))
    (tmp_path / "patch").write_text(patch, encoding="utf-8", newline="")
    git(fresh, "apply", str(tmp_path / "patch"))
    found = {path.name: path.read_bytes() for path in fresh.iterdir() if path.name[:4] != ".git"}
    assert found == NEW


def test_T12_a_secret_in_a_file_of_another_encoding_is_masked(checkout: Path) -> None:
    text = "# coding: latin-1\nname = 'M\xfcller'\npassword = 'hunter2'\n"
    (checkout / "latin.py").write_bytes(text.encode("latin-1"))
    code = detect(EntryPoint(checkout / "plain.py", "", checkout))
    assert f"password = '{MASK}'" in code.diff and "hunter2" not in code.diff


def test_T12_a_script_of_another_encoding_is_kept_readable(tmp_path: Path) -> None:
    script = tmp_path / "solo.py"
    script.write_bytes("#!/usr/bin/python\n# -*- coding: latin-1 -*-\nname = 'M\xfcller'\n".encode("latin-1"))
    assert source(script) == "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nname = 'M\xfcller'\n"
