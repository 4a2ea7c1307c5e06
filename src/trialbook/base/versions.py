"""Version texts: their order, and the next one."""

import re

_SHAPE = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre_number>\d*))?"
    r"(?:-(?P<post_bare>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
FIRST = "1.0.0"
"""The version of what has no earlier one."""

Order = tuple[int, int, tuple[int, ...], tuple[int, int], int, tuple[int, int]]


def is_version(text: str) -> bool:
    """Whether a text has the shape ``1.2.3``, with or without epoch, pre, post and dev parts."""
    return _SHAPE.fullmatch(text.strip()) is not None


def order(text: str) -> Order:
    """What to sort versions by: numbers as numbers, a pre-release before its release; other texts come first.

    Example:
        >>> sorted(["1.0.10", "1.0.9", "1.0.9rc1", "draft"], key=order)
        ['draft', '1.0.9rc1', '1.0.9', '1.0.10']
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        return (0, 0, (), (0, 0), 0, (0, 0))
    numbers = [int(part) for part in found["release"].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    pre = (3, 0)
    if found["pre"]:
        pre = (_PHASES[found["pre"].lower()], int(found["pre_number"] or 0))
    elif found["dev"] and found["post"] is None and found["post_bare"] is None:
        pre = (-1, 0)
    given = found["post_bare"] or found["post"]
    post = -1 if given is None else int(given or 0)
    dev = (0, int(found["dev_number"] or 0)) if found["dev"] else (1, 0)
    return (1, int(found["epoch"] or 0), tuple(numbers), pre, post, dev)


def successor(text: str) -> str | None:
    """The version with its last number one higher; None when it has no shape that can be counted up.

    Example:
        >>> [successor(text) for text in ("1.0.9", "10", "2.0rc1", "draft")]
        ['1.0.10', '11', '2.0rc2', None]
    """
    text = text.strip()
    if not is_version(text):
        return None
    head = text.partition("+")[0]
    last = list(re.finditer(r"\d+", head))[-1]
    return head[: last.start()] + str(int(last[0]) + 1) + head[last.end() :]
