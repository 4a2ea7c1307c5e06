"""The method table: name → request, reply, permission, since. It is the API, the OpenAPI page, the
TypeScript types and the permission list, so none of these can drift from another.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal

import msgspec


class Permission(Enum):
    """What a caller must hold. Each includes the ones above it, except that WORK stands beside WRITE."""

    PUBLIC = "public"
    READ = "read"
    WORK = "work"
    WRITE = "write"
    ADMIN = "admin"


class Access(msgspec.Struct, frozen=True):
    """Which things a call concerns, and so whose rights count.

    Everything is one open domain today, so that the permission alone decides. Rights on single projects will be decided
    by what each method declares here, and nowhere else.

    Attributes:
        kind: ``public`` for everybody; ``self`` for what belongs to the caller; ``domain`` for all things of a noun
            that the caller may see, or a new one; ``owners`` for the things that a field names; ``queue``; ``admin``.
        noun: of a domain.
        field: of the request, with an id or several; empty where the ids are in a body that is not JSON, or where a
            queue is not named.
    """

    kind: Literal["public", "self", "domain", "owners", "queue", "admin"]
    noun: str = ""
    field: str = ""

    def text(self) -> str:
        """As the page of the API shows it."""
        return f"{self.kind} {self.noun or self.field}".strip()


ANYBODY = Access("public")
OWN = Access("self")
ADMINISTRATORS = Access("admin")


def domain(noun: str) -> Access:
    """All things of a noun, as far as the caller may see them; or a new one."""
    return Access("domain", noun=noun)


def owners(field: str) -> Access:
    """The things whose ids are in a field."""
    return Access("owners", field=field)


def queue(field: str = "") -> Access:
    """A queue, or all of them."""
    return Access("queue", field=field)


class RawBody(msgspec.Struct, frozen=True):
    """Declared as ``request`` by a method whose body is not JSON: the handler gets the bytes as they came, unpacked."""

    content_type: str
    body: bytes
    accept: str = ""


class RawReply(msgspec.Struct, frozen=True):
    """Returned by a handler whose answer is not JSON; sent without the envelope. A body in parts is sent part by part,
    as they are made."""

    content_type: str
    body: bytes | Iterator[bytes]
    headers: dict[str, str] = {}


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One remote procedure.

    Attributes:
        name: ``service.action``.
        access: which things it concerns.
        request: struct that the body is converted to; unknown keys and nulls are dropped before.
        reply: struct (or type) of ``data``; for documentation and generated types.
        permit: the permission that the caller needs.
        since: first protocol version that has it, as text such as ``"2.13"``.
        changes: True when it changes anything; such a method refuses GET with a cookie session.
        summary: one sentence for the API page.
        transaction: "auto" runs the handler inside one transaction of the dispatcher (``context.connection``; a write
            transaction when ``changes``); "own" lets the handler open its own; "slices" does so as well, for a list of
            any length, but joins the transaction of a call that it is part of.
    """

    name: str
    access: Access
    request: Any
    reply: Any
    permit: Permission
    since: str = "2.1"
    changes: bool = False
    summary: str = ""
    transaction: Literal["auto", "own", "slices"] = "auto"


class MethodTable:
    """All methods by name; filled by the noun modules when ``wire.catalogue`` is imported."""

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}

    def add(
        self,
        name: str,
        *,
        access: Access,
        request: Any,
        reply: Any,
        permit: Permission,
        since: str = "2.1",
        changes: bool = False,
        summary: str = "",
        transaction: Literal["auto", "own", "slices"] = "auto",
    ) -> None:
        """Declare a method; a second one of the same name, or access to a field that the request has not, is a
        programming error."""
        if name in self._methods:
            raise ValueError(f"method {name} is declared twice")
        if access.field and access.field not in request.__struct_fields__:
            raise ValueError(f"method {name} has no field {access.field!r} to decide its access by")
        self._methods[name] = Method(
            name=name,
            access=access,
            request=request,
            reply=reply,
            permit=permit,
            since=since,
            changes=changes,
            summary=summary,
            transaction=transaction,
        )

    def get(self, name: str) -> Method | None:
        """The method, or None."""
        return self._methods.get(name)

    def __iter__(self) -> Iterator[Method]:
        return iter(sorted(self._methods.values(), key=lambda method: method.name))

    def __len__(self) -> int:
        return len(self._methods)


METHODS = MethodTable()


def reads(name: str, access: Access, request: Any, reply: Any, summary: str, since: str = "2.1") -> None:
    """Declare a method that changes nothing."""
    METHODS.add(
        name,
        access=access,
        request=request,
        reply=reply,
        permit=Permission.READ,
        since=since,
        summary=summary,
    )


def writes(
    name: str,
    access: Access,
    request: Any,
    reply: Any,
    summary: str,
    since: str = "2.1",
    transaction: Literal["auto", "slices"] = "auto",
) -> None:
    """Declare a method for people who manage things."""
    METHODS.add(
        name,
        access=access,
        request=request,
        reply=reply,
        permit=Permission.WRITE,
        since=since,
        changes=True,
        summary=summary,
        transaction=transaction,
    )


def works(
    name: str,
    access: Access,
    request: Any,
    reply: Any,
    summary: str,
    since: str = "2.1",
    transaction: Literal["auto", "slices"] = "auto",
) -> None:
    """Declare a method that a run or a worker needs."""
    METHODS.add(
        name,
        access=access,
        request=request,
        reply=reply,
        permit=Permission.WORK,
        since=since,
        changes=True,
        summary=summary,
        transaction=transaction,
    )


def partial(struct: type[msgspec.Struct]) -> msgspec.Meta:
    """Marks a projected document: ``Annotated[dict[str, Any], partial(Task)]`` is a plain mapping at run time and
    ``Partial<Task>`` in the generated types and the API page.
    """
    return msgspec.Meta(extra={"partial": struct})
