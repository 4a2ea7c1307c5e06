"""Where files of a task live below its destination, with names that every storage accepts."""

import hashlib
import re

from trialbook.base.unicode import LONGEST_NAME
from trialbook.client.places import child_address
from trialbook.errors import UsageError

_UNSAFE = re.compile(r"[#\"';?:@&=+$,%!\x00-\x1f\x7f\\*<>|\ud800-\udfff\ufffe\uffff]")


def checked(what: str, name: str) -> str:
    """A name that the server takes. What it refused would be lost later, together with all that comes with it.

    Raises:
        UsageError: it is empty, or longer than names may be.
    """
    if not name:
        raise UsageError(f"{what} needs a name")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the name of {what} has {len(name)} characters, at most {LONGEST_NAME} are allowed: shorten {name[:40]!r}…"
        )
    return name


def safe(part: str) -> str:
    """One path component: no separators, nothing that an address or a file system treats specially."""
    text = part.replace("/", ".slash.")
    text = _UNSAFE.sub(lambda found: f"0x{ord(found[0]):02x}", text)
    if text in ("", ".", ".."):
        text = f"_{text}"
    raw = text.encode("utf-8", "replace")
    if len(raw) > 200:
        text = raw[:150].decode("utf-8", "ignore") + "." + hashlib.sha256(raw).hexdigest()[:16]
    return text


def task_folder(project: str, name: str, task_id: str) -> str:
    """``<project path>/<task name>.<task id>``, the folder of all files of a task."""
    # ClearML bounds the project at 256 and name with id at 128 characters.
    levels = [safe(level) for level in project.split("/") if level] or ["default"]
    stem = safe(name)[: 128 - len(task_id) - 1]
    return "/".join([*levels, f"{stem}.{task_id}"])


def join(base: str, *parts: str) -> str:
    """An address below ``base``, encoded where the addresses of its scheme are."""
    return child_address(base, "/".join(parts))
