"""The OpenAPI document, made from the method table."""

from typing import Any

import msgspec

from trialbook.wire.catalogue import METHODS, Method
from trialbook.wire.table import RawBody, RawReply

_META = {
    "type": "object",
    "description": "How the call went. ``result_code`` is the HTTP status; ``result_subcode`` tells refusals apart.",
    "properties": {
        "id": {"type": "string"},
        "trx": {"type": "string"},
        "endpoint": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "requested_version": {"type": "string"},
                "actual_version": {"type": "string"},
            },
        },
        "result_code": {"type": "integer"},
        "result_subcode": {"type": "integer"},
        "result_msg": {"type": "string"},
        "error_stack": {"type": ["string", "null"]},
        "error_data": {"type": "object"},
    },
}


def openapi(version: str) -> dict[str, Any]:
    """The whole document.

    Args:
        version: of this server.
    """
    methods = list(METHODS)
    components: dict[str, Any] = {}
    by_type: dict[int, Any] = {}
    for kind in {id(kind): kind for method in methods for kind in (method.request, method.reply)}.values():
        if _documented(kind):
            by_type[id(kind)] = _schema(kind, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trialbook",
            "version": version,
            "description": "Every method takes GET, POST and PUT with a JSON body, at /name and at /vX.Y/name.",
        },
        "components": {
            "schemas": {**components, "Meta": _META},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "key": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Access key and secret; auth.login only.",
                },
            },
        },
        "paths": {f"/{method.name}": {"post": _operation(method, by_type)} for method in methods},
    }


def _schema(kind: Any, components: dict[str, Any]) -> Any:
    try:
        [schema], more = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    except TypeError:
        # A reply is never decoded here, so it may have a union that msgspec cannot tell apart.
        return {"type": "object", "description": " ".join((getattr(kind, "__doc__", None) or "").split())}
    components.update(more)
    return schema


def _documented(kind: Any) -> bool:
    return kind not in (RawBody, RawReply, None)


def _operation(method: Method, by_type: dict[int, Any]) -> dict[str, Any]:
    if _documented(method.request):
        content: dict[str, Any] = {"application/json": {"schema": by_type[id(method.request)]}}
    else:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    if _documented(method.reply):
        envelope = {
            "type": "object",
            "properties": {"meta": {"$ref": "#/components/schemas/Meta"}, "data": by_type[id(method.reply)]},
        }
        answer: dict[str, Any] = {"application/json": {"schema": envelope}}
    else:
        answer = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    public = method.permit.value == "public"
    return {
        "operationId": method.name,
        "tags": [method.name.partition(".")[0]],
        "summary": method.summary,
        "description": f"Permission: {method.permit.value}. Access: {method.access.text()}. Since {method.since}."
        + (" Changes data." if method.changes else ""),
        "security": [] if public else [{"token": []}],
        "requestBody": {"content": content},
        "responses": {"200": {"description": "Done.", "content": answer}},
    }
