"""What the page asks of datasets: lists, content by folder, graph, single files."""

import os

import pytest
import urllib3

from tests.datasets.conftest import Close
from tests.support.server import RunningServer
from trialbook import Dataset


def test_summaries(project: str, closed: Close, server: RunningServer) -> None:
    first = closed({"x": b"1"})
    second = closed({"y": b"22"}, first)
    opened = Dataset.create("data", project, parent_datasets=[second], dataset_tags=["wip"])
    closed({"x": b"1"}, name="other")
    reply = server.call("datasets.get_summaries", project=project)
    assert reply["total"] == 2 and [one["name"] for one in reply["datasets"]] == ["other", "data"]
    data = reply["datasets"][1]
    assert data["versions"] == 3 and data["latest"]["id"] == second.id, "the highest one that is finished"
    assert data["tags"] == ["wip"] and data["project"] == project
    latest = data["latest"]
    assert (latest["files"], latest["bytes"], latest["parents"]) == (2, 3, [first.id])
    assert latest["changes"] == {"added": 1, "modified": 0, "removed": 0}
    paged = server.call("datasets.get_summaries", project=project, page=1, page_size=1)
    assert paged["total"] == 2 and [one["name"] for one in paged["datasets"]] == ["data"]
    versions = server.call("datasets.get_all", project=project, name="data")
    assert [one["id"] for one in versions["versions"]] == [opened.id, second.id, first.id]
    assert versions["versions"][0]["root"] == "" and versions["versions"][0]["status"] == "in_progress"
    for word in ("WIP", opened.id, "dat"):
        found = server.call("datasets.get_all", project=project, search_text=word)["versions"]
        assert opened.id in {one["id"] for one in found}
    refused = server.ask("datasets.get_all", {"name_pattern": "("}).json()["meta"]
    assert refused["result_code"] == 400


def test_content(closed: Close, project: str, server: RunningServer) -> None:
    first = closed({"a": b"1", "gone": b"12", "keep/x": b"123", "sub/deep/y": b"1234", "sub/z": b"12345"})
    second = Dataset.create("data", project, parent_datasets=[first])
    second.remove_files("gone")
    second.remove_files("sub/deep")
    second.add_external_files("file:///etc/hostname", dataset_path="links")
    second.finalize()
    third = closed({"sub/z": b"other", "sub/new/n": b"1", "new": b"2"}, second)

    def shown(folder: str = "", **more: object) -> list[tuple[str, str, int, str]]:
        reply = server.call("datasets.get_content", dataset=third.id, folder=folder, **more)
        assert reply["readable"]
        return [(one["name"], one["kind"], one["files"], one["change"]) for one in reply["entries"]]

    assert shown() == [
        ("keep", "folder", 1, ""),
        ("links", "folder", 1, ""),
        ("sub", "folder", 2, "modified"),
        ("a", "file", 1, ""),
        ("new", "file", 1, "added"),
    ]
    assert shown("sub") == [("new", "folder", 1, "added"), ("z", "file", 1, "modified")]
    assert shown("links") == [("hostname", "link", 1, "")]
    assert shown(against=first.id) == [
        ("keep", "folder", 1, ""),
        ("links", "folder", 1, "added"),
        ("sub", "folder", 2, "modified"),
        ("a", "file", 1, ""),
        ("gone", "file", 0, "removed"),
        ("new", "file", 1, "added"),
    ]
    assert shown("sub", against=first.id)[0] == ("deep", "folder", 0, "removed")
    assert shown(against="")[4] == ("new", "file", 1, "")
    assert shown(pattern="EE") == [("keep", "folder", 1, "")]
    assert shown(page=1, page_size=2) == [("sub", "folder", 2, "modified"), ("a", "file", 1, "")]
    whole = server.call("datasets.get_content", dataset=third.id, against=first.id)
    assert (whole["added"], whole["modified"], whole["removed"], whole["total"]) == (3, 1, 2, 6)
    (entry,) = server.call("datasets.get_content", dataset=third.id, folder="keep")["entries"]
    assert entry["bytes"] == 3 and len(entry["hash"]) == 64
    assert shown(search="Z") == [("sub/z", "file", 1, "modified")]
    assert shown("sub", search="N") == [("new/n", "file", 1, "added")]
    assert shown(search="SUB/", against=first.id) == [
        ("sub/deep/y", "file", 0, "removed"),
        ("sub/new/n", "file", 1, "added"),
        ("sub/z", "file", 1, "modified"),
    ]
    assert shown(search="e", page=1, page_size=1) == [("links/hostname", "link", 1, "")]
    assert shown(search="nothing") == []
    assert shown(changed=True) == [("sub", "folder", 2, "modified"), ("new", "file", 1, "added")]
    assert shown("keep", changed=True) == []
    assert shown(changed=True, search="sub") == [
        ("sub/new/n", "file", 1, "added"),
        ("sub/z", "file", 1, "modified"),
    ]
    assert ("gone", "file", 0, "removed") in shown(changed=True, against=first.id)
    assert shown(changed=True, against="") == []
    opened = Dataset.create("data", project)
    assert not server.call("datasets.get_content", dataset=opened.id)["readable"]


