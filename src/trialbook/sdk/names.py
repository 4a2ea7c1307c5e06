"""Where files of a task live below its destination, with names that every storage accepts."""

import hashlib
import re

from trialbook.client.places import child_address

_UNSAFE = re.compile(r"[#\"';?:@&=+$,%!\x00-\x1f\x7f\\*<>|\ud800-\udfff]")


def storable(name: str) -> str:
    """A name as databases and the wire hold it: what is no Unicode, as in names that ``os.listdir`` gives, and the
    character 0 are written as escapes. Different names stay different, and the same name is always written so.

    Example:
        >>> storable("run\udcff")
        'run\\xff'
    """
    if "\0" not in name and name.isascii():
        return name
    raw = (
        name.encode("utf-8", "surrogateescape")
        if _is_bytes(name)
        else name.encode("utf-8", "backslashreplace")
    )
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _is_bytes(name: str) -> bool:
    """Whether every half of a surrogate pair stands for a byte that was no UTF-8."""
    return not any("\ud800" <= mark <= "\udfff" and not "\udc80" <= mark <= "\udcff" for mark in name)


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
    # The reference bounds the project at 256 and name with id at 128 characters.
    levels = [safe(level) for level in project.split("/") if level] or ["default"]
    stem = safe(name)[: 128 - len(task_id) - 1]
    return "/".join([*levels, f"{stem}.{task_id}"])


def join(base: str, *parts: str) -> str:
    """An address below ``base``, encoded where the addresses of its scheme are."""
    return child_address(base, "/".join(parts))
