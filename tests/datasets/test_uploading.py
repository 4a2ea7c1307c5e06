"""How bytes travel: chunks, threads, retries, what is not sent again, samples for the page."""

import inspect
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.http_proxy import Fault, HttpProxy, Request
from tests.support.server import RunningServer
from trialbook import Dataset
from trialbook.datasets.sources import unchanged
from trialbook.errors import UsageError
from trialbook.sdk.dataset.progress import Progress
from trialbook.sdk.servers import connection as connections


@pytest.fixture
def proxy(server: RunningServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpProxy]:
    """Stands before the files of the server, for this process."""
    made = HttpProxy(server.url)
    monkeypatch.setenv("TRIALBOOK_FILES_HOST", server.files_url.replace(server.url, made.url))
    connections.disconnect()
    yield made
    made.close()


def own_bytes(data: Dataset) -> int:
    """Stored bytes that a version brings."""
    chunks = [
        item for item in data._opened.task.data["execution"]["artifacts"] if item["key"].startswith("data")
    ]
    return sum(int(item["content_size"]) for item in chunks)


@pytest.mark.covers("XD-22")
def test_upload_takes_eight_arguments() -> None:
    found = {name: one.default for name, one in inspect.signature(Dataset.upload).parameters.items()}
    found.pop("self")
    assert found == {
        "show_progress": True, "verbose": False, "output_url": None, "compression": None, "chunk_size": None,
        "max_workers": None, "retries": 3, "preview": True,
    }  # fmt: skip


