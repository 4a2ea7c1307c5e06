"""Which address a machine uses for a registered one."""

from pathlib import Path

import pytest

from trialbook.sdk.accounts.nearer import nearer


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for ``s3://far``; ``s3://old/x`` is in ``s3://new/y`` and a web server's files are in the folder too."""
    top = tmp_path / "mnt"
    top.mkdir()
    (tmp_path / "trialbook.conf").write_text(
        f"""sdk.storage.path_substitution: [
          {{ registered_prefix: "s3://far", local_prefix: "{top}/" }}
          {{ registered_prefix: "s3://gone/", local_prefix: "{tmp_path}/not-mounted" }}
          {{ registered_prefix: "https://host/files/", local_prefix: "file://{top}" }}
          {{ registered_prefix: "s3://old/x", local_prefix: "s3://new/y" }}
        ]"""
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TRIALBOOK_CONFIG_FILE", str(tmp_path / "trialbook.conf"))
    return top


@pytest.mark.parametrize("name", ["a", "a b", "sub/a%20b #1?", "ü", "a+b"])
def test_D13_what_is_there_is_taken_by_its_name(mount: Path, name: str) -> None:
    assert nearer(f"s3://far/{name}") == f"s3://far/{name}", "what a mirror lacks is where it was"
    file = mount / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("near")
    assert nearer(f"s3://far/{name}") == str(file)


def test_D13_an_encoded_address_means_the_same_file(mount: Path) -> None:
    (mount / "a b#1").write_text("near")
    assert nearer("https://host/files/a%20b%231") == f"file://{mount}/a%20b%231"
    assert nearer("https://host/files") == f"file://{mount}"


@pytest.mark.parametrize(
    "url", ["s3://farther/a", "s3://fa", "https://host/filesystem/a", "/far/a", "s3://old/xy", "s3://gone/a"]
)
def test_D13_other_addresses_stay(mount: Path, url: str) -> None:
    assert nearer(url) == nearer(url, writing=True) == url


def test_D13_writing_needs_the_folder_of_the_prefix_only(mount: Path) -> None:
    assert nearer("s3://far/new/file", writing=True) == f"{mount}/new/file"
    mount.rmdir()
    assert nearer("s3://far/new/file", writing=True) == "s3://far/new/file", "it is not mounted now"


def test_D13_a_bucket_may_stand_for_another(mount: Path) -> None:
    assert nearer("s3://old/x/a%20 b") == "s3://new/y/a%20 b"
    assert nearer("s3://old/x") == nearer("s3://old/x/") == "s3://new/y"
