"""The frame around every JSON answer, and how values become JSON."""

from typing import Any

import msgspec

from trialbook.base.ids import new_id
from trialbook.errors import WireError

_encoder = msgspec.json.Encoder()


def success(name: str, version: str, data: Any, since: str) -> bytes:
    """An answer."""
    return _encoder.encode(
        {"meta": _meta(name, version, since, 200, 0, "OK"), "data": {} if data is None else data}
    )


def failure(name: str, version: str, error: WireError, request: str) -> bytes:
    """A refusal; ``data`` is an empty object, because clients dereference it."""
    meta = _meta(name, version, version, error.code, error.subcode, error.message)
    meta["id"] = meta["trx"] = request
    meta["error_class"] = type(error).__name__
    meta["error_data"] = {key: value for key, value in error.data.items() if key != "secret_key"}
    return _encoder.encode({"meta": meta, "data": {}})


def _meta(name: str, version: str, since: str, code: int, subcode: int, message: str) -> dict[str, Any]:
    id = new_id()
    return {
        "id": id,
        "trx": id,
        # Versions must be texts: released clients loop for ever on a number without a fraction.
        "endpoint": {"name": name, "requested_version": version, "actual_version": since},
        "result_code": code,
        "result_subcode": subcode,
        "result_msg": message,
        "error_stack": None,
        "error_data": {},
    }
