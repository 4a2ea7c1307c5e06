"""Identifiers as the wire wants them: 32 lower-case hexadecimal characters."""

import os
import re

_ID = re.compile(r"^[0-9a-f]{32}$")


def new_id() -> str:
    """A fresh random identifier."""
    return os.urandom(16).hex()


def is_id(text: object) -> bool:
    """True when ``text`` has the shape of an identifier."""
    return isinstance(text, str) and _ID.match(text) is not None
