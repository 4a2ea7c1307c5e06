"""Names of secrets with the values that follow them: in source and settings (``named``), and as people and programs
tell them (``told``)."""

import re
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
from trialbook.capture.secret_values import MASK, SHORTEST_REMEMBERED

# Parameters of signed addresses, which give access by themselves.
SIGNATURES = frozenset({"sig", "signature", "x-amz-signature", "x-goog-signature"})
LONGEST_NAME = 100
NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_LETTER = frozenset(NAME_LETTERS)
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

OPENS_PLACEHOLDER = frozenset("<[{$%*")
PLACEHOLDER = re.compile(r"(?:<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\$\{?\w+\}?|%\(?\w+\)?s?|\**)\Z")
HEAD = re.compile(
    r"[+\- ]?[ \t]*(?:- )?(?:(?:export|setx?|ENV|ARG|env)[ \t]+|\$env:|//[^\s:]{1,80}:)?[\"']?\Z"
)
# "\n" in a source, and a colour. Both begin with a letter that may be one of a name.
OF_AN_ESCAPE = re.compile(r"(?:(?<=\\)[nrt]|(?<=[\[;])\d{0,3}m)")
NUMBER_OF_LINE = re.compile(r"\d+:")
_OPENS_ESCAPE = frozenset("\\[;")
_MAY_END = frozenset({"", "\n", "\r", " ", "\t", "#", '"', "'"})
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
_MANY_LETTERS = 10_000
# A stem within which one of these is not, is not in the text either: each is looked for once.
_ROOTS = ("key", "token", "secret", "pass")
_STEMS_OF = [(root, tuple(stem for stem in STEMS if root in stem)) for root in _ROOTS]
_OTHERS = tuple(stem for stem in STEMS if not any(root in stem for root in _ROOTS) and stem.isascii())
# The end of a name, behind the stem. (?=(?P<x>…))(?P=x) is what later versions of Python write as (?>…): what is read
# so is not tried again shorter.
REST = r"(?=(?P<rest>[A-Za-z0-9_.-]{0,40}))(?P=rest)"
# What follows a name: a quoted value (name = "value", name: str = "value", name["x"] = "value",
# "name": "value", f("name", "value")), or one without quotes that reaches to the next space, & or quote.
VALUE = (
    r"""(?:\\{0,3}["'])?\]?[ \t]{0,40}(?:"""
    r"(?:(?=(?P<kind>:[ \t]*[\w.\[\]| ]{1,80}))(?P=kind)=(?!=)|[+:]?=(?!=)|[:：]|"
    # What follows a comma is no value when it is an option (add_argument("--token", "-t")) or a name itself
    # ({"name": "password", "value": …}).
    r"""(?P<beside>,)(?![ \t]{0,40}(?:["']-|["'][\w.-]{0,100}["'][ \t]{0,9}:)))[ \t]{0,40}"""
    # In brackets, as a field's default, or in the next line: token = (, or a "\" at the end of this one.
    r"(?:(?:(?:\w{1,30}\.)?(?:[fF]ield|attrib|ib|Option|Argument|str))?\([ \t]{0,40}(?:default[ \t]?=[ \t]?)?"
    r"(?:\r?\n[+\- ]?[ \t]{0,80})?|\\[ \t]*\r?\n[+\- ]?[ \t]{0,80})?[rbfuRBFU]{0,2}"
    r"""(?:\"\"\"(?P<long>[^\"\n]+)\"\"\"|'''(?P<long_>[^'\n]+)'''"""
    r"""|"(?P<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)"|'(?P<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)')"""
    r"""|(?:[:?]?=(?!=)|:)[ \t]{0,40}\\{1,3}["'](?P<escaped>[^"'\\\n]+)\\"""
    r"""|(?:[:?]?=(?!=)|[:：])[ \t]{0,40}(?P<bare>[^\s"'()\[\]{},;<>&?#\\]+))"""
)
# The same as people and programs tell it: "the token is …", tables, options, columns, what stands in an address.
_COLOUR = r"(?:\x1b\[[\d;]{0,10}m){0,2}"
TOLD = (
    _COLOUR
    + r"""(?:\\{0,3}["'])?\]?(?:[ \t]{0,40}(?:=>|->|:=|=(?!=)|[:：|│┃║])[ \t]{0,40}|[ \t]{1,4}(?:is|was):?[ \t]{1,4}"""
    r"""|%3[Dd]|%22%3[Aa](?:%20)?%22|(?P<apart>[ \t]{1,40}))""" + _COLOUR + r"""(?:[bru]?\\{0,3}["'])?"""
    r"""(?P<told>[^\s"'()\[\]{},;<>&?#|│┃║\\%*][^\s"'()\[\]{},;<>&?#|│┃║\\%]{2,})"""
)