def test_one_file(closed: Close, server: RunningServer) -> None:
    data = closed({"sub/text.txt": b"words " * 999, "page.html": b"<script>", "pic.png": b"\x89PNG"})
    reply = server.ask("datasets.get_file", {"dataset": data.id, "path": "sub/text.txt"})
    assert reply.data == b"words " * 999
    assert (
        server.ask("datasets.get_file", {"dataset": data.id, "path": "sub/text.txt", "limit": 5}).data
        == b"words"
    )
    page = server.ask("datasets.get_file", {"dataset": data.id, "path": "page.html", "download": True})
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"] == "attachment; filename*=UTF-8''page.html"
    assert (
        server.ask("datasets.get_file", {"dataset": data.id, "path": "pic.png"}).headers["Content-Type"]
        == "image/png"
    )
    assert (
        server.ask("datasets.get_file", {"dataset": data.id, "path": "none"}).json()["meta"]["result_code"]
        == 404
    )


def test_a_large_file_comes_in_parts(closed: Close, server: RunningServer) -> None:
    content = os.urandom(20_000_000)
    data = closed({"large.bin": content, "words.txt": b"words and words " * 1_000_000})
    assert server.ask("datasets.get_file", {"dataset": data.id, "path": "large.bin"}).data == content
    assert len(server.ask("datasets.get_file", {"dataset": data.id, "path": "words.txt"}).data) == 16_000_000
    for limit in (7, 9_000_000, 30_000_000):
        reply = server.ask("datasets.get_file", {"dataset": data.id, "path": "large.bin", "limit": limit})
        assert reply.data == content[:limit]
    # What is damaged is known at its end only: then the answer does not come to its end either.
    (pack,) = server.data.rglob(f"packs/{data.id}/*.zip")
    with pack.open("r+b") as file:
        file.seek(5_000_000)
        file.write(b"other")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        server.ask("datasets.get_file", {"dataset": data.id, "path": "large.bin"})


def test_graph(closed: Close, server: RunningServer) -> None:
    first, other = closed({"a": b"1"}), closed({"b": b"2"}, name="other")
    child = closed({"c": b"3"}, first, other)
    grandchild = closed({"d": b"4"}, child)
    Dataset.delete(first.id, force=True)
    graph = server.call("datasets.get_graph", dataset=child.id)
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert set(nodes) == {first.id, other.id, child.id, grandchild.id}
    assert nodes[child.id]["parents"] == [first.id, other.id] and nodes[first.id]["gone"]
    assert nodes[grandchild.id]["version"]["version"] == grandchild.version
    assert server.ask("datasets.get_graph", {"dataset": first.id}).json()["meta"]["result_code"] == 400
