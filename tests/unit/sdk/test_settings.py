"""Where settings come from, and which of two wins."""

from pathlib import Path

import pytest

from trialbook.client import settings
from trialbook.client.settings import load
from trialbook.errors import ConfigurationError
from trialbook.sdk.values.hocon import load_any

CONF = """
api {
  api_server: "http://file:8008"
  credentials { access_key: "file-key", secret_key: "file-secret" }
}
sdk.development.task_reuse_time_window_in_hours: 5
"""


def test_nothing_configured_names_no_server(tmp_path: Path) -> None:
    found = load({"HOME": str(tmp_path)})
    assert (found.api_host, found.offline, found.master) == ("", False, None)
    assert found.cache_dir == tmp_path / ".cache/trialbook"


def test_one_address_is_enough(tmp_path: Path) -> None:
    found = load({"HOME": str(tmp_path), "CLEARML_API_HOST": "http://here:9/"})
    assert (found.api_host, found.web_host, found.files_host) == (
        "http://here:9",
        "http://here:9",
        "http://here:9/files",
    )
    found = load({"HOME": str(tmp_path), "TRIALBOOK_API_HOST": "https://api.lab.org"})
    assert (found.web_host, found.files_host) == ("https://app.lab.org", "https://files.lab.org")


def test_the_file_and_what_wins_over_it(tmp_path: Path) -> None:
    (tmp_path / "clearml.conf").write_text(CONF)
    found = load({"HOME": str(tmp_path)})
    assert found.api_host == "http://file:8008"
    assert found.credentials.access_key == "file-key"
    assert "clearml.conf" in found.credentials.source
    assert found.reuse_hours == 5
    found = load(
        {"HOME": str(tmp_path), "CLEARML_API_ACCESS_KEY": "other", "TRIALBOOK_API_ACCESS_KEY": "mine"}
    )
    assert found.credentials.access_key == "mine"
    assert "TRIALBOOK_API_ACCESS_KEY" in found.credentials.source
    (tmp_path / "trialbook.conf").write_text('api.api_server: "http://ours"')
    assert load({"HOME": str(tmp_path)}).api_host == "http://ours"


def test_set_credentials_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.reader, "_given", {})
    settings.set_default("API_HOST", "http://given")
    assert load({"HOME": str(tmp_path)}).api_host == "http://given"
    assert load({"HOME": str(tmp_path), "CLEARML_API_HOST": "http://env"}).api_host == "http://env"


def test_a_broken_file_is_told_with_its_position(tmp_path: Path) -> None:
    (tmp_path / "trialbook.conf").write_text(
        'api {\n  api_server: "http://x"\n  credentials { access_key: [ }\n}'
    )
    with pytest.raises(ConfigurationError, match=r"trialbook\.conf, line \d+") as caught:
        load({"HOME": str(tmp_path)})
    # Not the parser's grammar, of thousands of signs, and nothing of the line.
    assert len(str(caught.value)) < len(str(tmp_path)) + 200 and "Expected" not in str(caught.value)
    with pytest.raises(ValueError, match="line 1, column") as other:
        load_any('secret_key: "abc } [')
    assert len(str(other.value)) < 200 and "abc" not in str(other.value)


def test_a_number_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TRIALBOOK_CLOSE_TIMEOUT must be a number"):
        load({"HOME": str(tmp_path), "TRIALBOOK_CLOSE_TIMEOUT": "soon"})


def test_marks_of_agents_and_parents(tmp_path: Path) -> None:
    found = load({"HOME": str(tmp_path), "CLEARML_PROC_MASTER_ID": "12:abc", "CLEARML_TASK_ID": "x"})
    assert (found.master, found.task_id) == ((12, "abc"), "x")
    assert load({"HOME": str(tmp_path), "CLEARML_PROC_MASTER_ID": "broken"}).master is None


@pytest.mark.parametrize(
    "given, wanted",
    [
        ("hello", "http://hello"),
        ("localhost:8008", "http://localhost:8008"),
        (" http://here:9/ \n", "http://here:9"),
        ("HTTP://Here:9", "http://here:9"),
        ("http://here:9//", "http://here:9"),
        ("https://lab.org/trialbook/", "https://lab.org/trialbook"),
        ("https://lab.org/Trialbook/projects", "https://lab.org/Trialbook/projects"),
        ("http://here:9/projects", "http://here:9"),
        ("http://here:9/projects/12/tasks/34/scalars?x=1#y", "http://here:9"),
        ("http://here:9/login#link=secret", "http://here:9"),
        ("http://key:secret@here:9/a", "http://here:9/a"),
        ("[::1]:9", "http://[::1]:9"),
        ("::1", "http://[::1]"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
        ("127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_an_address_as_people_write_it(tmp_path: Path, given: str, wanted: str) -> None:
    found = load({"HOME": str(tmp_path), "TRIALBOOK_API_HOST": given})
    assert (found.api_host, found.web_host, found.files_host) == (wanted, wanted, f"{wanted}/files")
    found = load({"HOME": str(tmp_path), "CLEARML_WEB_HOST": given, "TRIALBOOK_API_HOST": "http://a"})
    assert (found.api_host, found.web_host) == ("http://a", wanted)


@pytest.mark.parametrize(
    "given",
    [
        "ftp://here",
        "http://",
        "http://here:port",
        "here:99999",
        "two words",
        "http://a b/",
        "http://::1:x",
        "file:///x",
    ],
)
def test_what_is_no_address_is_said_with_its_source(tmp_path: Path, given: str) -> None:
    for name in ("API_HOST", "WEB_HOST"):
        with pytest.raises(ConfigurationError, match=f"TRIALBOOK_{name} is not an address of a server"):
            load({"HOME": str(tmp_path), f"TRIALBOOK_{name}": given})


@pytest.mark.parametrize(
    "given", ["s3://bucket/files", "/mnt/files", "gs://b", "azure://a.blob.core.windows.net/c", "~/files"]
)
def test_files_may_lie_elsewhere(tmp_path: Path, given: str) -> None:
    found = load({"HOME": str(tmp_path), "TRIALBOOK_API_HOST": "lab", "TRIALBOOK_FILES_HOST": f"{given}/ "})
    assert (found.api_host, found.files_host) == ("http://lab", given)


def test_who_names_a_patience_gets_it_also_where_nobody_listens(tmp_path: Path) -> None:
    assert load({"HOME": str(tmp_path)}).refused_timeout < load({"HOME": str(tmp_path)}).connect_timeout
    found = load({"HOME": str(tmp_path), "TRIALBOOK_CONNECT_TIMEOUT": "60"})
    assert found.refused_timeout == found.connect_timeout == 60
