"""Errors cross the wire whole: class, codes, words and data."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from trialbook import errors
from trialbook.client.files import check
from trialbook.client.session import _data
from trialbook.server.rpc import envelope


def kinds(root: type[errors.WireError] = errors.WireError) -> list[type[errors.WireError]]:
    """The classes that a client knows; what the server derives from them for itself arrives as they do."""
    below = (child for child in root.__subclasses__() if child.__module__ == errors.__name__)
    return [root, *(kind for child in below for kind in kinds(child))]


def answered(error: errors.WireError) -> Any:
    body = envelope.failure("a.b", "2.34", error, "1")
    return SimpleNamespace(status=error.code, data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("kind", kinds()[1:], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("by", ["call", "file"])
def test_S10_every_class_of_error_arrives_whole(kind: type[errors.WireError], by: str) -> None:
    sent = kind("the words ü\n of the server", expected=7, path="a/b", message_of=["x"])
    with pytest.raises(errors.WireError) as caught:
        if by == "call":
            _data(answered(sent), "http://here")
        else:
            check(answered(sent), "http://here/files/a")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.subcode) == (kind.code, kind.subcode)
    assert caught.value.message == str(caught.value) == "the words ü\n of the server"
    assert caught.value.data == {"expected": 7, "path": "a/b", "message_of": ["x"]}


def test_S10_words_of_other_servers_are_no_trap() -> None:
    found = errors.from_wire(400, 101, "gone", {"message": "x", "self": "y", "task": "z"})
    assert type(found) is errors.TaskNotFound and found.data == {"task": "z"}
    unknown = errors.from_wire(418, 3, "tea", None, "NoSuchClass")
    assert (unknown.code, unknown.subcode, str(unknown)) == (418, 3, "tea")
    # A name alone does not make a refusal another one.
    assert type(errors.from_wire(400, 101, "gone", None, "ServerFault")) is errors.TaskNotFound


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"meta": 1}', b'{"meta": {"result_code": "x"}}'])
def test_S10_a_proxy_in_between_is_told_by_its_status(body: bytes) -> None:
    reply = cast(Any, SimpleNamespace(status=502, data=body, headers={"Content-Type": "application/json"}))
    with pytest.raises(errors.ServerFault, match="HTTP 502"):
        check(reply, "http://here/files/a")
