"""One exception tree; a class is a wire code.

    TrialbookError
    ├── UsageError(ValueError)              the caller's mistake on this machine; never crosses the wire
    ├── ConfigurationError                  a setting or configuration file is wrong or missing
    │   └── StorageRefused                  a storage does not let this caller in, or has no such bucket
    ├── ConnectionFailed                    the server did not answer in the time allowed
    ├── JournalError                        a journal segment cannot be written or read
    ├── DatasetError                        the dataset engine cannot do what was asked
    │   ├── DatasetMissing                  no version, root, range or pack under that name
    │   ├── DatasetDamaged                  stored bytes are not what their name says
    │   ├── DatasetInUse                    another writer or a child version stands in the way
    │   ├── PathRefused                     a path that may not stand in a dataset
    │   └── SourceChanged                   a file went or kept changing while it was read
    └── WireError                           has (code, subcode); what the server answers in ``meta``
        ├── BadRequest            400/12    a field is missing, of the wrong type or out of range
        │   ├── MissingField      400/11
        │   ├── BadField          400/20
        │   ├── BadPattern        400/21
        │   ├── BadListOperator   400/16
        │   ├── EmptyBatch        400/17
        │   └── BodyTooLarge      400/1202  HTTP 413 would be retried by no client, so it stays 400
        ├── TaskNotFound          400/101
        ├── TaskStatusRefused     400/110
        ├── TaskRace              400/121
        ├── TaskNotDeletable      400/123
        ├── EventsNotAdded        400/131
        ├── ModelNotFound         400/201
        ├── ModelReady            400/203
        ├── ModelInUse            400/205
        ├── ProjectNotFound       400/401
        ├── ProjectMoveRefused    400/408
        ├── ProjectTooDeep        400/409
        ├── QueueNotFound         400/701
        ├── QueueNotEmpty         400/702
        ├── TaskNotQueued         400/703
        ├── TaskAlreadyQueued     400/706
        ├── NoDefaultQueue        400/707
        ├── NameTaken             400/801
        ├── JournalGap            400/1201  carries ``expected``: the offset that the server waits for
        ├── Unauthorized          401/1
        │   ├── NoCredentials     401/20
        │   ├── BadCredentials    401/22
        │   └── BadToken          401/30
        ├── Forbidden             403/21
        ├── MethodNotFound        404/0
        ├── FileMissing           404/1
        └── ServerFault           500/0     the server failed, or cannot take it now: later may help
            ├── StorageFull       500/4     its disk is full; it takes nothing until there is room
            ├── StorageDamaged    500/100   what it has stored cannot be read any more
            ├── TooSlow           408/0     the bytes of the request did not come in time
            ├── TooManyRequests   429/0     the caller has too many of them under way
            └── ServerBusy        503/0     too much is under way

What is not found by the name or id that a caller gave (task, model, project, queue) is a ValueError too, as a program
written for the clearml SDK expects.

Codes 100 to 801 are those of ClearML's protocol; 1201 and above are ours.
"""

from typing import Any, ClassVar


class TrialbookError(Exception):
    """Base of every error that Trialbook raises on purpose."""


class UsageError(TrialbookError, ValueError):
    """A call that cannot work, whatever the server says. The message tells what to do instead."""


class ConfigurationError(TrialbookError):
    """A setting, an environment variable or a configuration file is wrong or missing."""


class StorageRefused(ConfigurationError):
    """A storage answers, but does not let this caller in or has no such bucket; other settings would help."""


class ConnectionFailed(TrialbookError):
    """The server could not be reached in the time allowed."""


class JournalError(TrialbookError):
    """A journal segment cannot be written or read."""


class DatasetError(TrialbookError):
    """The dataset engine cannot do what was asked."""


class DatasetMissing(DatasetError):
    """No version, root, range or pack under that name."""


class DatasetDamaged(DatasetError):
    """Stored bytes are not what their name says."""


class DatasetInUse(DatasetError):
    """Another writer, an open draft or a child version stands in the way."""


class PathRefused(DatasetError):
    """A path that may not stand in a dataset."""


class SourceChanged(DatasetError):
    """A file or folder could not be read, went, or kept changing while it was read."""


class WireError(TrialbookError):
    """An answer of the server other than success. ``data`` travels in ``meta.error_data``."""

    code: ClassVar[int] = 400
    subcode: ClassVar[int] = 0

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class BadRequest(WireError):
    """A field is missing, of the wrong type or out of range."""

    subcode = 12


class MissingField(BadRequest):
    """A required field is absent."""

    subcode = 11


class BadField(BadRequest):
    """A field holds a value of the wrong type or out of range."""

    subcode = 20


