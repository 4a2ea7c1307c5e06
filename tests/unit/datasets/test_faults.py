"""Bad input and faults: found, named, and survived."""

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.copies.verify import verify_folder
from trialbook.datasets.repository import Repository
from trialbook.datasets.sources.scan import scan_folder
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.folder import FolderBlobs
from trialbook.datasets.storage.prune import GRACE
from trialbook.errors import DatasetDamaged, DatasetMissing, SourceChanged

MB = 1 << 20
NOBODY = 65534


def commit(repository: Repository, folder: Path, *parents: str) -> str:
    draft = repository.begin(new_id(), parents)
    draft.add_folder(folder)
    draft.upload()
    return draft.finish().version


def in_child(work: Callable[[], str]) -> str:
    """What ``work`` says in a child process; the child's own limits and rights end with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "it did not end"
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, answer.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


def spool(top: Path) -> list[Path]:
    return list((top / "store" / ".trialbook-tmp").iterdir())


@pytest.mark.parametrize("size", [2000, 3 * MB, 80 * MB])
def test_a_file_that_is_written_all_the_time(repository: Repository, write: Write, size: int) -> None:
    source = write({"busy": b"x" * size, "calm": b"y"})
    draft = repository.begin(new_id())
    draft.add_folder(source)
    stop = threading.Event()

    def keep_writing() -> None:
        with (source / "busy").open("r+b", 0) as file:
            number = 0
            while not stop.is_set():
                number += 1
                os.pwrite(file.fileno(), number.to_bytes(8, "little"), number * 512 % size)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        draft.upload()
    except SourceChanged as error:
        assert "busy" in str(error)
    finally:
        stop.set()
        writer.join()
    # Whatever was stored is what was hashed, and the rest can be stored now.
    draft.add_folder(source)
    draft.upload()
    version = draft.finish().version
    assert repository.verify(version) == []
    assert tree(repository.copy(version)) == tree(source)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_a_file_that_may_not_be_read(open_folder: Path) -> None:
    for name in ("good", "secret", "closed/file"):
        (open_folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (open_folder / "tree" / name).write_bytes(b"data")
    (open_folder / "tree/secret").chmod(0)
    (open_folder / "tree/closed").chmod(0)

    def work() -> str:
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        repository = Repository(FolderBlobs(open_folder / "store"), open_folder / "cache")
        draft = repository.begin(new_id())
        changes = draft.add_folder(open_folder / "tree")
        try:
            draft.upload()
        except SourceChanged as error:
            said = str(error)
        draft.remove("secret")
        draft.upload()
        paths = repository.open(draft.finish().version).paths()
        return json.dumps([[(item.path, item.why) for item in changes.skipped], said, paths])

    skipped, said, paths = json.loads(in_child(work))
    (open_folder / "tree/closed").chmod(0o755)
    assert skipped == [["closed", "the folder cannot be read: Permission denied"]]
    assert "secret' cannot be read: Permission denied" in said
    assert paths == ["good"]


def test_long_paths(repository: Repository, tmp_path: Path) -> None:
    top = tmp_path / "long"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    depth = 0
    # Deeper than one system call can name.
    while depth < 4400:
        os.mkdir("d" * 199, dir_fd=here)
        below = os.open("d" * 199, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        depth += 200
        file = os.open(f"f{depth}", os.O_WRONLY | os.O_CREAT, dir_fd=here)
        os.write(file, b"deep")
        os.close(file)
    os.close(here)
    scan = scan_folder(top)
    assert max(map(len, scan.paths)) > 3500
    assert {item.why for item in scan.skipped} <= {
        "the folder cannot be read: File name too long",
        "it cannot be read: File name too long",
    }
    assert scan.skipped
    version = commit(repository, top)
    longest = max(repository.open(version).paths(), key=len)
    assert repository.open(version).read(longest) == b"deep"
    shallow = [path for path in scan.paths if len(path) < 2000]
    assert len(tree(repository.copy(version, shallow))) == len(shallow)
    subprocess.run(["rm", "-rf", str(top)], check=True)


def test_names_of_every_kind(repository: Repository, write: Write) -> None:
    names = ["a\nb", "CON", "tail.", " ", "-rf", "*", "%2e%2e", "Ünïcode", "u\u0308", "\U0001f40d", "A", "a"]
    files = {name: name.encode() for name in names}
    draft = repository.begin(new_id())
    draft.add_folder(write(files))
    notes = {(item.path, item.why.split(" ")[0]) for item in draft.unportable()}
    assert {path for path, why in notes if why == "not"} == {"a\nb", "CON", "tail.", " ", "*"}
    assert {path for path, why in notes if why == "it"} == {"a"}
    draft.upload()
    assert tree(repository.copy(draft.finish().version)) == files


def test_holes_and_nothing(repository: Repository, tmp_path: Path) -> None:
    top = tmp_path / "tree"
    top.mkdir()
    with (top / "sparse").open("wb") as file:
        file.seek(150 * MB)
        file.write(b"end")
    for number in range(3):
        (top / f"empty{number}").touch()
    version = commit(repository, top)
    assert sum(ref.bytes for ref in repository.open(version).root.packs) < 2 * MB
    copy = repository.copy(version)
    assert (copy / "sparse").stat().st_size == 150 * MB + 3
    assert verify_folder(repository.open(version).rows, copy) == []


def _limited(size: int) -> None:
    """No file of this process may grow beyond ``size`` bytes: writing fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", ["small", "large", "huge"])
