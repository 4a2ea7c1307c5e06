"""Rules that depend on nothing: moves, projection, list grammar, patterns, dates, bodies."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialbook.errors import BadField, BadListOperator, BadPattern, BadRequest, BodyTooLarge
from trialbook.server.core import limits
from trialbook.server.core.projection import Projection
from trialbook.server.rpc import body as bodies
from trialbook.server.rpc.calls import method_of
from trialbook.server.rpc.multipart import part_name
from trialbook.server.stores.query import lists, patterns
from trialbook.server.stores.query.moments import moment
from trialbook.wire.catalogue import METHODS
from trialbook.wire.states import MOVES, TaskStatusEnum, may_move

CONTRACT = {
    "created": "queued in_progress",
    "queued": "created in_progress stopped",
    "in_progress": "stopped failed created completed",
    "stopped": "closed created failed queued in_progress published publishing completed",
    "closed": "created failed published publishing stopped",
    "failed": "created stopped published queued",
    "completed": "published in_progress created",
    "publishing": "published",
    "published": "",
}


@pytest.mark.parametrize("old", CONTRACT)
@pytest.mark.parametrize("new", [status.value for status in TaskStatusEnum])
def test_every_move_is_as_the_contract_says(old: str, new: str) -> None:
    assert may_move(old, new) == (new == old or new in CONTRACT[old].split())


def test_every_status_has_its_row() -> None:
    assert MOVES.keys() == {status.value for status in TaskStatusEnum}


DOCUMENT: dict[str, Any] = {
    "id": "1",
    "name": "n",
    "runtime": {"version": "2", "a/b c$": 3},
    "hyperparams": {"Args": {"lr.x": {"value": "0.1"}, "lr": {"value": "0.2", "x": {"value": "no"}}}},
    "last_metrics": {},
    "execution": {"artifacts": [{"key": "a", "uri": "u"}, {"key": "b"}]},
    "parent": None,
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["name"], {"id": "1", "name": "n"}),
        (["runtime.nothing"], {"id": "1", "runtime": {}}),
        (["last_metrics.h.h.max_value"], {"id": "1", "last_metrics": {}}),
        (["runtime.a/b c$"], {"id": "1", "runtime": {"a/b c$": 3}}),
        (["hyperparams.Args.lr.x.value"], {"id": "1", "hyperparams": {"Args": {"lr.x": {"value": "0.1"}}}}),
        (["execution.artifacts.key"], {"id": "1", "execution": {"artifacts": [{"key": "a"}, {"key": "b"}]}}),
        (["parent.name"], {"id": "1", "parent": None}),
        (["nope", "name", "name"], {"id": "1", "name": "n"}),
        (["runtime", "runtime.version"], {"id": "1", "runtime": DOCUMENT["runtime"]}),
        (["runtime.version", "runtime"], {"id": "1", "runtime": DOCUMENT["runtime"]}),
    ],
)
def test_projection(fields: list[str], expected: dict[str, Any]) -> None:
    assert Projection(fields)(DOCUMENT) == expected


def test_projection_leaves_out() -> None:
    copy = {**DOCUMENT, "runtime": dict(DOCUMENT["runtime"])}
    found = Projection(["-runtime.version", "-name"])(copy)
    assert "name" not in found
    assert found["runtime"] == {"a/b c$": 3}


def buckets(value: Any) -> tuple[Any, ...]:
    found = lists.parse("tags", value)
    return found.any, found.all, found.none, found.null, found.joined_by_or


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", (("a",), (), (), False, False)),
        (["a", "b"], (("a", "b"), (), (), False, False)),
        (["-a"], ((), (), ("a",), False, False)),
        (["__$all", "a", "b"], ((), ("a", "b"), (), False, False)),
        (["__$all", "a", "__$not", "b", "c"], ((), ("a", "c"), ("b",), False, False)),
        (["__$or", "a", "__$not", "b"], (("a",), (), ("b",), False, True)),
        (["__$all", "a", "__$nop", "b"], (("b",), ("a",), (), False, False)),
        (["__$all", "-a"], ((), ("-a",), (), False, False)),
        ([None, "a"], (("a",), (), (), True, False)),
        (["-"], (("-",), (), (), False, False)),
    ],
)
def test_list_grammar(value: Any, expected: tuple[Any, ...]) -> None:
    assert buckets(value) == expected


@pytest.mark.parametrize(
    "value", [["__$nope"], ["__$not"], ["a", "__$not"], ["__$not", "__$all", "a"], [1], [["a"]]]
)
def test_list_grammar_refuses(value: Any) -> None:
    with pytest.raises(BadListOperator):
        lists.parse("tags", value)


def test_a_list_has_an_end() -> None:
    with pytest.raises(BadField):
        lists.parse("id", ["x"] * (lists.LONGEST + 1))


@given(st.text())
def test_an_escaped_literal_is_an_equality(text: str) -> None:
    pattern = f"^{re.escape(text)}$"
    found = patterns.literal(pattern)
    assert found is None or found == text
    if not any(letter in text for letter in "\n\\"):
        assert found == text


@pytest.mark.parametrize("pattern", ["^a.*$", r"^\d$", "a$", "^a", "^a|b$", "^(a)$", "^a\\$", "^"])
def test_other_patterns_stay_patterns(pattern: str) -> None:
    assert patterns.literal(pattern) is None


@pytest.mark.parametrize("pattern", ["(", "[", "*a", "(?P<x", "a{2,1}"])
def test_a_broken_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        patterns.check(pattern)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:00", 1767225600.0),
        ("2026-01-01 00:00:00.5", None),
        ("2026-01-01 00:00:00.500000", 1767225600.5),
        ("2026-01-01T00:00:00Z", 1767225600.0),
        ("2026-01-01T01:00:00+01:00", 1767225600.0),
        ("yesterday", None),
        (True, None),
        (5, 5.0),
    ],
)
def test_moments(text: Any, seconds: float | None) -> None:
    found = moment(text)
    # Python 3.10 does not read every fraction of a second.
    assert found == seconds or (seconds is None and found == 1767225600.5)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tasks.get_all", ("tasks.get_all", "2.34")),
        ("/v2.23/tasks.get_all", ("tasks.get_all", "2.23")),
        ("/prefix/more/v2.5/tasks.get_all/", ("tasks.get_all", "2.5")),
        ("/v2/tasks.get_all", ("tasks.get_all", "2")),
        ("/projects/x/tasks", None),
        ("/", None),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    assert method_of(path) == expected


def test_query_string() -> None:
    found = bodies.query_values(
        "expiration_sec=60&enabled=true&types=a&types=b&types=c&name=nan&big=12345678901234567890123"
    )
    assert found == {
        "expiration_sec": 60,
        "enabled": True,
        "types": ["a", "b", "c"],
        "name": "nan",
        "big": "12345678901234567890123",
    }


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'"x"', b"5", b"null", b"{'a':1}", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.parse_object(body)


def test_what_a_database_cannot_hold_is_written_as_escapes_in_names_and_a_sign_in_content() -> None:
    found = bodies.parse_object(
        rb'{"a":"x\u0000y","b":["\ud800","\udcff"],"c":{"\u0000":NaN},"uri":"f\udcfe"}'
    )
    assert found["a"] == "x\\x00y"
    assert found["b"] == ["\\ud800", "\\xff"]
    assert list(found["c"]) == ["\\x00"] and found["uri"] == "f\\xfe"
    found = bodies.parse_object(
        rb'{"comment":"x\u0000y\ud800z","hyperparams":{"s":{"\udcff":{"value":"\udcff"}}}}'
    )
    assert found == {"comment": "x\ufffdy\ufffdz", "hyperparams": {"s": {"\\xff": {"value": "\ufffd"}}}}
    assert bodies.query_values("name=a%00&comment=b%00&name=c") == {
        "name": ["a\\x00", "c"],
        "comment": "b\ufffd",
    }


def test_a_packed_body_cannot_grow_without_end() -> None:
    import gzip

    with pytest.raises(BodyTooLarge):
        bodies.unpack(gzip.compress(b"0" * 1_000_000), "gzip", 1000, limits.Share(limits.Budget(), "a"))
    with pytest.raises(BadRequest):
        bodies.unpack(gzip.compress(b"0" * 1000)[:-9], "gzip", 10_000, limits.Share(limits.Budget(), "a"))
    with pytest.raises(BadRequest):
        bodies.unpack(b"x", "br", 1000, limits.Share(limits.Budget(), "a"))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="/a b/ä.txt"; filename="x"', "/a b/ä.txt"),
        ('form-data; filename="x"; name="y"', "y"),
        ("form-data; name*=utf-8''%C3%A4%20b; filename=\"q\"", "ä b"),
        ('form-data; name="a\\"b"', 'a"b'),
    ],
)
def test_part_names(header: str, name: str) -> None:
    assert part_name(header.encode()) == name


def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(BadRequest):
        part_name(b'form-data; filename="x"')


def test_table_and_handlers_match() -> None:
    from trialbook.server.rpc import registry

    assert registry.load().keys() == {method.name for method in METHODS}


def test_every_method_says_what_it_is() -> None:
    assert [method.name for method in METHODS if not method.summary] == []
