"""Models that joblib writes and reads."""

from pathlib import Path

import joblib
import pytest

from tests.catalogue.conftest import Begin, again


@pytest.mark.covers("IA-14")
@pytest.mark.parametrize(
    ("wish", "kept"),
    [
        ("*.pkl", ["net", "other"]),
        (["best*", "deep/*"], ["best", "other"]),
        ("./deep/*.pkl", ["other"]),
        ([], []),
        (True, ["best", "net", "other"]),
        (False, []),
    ],
)
def test_files_by_wildcard(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: object, kept: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    joblib.dump(0, "first.bin")
    joblib.dump(0, "first.pkl")
    before = joblib.dump
    task = begin(auto_connect_frameworks={"joblib": wish, "detect_repository": False})
    for name in ("net.pkl", "best.bin", Path("deep/other.pkl")):
        joblib.dump({"name": str(name)}, name)
    for name in ("first.bin", "first.pkl"):
        joblib.load(name)
    task.close()
    assert joblib.dump is before
    found = again(task)
    assert sorted(found.models.output.keys()) == kept
    read = {model.url.rpartition("/")[2] for model in found.models.input}
    assert read == {
        "*.pkl": {"first.pkl"},
        "True": {"first.bin", "first.pkl"},
    }.get(str(wish), set())


def test_two_formats_in_one_folder_are_two_models_with_names_that_tell_them_apart(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    task = begin(auto_connect_frameworks={"joblib": True, "detect_repository": False})
    for name in ("net.pkl", "net.bin", "deep/net.pkl", "net.pkl", "net.bin"):
        joblib.dump({"name": name}, name)
    task.close()
    found = again(task).models.output
    assert [(slot, found[slot].name) for slot in found.keys()] == [  # noqa: SIM118
        (slot, f"{task.name} - {slot}") for slot in ("net", "net.bin", "deep/net")
    ]
    assert [model.url.rpartition("/")[2] for model in found] == ["net.pkl", "net.bin", "net.pkl"]
