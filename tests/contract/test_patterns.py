"""Patterns of users: the same rows on both databases, never in Python's ``re``, never for long."""

import json
import random
import re

import pytest
from tests.support.server import RunningServer

from trialbook.errors import BadPattern
from trialbook.server.core.database_faults import looked_too_long
from trialbook.server.core.patterns import program, quoted
from trialbook.server.stores.database import Database

NAMES = [
    "un été chaud",
    "été",
    "ab été_1",
    "Straße STRASSE ſ K k",
    "a-b",
    "one\ntwo\n",
    "١٢٣ 12",
    "naïve.txt",
    "x" * 300,
    "日本語 test",
    "e\u0301te",
    "🙂 (a) [b] {c}",
    "İı",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
]
# Each means the same to Python, which judges the answers.
CORPUS = [
    r"\bété\b",
    r"\b\w+\b$",
    r"\bt",
    r"\Bt\B",
    r"^\d+\b",
    r"(?i)k",
    r"(?i)STRASSE|É",
    r"(?i:É)t",
    r"[^\w\s]",
    r"[\w-]+\.[a-z]{3}",
    r"\s\S",
    r"a.b",
    r"one.two",
    r"(?s)one.two",
    r"(?m)^two$",
    r"^two",
    r"(?:a|b)*-",
    r"x{299,301}$",
    r"^x{270,}$",
    r"x{301}",
    r"[\]\[(]",
    r"\(a\) \[",
    r"(?P<name>na)ï",
    r"|nothing",
    r"a{,2}",
    r"[^\x00-\x7f]{3}",
    r"^\W",
    r"(?:)",
    r"[]a]-",
]
# Python would try for ever.
HOSTILE = [
    # Repetitions in repetitions: a translation that writes the part twice doubles with each level.
    *("(" * 90 + "q" + sign + "!" for sign in ("+)" * 90, "*)" * 90 + "qq", "{1,})" * 90, "?)" * 90 + "qq")),
    r"(a+)+$",
    r"(\w+\s?)+: done",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(.*)*(.*)*b\b",
]
REFUSED = {
    r"(?=a)": "look-ahead",
    r"(?<!a)b": "look-behind",
    r"(a)\1": "back reference",
    r"(?P<x>a)(?P=x)": "back reference",
    r"a\Z": r"\z or $",
    r"(?x)a": "flag",
    r"a**": "repetition",
    r"a++": "repetition",
    r"(a": "without its )",
    r"[a": "without its ]",
    r"a)": "without its (",
    "a\\": "backslash",
    r"a{1001}": "1000",
    r"(?:a{100}){100}": "too large",
    r"\w{900}": "too large",
    r"\p{Greek}": "general categories",
    r"(?>a)": "atomic",
    "(" * 300 + ")" * 300: "nested",
    "a" * 4001: "4000",
    # Each would be written out as some 750 ranges, twice as slow without case.
    "(?i)" + r"\w" * 1_900: "too large",
    r"\b" * 1_900: "too large",
    "".join(rf"[^\d\pL{chr(0x2500 + number)}]" for number in range(400)): "too large",
    "(" * 90 + "a" + "{1000})" * 90: "too large",
}


@pytest.mark.parametrize("pattern", CORPUS)
def test_S1_one_meaning_in_re2_and_python(pattern: str) -> None:
    for name in NAMES:
        # `{,2}` is the one difference: RE2 takes it as it stands.
        wanted = re.search(pattern.replace("{,2}", r"\{,2\}"), name.removesuffix("\n")) is not None
        assert program(pattern).search(name.removesuffix("\n")) is wanted, name


def test_S1_the_same_rows_on_every_database(server: RunningServer) -> None:
    project = server.call("projects.create", name="patterns")["id"]
    ids = [server.call("tasks.create", name=name, type="testing", project=project)["id"] for name in NAMES]
    for pattern in CORPUS + HOSTILE:
        wanted = {id for id, name in zip(ids, NAMES, strict=True) if program(pattern).search(name)}
        for ask in ({"name": pattern}, {"_any_": {"pattern": pattern, "fields": ["name"]}}):
            if "_any_" in ask:
                wanted = {
                    id for id, name in zip(ids, NAMES, strict=True) if program(f"(?i){pattern}").search(name)
                }
            found = server.call("tasks.get_all", project=[project], only_fields=["id"], **ask)["tasks"]
            assert {one["id"] for one in found} == wanted, (pattern, ask)


@pytest.mark.parametrize(("pattern", "why"), REFUSED.items())
def test_S1_what_cannot_be_said_is_refused_with_its_reason(
    server: RunningServer, pattern: str, why: str
) -> None:
    task = server.call("tasks.create", name="t", type="testing")["id"]
    for method, ask in (
        ("tasks.get_all", {"name": pattern}),
        ("projects.get_all", {"name": pattern}),
        ("models.get_all", {"_all_": {"pattern": pattern, "fields": ["name"]}}),
        ("datasets.get_all", {"name_pattern": pattern}),
        ("datasets.get_summaries", {"name_pattern": pattern}),
        ("logs.search", {"task": task, "text": pattern, "regex": True}),
    ):
        meta = server.ask(method, ask).json()["meta"]
        assert (meta["result_code"], meta["result_subcode"]) == (400, 21), (method, meta)
        assert why in meta["result_msg"], (method, meta)


