"""What the errors of an object storage mean, and what to do about them."""

import errno
import os
import re

from trialbook.errors import (
    BadRequest,
    ConnectionFailed,
    FileMissing,
    ServerFault,
    StorageFull,
    StorageRefused,
    TrialbookError,
)

FULL = (
    "the disk that holds the server's files is full; nothing is kept of this upload. Make room and send it again: "
    "docs/howto/recovery.md says how"
)
FAILS = (
    "the disk that holds the server's data fails ({why}); it takes nothing until it is mended: docs/howto/recovery.md "
    "says how"
)

_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "container does not exist")
_NO_KEY = ("169.254.169.254", "metadata.google", "missing credentials", "No credentials")
_REFUSED = re.compile(
    r"status code: (?:400|401|403|301|307)\b|AuthenticationFailed|AuthorizationFailure|AccessDenied"
)
_ODD_KEY = re.compile(
    r'with invalid path: (?:Error parsing )?Path "(.*)"(?: contained empty path segment|: Encountered illegal)'
)
_FAILING = re.compile(r"status code: (?:408|409|429|5\d\d)\b")
_UNREACHABLE = ("error sending request", "kind: Connect", "dns error", "timed out", "kind: Timeout")


def translated(error: Exception, key: str, where: str) -> Exception:
    """The error of our tree for one of the driver; the driver's own when it is none that we know.

    Args:
        error: as raised by the driver.
        key: of the blob.
        where: the storage, for messages, such as ``s3://bucket``.
    """
    text = str(error)
    reason = _reason(text)
    if isinstance(error, TrialbookError):
        return error
    # Asked before "not found": a missing bucket looks like a missing object.
    if any(mark in text for mark in _NO_BUCKET):
        return StorageRefused(f"{where} does not exist ({reason}). Make it, or correct the address.")
    if isinstance(error, FileNotFoundError) or _os_error(text, 20, 21):
        return missing(key)
    if _os_error(text, errno.EIO, errno.EROFS):
        return ServerFault(
            FAILS.format(why=os.strerror(errno.EIO if _os_error(text, errno.EIO) else errno.EROFS))
        )
    if any(mark in text for mark in _NO_KEY):
        return StorageRefused(f"there are no credentials for {where}. {_remedy(where)}")
    kind = type(error).__name__
    if kind in ("PermissionDeniedError", "UnauthenticatedError") or _REFUSED.search(text):
        return StorageRefused(f"{where} refuses these credentials ({reason}). {_remedy(where)}")
    if odd := _ODD_KEY.search(text):
        return StorageRefused(
            f"{where} holds the key \"{odd[1]}\": an empty name, '.' or '..' between slashes, which no folder"
            " can hold. While it is there, what lies beside it cannot be listed. Rename it, or name a folder without"
            " such keys."
        )
    if _FAILING.search(text):
        return ServerFault(f"{where} fails ({reason})")
    if "certificate" in text.lower():
        return ConnectionFailed(
            f"the certificate of {where} was not accepted. Name a bundle of authorities as `verify` of its entry in "
            "the configuration file, or false to accept any."
        )
    if any(mark in text for mark in _UNREACHABLE):
        return ConnectionFailed(f"{where} cannot be reached ({reason}). Check the address and the network.")
    return error


def refused(error: Exception, key: str, where: str) -> Exception:
    """As ``translated``, for an error while storing."""
    text = str(error)
    if _os_error(text, 28, 122):
        return StorageFull(FULL)
    if "Upload aborted" in text or _os_error(text, 17, 20, 21):
        return in_the_way(key)
    return translated(error, key, where)


def in_the_way(key: str) -> BadRequest:
    """A folder has the name of the file, or a file that of one of its folders."""
    return BadRequest(
        f"{key!r} cannot be stored: a folder, or a file instead of a folder, is in the way", path=key
    )


def missing(key: str) -> FileMissing:
    """Nothing is there."""
    return FileMissing(f"there is no file at {key!r}", path=key)


def _os_error(text: str, *numbers: int) -> bool:
    return any(f"os error {number})" in text for number in numbers)


def _reason(text: str) -> str:
    """The part of a driver's text that a person wants to read."""
    named = re.search(r"<Code>([^<]+)</Code>", text)
    if named:
        return named[1]
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", text)
    if status:
        return f"HTTP {status[1].strip()}"
    return text.partition("\n")[0].rpartition(" - ")[2][:200]


def _remedy(where: str) -> str:
    scheme = where.partition("://")[0]
    section, variables = {
        "s3": ("sdk.aws.s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        "gs": ("sdk.google.storage", "GOOGLE_APPLICATION_CREDENTIALS"),
        "azure": ("sdk.azure.storage", "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY"),
    }.get(scheme, ("sdk", "the variables of the storage"))
    return f"Correct {section} in the configuration file, or set {variables}."
