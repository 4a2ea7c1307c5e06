"""Every member of ``Dataset``, with the names, order and defaults of arguments that programs rely on."""

import inspect
from typing import Any

import pytest

from trialbook import Dataset
from trialbook.errors import UsageError

REQUIRED = inspect.Parameter.empty
# name: arguments as "name" (required) or ("name", default); "**name" as in Python.
METHODS: dict[str, list[Any]] = {
    "add_external_files": [
        "source_url", ("wildcard", None), ("dataset_path", None), ("recursive", True), ("verbose", False),
        ("max_workers", None),
    ],
    "add_files": [
        "path", ("wildcard", None), ("local_base_folder", None), ("dataset_path", None), ("recursive", True),
        ("verbose", False), ("max_workers", None),
    ],
    "add_tags": ["tags"],
    "create": [
        ("dataset_name", None), ("dataset_project", None), ("dataset_tags", None), ("parent_datasets", None),
        ("use_current_task", False), ("dataset_version", None), ("output_uri", None), ("description", None),
    ],
    "delete": [
        ("dataset_id", None), ("dataset_project", None), ("dataset_name", None), ("force", False),
        ("dataset_version", None), ("entire_dataset", False), ("shallow_search", False), ("delete_files", True),
        ("delete_external_files", False),
    ],
    "finalize": [("verbose", False), ("raise_on_error", True), ("auto_upload", False)],
    "get": [
        ("dataset_id", None), ("dataset_project", None), ("dataset_name", None), ("dataset_tags", None),
        ("only_completed", False), ("only_published", False), ("include_archived", False), ("auto_create", False),
        ("writable_copy", False), ("dataset_version", None), ("alias", None), ("overridable", False),
        ("shallow_search", False), "**kwargs",
    ],
    "get_default_storage": [],
    "get_dependency_graph": [],
    "get_local_copy": [
        ("use_soft_links", None), ("part", None), ("num_parts", None), ("raise_on_error", True),
        ("max_workers", None),
    ],
    "get_logger": [],
    "get_metadata": [("metadata_name", "metadata")],
    "get_mutable_local_copy": [
        "target_folder", ("overwrite", False), ("part", None), ("num_parts", None), ("raise_on_error", True),
        ("max_workers", None),
    ],
    "get_num_chunks": [("include_parents", True)],
    "get_offline_mode_folder": [],
    "import_offline_session": ["session_folder_zip", ("upload", True), ("finalize", False)],
    "is_dirty": [],
    "is_final": [],
    "is_offline": [],
    "list_added_files": [("dataset_id", None)],
    "list_datasets": [
        ("dataset_project", None), ("partial_name", None), ("tags", None), ("ids", None), ("only_completed", True),
        ("recursive_project_search", True), ("include_archived", True),
    ],
    "list_files": [("dataset_path", None), ("recursive", True), ("dataset_id", None)],
    "list_modified_files": [("dataset_id", None)],
    "list_removed_files": [("dataset_id", None)],
    "move_to_project": ["new_dataset_project", "dataset_project", "dataset_name"],
    "publish": [("raise_on_error", True)],
    "remove_files": [("dataset_path", None), ("recursive", True), ("verbose", False)],
    "rename": ["new_dataset_name", "dataset_project", "dataset_name"],
    "set_description": ["description"],
    "set_metadata": ["metadata", ("metadata_name", "metadata"), ("ui_visible", True)],
    "set_offline": [("offline_mode", False)],
    "squash": [
        "dataset_name", ("dataset_ids", None), ("dataset_project_name_pairs", None), ("output_url", None),
    ],
    "sync_folder": ["local_path", ("dataset_path", None), ("verbose", False)],
    "update_changed_files": [("num_files_added", None), ("num_files_modified", None), ("num_files_removed", None)],
    "upload": [
        ("show_progress", True), ("verbose", False), ("output_url", None), ("compression", None),
        ("chunk_size", None), ("max_workers", None), ("retries", 3), ("preview", True),
    ],
    "verify_dataset_hash": [("local_copy_path", None), ("skip_hash", False), ("verbose", False)],
}  # fmt: skip
CLASS_METHODS = {
    "create", "delete", "get", "import_offline_session", "is_offline", "list_datasets", "move_to_project", "rename",
    "set_offline", "squash",
}  # fmt: skip
PROPERTIES = {"file_entries_dict", "link_entries_dict", "id", "name", "project", "version", "tags"}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_arguments(name: str) -> None:
    method = getattr(Dataset, name)
    given = [
        item for item in inspect.signature(method).parameters.values() if item.name not in ("self", "cls")
    ]
    wanted = METHODS[name]
    known = [item for item in given if item.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(known) == len(wanted), name
    for item, want in zip(known, wanted, strict=True):
        if want == "**kwargs":
            assert item.kind is inspect.Parameter.VAR_KEYWORD
            continue
        word, default = (want, REQUIRED) if isinstance(want, str) else want
        assert (item.name, item.default) == (word, default), name
    assert all(item.default is not REQUIRED for item in given[len(known) :]), (
        "more arguments go by name, and may be left out"
    )


def test_kinds() -> None:
    assert len(METHODS) + 2 == 38
    for name in METHODS:
        bound = inspect.ismethod(getattr(Dataset, name))
        assert bound == (name in CLASS_METHODS), name
    for name in PROPERTIES:
        assert isinstance(inspect.getattr_static(Dataset, name), property), name


def test_every_public_member_says_what_it_does() -> None:
    public = [name for name in dir(Dataset) if not name.startswith("_")]
    assert [name for name in public if not inspect.getdoc(getattr(Dataset, name))] == []


def test_the_class_is_not_called() -> None:
    with pytest.raises(UsageError, match=r"Dataset\.create"):
        Dataset()