def test_no_room_for_a_pack(repository: Repository, write: Write, tmp_path: Path, name: str) -> None:
    files = {
        "small": {f"{n}": os.urandom(9000) for n in range(500)},
        "large": {f"{n}": os.urandom(2 * MB) for n in range(3)},
        "huge": {"one": os.urandom(66 * MB)},
    }[name]
    source, version = write(files), new_id()

    def work() -> str:
        draft = repository.begin(version)
        draft.add_folder(source)
        _limited(1 * MB)
        draft.upload()
        return "it was stored"

    assert in_child(work).startswith("OSError: [Errno 27]")
    assert spool(tmp_path) == []
    assert list((tmp_path / "store").rglob("*.zip")) == []
    draft = repository.begin(version)
    assert draft.pending == len(files)
    draft.upload()
    assert tree(repository.copy(draft.finish().version)) == files


def test_no_room_for_a_copy(repository: Repository, write: Write, tmp_path: Path) -> None:
    files = {"small": b"s", "large": os.urandom(3 * MB)}
    version = commit(repository, write(files))

    def work() -> str:
        _limited(1 * MB)
        repository.copy(version)
        return "it was written"

    said = in_child(work)
    assert said.startswith("OSError: [Errno 27]")
    assert "large" in said
    assert [file for file in (tmp_path / "cache/views").iterdir() if file.suffix != ".lock"] == []
    assert tree(repository.copy(version)) == files


