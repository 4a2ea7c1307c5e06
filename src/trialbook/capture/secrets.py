"""Masking what must not leave this host with the record of a run: passwords, tokens and keys.

What counts as a secret is decided by its name (``password``, ``api_key``, ``hf_token``), by its shape (the prefixes
that providers give their keys), by its place (the password of an address, a header) or because this process was given
it under such a name. ``docs/howto/secrets.md`` states the rules for users; they hold for every text that is recorded.
The page hides by the same rules: ``web/generate_types.py`` writes those with public names into its sources, and
``tests/unit/sdk/secret_lines.json`` holds texts that both have to mask alike.

Masking runs in the thread that prints, so its time grows with the length of the text and with nothing else: no rule
begins to match within a run of letters that an earlier attempt has read already, and what a rule reads before it knows
whether it applies is bounded. ``benchmarks/masking.py`` measures it on the texts that are worst for it.
"""

import base64
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from trialbook.capture.secret_names import (
    ENDINGS,
    FOREIGN,
    WORDS,
    is_certain_name,
    is_password_name,
    is_secret_name,
    names_the_value,
)
from trialbook.capture.secret_values import MASK, SHORTEST_REMEMBERED, hide, hide_wrapped

# Parameters of signed addresses, which give access by themselves.
SIGNATURES = frozenset({"sig", "signature", "x-amz-signature", "x-goog-signature"})
LONGEST_NAME = 100
NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_LETTER = frozenset(NAME_LETTERS)
_MANY_LETTERS = 10_000
SHORTEST_MIXED = 4
"""Of a password with letters and digits (``password: Exc37``)."""
# What is given for a secret by those who have none, and types.
NO_SECRETS = frozenset(
    {
        "none",
        "null",
        "nil",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "empty",
        "unset",
        "undefined",
        "missing",
        "required",
        "optional",
        "str",
        "string",
        "int",
        "bool",
        "bytes",
        "any",
        "text",
    }
)
_MEASURE_BEGINS = frozenset("+-0123456789.,:/x%_")