def stems_in(small: str) -> tuple[str, ...]:
    """Those of ``STEMS`` that are in a text of small letters."""
    # A pattern is made for each set of stems: for a line or two it may look for some that are not there.
    few = len(small) < _MANY_LETTERS
    found = [stem for root, stems in _STEMS_OF if root in small for stem in stems if few or stem in small]
    found += [stem for stem in _OTHERS if stem in small]
    if not small.isascii():
        found += [stem for stem in FOREIGN if stem in small]
    return tuple(dict.fromkeys(found))


def named(text: str, stems: tuple[str, ...]) -> str:
    """Mask the values whose names are those of secrets.

    Args:
        text: source, settings.
        stems: those of ``STEMS`` that are in the text.
    """
    parts: list[str] = []
    at = 0
    for found in _finder(stems, VALUE).finditer(text):
        group = found.lastgroup or ""
        start, end = found.span(group)
        if group == "bare":
            if not _is_bare(text, found, start, end):
                continue
        elif start == end or not _is_quoted(text, found, start, end):
            continue
        parts += (text[at:start], MASK)
        at = end
    return "".join((*parts, text[at:])) if parts else text


def told(text: str, stems: tuple[str, ...]) -> str:
    """Mask the values that are told among other words (see ``named``)."""
    parts: list[str] = []
    at = 0
    for found in _finder(stems, TOLD).finditer(text):
        if _is_told(text, found):
            start, end = found.span("told")
            parts += (text[at:start], MASK)
            at = end
    return "".join((*parts, text[at:])) if parts else text


_BEHIND_STRINGS = frozenset(",);+]}%. ")
"""What follows a string in a program, and begins no secret."""


@lru_cache(64)
def _finder(stems: tuple[str, ...], value: str) -> re.Pattern[str]:
    """A stem as a whole word (``token``, ``authToken``, ``TOKEN``, but neither ``tokenizer`` nor ``monkey``), with the
    value that follows. The group ``core`` is the name from the stem on."""
    forms = []
    for stem in stems:
        capital, large = stem.capitalize(), stem.upper()
        within = stem in ENDINGS or stem in FOREIGN
        begins = rf"(?:(?<![a-z]{stem})|(?<=\\[nrt]{stem})|(?<=[\d\[]m{stem}))"
        forms += [
            rf"{stem}{'' if within else begins}(?!s?[a-rt-z])",
            rf"{capital}(?!s?[a-rt-z])",
            rf"{large}{'' if within else f'(?<![A-Z]{large})'}(?!S?[A-RT-Za-z])",
        ]
    return re.compile(f"(?P<core>(?:{'|'.join(dict.fromkeys(forms))}){REST}){value}")


def _is_quoted(text: str, found: re.Match[str], start: int, end: int) -> bool:
    if text[start] in OPENS_PLACEHOLDER and PLACEHOLDER.match(text[start:end]):
        return False
    core, begin = found["core"], found.start()
    if text[start] in _BEHIND_STRINGS and _ends_string(text, begin, start - 1):
        return False
    if found["beside"] and _is_listed(text, begin, text[start:end]):
        return False
    before = text[begin - 1 : begin]
    # The stem begins a word, unless a capital stands before it: what else stands there takes nothing away.
    if not before.isupper() and is_secret_name(core):
        return True
    return before in _NAME_LETTER and is_secret_name(_name_before(text, begin)[0] + core)


def _ends_string(text: str, begin: int, at: int) -> bool:
    """Whether the quote at a place ends a string that ends with the name: ``print("password:", end="")``."""
    quote = text[at]
    if quote not in "\"'" or quote in text[begin:at]:
        return False
    line = text.rfind("\n", max(0, begin - LONGEST_NAME), begin) + 1 or max(0, begin - LONGEST_NAME)
    return (text.count(quote, line, begin) - 3 * text.count(quote * 3, line, begin)) % 2 == 1


def _is_listed(text: str, begin: int, value: str) -> bool:
    """Whether a word behind a comma is the next one of a list of names: ``["user", "password", "host"]``."""
    if not _is_plain(value):
        return False
    letters, _ = _name_before(text, begin)
    before = text[max(0, begin - len(letters) - LONGEST_NAME) : begin - len(letters)]
    return not letters.startswith("-") and before.rfind("[") > max(before.rfind("("), before.rfind("]"))


def _is_bare(text: str, found: re.Match[str], start: int, end: int) -> bool:
    """Whether a value without quotes is one: of an address or an option, alone on its line, or in a text of the
    program. The cheap questions come first: a text may have a hundred thousand of these."""
    begin, core, value = found.start(), found["core"], found["bare"]
    if value[0] in OPENS_PLACEHOLDER and PLACEHOLDER.match(value):
        return False
    before = text[begin - 1 : begin]
    glued = text[start - 1] == "="
    if glued and (before == "?" or before == "&"):
        return is_secret_name(core) or core.lower() in SIGNATURES
    no_word = end - start >= SHORTEST_MIXED and not _is_plain(value)
    if not no_word and (not glued or (before not in _NAME_LETTER and before != ";")):
        return False
    letters, head = _name_before(text, begin) if before in _NAME_LETTER or before == ";" else ("", before)
    name = letters + core
    if glued and head.endswith(("?", "&", "&amp;")):
        return is_secret_name(name) or name.lower() in SIGNATURES
    if not is_secret_name(name):
        return False
    if glued and name.startswith("--"):
        return True
    first = begin - len(letters)
    # "token=abc lr=0.1": a blank and a letter is what mostly follows.
    ends_line = text[end : end + 1] != " " or text[end + 1 : end + 2] in _MAY_END
    return no_word and (
        (ends_line and _stands_alone(text, first, end, value))
        or (_is_likely(name, value) and _is_text(text, first, head, name, value, end))
    )