def test_S1_a_hostile_pattern_keeps_nobody_from_the_server(server: RunningServer) -> None:
    """With Python's ``re`` neither of these calls would come back."""
    task = server.call("tasks.create", name="a" * 40 + "!", type="testing")["id"]
    line = {"type": "log", "task": task, "msg": "a " * 5_000, "timestamp": 1}
    server.ask(
        "events.add_batch", body=json.dumps(line).encode(), headers={"Content-Type": "application/json-lines"}
    )
    for pattern in HOSTILE:
        server.call("tasks.get_all", name=pattern, only_fields=["id"])
        assert server.call("logs.search", task=task, text=pattern, regex=True)["count"] == 0
    assert server.call("logs.search", task=task, text=r"\ba a\b", regex=True)["count"] == 1


def test_S1_a_literal_text_is_found_as_it_stands() -> None:
    random.seed(5)
    letters = "ab.*+?()[]{}|\\^$ é\n-"
    for _ in range(500):
        text = "".join(random.choice(letters) for _ in range(6))
        assert program(quoted(text)).search(f"<{text}>")
        assert program(re.escape(text)).search(f"<{text}>")
        assert program(f"^{quoted(text)}$").search(text)


def test_S1_edges_beyond_ascii_agree_with_python_for_random_texts() -> None:
    random.seed(7)
    letters = "aé1١_ -\n🙂ß本\u0301"
    for pattern in (r"\bé", r"a\b", r"\B[é1]\B", r"(?:\b\w+\b[ -]?)+\n", r"\b.\b.\b", r"\w\b\W\b\w"):
        for _ in range(300):
            text = "".join(random.choice(letters) for _ in range(random.randint(1, 8)))
            assert program(pattern).search(text) is (re.search(pattern, text) is not None), (pattern, text)


def test_S1_too_many_letters_beside_an_edge_are_refused() -> None:
    letters = "".join(chr(0x3041 + number) for number in range(70))
    assert program(letters).search(letters)
    with pytest.raises(BadPattern, match="leave"):
        program(rf"\b{letters}")


def test_S1_postgresql_looks_for_a_pattern_only_so_long(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound holds for the statement with the pattern, and for no other one after it."""
    import sqlalchemy as sa

    from trialbook.server.stores import database as module

    if not database_url.startswith("postgres"):
        pytest.skip("SQLite's patterns run in RE2")
    monkeypatch.setattr(module, "PATTERN_SECONDS", 0.2)
    database = Database(database_url)
    try:
        slow = "SELECT pg_sleep(30), 'a' ~ 'a'"
        with pytest.raises(sa.exc.OperationalError) as caught, database.read() as connection:
            connection.exec_driver_sql(slow)
        assert getattr(caught.value.orig, "sqlstate", None) == "57014"
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT 'a' ~ 'a'").scalar_one() is True
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
            connection.exec_driver_sql("SELECT pg_sleep(0.3)")
    finally:
        database.close()


def test_S1_a_large_pattern_is_not_looked_for_in_a_long_text() -> None:
    """Linear in the text is minutes when the program has 50 000 steps; small programs take any text."""
    line = "a" * 900_000 + "!"
    for pattern in (r".{1,900}.{1,900}.{1,900}c", r"(?:a?){900}a{900}b", r"\b.{900}\b.{900}\b.{900}\bé"):
        with pytest.raises(BadPattern, match=r"too large for a text of 90000\d characters"):
            program(pattern).search(line)
        assert not program(pattern).search(line[-300:])
    for pattern in (r"(\w+\s?)+: done", r"\w{1,9}:\w{1,9}", r"[^\W\d]{30}é", r"\bé"):
        assert not program(pattern).search(line)
    assert program(r"\w{20}!").search(line)


def test_S1_a_search_of_sqlite_ends_between_two_rows(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many rows, each quickly done with, take as long as one that is not."""
    import sqlalchemy as sa

    from trialbook.server.stores import database as module

    if database_url.startswith("postgres"):
        pytest.skip("PostgreSQL bounds its statements itself")
    database = Database(database_url)
    try:
        monkeypatch.setattr(module, "PATTERN_SECONDS", -1.0)
        with pytest.raises(sa.exc.OperationalError) as caught, database.read() as connection:
            connection.exec_driver_sql("SELECT 'a' REGEXP 'a'")
        assert looked_too_long(caught.value)
        monkeypatch.undo()
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT 'a' REGEXP 'a'").scalar_one() == 1
    finally:
        database.close()
