"""Where settings come from, and which of two wins."""

from pathlib import Path

import pytest

from trialbook.errors import ConfigurationError
from trialbook.sdk import settings
from trialbook.sdk.settings import load

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
    monkeypatch.setattr(settings, "_given", {})
    settings.set_default("API_HOST", "http://given")
    assert load({"HOME": str(tmp_path)}).api_host == "http://given"
    assert load({"HOME": str(tmp_path), "CLEARML_API_HOST": "http://env"}).api_host == "http://env"


def test_a_broken_file_is_told_with_its_position(tmp_path: Path) -> None:
    (tmp_path / "trialbook.conf").write_text(
        'api {\n  api_server: "http://x"\n  credentials { access_key: [ }\n}'
    )
    with pytest.raises(ConfigurationError, match=r"trialbook\.conf, line \d+"):
        load({"HOME": str(tmp_path)})


def test_a_number_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TRIALBOOK_CLOSE_TIMEOUT must be a number"):
        load({"HOME": str(tmp_path), "TRIALBOOK_CLOSE_TIMEOUT": "soon"})


def test_marks_of_agents_and_parents(tmp_path: Path) -> None:
    found = load({"HOME": str(tmp_path), "CLEARML_PROC_MASTER_ID": "12:abc", "CLEARML_TASK_ID": "x"})
    assert (found.master, found.task_id) == ((12, "abc"), "x")
    assert load({"HOME": str(tmp_path), "CLEARML_PROC_MASTER_ID": "broken"}).master is None