def _is_text(text: str, first: int, head: str, name: str, value: str, end: int) -> bool:
    """Whether what is among other words is not source: a value in quotes, a connection string, a shell's assignment."""
    if head.endswith(";") and "." not in value:
        return True
    line = text.rfind("\n", max(0, first - LONGEST_NAME), first) + 1
    begins = line or first <= LONGEST_NAME
    if begins and text[end : end + 1] == " " and name.isupper() and HEAD.match(text[line:first]):
        return True
    # "host=db password=…": nothing there is a name of the program.
    line = line or max(0, first - LONGEST_NAME)
    return text.count('"', line, first) % 2 == 1 or text.count("'", line, first) % 2 == 1


def _stands_alone(text: str, first: int, end: int, value: str) -> bool:
    """``NAME=value`` in shell and .env style, and ``Name: value`` of a log: nothing else is on the line. An attribute
    or a name is not a value (``token = settings.token``, ``password: Optional``), nor is a measure."""
    if len(value) < SHORTEST_REMEMBERED or text[end : end + 1] not in _MAY_END:
        return False
    if text[end : end + 1] != "\n" and not ENDS.match(text, end):
        return False
    line = text.rfind("\n", max(0, first - LONGEST_NAME), first) + 1
    if line == 0 and first > LONGEST_NAME:
        return False
    # A mark of a patch, or a bullet, counts among the letters of a name.
    mark = first if line < first else first + (text[first] in "+-")
    if line < first and not HEAD.match(text[line:mark]):
        return False
    return value.isdigit() or not _is_measure(value)


def _is_told(text: str, found: re.Match[str]) -> bool:
    begin, core, value = found.start(), found["core"], found["told"]
    start, apart = found.start("told"), found["apart"] is not None
    before, sign = text[begin - 1 : begin], text[start - 1]
    alone = before not in _NAME_LETTER
    # Most that a program prints: the token is near, token 12.
    if alone and apart and not core.isupper():
        return False
    if not apart and sign not in "=:：" and _is_plain(value):
        return False
    letters, head = ("", before) if alone else _name_before(text, begin)
    # After an encoded "?" or "&" its two digits are not letters of the name.
    name = (letters[2:] if head.endswith("%") else letters) + core
    # /etc/passwd:12:root of a search.
    if head.endswith("/") and NUMBER_OF_LINE.match(value):
        return False
    # Only an option, or a variable in capitals, is followed by its value without a sign between them.
    if apart and not name.startswith("--") and not (name.isupper() and not value.isupper()):
        return False
    if not _is_plain(value) and _is_likely(name, value):
        return True
    if len(value) >= SHORTEST_REMEMBERED and (apart or sign == "=") and is_password_name(name):
        return True
    return start == found.end("core") + 1 and _is_joined(name, sign, value)


def _is_joined(name: str, sign: str, value: str) -> bool:
    """``password=swan``: one word, written by a program, and nothing but a secret has such a name."""
    if sign not in "=:：" or value.lower() in NO_SECRETS or not is_certain_name(name):
        return False
    if sign == ":" and value.startswith("//"):
        return False
    return is_password_name(name) or not _is_measure(value)


def _is_likely(name: str, value: str) -> bool:
    """Whether a value without quotes among other words, which is not a plain one, is a secret, and not a measure."""
    if not names_the_value(name) or _is_measure(value):
        return False
    return len(value) >= SHORTEST_REMEMBERED or (len(value) >= SHORTEST_MIXED and is_password_name(name))


def _name_before(text: str, start: int) -> tuple[str, str]:
    """The letters of a name before a stem of it, and the end of what comes before them."""
    if text[start - 1 : start] not in _NAME_LETTER:
        return "", text[max(0, start - 5) : start]
    before = text[max(0, start - LONGEST_NAME) : start]
    head = before.rstrip(NAME_LETTERS)
    # The n of "\napi_key" and the end of a colour ("\x1b[36mtoken") are not letters of the name.
    no_name = OF_AN_ESCAPE.match(before, len(head)) if head[-1:] in _OPENS_ESCAPE else None
    end = no_name.end() if no_name else len(head)
    return before[end:], before[:end]


def _is_plain(value: str) -> bool:
    """Whether it is a word, or the names of an attribute."""
    return value.isalpha() or (not value.isalnum() and value.replace(".", "").replace("_", "").isalpha())


def _is_measure(value: str) -> bool:
    return value[0] in _MEASURE_BEGINS and MEASURE.match(value) is not None
