"""Artifacts: what is stored for which object, and what comes back."""

import hashlib
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from PIL import Image

from tests.catalogue.conftest import Begin, again
from tests.support.server import RunningServer
from trialbook import Task
from trialbook.client import settings as settings_module
from trialbook.errors import ConfigurationError, FileMissing, TrialbookError, UsageError


def stored(server: RunningServer, url: str) -> bytes:
    """The file behind an address of the files server."""
    reply = server.ask(url.removeprefix(server.url).lstrip("/"), verb="GET", body=b" ")
    assert reply.status == 200, url
    return reply.data


@pytest.mark.covers("TK-003", "AO-4")
def test_the_artifacts_of_a_task(task: Task) -> None:
    other = Task.get_task(task.id)
    assert other is not None and other.artifacts == {}
    task.upload_artifact("x", {"k": 1})
    assert "x" in task.artifacts and task.artifacts["x"].get() == {"k": 1}, "known at once to this process"
    task.flush(wait_for_uploads=True)
    other.reload()
    assert list(other.artifacts) == ["x"] and other.artifacts["x"].get() == {"k": 1}
    with pytest.raises(KeyError, match="no artifact 'y'; there are"):
        other.artifacts["y"]
    with pytest.raises(UsageError, match="read-only"):
        other.artifacts["x"] = 1  # type: ignore[index]
    with pytest.raises(UsageError, match="read-only"):
        del other.artifacts["x"]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        other.artifacts = {}  # type: ignore[misc, assignment]


@pytest.mark.covers("TK-102", "AR-1", "AR-18", "AR-19", "AO-1")
def test_a_file(task: Task, tmp_path: Path, sdk: RunningServer) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(b"\0\1" * 1000)
    assert task.upload_artifact("file", file, metadata={"k": 1, "pi": 3.5}) is True
    file.write_bytes(b"overwritten at once")
    artifact = again(task).artifacts["file"]
    assert Path(artifact.get()).read_bytes() == b"\0\1" * 1000
    assert (artifact.name, artifact.size, artifact.type, artifact.mode) == ("file", 2000, "custom", "output")
    assert artifact.hash == hashlib.sha256(b"\0\1" * 1000).hexdigest()
    assert artifact.metadata == {"k": "1", "pi": "3.5"} and "data.bin" in artifact.preview
    assert abs(artifact.timestamp.timestamp() - __import__("time").time()) < 300
    assert stored(sdk, artifact.url) == b"\0\1" * 1000, "on the files server without a destination"
    assert task.upload_artifact("as text", str(tmp_path / "data.bin"))
    with pytest.raises(UsageError, match="there is no file"):
        task.upload_artifact("no", tmp_path / "missing")
    with pytest.raises(UsageError, match="name"):
        task.upload_artifact("", {})