SCHEME = re.compile(r"[Bb](?:earer|asic|EARER|ASIC)([ \t\xa0]+)[A-Za-z0-9._~+/=-]{16,}")
# A short one must be what the header says it is: name:password, encoded.
BASIC = re.compile(r"([Bb](?:asic|ASIC)[ \t\xa0]+)([A-Za-z0-9+/]{6,15}={0,2})(?![A-Za-z0-9._~+/=-])")
# What a source goes on with in the next line, or beside: "…" "…".
GOES_ON = re.compile(
    r"(?<=\*\*\*\*)([\"'](?:[ \t]*\\?\r?\n[+\- ]?[ \t]{1,80}|[ \t]{1,80})[rbfuRBFU]{0,2}[\"'])"
    r"(?![\"'*])[^\"'\\\n]+(?=[\"'](?![ \t]{0,80}[:=]))"
)
HEADER = re.compile(
    r"((?:uthorization|UTHORIZATION)[\"']?[ \t]*[:=,][ \t]*[bf]?[\"']?)"
    r"(?:([A-Za-z]{1,20}[ \t]+)[A-Za-z0-9._~+/=-]{4,}|(?=[A-Za-z._~+/=-]{0,200}\d)[A-Za-z0-9._~+/=-]{8,})"
)
PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
PEM_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")
OPENS_PLACEHOLDER = frozenset("<[{$%*")
_OPENS_PARAMETER = frozenset("?&;")
PLACEHOLDER = re.compile(r"(?:<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\$\{?\w+\}?|%\(?\w+\)?s?|\**)\Z")
HEAD = re.compile(
    r"[+\- ]?[ \t]*(?:- )?(?:(?:export|setx?|ENV|ARG|env)[ \t]+|\$env:|//[^\s:]{1,80}:)?[\"']?\Z"
)
# "\n" in a source, and a colour. Both begin with a letter that may be one of a name.
OF_AN_ESCAPE = re.compile(r"(?:(?<=\\)[nrt]|(?<=[\[;])\d{0,3}m)")
NUMBER_OF_LINE = re.compile(r"\d+:")
_OPENS_ESCAPE = frozenset("\\[;")
ENDS = re.compile(r"[\"']?[ \t\r]{0,200}(?:\n|\Z|#)")
MEASURE = re.compile(r"[+-]?[\d.,:/x%_-]+(?:[eE][+-]?\d+)?[A-Za-zµ%]{0,3}(?:/[A-Za-z]{1,10})?\Z")
# One of these is in every name of a secret.
STEMS = (
    *sorted(word for word in WORDS if word.startswith(("api", "access", "auth", "private", "secretk"))),
    "pass",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "credential",
    "key",
    "sig",
    "signature",
    "passwort",
    "kennwort",
    "contrasena",
    "senha",
    "motdepasse",
    "passe",
    "wachtwoord",
    *FOREIGN,
)
# What follows a name: its end, then a quoted value (name = "value", name: str = "value", name["x"] = "value",
# "name": "value", f("name", "value")), or one without quotes that reaches to the next space, & or quote.
# (?=(?P<x>…))(?P=x) is what later versions of Python write as (?>…): what is read so is not tried again shorter.
VALUE = (
    r"(?=(?P<rest>[A-Za-z0-9_.-]{0,40}))(?P=rest)"
    r"""(?:\\{0,3}["'])?\]?[ \t]*(?:"""
    r"(?:(?=(?P<kind>:[ \t]*[\w.\[\]| ]{1,80}))(?P=kind)=(?!=)|=(?!=)|[:：]|,)[ \t]*"
    # The value begins in the next line: token = ( or a "\" at the end of this one.
    r"(?:[(\\][ \t]*\r?\n[+\- ]?[ \t]{0,80})?[rbfuRBFU]{0,2}"
    r"""(?:\"\"\"(?P<long>[^\"\n]+)\"\"\"|'''(?P<long_>[^'\n]+)'''"""
    r"""|"(?P<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)"|'(?P<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)')"""
    r"""|(?:[:?]?=(?!=)|:)[ \t]*\\{1,3}["'](?P<escaped>[^"'\\\n]+)\\"""
    r"""|(?:[:?]?=(?!=)|[:：])[ \t]*(?P<bare>[^\s"'()\[\]{},;<>&?#\\]+))"""
)
# The same as people and programs tell it: "the token is …", tables, options, columns, what stands in an address.
_COLOUR = r"(?:\x1b\[[\d;]{0,10}m){0,2}"
TOLD = (
    r"(?=(?P<rest>[A-Za-z0-9_.-]{0,40}))(?P=rest)"
    + _COLOUR
    + r"""(?:\\{0,3}["'])?\]?(?:[ \t]{0,40}(?:=>|->|:=|=(?!=)|[:：|│┃║])[ \t]{0,40}|[ \t]{1,4}(?:is|was):?[ \t]{1,4}"""
    r"""|%3[Dd]|%22%3[Aa](?:%20)?%22|(?P<apart>[ \t]{1,40}))""" + _COLOUR + r"""(?:[bru]?\\{0,3}["'])?"""
    r"""(?P<told>[^\s"'()\[\]{},;<>&?#|│┃║\\%*][^\s"'()\[\]{},;<>&?#|│┃║\\%]{2,})"""
)


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
        secret = len(name) <= LONGEST_NAME and " " not in name and is_secret_name(name)
        if equals and secret and value:
            shown.append(f"{name}={MASK}")
        else:
            shown.append(masked_text(argument))
        follows = secret and not equals and argument.startswith("-")
    return shown


def masked_text(text: str) -> str:
    """A text without its secrets: source, a patch, requirements, an address. ``masked_output`` is for what was printed.

    Line ends and quotes stay, so that source and patches are still valid.

    Example:
        >>> print(masked_text('API_KEY = "abc"; model = "gpt"; pad_token = "<pad>"'))
        API_KEY = "********"; model = "gpt"; pad_token = "<pad>"
        >>> print(masked_text("--extra-index-url https://joe:pass@example.com/simple?token=abc"))
        --extra-index-url https://joe:********@example.com/simple?token=********
    """
    # Many patterns, which the import of Task does not wait for.
    from trialbook.capture import secret_forms as forms

    text = _private_keys(hide(text))
    for sign, shapes in forms.KEYS_BY_SIGN.items():
        if sign in text:
            for literal, shape in shapes:
                if literal in text:
                    text = shape.sub(MASK, text)
    if "://" in text:
        if "@" in text and "http" in text:
            text = forms.URL_TOKEN.sub(f"://{MASK}", text)
        text = forms.URL_PASSWORD.sub(rf"://\1:{MASK}@", text)
        if "@" in text:
            text = forms.URL_LOOSE.sub(rf"\1{MASK}", text)
    if "%40" in text:
        text = forms.URL_QUOTED.sub(rf"\1{MASK}", text)
    for literal, place in forms.PLACES:
        if literal in text:
            text = place.sub(rf"\1{MASK}", text)
    for literal, fields in forms.NAMED_VALUES:
        if literal in text:
            text = fields.sub(
                lambda found: found[1] + MASK if is_secret_name(found["name"]) else found[0], text
            )
    small = text.lower()
    if "uthorization" in small:
        text = HEADER.sub(rf"\1\2{MASK}", text)
    if "bearer" in small or "basic" in small:
        text = SCHEME.sub(lambda found: found[0][: found.end(1) - found.start()] + MASK, text)
        text = BASIC.sub(lambda found: found[1] + MASK if _is_basic(found[2]) else found[0], text)
    stems = tuple(stem for stem in STEMS if stem in small)
    if not stems:
        return text
    shown = _by_line(_named, text, stems)
    return shown if shown is text else _with_ends(shown)


