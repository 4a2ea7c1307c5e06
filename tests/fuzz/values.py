"""What callers send: values of the right shape, and values that nobody should send. All is drawn from one generator, so a
seed says everything.
"""

import random
from typing import Any

import msgspec
from msgspec import inspect

DIGITS = "@five thousand digits@"
"""Stands for a number that Python would not write."""
FLOAT = "@1e400@"
TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "'; DROP TABLE task; --", "%_\\", '"', "(", "[a", "*", "\\", "(?P<x",
    "a{99999}", "(?i)x", "x" * 100_000, "😀" * 50, "..", "../../etc/passwd", "/", "a/b", "a//b", "$where", "__$all", "__$not",
    "-name", "\n\t\r", "\u202e", "e\u0301", "null", "NaN", "1e400", "9" * 5000, "-1", "2026-02-30", "9999-99-99T99:99:99Z",
    ">=x", "<", "<" + "9" * 400, ">99999-01-01", "\\b\\w", "a.b.c", ".", "...", "hyperparams.a.b", "last_metrics.x.y.value",
    "execution." + "a." * 300, "id", "name", "{}", "%s%n", "{0.__class__}", "𝟓", "١٢", "1_000",
]  # fmt: skip
NUMBERS = [0, -1, 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, 0.5, -0.0, 1e308, 5e-324,
           float("nan"), float("inf"), float("-inf"), DIGITS, FLOAT]  # fmt: skip


def deep(levels: int, kind: type) -> Any:
    """A list in a list in a list."""
    value: Any = kind()
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


def dumped(value: Any) -> bytes:
    """JSON with everything that ``json.dumps`` writes, and numbers beyond that."""
    import json
    import sys

    earlier = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        text = json.dumps(value)
    finally:
        sys.setrecursionlimit(earlier)
    return text.replace(f'"{DIGITS}"', "9" * 5000).replace(f'"{FLOAT}"', "1e400").encode()


class Values:
    """Draws values.

    Args:
        chance: where from.
        known: ids and names that exist, by what they are.
    """

    def __init__(self, chance: random.Random, known: dict[str, list[str]]) -> None:
        self.chance = chance
        self._known = known
        self._ids = [id for ids in known.values() for id in ids]

    def hostile(self) -> Any:
        """Something that fits nowhere."""
        kind = self.chance.randrange(12)
        if kind < 4:
            return self.chance.choice(TEXTS)
        if kind < 7:
            return self.chance.choice(NUMBERS)
        if kind == 7:
            return self.chance.choice(
                [None, True, False, [], {}, [[]], [None], {"": ""}, {"a.b": {"$gt": 1}}]
            )
        if kind == 8:
            return deep(self.chance.choice([3, 50, 600, 3000]), self.chance.choice([list, dict]))
        if kind == 9:
            return [self.hostile() for _ in range(self.chance.randrange(5))]
        if kind == 10:
            return {self.chance.choice(TEXTS): self.hostile() for _ in range(self.chance.randrange(4))}
        return self.chance.choice(
            [list(range(3000)), {str(n): n for n in range(3000)}, self.chance.choice(self._ids)]
        )

    def text(self, name: str) -> str:
        """A text for a field of that name; where ids are known, mostly one of them."""
        for part, ids in self._known.items():
            if part in name.lower() and self.chance.random() < 0.8:
                return self.chance.choice(ids)
        if name.lower() in {"id", "ids", "task", "tasks", "entity"} or self.chance.random() < 0.4:
            return self.chance.choice(self._ids)
        return self.chance.choice(["name", "x", "loss", "train", "a/b", "General", self.chance.choice(TEXTS)])

    def of(self, kind: inspect.Type, name: str, wild: float, depth: int = 0) -> Any:
        """A value of a type; any part of it is something else with the chance ``wild``."""
        chance = self.chance
        if chance.random() < wild:
            return self.hostile()
        if isinstance(kind, inspect.UnionType):
            return self.of(chance.choice(kind.types), name, wild, depth)
        if isinstance(kind, inspect.Metadata):
            return self.of(kind.type, name, wild, depth)
        if isinstance(kind, inspect.StrType):
            return self.text(name)
        if isinstance(kind, inspect.BoolType):
            return chance.random() < 0.5
        if isinstance(kind, inspect.IntType):
            return chance.choice([0, 1, 2, 10, 500, -1])
        if isinstance(kind, inspect.FloatType):
            return chance.choice([0.0, 0.5, 1e9, -3.0])
        if isinstance(kind, inspect.LiteralType):
            return chance.choice(list(kind.values))
        if isinstance(kind, inspect.NoneType):
            return None
        if depth > 5:
            return None
        if isinstance(kind, inspect.ListType):
            return [self.of(kind.item_type, name, wild, depth + 1) for _ in range(chance.randrange(4))]
        if isinstance(kind, inspect.TupleType):
            return [self.of(item, name, wild, depth + 1) for item in kind.item_types]
        if isinstance(kind, inspect.DictType):
            return {
                self.text("key"): self.of(kind.value_type, name, wild, depth + 1)
                for _ in range(chance.randrange(4))
            }
        if isinstance(kind, inspect.StructType):
            given = {}
            for field in kind.fields:
                if field.required or chance.random() < 0.3:
                    given[field.encode_name] = self.of(field.type, field.encode_name, wild, depth + 1)
            return given
        return chance.choice(
            [self.text(name), chance.choice([1, 0.5, True, None]), {"a": [1, {"b": "c"}]}, self.hostile()]
        )

    def params(self, request: Any) -> Any:
        """A body for a request struct: some are right all through, few are wrong all through."""
        if self.chance.random() < 0.04:
            return self.hostile()
        wild = self.chance.choice([0.0, 0.02, 0.1, 0.4])
        made = self.of(msgspec.inspect.type_info(request), "body", 0.0 if wild < 0.4 else 0.05, 0)
        if not isinstance(made, dict) or wild == 0.0:
            return made
        for name in list(made):
            if self.chance.random() < wild:
                made[name] = self.hostile()
        if self.chance.random() < wild:
            made[self.chance.choice(TEXTS)] = self.hostile()
        return made


def mutated(chance: random.Random, body: bytes) -> bytes:
    """A body with some bytes changed, lost, doubled or put in."""
    data = bytearray(body)
    for _ in range(chance.choice([1, 1, 1, 2, 5, 20])):
        if not data:
            break
        at = chance.randrange(len(data))
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + chance.randrange(1, 40)]
        elif kind == 3:
            data[at:at] = data[at : at + chance.randrange(1, 60)]
        elif kind == 4:
            data[at : at + 4] = chance.choice(
                [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"]
            )
        elif kind == 5:
            data[at : at + 8] = chance.choice(
                [b"\0" * 8, b"\xff" * 8, b"\0" * 6 + b"\xf8\x7f", b"\0" * 6 + b"\xf0\x7f"]
            )
        else:
            data[at:at] = chance.choice(
                [b"\0", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"\n", b"{", b"9" * 5000, chance.randbytes(9)]
            )
    return bytes(data)