@pytest.mark.covers("AR-2", "AR-3", "AR-11", "AO-3")
def test_folders_wildcards_and_lists(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.csv").write_text("1")
    (folder / "b.csv").write_text("2")
    (folder / "c.txt").write_text("3")
    empty = tmp_path / "empty"
    empty.mkdir()
    task.upload_artifact("folder", folder)
    task.upload_artifact("wild", str(folder / "*.csv"))
    task.upload_artifact("list", [folder / "b.csv", str(folder / "c.txt")])
    task.upload_artifact("empty", str(empty))
    task.upload_artifact("mixed", [folder / "b.csv", 5])
    found = again(task).artifacts
    assert found["folder"].type == "archive" and found["folder"].url.endswith(".zip")
    files = {str(p.relative_to(found["folder"].get())) for p in found["folder"].get().rglob("*.*")}
    assert files == {"deep/a.csv", "b.csv", "c.txt"}
    assert {p.name for p in found["wild"].get().iterdir()} == {"b.csv"}
    assert {p.name for p in found["list"].get().iterdir()} == {"b.csv", "c.txt"}
    assert list(found["empty"].get().iterdir()) == []
    assert found["mixed"].get() == [folder / "b.csv", 5]
    packed = found["folder"].get_local_copy(extract_archive=False)
    assert packed is not None and packed.endswith(".zip")
    assert Path(str(found["folder"].get_local_copy())).is_dir()
    # A text that names nothing is a text.
    task.upload_artifact("none", str(folder / "*.nothing"))
    assert task.artifacts["none"].type == "string"


class Thing:
    """An object without a format of its own."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.covers("TK-102", "AR-4", "AR-5", "AR-6", "AR-7", "AR-9", "AR-10", "AO-2")
def test_objects_come_back_as_they_were(task: Task) -> None:
    from PIL import Image

    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}, index=["p", "q"])
    levels = frame.set_index("x", append=True)
    array = numpy.arange(6, dtype="float32").reshape(2, 3)
    image = Image.new("RGBA", (5, 3), (1, 2, 3, 4))
    given: dict[str, tuple[Any, str, str]] = {
        "dict": ({"b": [1, {"n": None}], "a": 1}, "dict", ".json"),
        "odd dict": ({1: {2, 3}}, "pickle", ".pkl"),
        "frame": (frame, "pandas", ".csv.gz"),
        "levels": (levels, "pickle", ".pkl"),
        "array": (array, "numpy", ".npz"),
        "objects": (numpy.array([{1}, None], dtype=object), "pickle", ".pkl"),
        "image": (image, "image", ".png"),
        "text": ("no such file\nsecond line", "string", ".txt"),
        "set": ({1, 2, 3}, "pickle", ".pkl"),
        "thing": (Thing(7), "pickle", ".pkl"),
        "number": (5, "pickle", ".pkl"),
    }
    for name, (value, _, _) in given.items():
        task.upload_artifact(name, value)
    found = again(task).artifacts
    for name, (_, kind, suffix) in given.items():
        assert found[name].type == kind and found[name].url.endswith(suffix), name
        assert found[name].preview
    for name in ("dict", "odd dict", "text", "set", "thing", "number"):
        assert found[name].get() == given[name][0], name
    pandas.testing.assert_frame_equal(found["frame"].get(), frame)
    pandas.testing.assert_frame_equal(found["levels"].get(), levels)
    loaded = found["array"].get()
    assert loaded.dtype == array.dtype and numpy.array_equal(loaded, array)
    assert found["objects"].get().tolist() == [{1}, None]
    picture = found["image"].get()
    assert (picture.size, picture.mode) == (image.size, image.mode) and picture.getpixel((0, 0)) == (
        1,
        2,
        3,
        4,
    )
    with pytest.raises(UsageError, match="auto_pickle=True"):
        task.upload_artifact("no", object(), auto_pickle=False)
    with pytest.raises(UsageError, match="cannot be pickled"):
        task.upload_artifact("no", threading.Lock())


@pytest.mark.covers("AR-8")
def test_an_address_is_recorded(task: Task, tmp_path: Path, sdk: RunningServer) -> None:
    task.upload_artifact("source", {"k": 1}, wait_on_upload=True)
    url = task.artifacts["source"].url
    task.upload_artifact("link", url)
    artifact = again(task).artifacts["link"]
    assert artifact.url == url and artifact.hash is None
    assert Path(artifact.get()).read_text().strip().startswith("{")


@pytest.mark.covers("AR-12", "TK-070")
def test_the_same_name_again(task: Task) -> None:
    pandas = pytest.importorskip("pandas")
    for number in range(3):
        task.upload_artifact("x", {"n": number})
    found = again(task).artifacts
    assert list(found) == ["x"] and found["x"].get() == {"n": 2}
    task.register_artifact("table", pandas.DataFrame({"a": [1]}))
    with pytest.raises(UsageError, match="registered"):
        task.upload_artifact("table", {"n": 1})


@pytest.mark.covers("AR-13", "AR-14")
def test_metadata_and_previews(task: Task) -> None:
    task.upload_artifact("own", {"a": 1}, preview="as I want it")
    task.upload_artifact("long", {"a": 1}, preview="x" * 200_000)
    task.upload_artifact("default", {"a": 1})
    found = again(task).artifacts
    assert found["own"].preview == "as I want it" and found["own"].metadata == {}
    assert len(found["long"].preview) == 65_536
    assert '"a": 1' in found["default"].preview


@pytest.mark.covers("AR-15", "AR-16")
def test_waiting_and_deleting(task: Task, tmp_path: Path) -> None:
    file = tmp_path / "f.txt"
    file.write_text("content")
    assert task.upload_artifact("f", file, delete_after_upload=True, wait_on_upload=True) is True
    assert not file.exists()
    other = Task.get_task(task.id)
    assert other is not None and Path(other.artifacts["f"].get()).read_text() == "content"


@pytest.mark.covers("AR-16", "AR-17")
def test_an_upload_that_fails(begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = begin(output_uri=str(tmp_path / "out"))
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("a file stands where the folder was")
    source = tmp_path / "kept.txt"
    source.write_text("content")
    assert task.upload_artifact("f", source, delete_after_upload=True, wait_on_upload=True) is False
    assert source.exists(), "only what has arrived is deleted"
    assert "f" not in task.artifacts and "was not stored" in capsys.readouterr().out
    assert task.flush()
    assert "f" not in Task.get_task(task.id).artifacts  # type: ignore[union-attr]


@pytest.mark.covers("AO-2")
def test_pickles_are_checked(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = begin(output_uri=str(tmp_path / "out"))
    task.upload_artifact("p", {1, 2}, wait_on_upload=True)
    task.upload_artifact("d", {"a": 1}, wait_on_upload=True)
    artifact = again(task).artifacts["p"]
    with pytest.raises(ConfigurationError, match="pickles are blocked"):
        artifact.get(block_unsafe_artifacts=True)
    monkeypatch.setenv("TRIALBOOK_BLOCK_PICKLED_ARTIFACTS", "1")
    with pytest.raises(ConfigurationError):
        artifact.get()
    assert again(task).artifacts["d"].get() == {"a": 1}
    monkeypatch.delenv("TRIALBOOK_BLOCK_PICKLED_ARTIFACTS")
    assert not settings_module.load().block_pickles
    assert artifact.get(deserialization_function=len) == len(Path(artifact.url).read_bytes())
    Path(artifact.url).write_bytes(pickle.dumps({"changed"}))
    changed = again(task).artifacts["p"].get(force_download=True)
    assert isinstance(changed, Path) and "was changed" in caplog.text
    assert artifact.get() == changed or artifact.get() == {1, 2}


@pytest.mark.covers("AO-2", "AO-3")
def test_memory_cache_and_failure(task: Task, sdk: RunningServer) -> None:
    task.upload_artifact("x", {"k": [1]}, wait_on_upload=True)
    artifact = again(task).artifacts["x"]
    first = artifact.get()
    assert artifact.get() is first and artifact.get(force_download=True) is not first
    sdk.ask(artifact.url.removeprefix(sdk.url).lstrip("/"), verb="DELETE", body=b" ")
    gone = again(task).artifacts["x"]
    assert gone.get_local_copy(force_download=True) is None
    with pytest.raises((FileMissing, TrialbookError)):
        gone.get_local_copy(raise_on_error=True, force_download=True)


@pytest.mark.covers("TK-048", "TK-070", "TK-097")
def test_registered_tables(task: Task, capsys: pytest.CaptureFixture[str]) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2, 2], "b": ["x", "y", "y"]})
    task.register_artifact("table", frame, metadata={"why": "test"}, uniqueness_columns=["b"])
    assert task.get_registered_artifacts()["table"] is frame and "table" in task.artifacts
    first = again(task).artifacts["table"]
    assert "3 rows" in first.preview and "2 unique" in first.preview and first.metadata == {"why": "test"}
    task.flush()
    assert again(task).artifacts["table"].timestamp == first.timestamp, "unchanged, so not stored again"
    frame.loc[3] = [9, "z"]
    pandas.testing.assert_frame_equal(again(task).artifacts["table"].get(), frame)
    task.register_artifact("table", frame.head(1))
    assert len(again(task).artifacts["table"].get()) == 1
    task.unregister_artifact("table")
    assert "table" in again(task).artifacts and task.get_registered_artifacts() == {}
    task.unregister_artifact("table")
    assert "no artifact 'table' is registered" in capsys.readouterr().out
    with pytest.raises(UsageError, match="DataFrame"):
        task.register_artifact("x", [1])
    with pytest.raises(UsageError, match="uniqueness_columns"):
        task.register_artifact("x", frame, uniqueness_columns="b")


@pytest.mark.covers("TK-076")
@pytest.mark.parametrize("runs", [True, False])
def test_T23_the_record_is_merged_by_name(task: Task, draft: Task, runs: bool) -> None:
    given = task if runs else draft
    given.upload_artifact("one", {"a": 1}, wait_on_upload=True)
    given.upload_artifact("two", {"b": 2}, wait_on_upload=True)
    for nothing in (None, [], ()):
        kept = given.set_artifacts(nothing)
        assert kept is not None and [artifact.name for artifact in kept] == ["one", "two"]
    assert [artifact.name for artifact in given.set_artifacts() or []] == ["one", "two"]
    given.set_artifacts([given.artifacts["two"]])
    given.set_artifacts(
        [{"key": "three", "uri": "https://example.com/3"}, {"key": "one", "uri": "file:///1"}]
    )
    found = again(given).artifacts
    assert sorted(found) == sorted(given.artifacts) == ["one", "three", "two"]
    assert found["one"].url == "file:///1" and found["two"].get() == {"b": 2}
    for wrong in ("one", 3, [3], [{"uri": "file:///1"}], {"key": "one"}):
        with pytest.raises(UsageError, match=r"artifacts_list (takes|must be) a list"):
            given.set_artifacts(wrong)  # type: ignore[arg-type]
    assert sorted(again(given).artifacts) == ["one", "three", "two"]


@pytest.mark.covers("TI-14")
def test_deleting_artifacts(task: Task, sdk: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two", "three"):
        task.upload_artifact(name, {"a": 1}, wait_on_upload=True)
    urls = {name: task.artifacts[name].url for name in ("one", "two", "three")}
    assert task.delete_artifacts(["one"]) and task.delete_artifacts(["two"], delete_from_storage=False)
    assert list(task.artifacts) == ["three"] == list(again(task).artifacts)

    def status(name: str) -> int:
        return sdk.ask(urls[name].removeprefix(sdk.url).lstrip("/"), verb="GET", body=b" ").status

    assert (status("one"), status("two")) == (404, 200)
    with pytest.raises(UsageError, match="no artifact none"):
        task.delete_artifacts(["none"])
    assert task.delete_artifacts(["none"], raise_on_errors=False) is False
    assert "not deleted" in capsys.readouterr().out


TEXTS = [
    "How are you?",
    "[1, 2, 3]",
    "2 * 3",
    "*",
    "**",
    "/**",
    "**a",
    "a/**b",
    "~nobody-of-this-name/x",
    "~",
    "s3: fast",
    "http:",
    "https://",
    "see http://host/page for more",
    "http://[bad",
    "file\0name",
    "x" * 300,
    "y/" * 3000,
    "no/such/file.csv",
    "data/*.csv",
    "",
    " ",
    "C:\\data",
    "\ud800",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_T7_a_text_is_a_text(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Unless it names what exists, or is an address."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert task.upload_artifact("text", text, wait_on_upload=True)
    assert task.artifacts["text"].type == "string" and task.artifacts["text"].get() == text


@pytest.mark.parametrize("address", ["s3://bucket/key", "https://host/file.csv", "gs://bucket/a%20b"])
def test_T7_an_address_is_recorded_as_it_is(task: Task, address: str) -> None:
    assert task.upload_artifact("file", address) and task.artifacts["file"].url == address


def test_T7_what_exists_is_a_path(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd [1].txt").write_text("odd")
    Path("many").mkdir()
    for name in "ab":
        Path("many", f"{name}.txt").write_text(name)
    for key, value in {"odd": "odd [1].txt", "folder": "many", "wildcard": "many/*.txt"}.items():
        assert task.upload_artifact(key, value, wait_on_upload=True)
    assert Path(task.artifacts["odd"].get()).read_text() == "odd"
    assert task.artifacts["folder"].type == task.artifacts["wildcard"].type == "archive"
    with pytest.raises(UsageError, match="there is no file"):
        task.upload_artifact("gone", Path("gone.txt"))


def test_T36_folders_and_registered_tables_are_named_as_the_reference_does(
    begin: Begin, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    task = begin()
    folder = tmp_path / "local folder"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.txt").write_text("a")
    task.upload_artifact("one", folder)
    task.upload_artifact("two", str(folder / "below" / "*.txt"))
    task.upload_artifact("three of them", [folder / "below" / "a.txt"])
    task.register_artifact("table", pandas.DataFrame({"a": [1, 2]}))
    config = tmp_path / "config.yaml"
    config.write_text("a: 1")
    plain = tmp_path / "plain"
    plain.write_text("a")
    task.connect_configuration(config, name="said", description="why it is so")
    task.connect_configuration(config, name="unsaid")
    task.connect_configuration(plain, name="plain")
    found = again(task)
    copies = {name: found.artifacts[name].get_local_copy(extract_archive=False) for name in found.artifacts}
    names = {name: Path(copy or "").name for name, copy in copies.items()}
    assert names["one"] == "local folder.zip" and names["two"] == "below.zip"
    assert names["three of them"] == "three of them.zip"
    assert found.artifacts["one"].url.endswith("/local%20folder.zip")
    assert found.artifacts["table"].type == "data-audit-table"
    assert found.artifacts["table"].get().equals(pandas.DataFrame({"a": [1, 2]}))
    stored = found.export_task()["configuration"]
    described = {name: (stored[name]["description"], stored[name]["type"]) for name in stored}
    assert described == {"said": ("why it is so", "yaml"), "unsaid": ("", "yaml"), "plain": ("", "file")}


def test_T8_a_table_comes_back_as_it_was(task: Task) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "code": ["01234", "1", None],
            "day": pandas.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "kind": pandas.Categorical(["a", None, "b"], categories=["b", "a"]),
            "count": pandas.array([2**60 + 1, None, 0], dtype="Int64"),
        },
        index=pandas.Index(["007", "1", "2"], name="id"),
    )
    assert task.upload_artifact("table", frame, wait_on_upload=True)
    found = again(task).artifacts["table"]
    assert found.type == "pandas" and found.url.endswith(".csv.gz")
    pandas.testing.assert_frame_equal(found.get(), frame)
    odd = pandas.DataFrame({"v": [object, {1: Path("x")}]})
    task.upload_artifact("odd", odd)
    found = again(task).artifacts["odd"]
    assert found.type == "pickle", "what a CSV cannot give back"
    pandas.testing.assert_frame_equal(found.get(), odd)
    assert task.upload_artifact("plain", odd, auto_pickle=False, wait_on_upload=True)
    assert again(task).artifacts["plain"].type == "pandas"
    task.register_artifact("followed", frame)
    pandas.testing.assert_frame_equal(again(task).artifacts["followed"].get(), frame)
    levels = frame.set_index("day", append=True)
    task.register_artifact("levels", levels)
    pandas.testing.assert_frame_equal(again(task).artifacts["levels"].get(), levels)


FRAME = pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
CHOSEN: list[tuple[Any, str, str]] = [
    ({"b": 1, "ü": [None, 2.5]}, ".yaml", "dict"),
    ({"a": 1}, ".json", "dict"),
    (FRAME, ".csv.gz", "pandas"),
    (FRAME, ".parquet", "pandas"),
    (FRAME, ".feather", "pandas"),
    (FRAME, ".pickle", "pandas"),
    (numpy.arange(6.0).reshape(2, 3), ".csv.gz", "numpy"),
    (numpy.arange(3), ".npz", "numpy"),
    (Image.new("RGB", (2, 2), "red"), ".bmp", "image"),
    ({"a": 1}, ".pkl", "pickle"),
    ([1, (2,)], ".pkl", "pickle"),
]


@pytest.mark.parametrize(("value", "extension", "kind"), CHOSEN, ids=[f"{k}{e}" for _, e, k in CHOSEN])
def test_a_format_by_the_ending_of_its_file(task: Task, value: Any, extension: str, kind: str) -> None:
    if extension in (".parquet", ".feather"):
        pytest.importorskip("pyarrow")
    if extension == ".yaml":
        pytest.importorskip("yaml")
    assert task.upload_artifact("x", value, extension_name=extension, wait_on_upload=True)
    found = again(task).artifacts["x"]
    assert found.type == kind and found.url.endswith(f"/x{extension}")
    answer = found.get()
    if kind == "pandas":
        pandas.testing.assert_frame_equal(answer, value)
    elif kind == "numpy":
        assert (answer == value).all()
    elif kind == "image":
        assert answer.tobytes() == value.tobytes()
    else:
        assert answer == value
    if extension == ".pickle":
        with pytest.raises(ConfigurationError, match="pickles are blocked"):
            again(task).artifacts["x"].get(block_unsafe_artifacts=True)


@pytest.mark.parametrize(
    ("value", "extension", "usual"),
    [({"a": 1}, ".zip", ".json"), ({"a": (1, {2})}, ".yaml", ".pkl"), (FRAME, ".txt", ".csv.gz")],
)
def test_a_format_that_does_not_fit_is_said(
    task: Task, value: Any, extension: str, usual: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert task.upload_artifact("x", value, extension_name=extension, wait_on_upload=True)
    assert f"as {extension}" in caplog.text
    assert again(task).artifacts["x"].url.endswith(f"/x{usual}")


def test_a_format_of_the_program(task: Task) -> None:
    assert task.upload_artifact(
        "x", 5, extension_name=".num", serialization_function=lambda n: b"<%d>" % n, wait_on_upload=True
    )
    found = again(task).artifacts["x"]
    assert found.url.endswith("/x.num")
    assert found.get(deserialization_function=lambda data: int(data[1:-1])) == 5
    with pytest.raises(UsageError, match="makes bytes"):
        task.upload_artifact("y", 5, serialization_function=str)  # type: ignore[arg-type]
    assert task.upload_artifact("z", {"b": 1, "a": 2}, sort_keys=False, wait_on_upload=True)
    assert list(again(task).artifacts["z"].get()) == ["b", "a"]


def test_a_wildcard_of_all_below(task: Task, tmp_path: Path) -> None:
    for name in ("a", "sub/b", "sub/deep/c"):
        (tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / name).write_text(name)
    assert task.upload_artifact("x", f"{tmp_path}/top/**", wait_on_upload=True)
    copy = Path(str(again(task).artifacts["x"].get()))
    assert sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()) == [
        "a", "sub/b", "sub/deep/c",
    ]  # fmt: skip