def masked_output(text: str) -> str:
    """What a program printed, or said of its end, without its secrets.

    Nobody runs it again, so a value is masked as well where a source would hold a variable's name.

    Example:
        >>> masked_output("12:30 INFO connecting with token=a1b2c3d4, lr=0.1")
        '12:30 INFO connecting with token=********, lr=0.1'
    """
    text = hide_wrapped(masked_text(text))
    small = text.lower()
    stems = tuple(stem for stem in STEMS if stem in small)
    return _by_line(_told, text, stems) if stems else text


def _is_basic(word: str) -> bool:
    try:
        decoded = base64.b64decode(word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4), validate=True)
    except ValueError:
        return False
    return 0 < decoded.find(b":") < len(decoded) - 1 and all(32 <= letter < 127 for letter in decoded)


def _with_ends(text: str) -> str:
    """Texts that stand behind a masked one belong to it; each turn finds the next."""
    while True:
        shown = GOES_ON.sub(rf"\1{MASK}", text)
        if shown == text:
            return text
        text = shown


def _by_line(rule: Callable[[str, tuple[str, ...]], str], text: str, stems: tuple[str, ...]) -> str:
    """A text under a rule that looks at one line at a time: a line that is there many times is looked at once."""
    lines = text.split("\n") if len(text) > _MANY_LETTERS else []
    distinct = list(dict.fromkeys(lines))
    if 2 * len(distinct) >= len(lines):
        return rule(text, stems)
    done = dict(zip(distinct, rule("\n".join(distinct), stems).split("\n"), strict=True))
    return "\n".join(map(done.__getitem__, lines))


def _told(text: str, stems: tuple[str, ...]) -> str:
    parts: list[str] = []
    at = 0
    for found in _finder(stems, TOLD).finditer(text):
        letters, head = _name_before(text, found.start())
        # After an encoded "?" or "&" its two digits are no letters of the name.
        letters = letters[2:] if head.endswith("%") else letters
        if _is_told(text, letters + text[found.start() : found.end("rest")], head, found):
            parts += (text[at : found.start("told")], MASK)
            at = found.end("told")
    return "".join((*parts, text[at:])) if parts else text


def _is_told(text: str, name: str, head: str, found: re.Match[str]) -> bool:
    value, start = found["told"], found.start("told")
    apart = found["apart"] is not None
    # /etc/passwd:12:root of a search.
    if head.endswith("/") and NUMBER_OF_LINE.match(value):
        return False
    # Only an option, or a variable in capitals, is followed by its value without a sign between them.
    if apart and not name.startswith("--") and not (name.isupper() and not value.isupper()):
        return False
    if _is_likely(name, value):
        return True
    if len(value) >= SHORTEST_REMEMBERED and (apart or text[start - 1] == "=") and is_password_name(name):
        return True
    return start == found.end("rest") + 1 and _is_joined(name, text[start - 1], value)


def _is_joined(name: str, sign: str, value: str) -> bool:
    """``password=swan``: one word, written by a program, and nothing but a secret has such a name."""
    if sign not in "=:：" or value.lower() in NO_SECRETS or not is_certain_name(name):
        return False
    if sign == ":" and value.startswith("//"):
        return False
    return is_password_name(name) or not _is_measure(value)


def _is_likely(name: str, value: str) -> bool:
    """Whether a value without quotes among other words is a secret: no plain word, no attribute, no measure."""
    if _is_plain(value) or _is_measure(value) or not names_the_value(name):
        return False
    return len(value) >= SHORTEST_REMEMBERED or (len(value) >= SHORTEST_MIXED and is_password_name(name))


def _name_before(text: str, start: int) -> tuple[str, str]:
    """The letters of a name before a stem of it, and the end of what comes before them."""
    if text[start - 1 : start] not in _NAME_LETTER:
        return "", text[max(0, start - 5) : start]
    before = text[max(0, start - LONGEST_NAME) : start]
    head = before.rstrip(NAME_LETTERS)
    # The n of "\napi_key" and the end of a colour ("\x1b[36mtoken") are no letters of the name.
    no_name = OF_AN_ESCAPE.match(before, len(head)) if head[-1:] in _OPENS_ESCAPE else None
    end = no_name.end() if no_name else len(head)
    return before[end:], before[:end]


