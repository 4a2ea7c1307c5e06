"""What must not happen: lost files after a kill, two writers, bytes that go while somebody needs them."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import urllib3

from tests.datasets.conftest import Close
from tests.datasets.support import Write, tree
from tests.support.server import RunningServer
from tests.support.waiting import until
from trialbook import Dataset
from trialbook.errors import DatasetInUse, TaskStatusRefused, UsageError, WireError

UPLOADER = """
import sys
from trialbook import Dataset
data = Dataset.create("data", sys.argv[1])
data.add_files(sys.argv[2])
print(data.id, flush=True)
data.upload(chunk_size=1)
data.finalize()
"""


def test_killed_in_mid_upload(project: str, write: Write, server: RunningServer, home: Path) -> None:
    """The clearml SDK finalizes such a version with files missing."""
    files = {f"f{n:02}": os.urandom(3_000_000) for n in range(12)}
    top = write(files)
    writer = subprocess.Popen(
        [sys.executable, "-c", UPLOADER, project, str(top)],
        env=server.client_environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    identity = writer.stdout.readline().strip()
    stored = lambda: list(server.data.glob(f"files/**/packs/{identity}/*.zip"))  # noqa: E731
    until(lambda: len(stored()) >= 2, 60)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert writer.returncode == -signal.SIGKILL
    before = {file: file.stat().st_mtime_ns for file in stored()}

    data = Dataset.get(identity)
    assert data.list_files() == sorted(files) and data.is_dirty()
    with pytest.raises(UsageError, match="wait"):
        data.finalize()
    assert data.add_files(top) == 0, "they are all in it already"
    data.upload(chunk_size=1)
    untouched = [file for file, moment in before.items() if file.stat().st_mtime_ns == moment]
    assert len(untouched) >= len(before) - 2, "only what was in flight is sent again"
    assert data.finalize()
    assert tree(data.get_local_copy()) == files and data.verify_storage() == []


def test_killed_between_manifest_and_commit(project: str, write: Write) -> None:
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    data.upload()
    data._opened.draft("finish").finish()

    found = Dataset.get(data.id)
    assert not found.is_final() and found.list_files() == ["x"] and not found.is_dirty()
    with pytest.raises(DatasetInUse, match="finalize"):
        found.add_files(write({"y": b"2"}))
    assert Dataset.get(data.id).finalize()
    assert tree(Dataset.get(data.id).get_local_copy()) == {"x": b"1"}


def test_going_on_in_another_process(project: str, write: Write) -> None:
    data = Dataset.create("data", project)
    top = write({"x": b"1", "y": b"2"})
    data.add_files(top)
    with pytest.raises(DatasetInUse, match="another writer"):
        Dataset.get(data.id).add_files(top)
    data._opened.draft("close").close()
    again = Dataset.get(data.id)
    assert again.list_files() == ["x", "y"] and again.is_dirty()
    again.remove_files("y")
    assert again.finalize(auto_upload=True)
    assert tree(again.get_local_copy()) == {"x": b"1"}


def test_going_on_on_another_host(closed: Close, project: str, write: Write, home: Path) -> None:
    first = closed({"x": b"1", "gone": b"2"})
    data = Dataset.create("data", project, parent_datasets=[first], output_uri=str(home / "shared"))
    data.remove_files("gone")
    data.add_files(write({"y": b"stored"}))
    data.add_external_files("file:///etc/hostname", dataset_path="links")
    data.upload()
    data.add_files(write({"late": b"only noted here"}))
    data._opened.draft("close").close()
    (home / "cache" / "datasets").rename(home / "lost")

    found = Dataset.get(data.id)
    assert found.list_files() == ["links/hostname", "x", "y"] and not found.is_dirty()
    assert found.list_removed_files() == ["gone"]
    found.add_files(write({"z": b"more"}))
    found.finalize(auto_upload=True)
    copied = tree(found.get_local_copy())
    assert {path: copied[path] for path in ("x", "y", "z")} == {"x": b"1", "y": b"stored", "z": b"more"}
    assert found.get_num_chunks(include_parents=False) == 2


@pytest.mark.covers("DI-10", "XD-15")
def test_a_stopped_version_is_taken_up(project: str, write: Write, server: RunningServer) -> None:
    data = Dataset.create("data", project)
    data.add_files(write({"x": b"1"}))
    data._opened.draft("close").close()
    server.call("tasks.stopped", task=data.id)
    again = Dataset.get(data.id)
    assert not again.is_final() and again.list_files() == ["x"]
    assert again.finalize(auto_upload=True)
    assert server.call("tasks.get_by_id", task=data.id)["task"]["status"] == "completed"


@pytest.mark.covers("DS-05d", "M-6")
def test_an_open_child_holds_what_it_needs(closed: Close, project: str, server: RunningServer) -> None:
    first = closed({"x": b"first"})
    child = Dataset.create("data", project, parent_datasets=[first])
    with pytest.raises(WireError, match=child.id):
        Dataset.delete(first.id)
    other = closed({"y": b"other"}, name="other")
    Dataset.delete(first.id, force=True)
    Dataset.delete(other.id)
    until(lambda: not list(server.data.glob(f"files/**/packs/{other.id}/*")), 20)
    assert list(server.data.glob(f"files/**/packs/{first.id}/*"))
    assert child.finalize()
    assert tree(child.get_local_copy()) == {"x": b"first"}
    with pytest.raises(UsageError):
        Dataset.create("late", project, parent_datasets=[first.id])


def test_the_files_endpoint_keeps_what_a_version_needs(closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"1"})
    (artifact,) = [one for one in data._opened.task.data["execution"]["artifacts"] if one["key"] == "data"]
    headers = {"Authorization": f"Bearer {server.token}"}
    assert urllib3.request("DELETE", artifact["uri"], headers=headers).status == 403
    assert tree(data.get_local_copy()) == {"x": b"1"}


def test_a_receipt_without_a_deletion(closed: Close, server: RunningServer) -> None:
    first = closed({"x": b"1" * 5000, "y": b"2"})
    second = closed({"z": b"3"}, first)
    receipt = server.call("datasets.delete", dataset=first.id, dry_run=True)
    assert not receipt["deleted"] and receipt["children"] == [second.id]
    assert {kept["key"].partition("/")[0] for kept in receipt["kept"]} >= {"packs", "ranges"}
    assert all(kept["used_by"] == [second.id] for kept in receipt["kept"])
    alone = server.call("datasets.delete", dataset=second.id, dry_run=True)
    assert alone["freed"] > 0 and alone["children"] == []
    assert Dataset.get(first.id).list_files() == ["x", "y"]


def test_a_commit_counts_once(closed: Close, server: RunningServer) -> None:
    data = closed({"x": b"1"})
    info = server.call("datasets.get_all", ids=[data.id])["versions"][0]
    same = {"dataset": data.id, "root": info["root"], "repository": info["repository"]}
    assert server.call("datasets.commit", same)["dataset"]["status"] == "completed"
    reply = server.ask("datasets.commit", {**same, "root": "0" * 64})
    assert reply.json()["meta"]["result_subcode"] == TaskStatusRefused.subcode
    assert Dataset.get(data.id).list_files() == ["x"]


def test_versions_created_at_once_differ(project: str) -> None:
    made: list[Dataset] = []
    threads = [
        threading.Thread(target=lambda: made.append(Dataset.create("data", project))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(one.version) for one in made) == [f"1.0.{n}" for n in range(6)]


def test_a_deleted_task_frees_its_version(closed: Close, server: RunningServer) -> None:
    """As the clearml SDK, or the page of tasks, deletes."""
    data = closed({"x": b"1"})
    server.call("tasks.delete", task=data.id, force=True)
    until(lambda: not list(server.data.glob(f"files/**/packs/{data.id}/*")), 20)
    assert server.call("datasets.get_trash")["sweeps"] == []


def _put(server: RunningServer, key: str, data: bytes, verb: str) -> int:
    """Store bytes by one of the ways that the files endpoint has; the status of the answer."""
    from urllib.parse import quote
    from uuid import uuid4

    import urllib3

    http = urllib3.PoolManager(retries=False)
    keys = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.files_url}/{quote(key)}"
    if verb == "PUT":
        return http.request("PUT", url, body=data, headers=keys).status
    if verb == "absent":
        return http.request("PUT", url, body=data, headers={**keys, "If-None-Match": "*"}).status
    if verb == "resumable":
        span = f"bytes 0-{len(data) - 1}/{len(data)}"
        more = {"Upload-Id": uuid4().hex, "Content-Range": span}
        return http.request("PUT", url, body=data, headers={**keys, **more}).status
    body = f'--XX\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'.encode() + data + b"\r\n--XX--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=XX"}
    return http.request("POST", server.files_url, body=body, headers={**keys, **kind}).status


@pytest.mark.parametrize("verb", ["PUT", "absent", "resumable", "multipart"])
def test_S6_a_repository_is_written_once_by_every_verb(
    closed: Close, server: RunningServer, verb: str
) -> None:
    version = closed({"a.txt": b"A", "b.txt": b"B" * 5000})
    folder = server.data / "files"
    kinds = ("packs", "ranges", "roots", "states")
    found = [path for kind in kinds for path in folder.rglob(f"{kind}/{version.id}/*")]
    formats = list(folder.rglob("format.json"))
    assert found and formats
    refused = 412 if verb == "absent" else 403
    parts = set((server.data / "uploads").glob("*"))
    for path in (*found, *formats):
        key, before = str(path.relative_to(folder)), path.read_bytes()
        assert _put(server, key, b"garbage", verb) == refused, key
        assert _put(server, key, before[:-1] + b"x", verb) == refused, key
        assert path.read_bytes() == before
        # A client repeats what it got no answer to.
        assert _put(server, key, before, verb) == (412 if verb == "absent" else 200), key
        assert path.read_bytes() == before
    # Other tests on this server leave parts that may go on.
    assert set((server.data / "uploads").glob("*")) <= parts


def test_S6_what_the_reference_reads_of_a_version_stays(closed: Close, server: RunningServer) -> None:
    version = closed({"a.txt": b"A"})
    (path,) = (server.data / "files").rglob(f"states/{version.id}/state.json")
    key, keys = str(path.relative_to(server.data / "files")), {"Authorization": f"Bearer {server.token}"}
    assert urllib3.request("DELETE", f"{server.files_url}/{key}", headers=keys, retries=False).status == 403
    assert path.exists()
    Dataset.delete(version.id, force=True)
    until(lambda: not path.exists(), 20)


def test_S6_a_pointer_leads_to_a_root(closed: Close, server: RunningServer) -> None:
    version = closed({"a.txt": b"A"})
    (path,) = (server.data / "files").rglob(f"versions/{version.id}.json")
    key, before = str(path.relative_to(server.data / "files")), path.read_bytes()
    for garbage in (b"", b"{", b"[]", b'{"root": "' + b"0" * 64 + b'"}', b'{"root": 1}', b"\xff"):
        if garbage:
            assert _put(server, key, garbage, "PUT") == 400
    assert _put(server, key, before, "PUT") == 200
    assert path.read_bytes() == before


def test_S6_a_pointer_goes_with_its_version_only(closed: Close, server: RunningServer) -> None:
    """A repository without pointers looks unused: then its format could be replaced by garbage."""
    import urllib3

    version = closed({"a.txt": b"A"})
    folder = server.data / "files"
    (path,) = folder.rglob(f"versions/{version.id}.json")
    keys = {"Authorization": f"Bearer {server.token}"}
    for name in (
        f"versions/{version.id}.json",
        f"versions//{version.id}.json",
        f"%76ersions/{version.id}.json",
    ):
        address = f"{server.files_url}/{path.parent.parent.relative_to(folder)}/{name}"
        assert urllib3.request("DELETE", address, headers=keys, retries=False).status in (400, 403)
        assert path.exists()
    assert _put(server, str(path.parent.parent.relative_to(folder) / "format.json"), b"garbage", "PUT") == 403


@pytest.mark.parametrize("garbage", [b"garbage", b"", b"[]", b'"x"', b"\xff\xfe", b'{"format": "1"}', b"{}"])
def test_S6_garbage_in_the_format_is_named(tmp_path: Path, garbage: bytes) -> None:
    from trialbook.blobs.object_store import ObjectStoreBlobs
    from trialbook.datasets.storage.objects import Objects
    from trialbook.errors import DatasetError

    (tmp_path / "format.json").write_bytes(garbage)
    with pytest.raises(DatasetError, match=r"format\.json|this repository has format"):
        Objects(ObjectStoreBlobs.in_folder(tmp_path)).ensure()


@pytest.mark.parametrize("garbage", [b"garbage", b"", b"[]", b"\xff\xfe", b"1"])
def test_S6_garbage_in_a_draft_is_named(tmp_path: Path, garbage: bytes) -> None:
    from trialbook.blobs.object_store import ObjectStoreBlobs
    from trialbook.datasets.storage.objects import Objects
    from trialbook.errors import DatasetDamaged

    objects = Objects(ObjectStoreBlobs.in_folder(tmp_path))
    objects.blobs.put(f"drafts/{'a' * 32}.json", [garbage])
    objects.blobs.put(f"versions/{'a' * 32}.json", [garbage])
    with pytest.raises(DatasetDamaged, match="a" * 32):
        objects.drafts()
    with pytest.raises(DatasetDamaged, match="a" * 32):
        objects.pointer("a" * 32)


def test_S6_the_format_of_a_repository_in_use_stays(closed: Close, server: RunningServer) -> None:
    import urllib3

    closed({"a.txt": b"A"})
    for path in (server.data / "files").rglob("format.json"):
        key = path.relative_to(server.data / "files")
        keys = {"Authorization": f"Bearer {server.token}"}
        reply = urllib3.request("DELETE", f"{server.files_url}/{key}", headers=keys, retries=False)
        if list((path.parent / "versions").glob("*.json")):
            assert reply.status == 403 and path.exists()