@pytest.mark.covers("DS-37e", "DS-11l")
@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_threads(
    project: str, write: Write, workers: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {f"f{n:02}": os.urandom(700_000) for n in range(12)} | {"small": b"1"}
    readers: set[str] = set()
    add = Progress.add

    def noting(self: Progress, count: int, size: int) -> None:
        names = (thread.name for thread in threading.enumerate())
        readers.update(name for name in names if name.startswith("dataset_"))
        add(self, count, size)

    monkeypatch.setattr(Progress, "add", noting)
    data = Dataset.create("data", project)
    data.add_files(write(files))
    data.upload(max_workers=workers, chunk_size=1)
    data.finalize()
    assert 1 <= len(readers) <= workers
    assert tree(data.get_local_copy(max_workers=workers)) == files
    assert tree(data.get_mutable_local_copy(tmp_path / "mine", max_workers=workers) or "") == files


@pytest.mark.covers("DS-37e", "DS-11l", "DS-02h")
def test_no_thread_at_all_is_refused(closed: Close, project: str, write: Write, tmp_path: Path) -> None:
    data, opened = closed({"x": b"1"}), Dataset.create("open", project)
    for ask in (
        lambda: opened.add_files(write({"x": b"1"}), max_workers=0),
        lambda: opened.add_external_files("file:///etc/hostname", max_workers=0),
        lambda: opened.upload(max_workers=0),
        lambda: data.get_local_copy(max_workers=0),
        lambda: data.get_mutable_local_copy(tmp_path / "mine", max_workers=-1),
    ):
        with pytest.raises(UsageError, match="max_workers"):
            ask()
    assert opened.list_files() == []


@pytest.mark.covers("DS-02h")
def test_comparing_with_threads(
    closed: Close, project: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: set[str] = set()
    stream = unchanged.stream

    def noting(*arguments: Any) -> Any:
        readers.add(threading.current_thread().name)
        return stream(*arguments)

    monkeypatch.setattr(unchanged, "stream", noting)
    files = {f"f{n}": os.urandom(600_000) for n in range(6)}
    data = closed(files)
    for workers in (1, 4, None):
        child = Dataset.create("data", project, parent_datasets=[data])
        # Another folder: nothing is remembered of its files.
        changed = {**files, "f3": os.urandom(600_000), "new": b"1"}
        assert child.add_files(write(changed), max_workers=workers) == 1
        assert (child.list_added_files(), child.list_modified_files()) == (["new"], ["f3"])
        assert 1 <= len(readers) <= (workers or 99)
        readers.clear()


@pytest.mark.covers("DS-37f")
def test_retries(project: str, write: Write, proxy: HttpProxy) -> None:
    refuse = 2
    asked = 0

    def rule(request: Request) -> Fault | None:
        nonlocal refuse, asked
        if request.method != "PUT" or "/packs/" not in request.path:
            return None
        asked += 1
        refuse -= 1
        return Fault(400) if refuse >= 0 else None

    proxy.rule = rule
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    with pytest.raises(UsageError, match="upload failed"):
        data.upload(retries=1)
    assert data.is_dirty() and asked == 2
    refuse = 1
    with pytest.raises(UsageError, match="upload failed"):
        data.upload(retries=0)
    assert data.is_dirty() and asked == 3
    with pytest.raises(UsageError, match="wait"):
        data.finalize()
    refuse = 1
    data.upload(retries=1)
    assert not data.is_dirty() and asked == 5
    data.finalize()
    assert tree(data.get_local_copy()) == {"x": b"1"}


def test_a_download_goes_on_where_it_broke(project: str, write: Write, proxy: HttpProxy) -> None:
    files = {"large": os.urandom(6 << 20)}
    data = Dataset.create("data", project)
    data.add_files(write(files))
    data.finalize(auto_upload=True)
    spans: list[str] = []

    def rule(request: Request) -> Fault | None:
        if request.method != "GET" or "/packs/" not in request.path:
            return None
        spans.append(request.headers.get("Range", ""))
        return Fault(after=2 << 20) if len(spans) <= 2 else None

    proxy.rule = rule
    assert tree(data.get_local_copy()) == files
    starts = [int(span.removeprefix("bytes=").partition("-")[0]) for span in spans]
    assert len(starts) >= 3 and starts == sorted(starts) and starts[2] >= starts[0] + (2 << 20)


@pytest.mark.covers("DS-37b", "DS-02b", "DS-15b", "M-3", "M-2")
def test_one_file_of_ten_thousand(closed: Close, project: str, write: Write) -> None:
    files = {f"{n % 100:02}/{n:05}": b"%d" % n for n in range(10_000)}
    data = closed(files)
    child = Dataset.create("data", project, parent_datasets=[data])
    assert child.add_files(write({**files, "17/00017": b"changed"})) == 0
    child.finalize(auto_upload=True)
    assert child.list_modified_files() == ["17/00017"] and child.get_num_chunks(include_parents=False) == 1
    assert own_bytes(child) < 2000 < own_bytes(data)
    assert (Path(child.get_local_copy()) / "17/00017").read_bytes() == b"changed"
    assert (Path(data.get_local_copy()) / "17/00017").read_bytes() == b"17"
    same = Dataset.create("data", project, parent_datasets=[child])
    same.add_files(write({"17/00017": b"changed"}))
    same.upload()
    same.finalize()
    assert same.get_num_chunks(include_parents=False) == 0 and len(same.list_files()) == 10_000
    assert len(tree(same.get_local_copy())) == 10_000


@pytest.mark.covers("DS-02c", "M-5")
def test_the_same_bytes_twice(project: str, write: Write) -> None:
    content = os.urandom(300_000)
    files = {"a/one": content, "b/two": content}
    stored = {}
    for native in (True, False):
        data = Dataset.create(f"native {native}", project, native=native)
        data.add_files(write(files))
        data.finalize(auto_upload=True)
        assert tree(data.get_local_copy()) == files
        stored[native] = own_bytes(data)
    assert stored[True] < 310_000
    child = Dataset.create("native True", project, parent_datasets=[Dataset.get(
        dataset_project=project, dataset_name="native True"
    )], native=True)  # fmt: skip
    child.add_files(write({"c/three": content}))
    child.finalize(auto_upload=True)
    assert own_bytes(child) == 0 and tree(child.get_local_copy())["c/three"] == content


@pytest.mark.covers("DS-37d", "DS-37g", "DS-37i", "DI-4a")
def test_what_lies_in_the_chunks(project: str, write: Write, server: RunningServer) -> None:
    data = Dataset.create("data", project)
    data.upload()
    assert data.get_num_chunks() == 0
    data.add_files(write({"packed": b"words " * 2000}))
    data.upload()
    data.add_files(write({"plain": b"words " * 2001}))
    data.upload(compression=zipfile.ZIP_STORED)
    data.upload()
    data.finalize()
    names = sorted(item["key"] for item in data._opened.task.data["execution"]["artifacts"])
    assert names == ["data", "data_001", "manifest", "state"]
    kinds = {}
    for pack in server.data.glob(f"files/**/packs/{data.id}/*.zip"):
        with zipfile.ZipFile(pack) as found:
            kinds.update(
                {one.filename: one.compress_type for one in found.infolist() if "/" not in one.filename}
            )
    assert (kinds["packed"], kinds["plain"]) == (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)


def samples(server: RunningServer, data: Dataset) -> tuple[list[str], list[str]]:
    """Tables and other samples on the page of a version."""
    assert data.get_logger().flush(wait=True)
    plots = server.call("events.get_task_plots", task=data.id)["plots"]
    shown = server.call("events.debug_images", metrics=[{"task": data.id}], iters=5)["metrics"]
    media = [event["variant"] for one in shown for part in one["iterations"] for event in part["events"]]
    return sorted(plot["variant"] for plot in plots), sorted(media)


@pytest.mark.covers("DS-37h", "DI-7")
def test_samples(project: str, write: Write, server: RunningServer) -> None:
    from PIL import Image

    top = write({f"t{n:02}.csv": b"a,b\n1,2\n" for n in range(12)} | {"large.csv": b"a,b\n" * 900_000})
    for number in range(12):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(top / f"p{number:02}.png")
    (top / "sound.wav").write_bytes(b"RIFF" + bytes(100))
    (top / "page.html").write_text("<p>words</p>")
    (top / "facts.json").write_text('{"a": 1}')
    data = Dataset.create("data", project)
    data.add_files(top)
    data.upload()
    tables, media = samples(server, data)
    # Taken evenly from all twelve.
    spread = [f"{number:02}" for number in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)]
    assert tables == [f"t{number}.csv" for number in spread]
    assert media == ["facts.json", *(f"p{number}.png" for number in spread), "page.html", "sound.wav"]
    silent = Dataset.create("silent", project)
    silent.add_files(top)
    silent.upload(preview=False)
    assert samples(server, silent) == ([], [])


@pytest.mark.covers("DI-7")
def test_samples_of_parquet(
    project: str, write: Write, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    top = write({})
    frame = pandas.DataFrame({"text": [f"row {n}" for n in range(50)], "number": range(50)})
    frame.to_parquet(top / "rows.parquet")
    (top / "broken.parquet").write_bytes(b"PAR1 no more")
    data = Dataset.create("data", project)
    data.add_files(top)
    data.upload()
    assert samples(server, data)[0] == ["rows.parquet"]
    (plot,) = server.call("events.get_task_plots", task=data.id)["plots"]
    assert "row 19" in plot["plot_str"] and "row 20" not in plot["plot_str"] and "number" in plot["plot_str"]
    # As on a host without the library.
    monkeypatch.setattr("trialbook.sdk.dataset.previews.find_spec", lambda _: None)
    other = Dataset.create("other", project)
    other.add_files(top)
    other.upload()
    assert samples(server, other)[0] == []
    said: Any = server.call("events.get_task_log", task=other.id)["events"]
    assert any("pip install pyarrow" in event["msg"] for event in said)
