"""The method table: name → request, reply, permission, since. It is the API, the OpenAPI page, the
TypeScript types and the permission list, so none of these can drift from another.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec


class Permission(Enum):
    """What a caller must hold. Each includes the ones above it, except that WORK stands beside WRITE."""

    PUBLIC = "public"
    READ = "read"
    WORK = "work"
    WRITE = "write"
    ADMIN = "admin"


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One remote procedure.

    Attributes:
        name: ``service.action``.
        request: struct that the body is converted to; unknown keys and nulls are dropped before.
        reply: struct (or type) of ``data``; for documentation and generated types.
        permit: the permission that the caller needs.
        since: first protocol version that has it, as text such as ``"2.13"``.
        changes: True when it changes anything; such a method refuses GET with a cookie session.
        summary: one sentence for the API page.
    """

    name: str
    request: Any
    reply: Any
    permit: Permission
    since: str = "2.1"
    changes: bool = False
    summary: str = ""


class MethodTable:
    """All methods by name; filled by the noun modules when ``wire.catalogue`` is imported."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def add(
        self,
        name: str,
        *,
        request: Any,
        reply: Any,
        permit: Permission,
        since: str = "2.1",
        changes: bool = False,
        summary: str = "",
    ) -> None:
        """Declare a method; a second one of the same name is a programming error."""
        if name in self._methods:
            raise ValueError(f"method {name} is declared twice")
        self._methods[name] = Method(
            name=name, request=request, reply=reply, permit=permit, since=since, changes=changes, summary=summary
        )

    def get(self, name: str) -> Method | None:
        """The method, or None."""
        return self._methods.get(name)

    def __iter__(self) -> Iterator[Method]:
        return iter(sorted(self._methods.values(), key=lambda method: method.name))

    def __len__(self) -> int:
        return len(self._methods)


METHODS = MethodTable()


def document(struct: type[msgspec.Struct]) -> Any:
    """The type of a projected document: a plain mapping at run time, ``Partial<struct>`` in the generated types."""
    return msgspec.Meta(extra={"partial": struct})
