"""A path that is a file in one place and a folder in another: the later one wins, whichever way it came."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.unit.datasets.conftest import Write, tree
from trialbook.base.ids import new_id
from trialbook.datasets.draft.draft import Changes, Draft, Link
from trialbook.datasets.manifest.rows import ROW, Rows, settled
from trialbook.datasets.paths import in_the_way, last_of_each
from trialbook.datasets.repository import Repository

FILE = {"labels": b"one file", "labels.txt": b"beside", "other/x": b"x"}
FOLDER = {"labels/train.txt": b"t", "labels/deep/er.txt": b"d", "labels-old": b"beside"}
DEEPER = {"labels/deep": b"a file where a folder was", "labels/train.txt/x": b"and the other way round"}


def expected(*layers: dict[str, bytes]) -> dict[str, bytes]:
    """Written out once more, one path after the other."""
    found: dict[str, bytes] = {}
    for layer in layers:
        for path, data in layer.items():
            for other in list(found):
                if other.startswith(f"{path}/") or path.startswith(f"{other}/"):
                    del found[other]
            found[path] = data
    return found


def finished(draft: Draft) -> str:
    draft.upload()
    return draft.finish().version


@pytest.mark.parametrize("layers", list(product((FILE, FOLDER, DEEPER), repeat=3)))
def test_D2_versions_parents_and_calls(
    repository: Repository, write: Write, layers: tuple[dict[str, bytes], ...]
) -> None:
    versions: list[str] = []
    for layer in layers:
        draft = repository.begin(new_id(), versions[-1:])
        draft.add_folder(write(layer))
        versions.append(finished(draft))
    assert tree(repository.copy(versions[-1])) == expected(*layers)
    assert repository.open(versions[-1]).root.files == len(expected(*layers))
    alone = []
    together = repository.begin(new_id())
    for layer in layers:
        draft = repository.begin(new_id())
        draft.add_folder(write(layer))
        alone.append(finished(draft))
        together.add_folder(write(layer))
        assert together.paths() == sorted(set(together.paths()))
    assert together.paths() == sorted(expected(*layers))
    assert tree(repository.copy(finished(together))) == expected(*layers)
    assert tree(repository.copy(finished(repository.begin(new_id(), alone)))) == expected(*layers)


def test_D2_a_sync_says_what_gave_way(repository: Repository, write: Write) -> None:
    draft = repository.begin(new_id())
    draft.add_folder(write({"labels": b"1", "images/a": b"2", "images/b": b"3"}))
    parent = finished(draft)
    draft = repository.begin(new_id(), [parent])
    changes = draft.sync(write({"labels/train.txt": b"1", "images": b"4"}))
    assert (changes.added, changes.modified, changes.removed) == (2, 0, 3)
    child = finished(draft)
    assert tree(repository.copy(child)) == {"labels/train.txt": b"1", "images": b"4"}
    draft = repository.begin(new_id(), [parent])
    assert draft.sync(write({"train.txt": b"1"}), "labels").removed == 1
    assert draft.paths() == ["images/a", "images/b", "labels/train.txt"]


def test_D2_links_and_files_and_rows_of_other_versions(repository: Repository, write: Write) -> None:
    draft = repository.begin(new_id())
    draft.add_folder(write({"a": b"file", "b/c": b"file"}))
    changes = draft.add_links([Link("b/c/d", "file:///x"), Link("a/x", "file:///x"), Link("b", "file:///y")])
    assert (changes.added, draft.paths()) == (2, ["a/x", "b"])
    draft.add_folder(write({"a/x/y": b"z"}))
    assert draft.paths() == ["a/x/y", "b"]
    draft.upload()
    rows = draft.rows()
    other = repository.begin(new_id())
    other.add_folder(write({"a": b"1", "b/q": b"2", "c": b"3"}))
    other.adopt(rows, {key: draft._packs[key] for key in rows.packs})
    assert other.paths() == ["a/x/y", "b", "c"]


def test_D2_the_journal_of_a_killed_writer_knows_it_too(repository: Repository, write: Write) -> None:
    first = repository.begin(new_id())
    first.add_folder(write(FILE))
    parent = finished(first)
    version = new_id()
    draft = repository.begin(version, [parent])
    draft.add_folder(write(FOLDER))
    draft.close()
    again = repository.begin(version, [parent])
    assert again.resumed and again.paths() == sorted(expected(FILE, FOLDER))
    assert tree(repository.copy(finished(again))) == expected(FILE, FOLDER)
    assert again.add_folder(write({})) == Changes()


def test_D2_what_was_stored_with_both_can_be_copied() -> None:
    data = np.zeros(4, ROW)
    data["origin"] = [0, 1, 0, 1]
    rows = Rows(["a", "a/b", "c", "c/d"], data, (), ("old", "new"))
    assert settled(rows, {"new": ("old",), "old": ()}).paths == ["a/b", "c/d"]
    assert settled(rows, {"old": ("new",), "new": ()}).paths == ["a", "c"]
    plain = rows.take([0, 3])
    assert settled(plain, {}) is plain


def test_D2_the_rules_by_themselves(tmp_path: Path) -> None:
    assert in_the_way(["a", "a.b", "a-b/c", "x/y/z"], ["a/b", "x/y"]) == {"a", "x/y/z"}
    assert in_the_way(["a", "b"], ["a", "c/d"]) == set()
    assert last_of_each(["a", "a/b", "a", "c", "c/d/e", "c/d"]) == ["a", "c/d"]
    assert last_of_each(["b", "a", "b"]) == ["a", "b"]
