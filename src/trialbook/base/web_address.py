"""An address of a server as people write it: copied from a browser, without its scheme, with a blank behind it."""

import contextlib
import ipaddress
import re
from urllib.parse import urlsplit

_PAGE = re.compile(r"/(?:login|dashboard|projects|datasets|settings|widgets)(?:/.*)?$", re.DOTALL)
"""Paths of the page itself: who copied the address of a page means the server that has it."""


def web_address(text: str) -> str:
    """One spelling of the address of a server.

    What is missing is ``http://``; a path of the page, a question, a name with password (which is never sent, but would
    be printed) and slashes at the end are left out. Scheme and host are in small letters.

    Args:
        text: as given.

    Raises:
        ValueError: it is none.

    Example:
        >>> web_address(" Lab:8008/projects/12/tasks?order=name ")
        'http://lab:8008'
        >>> web_address("https://lab.org/trialbook/")
        'https://lab.org/trialbook'
        >>> web_address("::1")
        'http://[::1]'
    """
    text = text.strip()
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(text).version == 6:
            text = f"[{text}]"
    parts = urlsplit(text if "://" in text else f"http://{text}")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError(text)
    named = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port is not None else ""
    path = "" if _PAGE.match(parts.path) else parts.path.rstrip("/")
    return f"{parts.scheme}://{named}{port}{path}"