def test_a_really_full_disk(write: Write, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system of its own needs the rights to mount one")
    try:
        repository = Repository(FolderBlobs(disk / "store"), tmp_path / "cache")
        first = commit(repository, write({"f": os.urandom(MB)}))
        source, version = write({f"{n}": os.urandom(500_000) for n in range(9)}), new_id()
        draft = repository.begin(version, [first], Policy(pack_bytes=MB))
        draft.add_folder(source)
        with pytest.raises(OSError, match="No space left"):
            draft.upload()
        stored = len(list((disk / "store/packs").rglob("*.zip")))
        assert list((disk / "store/.trialbook-tmp").iterdir()) == []
        draft.close()
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        again = repository.begin(version)
        before = {file: file.stat().st_ino for file in (disk / "store/packs").rglob("*.zip")}
        again.upload()
        again.finish()
        assert len(before) == stored
        assert all(file.stat().st_ino == number for file, number in before.items())
        assert repository.verify(version) == repository.verify(first) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_damaged_copy_is_made_anew(repository: Repository, write: Write) -> None:
    files = {f"{n % 3}/{n}": os.urandom(4000) for n in range(30)}
    version = commit(repository, write(files))
    opened = repository.open(version)
    folder = repository.copy(version)
    # Another size, or a file that is gone, is seen each time; other bytes of the same size when somebody verifies.
    (folder / "0/3").chmod(0o644)
    (folder / "0/3").write_bytes(b"short")
    assert tree(repository.copy(version)) == files
    (folder / "1/4").unlink()
    assert tree(repository.copy(version)) == files
    (folder / "2/5").chmod(0o644)
    (folder / "2/5").write_bytes(bytes(4000))
    assert [problem.name for problem in verify_folder(opened.rows, folder)] == ["2/5"]
    repository.forget_copy(opened.root_id)
    assert tree(repository.copy(version)) == files


@pytest.mark.parametrize("mark", [b"", b"{", b"[]", b'{"version": "x"}', b"\xff\xfe"])
def test_a_damaged_mark_of_a_view(repository: Repository, write: Write, mark: bytes) -> None:
    files = {"a": b"1", "b/c": b"2"}
    version = commit(repository, write(files))
    file = repository.copy(version).parent / "view.json"
    file.chmod(0o644)
    file.write_bytes(mark)
    assert tree(repository.copy(version)) == files
    assert json.loads(file.read_text())["version"] == version


def test_damaged_notes_of_a_draft(repository: Repository, write: Write, tmp_path: Path) -> None:
    files = {f"{n}": os.urandom(100_000) for n in range(9)}
    version, source = new_id(), write(files)
    draft = repository.begin(version, policy=Policy(pack_bytes=300_000))
    draft.add_folder(source)
    draft.upload()
    draft.close()
    (first, *_) = sorted((tmp_path / "cache/drafts" / version).glob("done-*.tbt"))
    first.write_bytes(first.read_bytes()[:-200])
    again = repository.begin(version)
    assert 0 < again.pending < len(files)
    again.upload()
    again.close()
    (tmp_path / "cache/drafts" / version / "draft.json").write_text("{")
    with pytest.raises(DatasetDamaged, match="add the files again"):
        repository.begin(version)
    shutil.rmtree(tmp_path / "cache/drafts" / version)
    last = repository.begin(version, policy=Policy(pack_bytes=300_000))
    last.add_folder(source)
    last.upload()
    assert tree(repository.copy(last.finish().version)) == files


def test_every_damaged_object_is_named(repository: Repository, write: Write, tmp_path: Path) -> None:
    version = commit(repository, write({"a": os.urandom(5000), "b": os.urandom(5000)}))
    store = tmp_path / "store"
    for kind in ("packs", "ranges", "roots", "versions"):
        (file,) = [file for file in (store / kind).rglob("*") if file.is_file()]
        whole = file.read_bytes()
        file.write_bytes(b"{" if kind == "versions" else whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
        name = version if kind == "versions" else file.stem
        with pytest.raises(DatasetDamaged, match=name):
            repository.copy(version)
        file.unlink()
        with pytest.raises(DatasetMissing, match=name):
            repository.copy(version)
        file.write_bytes(whole)
    assert repository.verify(version) == []
    assert len(tree(repository.copy(version))) == 2


def test_two_processes_build_one_view(repository: Repository, write: Write, tmp_path: Path) -> None:
    files = {f"{n % 9}/{n}": os.urandom(2000) for n in range(800)}
    version = commit(repository, write(files))
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                opened = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache")
                if number == 0:
                    # The first of them dies in the middle: another one takes over.
                    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()
                code = int(tree(opened.copy(version)) != files)
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes[1:] == [0, 0, 0]
    left = [file for file in (tmp_path / "cache/views").iterdir() if file.suffix != ".lock"]
    assert len(left) == 1


def test_half_made_packs_go_with_the_next_sweep(write: Write, tmp_path: Path) -> None:
    clock = [time.time()]
    repository = Repository(FolderBlobs(tmp_path / "store"), tmp_path / "cache", lambda: clock[0])
    left = tmp_path / "store/.trialbook-tmp/pack-99999-1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    version = commit(repository, write({"a": b"1"}))
    receipt = repository.delete([])
    clock[0] += GRACE + 60
    fresh = tmp_path / "store/.trialbook-tmp/pack-99999-2"
    fresh.write_bytes(b"half")
    os.utime(fresh, (clock[0], clock[0]))
    repository.sweep(receipt.id)
    assert spool(tmp_path) == [fresh]
    assert repository.verify(version) == []
