"""Requirement lines that another machine can install."""

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from trialbook.capture.installed import owners
from trialbook.capture.packages import frozen, listed_lines, required, requirement_lines


def install(folder: Path, name: str, files: list[str], origin: dict[str, object] | None = None) -> None:
    """What pip leaves of an installed package."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, f"{info.name}/METADATA"]))
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("")
    if origin:
        (info / "direct_url.json").write_text(json.dumps(origin))


def test_T14_origin_and_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    install(site, "cloud-core", ["cloud/core/__init__.py"])
    install(site, "cloud-storage-blob", ["cloud/storage/blob/__init__.py", "cloud/storage/blob/client.py"])
    install(site, "cloud-storage-queue", ["cloud/storage/queue.cpython-311.so", "cloud/storage/_queue.py"])
    git = {"url": "https://example.com/lab.git", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}}
    install(site, "from-git", ["fromgit/__init__.py"], {**git, "subdirectory": "python"})
    install(
        site, "from-archive", ["fromarchive.py"], {"url": "https://example.com/a-1.0.whl", "archive_info": {}}
    )
    install(site, "from-folder", ["fromfolder.py"], {"url": "file:///home/me/x", "dir_info": {}})
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    script = tmp_path / "main.py"
    script.write_text(
        "import cloud.storage.blob\nfrom cloud.storage import queue\nfrom fromgit import x\n"
        "import fromarchive, fromfolder\n"
    )
    lines = [line for line in required(script, None, {}, ()).splitlines() if line and line[0] != "#"]
    assert lines == [
        "cloud-storage-blob==1.0",
        "cloud-storage-queue==1.0",
        "from-archive @ https://example.com/a-1.0.whl",
        "from-folder==1.0",
        "from-git @ git+https://example.com/lab.git@0a1b#subdirectory=python",
    ]


@pytest.mark.parametrize(
    "record", ["{bad", "[]", '"x"', "{}", '{"url": null}', '{"url": "https://x/y", "vcs_info": 3}', "\0"]
)
def test_T14_a_damaged_record_of_one_package_takes_no_other_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    site = tmp_path / "site"
    for name in ("damaged", "listless", "nameless", "unread", "versionless", "whole"):
        install(site, name, [f"{name}.py"])
    (site / "damaged-1.0.dist-info" / "direct_url.json").write_text(record)
    (site / "unread-1.0.dist-info" / "direct_url.json").write_bytes(b"\xff\xfe")
    (site / "listless-1.0.dist-info" / "RECORD").write_bytes(b"\xff\xfe,,")
    (site / "nameless-1.0.dist-info" / "METADATA").write_bytes(b"Name: \xff\xfe")
    (site / "versionless-1.0.dist-info" / "METADATA").write_text("Name: versionless\n")
    (site / "empty-1.0.dist-info").mkdir()
    here = {"url": "file:///home/me/lab", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}}
    install(site, "from-here", ["fromhere.py"], here)
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    script = tmp_path / "main.py"
    script.write_text("import damaged, whole, fromhere, listless, nameless, unread, versionless\n")
    lines = [line for line in required(script, None, {}, ()).splitlines() if line and line[0] != "#"]
    assert lines == ["damaged==1.0", "from-here==1.0", "unread==1.0", "versionless", "whole==1.0"]
    every = frozen({}, ()).splitlines()
    assert {"damaged==1.0", "from-here==1.0", "listless==1.0", "unread==1.0", "whole==1.0"} <= set(every)


def test_T14_files_that_a_file_includes(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "all.txt").write_text(
        "a==1\n-r more/base.txt\n--requirement=last.txt\n-c limits.txt\n-r missing.txt\nz"
    )
    (tmp_path / "more" / "base.txt").write_text("b\n-r ../all.txt\n-rdeep.txt  # as well\n")
    (tmp_path / "more" / "deep.txt").write_text("c; python_version > '3'\n")
    (tmp_path / "last.txt").write_text(
        "--extra-index-url https://example.com/simple\n-r https://example.com/r.txt\n"
    )
    (tmp_path / "limits.txt").write_text("a<2\n")
    lines = requirement_lines(tmp_path / "all.txt").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted == [
        "a==1",
        "b",
        "c; python_version > '3'",
        "--extra-index-url https://example.com/simple",
        "-r https://example.com/r.txt",
        "z",
    ]
    assert [line.split("  ")[0] for line in lines if line.startswith("#")] == [
        "# -c limits.txt",
        "# -r missing.txt",
    ]


def test_T14_files_are_read_as_pip_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"):
        (tmp_path / f"{encoding}.txt").write_text(f"a-{encoding}  # Köln\r\n", encoding=encoding, newline="")
    (tmp_path / "sp ace#1.txt").write_text("spaced\n")
    (tmp_path / "all.txt").write_text(
        "-r utf-8.txt\n-r utf-8-sig.txt\n-r utf-16.txt\n-r utf-32.txt\n-r latin-1.txt\n-r 'sp ace#1.txt'\n"
    )
    wanted = [f"a-{one}  # Köln" for one in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1")]
    assert requirement_lines(tmp_path / "all.txt").splitlines() == [*wanted, "spaced"]
    monkeypatch.chdir(tmp_path)
    lines = listed_lines(
        ["b", '--requirement "sp ace#1.txt"', "", "c\n-r utf-16.txt", "-r missing.txt", "-r https://h/x"]
    )
    assert lines.splitlines() == [
        "b",
        "spaced",
        "",
        "c",
        wanted[2],
        "# -r missing.txt  (a file of the machine that recorded this)",
        "-r https://h/x",
    ]


def test_owners_are_those_of_the_standard_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    install(
        site, "one", ['"a,b.py"', "shared/one.py", "compiled.cpython-311.so", "../../bin/tool", "data/x.txt"]
    )
    install(site, "two", ["shared/two.py"])
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    every = {
        name: sorted(found)
        for name, found in metadata.packages_distributions().items()
        if name.isidentifier()
    }
    mine = {name: sorted(found) for name, found in owners([*every, "compiled", "data", "tool"]).items()}
    assert mine == {**every, "compiled": ["one"]} and mine["shared"] == ["one", "two"]
    assert owners(["nobody"]) == owners([]) == {}
