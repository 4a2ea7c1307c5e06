"""Masking what must not leave this host with the record of a run: passwords, tokens and keys.

What counts as a secret is decided by its name (``password``, ``api_key``, ``hf_token``), by its shape (the prefixes
that providers give their keys), by its place (the password of an address, a header) or because this process was given
it under such a name. ``docs/howto/secrets.md`` states the rules for users; they hold for every text that is recorded.
The page hides values by the same lists: ``web/generate_types.py`` writes those with public names into its sources.

Masking runs in the thread that prints, so its time grows with the length of the text and with nothing else: no rule
begins to match within a run of letters that an earlier attempt has read already, and what a rule reads before it knows
whether it applies is bounded. ``benchmarks/masking.py`` measures it on the texts that are worst for it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

MASK = "********"
WORDS = frozenset(
    {
        "token",
        "secret",
        "secrets",
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "credential",
        "credentials",
        "apikey",
    }
)
PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("auth", "key"), ("account", "key")}
)
# Parameters of signed addresses, which give access by themselves.
_SIGNATURES = frozenset({"sig", "signature", "x-amz-signature", "x-goog-signature"})
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SHORTEST_REMEMBERED = 6
_LONGEST_NAME = 100
_NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

# Key shapes as their issuers document them, each by the literal that it begins with: a text without it, which is found
# out a hundred times faster, is not searched.
KEYS = {
    literal: re.compile(literal + rest)
    for literal, rest in {
        "AKIA": r"(?<![A-Za-z0-9_]AKIA)[0-9A-Z]{16}\b",
        "ASIA": r"(?<![A-Za-z0-9_]ASIA)[0-9A-Z]{16}\b",
        **{f"gh{kind}_": rf"(?<![A-Za-z0-9_]gh{kind}_)[A-Za-z0-9]{{30,}}" for kind in "pousr"},
        "github_pat_": r"(?<![A-Za-z0-9_]github_pat_)[A-Za-z0-9_]{30,}",
        "glpat-": r"(?<![A-Za-z0-9_-]glpat-)[A-Za-z0-9_-]{20,}",
        "hf_": r"(?<![A-Za-z0-9_]hf_)[A-Za-z0-9]{30,}",
        "sk-": r"(?<![A-Za-z0-9_-]sk-)[A-Za-z0-9_-]{20,}",
        "xox": r"[abeoprs](?<![A-Za-z0-9_]xox.)-[A-Za-z0-9-]{10,}",
        "AIza": r"(?<![A-Za-z0-9_-]AIza)[0-9A-Za-z_-]{35}",
        "npm_": r"(?<![A-Za-z0-9_]npm_)[A-Za-z0-9]{30,}",
        "pypi-": r"(?<![A-Za-z0-9_-]pypi-)[A-Za-z0-9_-]{30,}",
        "eyJ": r"(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    }.items()
}
# The password reaches to the last @ of the host's part: one may hold @ itself.
URL_PASSWORD = re.compile(r"://([^\s/:@'\"<>]*):([^\s/'\"<>]+)@")
# A user without a password is a token when a program speaks HTTP and it is as long as one.
URL_TOKEN = re.compile(r"(?<=http|ttps)://[^\s/:@'\"<>{}$*]{16,}@")
_SCHEME = re.compile(r"[Bb](?:earer|asic|EARER|ASIC)([ \t]+)[A-Za-z0-9._~+/=-]{16,}")
_HEADER = re.compile(
    r"(uthorization[\"']?[ \t]*[:=][ \t]*[bf]?[\"']?[A-Za-z]{1,20}[ \t]+)[A-Za-z0-9._~+/=-]{4,}"
)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")
_OPENS_PLACEHOLDER = frozenset("<[{$%*")
_PLACEHOLDER = re.compile(r"(?:<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\$\{?\w+\}?|%\(?\w+\)?s?|\**)\Z")
_HEAD = re.compile(r"[+\- ]?[ \t]*(?:export[ \t]+|set[ \t]+)?\Z")
_ENDS = re.compile(r"[ \t\r]{0,200}(?:\n|\Z)")
_NUMBER = re.compile(r"[+-]?\d*\.\d*(?:[eE][+-]?\d+)?%?\Z")

# One of these is in every name of a secret.
_STEMS = (
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "credential",
    "apikey",
    "key",
    "sig",
    "signature",
)
# What follows a name: its end, then a quoted value (name = "value", name: str = "value", name["x"] = "value",
# "name": "value", f("name", "value")), or one without quotes that reaches to the next space, & or quote.
# (?=(?P<x>…))(?P=x) is what later versions of Python write as (?>…): what is read so is not tried again shorter.
_VALUE = (
    r"(?=(?P<rest>[\w.-]{0,40}))(?P=rest)"
    r"""["']?\]?[ \t]*(?:"""
    r"(?:(?=(?P<kind>:[ \t]*[\w.\[\]| ]{1,80}))(?P=kind)=(?!=)|=(?!=)|:|,)[ \t]*[rbfuRBFU]{0,2}"
    r"""(?:\"\"\"(?P<long>[^\"\n]+)\"\"\"|'''(?P<long_>[^'\n]+)'''"""
    r"""|"(?P<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)"|'(?P<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)')"""
    r"""|[=:][ \t]*(?P<bare>[^\s"'()\[\]{},;<>&?#]+))"""
)
_remembered: set[str] = set()


