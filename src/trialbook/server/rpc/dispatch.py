"""From a method name and plain values to a reply: conversion, permission, transaction, live updates."""

import re
from typing import Any

import msgspec
import sqlalchemy as sa

from trialbook.errors import (
    BadField,
    BadPattern,
    BadRequest,
    Forbidden,
    MethodNotFound,
    MissingField,
    NoCredentials,
    TaskRace,
    WireError,
)
from trialbook.server.core.hub import Hub
from trialbook.server.core.limits import check_fields
from trialbook.server.core.patterns import took_too_long
from trialbook.server.rpc.context import ATTEMPTS, Context, collided
from trialbook.server.rpc.registry import Handler
from trialbook.server.series.erase import clear
from trialbook.server.services import others
from trialbook.server.services.accounts import Caller
from trialbook.server.stores.database import looked_too_long
from trialbook.server.stores.graves import Buried
from trialbook.wire.catalogue import METHODS, Method, Permission
from trialbook.wire.query import ManyReply
from trialbook.wire.table import RawBody

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<where>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def convert(request: Any, params: dict[str, Any]) -> Any:
    """The request struct of a method from plain values; nulls are absent, unknown names are ignored.

    Raises:
        MissingField, BadField: the message names the field.
    """
    given = {name: value for name, value in params.items() if value is not None}
    check_fields(given)
    if any("." in name for name in given) and "dotted" in request.__struct_fields__:
        given["dotted"] = {name: value for name, value in given.items() if "." in name}
    try:
        return msgspec.convert(given, request, strict=False)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        what, where = (found["what"], (found["where"] or "").lstrip(".")) if found else (str(error), "")
        missing = _MISSING.search(what)
        if missing:
            name = f"{where}.{missing['name']}" if where else missing["name"]
            raise MissingField(f"{name} is missing", field=name) from None
        raise BadField(f"{where or 'body'}: {what}", field=where or "body") from None


def lookup(name: str, version: tuple[int, int]) -> Method:
    """The method.

    Raises:
        MethodNotFound: there is none of that name at that version.
    """
    method = METHODS.get(name)
    if method is None:
        raise MethodNotFound(f"there is no method {name!r}; /api lists them all", endpoint=name)
    major, _, minor = method.since.partition(".")
    if (int(major), int(minor)) > version:
        raise MethodNotFound(f"{name} came with version {method.since}", endpoint=name)
    return method


class Dispatcher:
    """Runs handlers.

    Args:
        handlers: by method name.
        hub: where live updates go.
    """

    def __init__(self, handlers: dict[str, Handler], hub: Hub) -> None:
        self._handlers = handlers
        self._hub = hub

    def run(self, context: Context, method: Method, params: dict[str, Any] | RawBody) -> Any:
        """Answer a call in one transaction, then tell the pages.

        Raises:
            WireError: the refusal that goes to the caller.
        """
        self.permit(context.caller, method)
        ask = params if isinstance(params, RawBody) else convert(method.request, params)
        if others.needed(context.caller, method):
            with context.database.read() as connection:
                others.check(connection, context.caller, method, ask)
        for attempt in range(ATTEMPTS):
            try:
                reply = self._attempt(context, method, ask)
                break
            except Buried as found:
                if _opens(method) or attempt + 1 == ATTEMPTS:
                    raise
                clear(context.database, found.owner)
            except (sa.exc.DBAPIError, OverflowError) as error:
                if _opens(method) or attempt + 1 == ATTEMPTS or not collided(error):
                    raise _refusal(error) from error
                # Another server wrote the same rows in the same moment.
            # All of this attempt was undone.
            context.published.clear()
            context.reply_headers.clear()
            context.afterwards.clear()
        for do in context.afterwards:
            do()
        for topic, kind, keys in context.published:
            self._hub.publish(topic, kind, keys)
        return reply

    def _attempt(self, context: Context, method: Method, ask: Any) -> Any:
        handler = self._handlers[method.name]
        if _opens(method):
            return handler(context, ask)
        opened = context.database.write() if method.changes else context.database.read()
        with opened as connection:
            context.open_connection = connection
            try:
                return handler(context, ask)
            finally:
                context.open_connection = None

    def nested(self, context: Context, name: str, params: dict[str, Any]) -> Any:
        """Answer a call inside the transaction of another one."""
        method = lookup(name, context.version)
        self.permit(context.caller, method)
        if method.transaction == "own" or not isinstance(params, dict):
            raise BadRequest(f"{name} cannot be called inside another call")
        ask = convert(method.request, params)
        if others.needed(context.caller, method):
            others.check(context.connection, context.caller, method, ask)
        outer, context.method = context.method, name
        try:
            return self._handlers[name](context, ask)
        except (sa.exc.DBAPIError, OverflowError) as error:
            raise _refusal(error) from error
        finally:
            context.method = outer

    def permit(self, caller: Caller, method: Method) -> None:
        """Check that a caller may call a method.

        Raises:
            NoCredentials: nobody knows who calls.
            Forbidden: its role does not have the permission.
        """
        if caller.may(method.permit):
            return
        if not caller.user:
            raise NoCredentials("log in first: send an access key and secret, or a token")
        raise Forbidden(
            f"{method.name} needs the permission {method.permit.value!r}; your role is {caller.role!r}"
        )


def _opens(method: Method) -> bool:
    """Whether the handler opens its transactions; for a list of any length there are several."""
    return method.transaction != "auto" or method.reply is ManyReply


def _refusal(error: sa.exc.DBAPIError | OverflowError) -> Exception:
    """What the database refused, as the caller's mistake where it is one."""
    if isinstance(error, OverflowError):
        return BadField("a number is out of range", field="body")
    state = getattr(error.orig, "sqlstate", None)
    if state == "2201B":
        return BadPattern(f"PostgreSQL cannot use this pattern: {error.orig}. Use lower counts")
    if looked_too_long(error):
        return took_too_long()
    if state in {"40001", "40P01"}:
        return TaskRace("another client changed the same rows in the same moment; repeat the call")
    if state in {"22003", "22P02", "22008"}:
        return BadField("a number is out of range", field="body")
    return error


__all__ = ["Dispatcher", "Permission", "WireError", "convert", "lookup"]
