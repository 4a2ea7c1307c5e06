"""Whole numbers that somebody else wrote down, of any length."""

MOST = 2**63 - 1
"""The greatest number that anything here counts to."""


def natural(digits: str) -> int:
    """The number that decimal digits say; what is greater than ``MOST`` is ``MOST``.

    Python itself refuses to read more than 4 300 digits, with an error that looks like a wrong letter.

    Args:
        digits: ASCII digits, at least one.

    Raises:
        ValueError: anything else is in it.

    Example:
        >>> natural("0012")
        12
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{digits[:50]!r} is not a whole number")
    significant = digits.lstrip("0")
    return MOST if len(significant) > 19 else min(int(significant or "0"), MOST)