def _named(text: str, stems: tuple[str, ...]) -> str:
    """Mask the values whose names are those of secrets."""
    parts: list[str] = []
    at = 0
    for found in _finder(stems, VALUE).finditer(text):
        span = _secret(text, found)
        if span is not None:
            parts += (text[at : span[0]], MASK)
            at = span[1]
    return "".join((*parts, text[at:])) if parts else text


@lru_cache(64)
def _finder(stems: tuple[str, ...], value: str) -> re.Pattern[str]:
    """A stem as a whole word (``token``, ``authToken``, ``TOKEN``, but neither ``tokenizer`` nor ``monkey``), with the
    value that follows."""
    forms = []
    for stem in stems:
        capital, large = stem.capitalize(), stem.upper()
        within = stem in ENDINGS
        begins = rf"(?:(?<![a-z]{stem})|(?<=\\[nrt]{stem})|(?<=[\d\[]m{stem}))"
        forms += [
            rf"{stem}{'' if within else begins}(?!s?[a-rt-z])",
            rf"{capital}(?!s?[a-rt-z])",
            rf"{large}{'' if within else f'(?<![A-Z]{large})'}(?!S?[A-RT-Za-z])",
        ]
    return re.compile(f"(?:{'|'.join(dict.fromkeys(forms))}){value}")


def _secret(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """Where the value is that has to be masked."""
    group = found.lastgroup or ""
    value = found[group]
    if not value or (value[0] in OPENS_PLACEHOLDER and PLACEHOLDER.match(value)):
        return None
    start = found.start()
    letters, head = _name_before(text, start)
    if group == "bare" and len(value) < SHORTEST_MIXED and not letters and head[-1:] not in _OPENS_PARAMETER:
        return None
    first = start - len(letters)
    name = text[first : found.end("rest")]
    span = found.span(group)
    if group != "bare":
        return span if is_secret_name(name) else None
    glued = text[span[0] - 1] == "="
    if glued and head.endswith(("?", "&", "&amp;")):
        return span if is_secret_name(name) or name.lower() in SIGNATURES else None
    if not is_secret_name(name):
        return None
    alone = (glued and name.startswith("--")) or _stands_alone(text, first, span[1], value)
    return span if alone or (_is_text(text, first, head, found) and _is_likely(name, value)) else None


def _is_text(text: str, first: int, head: str, found: re.Match[str]) -> bool:
    """Whether what is among other words is no source: a value in quotes, a connection string, a shell's assignment."""
    value, end = found["bare"], found.end("bare")
    if head.endswith(";") and "." not in value:
        return True
    if text[end : end + 1] == " " and text[first : found.end("rest")].isupper():
        line = text.rfind("\n", max(0, first - LONGEST_NAME), first) + 1
        if (line or first <= LONGEST_NAME) and HEAD.match(text[line:first]):
            return True
    return _within_quotes(text, first)


def _within_quotes(text: str, at: int) -> bool:
    """``"host=db password=…"``: nothing there is a name of the program."""
    line = text.rfind("\n", max(0, at - LONGEST_NAME), at) + 1 or max(0, at - LONGEST_NAME)
    return text.count('"', line, at) % 2 == 1 or text.count("'", line, at) % 2 == 1


def _stands_alone(text: str, first: int, end: int, value: str) -> bool:
    """``NAME=value`` in shell and .env style, and ``Name: value`` of a log: nothing else is on the line. An attribute
    or a name is no value (``token = settings.token``, ``password: Optional``), nor is a measure."""
    if len(value) < SHORTEST_REMEMBERED or not (text[end : end + 1] == "\n" or ENDS.match(text, end)):
        return False
    line = text.rfind("\n", max(0, first - LONGEST_NAME), first) + 1
    if line == 0 and first > LONGEST_NAME:
        return False
    # A mark of a patch, or a bullet, counts among the letters of a name.
    mark = first if line < first else first + (text[first] in "+-")
    if line < first and not HEAD.match(text[line:mark]):
        return False
    return not _is_plain(value) and (value.isdigit() or not _is_measure(value))


def _is_plain(value: str) -> bool:
    """Whether it is a word, or the names of an attribute."""
    return value.isalpha() or (not value.isalnum() and value.replace(".", "").replace("_", "").isalpha())


def _is_measure(value: str) -> bool:
    return value[0] in _MEASURE_BEGINS and MEASURE.match(value) is not None


def _private_keys(text: str) -> str:
    at = 0
    parts: list[str] = []
    while "-----BEGIN " in text:
        begins = PEM_BEGIN.search(text, at)
        if begins is None:
            break
        ends = PEM_END.search(text, begins.end())
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
