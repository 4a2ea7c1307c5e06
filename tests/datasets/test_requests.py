"""How many requests a version costs: a repeated one is a round trip for every user, wherever the server is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Close
from tests.datasets.support import Write
from trialbook import Dataset
from trialbook.client.session import Session
from trialbook.sdk.servers import connection as connections

Seen = list[tuple[str, str]]

FILES = {f"{n % 3}/{n}.txt": b"%d" % n for n in range(30)}


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Verb and address of every request of this process, as it is sent."""
    seen: Seen = []
    plain = Session.request

    def request(session: Session, verb: str, url: str, *rest: Any, **how: Any) -> Any:
        seen.append((verb, url.partition("://")[2].partition("/")[2]))
        return plain(session, verb, url, *rest, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "request", request)
        yield seen


def first(project: str, folder: Path, store: str | None = None) -> Dataset:
    """A version without parents."""
    made = Dataset.create("data", project)
    made.add_files(folder)
    made.upload(output_url=store, show_progress=False)
    assert made.finalize()
    return made


def following(project: str, folder: Path, parent: str, store: str | None = None) -> Dataset:
    """A child after a folder has changed, its parent named by id."""
    made = Dataset.create("data", project, parent_datasets=[parent])
    made.sync_folder(folder)
    made.upload(output_url=store, show_progress=False)
    assert made.finalize()
    return made


def repeated(seen: Seen) -> dict[tuple[str, str], int]:
    """What was read more than once."""
    reads = Counter(one for one in seen if one[0] in ("GET", "HEAD"))
    return {one: count for one, count in reads.items() if count > 1}


def test_versions_with_packs_in_a_folder(
    project: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, store = write(FILES), str(tmp_path / "store")
    with watched(monkeypatch) as seen:
        parent = first(project, folder, store).id
    assert len(seen) <= 14, seen
    assert not repeated(seen)
    (folder / "0/0.txt").write_bytes(b"changed")
    with watched(monkeypatch) as seen:
        child = following(project, folder, parent, store)
    assert len(seen) <= 14, seen
    assert not repeated(seen)
    # The parent's manifest, and what was written just now, is known to this process.
    assert not [url for verb, url in seen if verb == "GET" and ("/roots/" in url or "/ranges/" in url)]
    assert child.list_modified_files() == ["0/0.txt"]
    assert child.list_files() == sorted(FILES)


def test_versions_with_packs_on_the_server(
    project: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(FILES)
    with watched(monkeypatch) as seen:
        parent = first(project, folder).id
    assert len(seen) <= 16, seen
    (folder / "0/0.txt").write_bytes(b"changed")
    with watched(monkeypatch) as seen:
        child = following(project, folder, parent)
    assert len(seen) <= 16, seen
    assert not repeated(seen)
    assert (Path(child.get_local_copy()) / "0/0.txt").read_bytes() == b"changed"


def test_another_process_reads_a_manifest_once(
    closed: Close, project: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = closed(FILES).id
    forget()
    folder = write({**FILES, "new": b"new"})
    with watched(monkeypatch) as seen:
        child = following(project, folder, parent)
    # A log-in, the format, the parent's root and range more than in the process that wrote them.
    assert len(seen) <= 20, seen
    assert not repeated(seen)
    assert child.list_added_files() == ["new"]


def test_a_long_lineage_costs_no_more(
    closed: Close, project: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, folder = closed(FILES), write(FILES)
    for number in range(3):
        (folder / "0/0.txt").write_bytes(b"%d changed" % number)
        with watched(monkeypatch) as seen:
            parent = following(project, folder, parent.id)
        assert len(seen) <= 16, seen
    assert len(parent.get_dependency_graph()) == 4


def forget() -> None:
    """What a new process does not know: connection, roots and rows."""
    from trialbook.datasets.storage import objects
    from trialbook.sdk.dataset import home

    connections.disconnect()
    objects._remembered._roots.clear()
    objects._held.clear()
    home._last.clear()
