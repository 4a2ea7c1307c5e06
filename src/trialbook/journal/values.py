"""What a program gives as iteration and value, as the journal keeps it."""

from typing import Any

from trialbook.errors import UsageError


def whole(iteration: Any) -> int:
    """The iteration as an integer of 64 bits.

    Raises:
        UsageError: it is none.
    """
    number: int | None = None
    try:
        if isinstance(iteration, (bytes, str)):
            raise TypeError
        number = int(iteration)
        exact = number == iteration
    except (TypeError, ValueError, OverflowError):
        exact = False
    if number is None or not exact or not -(1 << 63) <= number < 1 << 63:
        raise UsageError(
            f"iteration must be an integer of 64 bits, got {iteration!r} ({type(iteration).__name__})"
        )
    return number


def detached(value: Any) -> Any:
    """A tensor without its gradient, whose libraries warn when it becomes a number; all else as it is."""
    return value.detach() if getattr(value, "requires_grad", False) else value


def number_of(value: Any) -> float:
    """The value as a float; integers beyond its range are infinite.

    Raises:
        UsageError: it is not a number.
    """
    try:
        return float(detached(value))
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    except (TypeError, ValueError) as error:
        raise UsageError(f"value must be a number, got {value!r} ({type(value).__name__})") from error


def unnamed(title: Any, series: Any) -> UsageError:
    """What is wrong with names that cannot be looked up."""
    name, value = ("series", series) if isinstance(title, str) else ("title", title)
    return UsageError(f"{name} must be a string, not {value!r} ({type(value).__name__})")
