"""From a method name and plain values to a reply: conversion, permission, transaction, live updates."""

import re
from typing import Any

import msgspec

from trialbook.errors import (
    BadField,
    BadRequest,
    Forbidden,
    MethodNotFound,
    MissingField,
    NoCredentials,
    WireError,
)
from trialbook.server.core.hub import Hub
from trialbook.server.core.limits import check_fields
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.rpc.registry import Handler
from trialbook.server.services import others
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import ATTEMPTS
from trialbook.server.services.caller import Caller
from trialbook.server.services.refusals import REFUSED, may_repeat, refusal
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
        services: what they use.
        hub: where live updates go.
    """

    def __init__(self, handlers: dict[str, Handler], services: Services, hub: Hub) -> None:
        self._handlers = handlers
        self._services = services
        self._hub = hub

    def run(self, call: HttpCall, method: Method, params: dict[str, Any] | RawBody) -> Any:
        """Answer a call in one transaction, then tell the pages.

        Raises:
            WireError: the refusal that goes to the caller.
        """
        self.permit(call.caller, method)
        ask = params if isinstance(params, RawBody) else convert(method.request, params)
        if others.needed(call.caller, method):
            with call.read() as connection:
                others.check(connection, call.caller, method, ask)
        try:
            reply = self._repeated(call, method, ask)
        finally:
            # Also of a long list that was refused in the middle: what its first slices changed stays changed.
            call.changes.tell(self._hub.publish)
        for do in call.afterwards:
            do()
        return reply

    def _repeated(self, call: HttpCall, method: Method, ask: object) -> object:
        for attempt in range(ATTEMPTS):
            try:
                return self._attempt(call, method, ask)
            except REFUSED as error:
                last = _opens(method) or attempt + 1 == ATTEMPTS
                if last or not may_repeat(call.database, error):
                    raise refusal(error) from error
            # All of this attempt was undone.
            call.reply_headers.clear()
            call.afterwards.clear()
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, call: HttpCall, method: Method, ask: Any) -> Any:
        handler = self._handlers[method.name]
        if _opens(method):
            return handler(self._services, call, ask)
        with call.write() if method.changes else call.read():
            return handler(self._services, call, ask)

    def nested(self, call: HttpCall, name: str, params: dict[str, Any]) -> Any:
        """Answer a call inside the transaction of another one."""
        method = lookup(name, call.version)
        self.permit(call.caller, method)
        if method.transaction == "own" or not isinstance(params, dict):
            raise BadRequest(f"{name} cannot be called inside another call")
        ask = convert(method.request, params)
        if others.needed(call.caller, method):
            others.check(call.connection, call.caller, method, ask)
        outer, call.method = call.method, name
        try:
            return self._handlers[name](self._services, call, ask)
        except REFUSED as error:
            raise refusal(error) from error
        finally:
            call.method = outer

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


__all__ = ["Dispatcher", "Permission", "WireError", "convert", "lookup"]