@lru_cache(1000)
def is_secret_name(name: str) -> bool:
    """Whether a name says that its value is secret.

    Example:
        >>> is_secret_name("HF_TOKEN"), is_secret_name("dbPassword"), is_secret_name("api-key")
        (True, True, True)
        >>> is_secret_name("max_tokens"), is_secret_name("tokenizer"), is_secret_name("key")
        (False, False, False)
    """
    words = [word.lower() for word in WORD.findall(name)]
    return any(word in WORDS for word in words) or any(pair in PAIRS for pair in pairwise(words))


def remember(value: object) -> None:
    """Mask this value wherever it appears from now on in this process; short texts and other types are ignored."""
    if isinstance(value, str) and len(value) >= _SHORTEST_REMEMBERED:
        _remembered.add(value)


def hide(text: str) -> str:
    """The text without the values that ``remember`` was given."""
    for value in list(_remembered):
        if value in text:
            text = text.replace(value, MASK)
    return text


def masked_arguments(arguments: Iterable[str]) -> list[str]:
    """A command line without its secrets.

    Example:
        >>> masked_arguments(["train.py", "--hf-token", "abc", "--api_key=xyz", "db.password=p", "--max-tokens", "8"])
        ['train.py', '--hf-token', '********', '--api_key=********', 'db.password=********', '--max-tokens', '8']
    """
    shown: list[str] = []
    follows = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if follows and not argument.startswith("-"):
            shown.append(MASK)
            follows = False
            continue
        secret = len(name) <= _LONGEST_NAME and " " not in name and is_secret_name(name)
        if equals and secret and value:
            shown.append(f"{name}={MASK}")
        else:
            shown.append(masked_text(argument))
        follows = secret and not equals and argument.startswith("-")
    return shown


def masked_text(text: str) -> str:
    """Any text without its secrets: source, a patch, a console's lines, requirements, an address.

    Line ends and quotes stay, so that source and patches are still valid.

    Example:
        >>> print(masked_text('API_KEY = "abc"; model = "gpt"; pad_token = "<pad>"'))
        API_KEY = "********"; model = "gpt"; pad_token = "<pad>"
        >>> print(masked_text("--extra-index-url https://joe:pass@example.com/simple?token=abc"))
        --extra-index-url https://joe:********@example.com/simple?token=********
    """
    text = _private_keys(hide(text))
    for literal, shape in KEYS.items():
        if literal in text:
            text = shape.sub(MASK, text)
    if "://" in text:
        text = URL_PASSWORD.sub(rf"://\1:{MASK}@", text)
        if "@" in text and "http" in text:
            text = URL_TOKEN.sub(f"://{MASK}@", text)
    small = text.lower()
    if "uthorization" in small:
        text = _HEADER.sub(rf"\1{MASK}", text)
    if "bearer" in small or "basic" in small:
        text = _SCHEME.sub(lambda found: found[0][: found.end(1) - found.start()] + MASK, text)
    stems = tuple(stem for stem in _STEMS if stem in small)
    return _named(text, stems) if stems else text


