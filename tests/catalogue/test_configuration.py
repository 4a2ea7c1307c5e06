"""Configuration objects, labels, the model configuration, the container."""

from pathlib import Path

import pytest

from tests.catalogue.conftest import Begin, again
from trialbook import OutputModel, Task
from trialbook.errors import UsageError
from trialbook.sdk.servers import connection as connections


@pytest.mark.covers("TK-009")
def test_a_dict_as_one_text(task: Task) -> None:
    values = task.connect_configuration({"a": 1, "b": {"c": [1, 2], "d.e": None}}, name="net")
    values["b"]["x"] = 'text with "quotes" and ${braces}'
    task.connect_configuration({"other": True}, description="what it is for")
    found = again(task)
    expected = {"a": 1, "b": {"c": [1, 2], "d.e": None, "x": 'text with "quotes" and ${braces}'}}
    assert found.get_configuration_object_as_dict("net") == expected
    assert found.get_configuration_object("net").startswith("a = 1\n")  # type: ignore[union-attr]
    assert set(found.get_configuration_objects()) == {"net", "General"}
    assert found.data.configuration["General"]["description"] == "what it is for"


@pytest.mark.covers("TK-009")
def test_a_file_byte_by_byte(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes("größe: 1  # comment\r\n\tx: 2".encode())
    assert task.connect_configuration(path, name="as path") == path
    given = str(path)
    assert task.connect_configuration(given, name="as text") is given
    found = again(task)
    for name in ("as path", "as text"):
        assert found.get_configuration_object(name) == "größe: 1  # comment\r\n\tx: 2"
    missing = tmp_path / "missing.yaml"
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for wrong in (missing, binary, tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            task.connect_configuration(wrong)
    for wrong_type in (5, None, (1,)):
        with pytest.raises(UsageError, match="a dict, a list or a path"):
            task.connect_configuration(wrong_type)


@pytest.mark.covers("TK-009", "TK-010")
def test_an_agent_gets_what_is_stored(begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"lr": 1}')
    task = begin()
    task.connect_configuration(path, name="file")
    task.connect_configuration({"a": 1}, name="dict")
    task.connect_label_enumeration({"cat": 0})
    task.close()
    copy = Task.clone(task)
    copy.set_configuration_object("file", '{"lr": 2}')
    copy.set_configuration_object("dict", "a = 5, b { c = 7 }")
    copy.set_model_label_enumeration({"dog": 1})
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    stored = remote.connect_configuration(path, name="file")
    assert isinstance(stored, Path) and stored != path and stored.suffix == ".json"
    assert stored.read_text() == '{"lr": 2}' and path.read_text() == '{"lr": 1}'
    assert remote.connect_configuration({"a": 1}, name="dict") == {"a": 5, "b": {"c": 7}}
    assert remote.connect_label_enumeration({"cat": 0}) == {"dog": 1}
    assert remote.connect_configuration({"x": 1}, name="absent") == {"x": 1}
    assert any("absent" in record.message for record in caplog.records)
    assert again(remote).get_configuration_object_as_dict("absent") == {"x": 1}


@pytest.mark.covers("TK-009", "TK-010", "TK-084", "MD-2")
def test_models_made_later_carry_configuration_and_labels(task: Task) -> None:
    task.connect_configuration({"layers": 3})
    assert task.connect_label_enumeration({"cat": 0, "dog": 1}) == {"cat": 0, "dog": 1}
    model = OutputModel(task, name="net")
    model.update_weights(register_uri="http://example.org/x.pt")
    found = again(task).models.output[0]
    assert found.config_dict == {"layers": 3} and found.labels == {"cat": 0, "dog": 1}
    assert found.config_text == "layers = 3"
    task.set_model_label_enumeration(None)
    assert again(task).get_labels_enumeration() == {}


@pytest.mark.covers("TK-010", "TK-031", "TK-084")
def test_labels_that_are_none(draft: Task) -> None:
    assert draft.get_labels_enumeration() == {}
    for wrong in ([1], {"a": "b"}, {1: 1}, {"a": 1.5}, {"a": True}):
        with pytest.raises(UsageError, match="names to integers"):
            draft.connect_label_enumeration(wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="names to integers"):
            draft.set_model_label_enumeration(wrong)  # type: ignore[arg-type]


@pytest.mark.covers("TK-030", "TK-039")
def test_numbers_of_classes(draft: Task, caplog: pytest.LogCaptureFixture) -> None:
    assert draft.get_num_of_classes() == 0 and draft.get_label_num_description() == {}
    draft.set_model_label_enumeration({"bg": 0, "person": 1, "human": 1})
    assert draft.get_num_of_classes() == 2
    assert draft.get_label_num_description() == {0: "bg", 1: "person, human"}
    assert not caplog.records
    draft.set_model_label_enumeration({"bg": 0, "far": 5})
    assert draft.get_num_of_classes() == 6
    assert "leave out 4" in caplog.text


@pytest.mark.covers("TK-027", "TK-028", "TK-079", "TI-18")
def test_texts_under_names(draft: Task) -> None:
    assert draft.get_configuration_objects() == {} and draft.get_configuration_object("none") is None
    draft.set_configuration_object("one", "free text\n", description="d", config_type="txt")
    draft.set_configuration_object("two", config_dict={"a": {"b": 1}})
    other = Task.get_task(draft.id)
    assert other is not None
    assert other.get_configuration_objects() == {"one": "free text\n", "two": "a {\n  b = 1\n}"}
    assert other.get_configuration_object_as_dict("two") == {"a": {"b": 1}}
    assert other.get_configuration_object_as_dict("none") is None
    item = other.data.configuration["one"]
    assert (item["description"], item["type"]) == ("d", "txt")
    draft.set_configuration_object("one", "edited")
    assert other.get_configuration_object("one") == "edited", "an edit made elsewhere is seen"
    assert other.get_configuration_object("two") is not None
    for wrong in ({}, {"config_text": "x", "config_dict": {}}):
        with pytest.raises(UsageError, match="either config_text or config_dict"):
            draft.set_configuration_object("x", **wrong)  # type: ignore[arg-type]


@pytest.mark.covers("TK-035", "TK-036", "TK-037", "TK-083")
def test_the_model_configuration(draft: Task) -> None:
    assert draft.get_model_design() == "" == draft.get_model_config_text()
    assert draft.get_model_config_dict() == {}
    draft.set_model_config(config_dict={"layers": 3})
    found = again(draft)
    assert found.get_model_config_dict() == {"layers": 3}
    assert found.get_model_config_text() == "layers = 3" == found.get_model_design()
    draft.set_model_config("prototxt {")
    assert again(draft).get_model_design() == "prototxt {" and again(draft).get_model_config_dict() == {}
    for wrong in ({}, {"config_text": "x", "config_dict": {}}):
        with pytest.raises(UsageError):
            draft.set_model_config(**wrong)  # type: ignore[arg-type]


@pytest.mark.covers("TK-074", "TK-098")
def test_the_model_configuration_as_a_file(draft: Task, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model configuration"):
        draft.save_exec_model_design_file()
    file = tmp_path / "net.txt"
    file.write_text("first")
    draft.update_model_desc(str(file))
    path = Path(draft.save_exec_model_design_file())
    assert path == draft.cache_dir / "model_design.txt" and path.read_text() == "first"
    file.write_text("second")
    draft.update_model_desc(str(file))
    assert Path(draft.save_exec_model_design_file(use_cache=True)).read_text() == "first"
    assert Path(draft.save_exec_model_design_file()).read_text() == "second"
    assert again(draft).get_model_design() == "second"
    with pytest.raises(OSError, match="missing"):
        draft.update_model_desc(str(tmp_path / "missing"))


@pytest.mark.covers("TK-026", "TK-077")
def test_the_container(begin: Begin, draft: Task) -> None:
    assert draft.get_base_docker() is None
    draft.set_base_docker("python:3.12", "--ipc=host", ["apt-get update", "apt-get install -y git"])
    found = again(draft)
    assert found.get_base_docker() == "python:3.12 --ipc=host"
    assert found.data.container.setup_shell_script == "apt-get update\napt-get install -y git"
    draft.set_base_docker("image -v a:b", docker_arguments=["-e", "X=1"], docker_setup_bash_script="echo")
    assert again(draft).data.container == {
        "image": "image",
        "arguments": "-v a:b -e X=1",
        "setup_shell_script": "echo",
    }
    Task.debug_simulate_remote_task(draft.id)
    task = begin()
    task.set_base_docker("other")
    assert again(task).get_base_docker() == "image -v a:b -e X=1"
    elsewhere = Task.create("Catalogue", "elsewhere")
    elsewhere.set_base_docker("other")
    assert again(elsewhere).get_base_docker() == "other", "only the run of the agent is left alone"


@pytest.mark.covers("TK-080")
def test_credentials(
    project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known = connections.connect().settings
    for name in ("API_HOST", "WEB_HOST", "FILES_HOST", "API_ACCESS_KEY", "API_SECRET_KEY"):
        monkeypatch.delenv(f"TRIALBOOK_{name}")
        monkeypatch.delenv(f"CLEARML_{name}", raising=False)
    keys = known.credentials
    monkeypatch.setenv("HOME", str(tmp_path))
    Task.set_credentials(known.api_host, known.web_host, known.files_host, keys.access_key, keys.secret_key)
    assert Task.create(project, "made with it").id
    file = tmp_path / "trialbook.conf"
    assert not file.exists()
    Task.set_credentials(known.api_host, key="KEY", secret="SECRET", store_conf_file=True)
    stored = file.read_text()
    assert known.api_host in stored and "SECRET" in stored and file.stat().st_mode & 0o077 == 0
    Task.set_credentials("http://elsewhere:1", key="OTHER", secret="X", store_conf_file=True)
    assert file.read_text() == stored
    assert "no effect" in caplog.text and "no configuration file was written" in caplog.text
    file.unlink()
    monkeypatch.setenv("TRIALBOOK_TASK_ID", "0" * 32)
    Task.set_credentials(known.api_host, key="KEY", secret="SECRET", store_conf_file=True)
    assert not file.exists(), "an agent's host keeps its own"
    monkeypatch.delenv("TRIALBOOK_TASK_ID")
    Task.set_credentials(known.api_host, known.web_host, known.files_host, keys.access_key, keys.secret_key)


@pytest.mark.covers("TK-080")
def test_credentials_come_first(task: Task) -> None:
    with pytest.raises(UsageError, match=r"before Task\.init"):
        Task.set_credentials("http://elsewhere:1")


@pytest.mark.covers("BAD")
def test_a_broken_configuration_file(project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialbook.errors import ConfigurationError

    file = tmp_path / "broken.conf"
    file.write_text("api {\n  api_server: [1, \n")
    monkeypatch.setenv("TRIALBOOK_CONFIG_FILE", str(file))
    connections.disconnect()
    with pytest.raises(ConfigurationError, match=r"broken\.conf, line \d+, column \d+") as caught:
        Task.init(project, "x")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    monkeypatch.delenv("TRIALBOOK_CONFIG_FILE")


@pytest.mark.covers("TK-009")
def test_a_list_is_a_configuration(begin: Begin) -> None:
    layers = [1, {"a": [2, None]}, "ü"]
    task = begin()
    assert task.connect_configuration(layers, name="layers") is layers
    found = again(task)
    assert found.get_configuration_object_as_dict("layers") == layers
    task.close()
    copy = Task.clone(found)
    copy.set_configuration_object("layers", "[3, {a = 4}]")
    copy.set_configuration_object("no list", "a = 1")
    copy.flush()
    Task.debug_simulate_remote_task(copy.id)
    remote = begin()
    assert remote.connect_configuration(layers, name="layers") == [3, {"a": 4}]
    assert remote.connect_configuration(layers, name="new") is layers
    with pytest.raises(UsageError, match="'no list' on the task is not a list"):
        remote.connect_configuration(layers, name="no list")