class BadPattern(BadRequest):
    """A pattern is not valid, or asks for what RE2 does not have."""

    subcode = 21


class BadListOperator(BadRequest):
    """An unknown or dangling ``__$`` operator in a list field."""

    subcode = 16


class EmptyBatch(BadRequest):
    """A batch request without a line."""

    subcode = 17


class BodyTooLarge(BadRequest):
    """The request body is over the server's limit."""

    subcode = 1202


class TaskNotFound(WireError, ValueError):
    """No task with that id, or not visible to the caller."""

    subcode = 101


class TaskStatusRefused(WireError):
    """The task's status does not allow this move or edit."""

    subcode = 110


class TaskRace(WireError):
    """Another client changed the task between the check and the change."""

    subcode = 121


class TaskNotDeletable(WireError):
    """The task is in use, running or published; ``force`` may override."""

    subcode = 123


class EventsNotAdded(WireError):
    """Not one event of the batch could be stored."""

    subcode = 131


class ModelNotFound(WireError, ValueError):
    """No model with that id."""

    subcode = 201


class ModelReady(WireError):
    """A published model cannot be changed."""

    subcode = 203


class ModelInUse(WireError):
    """The model is an input of another task."""

    subcode = 205


class ProjectNotFound(WireError, ValueError):
    """No project with that id."""

    subcode = 401


class ProjectMoveRefused(WireError):
    """A rename may not change the parent path."""

    subcode = 408


class ProjectTooDeep(WireError):
    """A project path may have ten levels."""

    subcode = 409


class QueueNotFound(WireError, ValueError):
    """No queue with that id or name."""

    subcode = 701


class QueueNotEmpty(WireError):
    """The queue still holds tasks."""

    subcode = 702


class TaskNotQueued(WireError):
    """The task is not in a queue."""

    subcode = 703


class TaskAlreadyQueued(WireError):
    """The task is in a queue already."""

    subcode = 706


class NoDefaultQueue(WireError):
    """No queue is marked as the default one."""

    subcode = 707


class NameTaken(WireError):
    """Another object of this kind has that name."""

    subcode = 801


class JournalGap(WireError):
    """The batch starts after the offset that the server waits for (``expected`` in the error data)."""

    subcode = 1201


class Unauthorized(WireError):
    """The caller is not known."""

    code = 401
    subcode = 1


class NoCredentials(Unauthorized):
    """The request carries neither key nor token."""

    subcode = 20


class BadCredentials(Unauthorized):
    """Unknown access key or wrong secret."""

    subcode = 22


class BadToken(Unauthorized):
    """The token is malformed, expired or signed with another key."""

    subcode = 30


class Forbidden(WireError):
    """The caller is known but may not do this."""

    code = 403
    subcode = 21


class MethodNotFound(WireError):
    """No such method at the requested version."""

    code = 404


class FileMissing(WireError):
    """No file at that path."""

    code = 404
    subcode = 1


class ServerFault(WireError):
    """The server failed, or cannot take it now: later may help. Details are in its log under the request id."""

    code = 500


class StorageFull(ServerFault):
    """The disk of the server is full; it takes nothing until there is room."""

    subcode = 4


class StorageDamaged(ServerFault):
    """What the server has stored cannot be read any more; somebody must restore it."""

    subcode = 100


class TooSlow(ServerFault):
    """The bytes of a request stopped coming, or came too slowly."""

    code = 408


class TooManyRequests(ServerFault):
    """The caller has too many requests under way."""

    code = 429


class ServerBusy(ServerFault):
    """Too much is under way at the server."""

    code = 503


def _leaves(root: type[WireError]) -> list[type[WireError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _leaves(child))]


def from_wire(
    code: int, subcode: int, message: str, data: dict[str, Any] | None = None, name: str = ""
) -> WireError:
    """The exception for a reply that is not a success.

    Args:
        code: ``meta.result_code``.
        subcode: ``meta.result_subcode``.
        message: ``meta.result_msg``.
        data: ``meta.error_data``.
        name: ``meta.error_class``, which tells classes of one code apart; servers of other makers do not send it.

    Returns:
        An instance of the class of that name, else of the first one with that code; a plain ``WireError`` when none
        has it.
    """
    # Whatever another server's error data holds, it may not be taken for the message.
    kept = {key: value for key, value in (data or {}).items() if key not in ("self", "message")}
    kinds = [kind for kind in _leaves(WireError)[1:] if (kind.code, kind.subcode) == (code, subcode)]
    for kind in [kind for kind in kinds if kind.__name__ == name] or kinds:
        return kind(message, **kept)
    error = WireError(message, **kept)
    error.code, error.subcode = code, subcode  # type: ignore[misc]
    return error
