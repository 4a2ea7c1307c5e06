"""Each text that a method stores is a name or content: only names have a greatest length."""

from msgspec import inspect

from trialbook.server.core.limits import CONTENT
from trialbook.wire.catalogue import METHODS
from trialbook.wire.table import RawBody

NAMES = {
    "access_key",
    "dataset",
    "default_output_destination",
    "destination_project",
    "destination_project_name",
    "framework",
    "id",
    "key",
    "label",
    "level",
    "link",
    "metadata",
    "metric",
    "model",
    "name",
    "new_location",
    "new_name",
    "new_project",
    "new_status",
    "new_task_name",
    "new_task_parent",
    "new_task_project",
    "parent",
    "project",
    "project_name",
    "queue",
    "queue_name",
    "replace_hyperparams",
    "repository",
    "root",
    "session",
    "task",
    "type",
    "user",
    "variant",
    "version",
    "worker",
    "x_axis_label",
}
"""Ids, names, addresses of folders, words out of a list. A text that somebody writes belongs to the content."""


def texts() -> set[str]:
    """The fields of all methods that change something, in which a text may stand."""
    found = set()
    for method in METHODS:
        if method.request is RawBody or not method.changes:
            continue
        for field in inspect.type_info(method.request).fields:  # type: ignore[union-attr]
            kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
            if any(isinstance(kind, inspect.StrType | inspect.AnyType) for kind in kinds):
                found.add(field.encode_name)
    return found


def test_S7_each_text_is_a_name_or_content() -> None:
    assert "new_task_comment" in texts() & CONTENT
    assert texts() - CONTENT == NAMES