def _named(text: str, stems: tuple[str, ...]) -> str:
    """Mask the values whose names are those of secrets."""
    parts: list[str] = []
    at = 0
    for found in _finder(stems).finditer(text):
        span = _secret(text, found)
        if span is not None:
            parts += (text[at : span[0]], MASK)
            at = span[1]
    return "".join((*parts, text[at:])) if parts else text


@lru_cache(64)
def _finder(stems: tuple[str, ...]) -> re.Pattern[str]:
    """A stem as a whole word (``token``, ``authToken``, ``TOKEN``, but neither ``tokenizer`` nor ``monkey``), with the
    value that follows."""
    forms = []
    for stem in stems:
        capital, large = stem.capitalize(), stem.upper()
        forms += [
            rf"{stem}(?<![a-z]{stem})(?!s?[a-rt-z])",
            rf"{capital}(?!s?[a-rt-z])",
            rf"{large}(?<![A-Z]{large})(?!S?[A-RT-Za-z])",
        ]
    return re.compile(f"(?:{'|'.join(forms)}){_VALUE}")


def _secret(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """Where the value is that has to be masked."""
    group = found.lastgroup or ""
    value = found[group]
    if not value or (value[0] in _OPENS_PLACEHOLDER and _PLACEHOLDER.match(value)):
        return None
    start = found.start()
    before = text[max(0, start - _LONGEST_NAME) : start]
    head = before.rstrip(_NAME_LETTERS)
    first = start - len(before) + len(head)
    name = text[first : found.end("rest")]
    span = found.span(group)
    if group != "bare":
        return span if is_secret_name(name) else None
    glued = text[span[0] - 1] == "="
    if glued and head.endswith(("?", "&", "&amp;")):
        return span if is_secret_name(name) or name.lower() in _SIGNATURES else None
    if not is_secret_name(name):
        return None
    alone = (glued and name.startswith("--")) or _stands_alone(text, first, span[1], value)
    return span if alone else None


def _stands_alone(text: str, first: int, end: int, value: str) -> bool:
    """``NAME=value`` in shell and .env style, and ``Name: value`` of a log: nothing else is on the line. An attribute
    or a name is no value (``token = settings.token``, ``password: Optional``), nor is a measure."""
    if len(value) < _SHORTEST_REMEMBERED or not _ENDS.match(text, end):
        return False
    line = text.rfind("\n", max(0, first - _LONGEST_NAME), first) + 1
    if line == 0 and first > _LONGEST_NAME:
        return False
    # A mark of a patch, or a bullet, counts among the letters of a name.
    mark = first if line < first else first + (text[first] in "+-")
    if not _HEAD.match(text[line:mark]):
        return False
    plain = value.replace(".", "").replace("_", "").isalpha()
    return not plain and not _NUMBER.match(value)


def _private_keys(text: str) -> str:
    at = 0
    parts: list[str] = []
    while "-----BEGIN " in text:
        begins = _PEM_BEGIN.search(text, at)
        if begins is None:
            break
        ends = _PEM_END.search(text, begins.end())
        stop = ends.start() if ends is not None else len(text)
        # The last line of the body is the beginning of the line of the end: it holds the mark of a patch at most.
        lines = text[begins.end() : stop].split("\n")
        last = len(lines) - 1 if ends is not None else len(lines)
        body = [
            line if number in (0, last) or not line else (line[0] if line[0] in "+- " else "") + MASK
            for number, line in enumerate(lines)
        ]
        if len(lines) == 1 or lines[0].strip():
            # On one line: "…KEY-----\nMIIE…" with escaped ends.
            body[0] = MASK
        parts += (text[at : begins.end()], "\n".join(body))
        at = stop
    return "".join((*parts, text[at:])) if parts else text
