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

from trialbook.capture.secret_names import is_secret_name
from trialbook.capture.secret_pairs import LONGEST_NAME, named, stems_in, told
from trialbook.capture.secret_values import MASK, hide, hide_wrapped

_MANY_LETTERS = 10_000
_MANY_DISTINCT = 0.9
SCHEME = re.compile(r"([Bb](?:earer|asic|EARER|ASIC)[ \t\xa0]+)[A-Za-z0-9._~+/=-]{16,}")
_STARTS_OF_SCHEMES = tuple(scheme + blank for scheme in ("bearer", "basic") for blank in " \t\xa0")
# A short one must be what the header says it is: name:password, encoded.
BASIC = re.compile(r"([Bb](?:asic|ASIC)[ \t\xa0]+)([A-Za-z0-9+/]{6,15}={0,2})(?![A-Za-z0-9._~+/=-])")
# What a source goes on with in the next line, or beside: "…" "…".
GOES_ON = re.compile(
    r"(\*\*\*\*\*\*\*\*[\"'](?:[ \t]*\\?\r?\n[+\- ]?[ \t]{1,80}|[ \t]{1,80})[rbfuRBFU]{0,2}[\"'])"
    r"(?![\"'*])[^\"'\\\n]+(?=[\"'](?![ \t]{0,80}[:=]))"
)
HEADER = re.compile(
    r"((?:uthorization|UTHORIZATION)[\"']?[ \t]*[:=,][ \t]*[bf]?[\"']?"
    r"(?:[A-Za-z]{1,20}[ \t]+(?=[A-Za-z0-9._~+/=-]{4})|(?=[A-Za-z._~+/=-]{0,200}\d)(?=[A-Za-z0-9._~+/=-]{8})))"
    r"[A-Za-z0-9._~+/=-]+"
)
_NAMES = re.compile(r"[\w.-]+")
PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
PEM_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")


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
    if "://" in text and "@" in text:
        if "http" in text:
            text = forms.URL_TOKEN.sub(f"://{MASK}", text)
        text = _masked(forms.URL_PASSWORD, text)
        text = _masked(forms.URL_LOOSE, text)
    if "%40" in text:
        text = _masked(forms.URL_QUOTED, text)
    for literal, place in forms.PLACES:
        if _may_hold(text, literal):
            text = _masked(place, text)
    for literals, fields in forms.NAMED_VALUES:
        if any(_may_hold(text, literal) for literal in literals):
            text = fields.sub(
                lambda found: (
                    found[1] + MASK if any(map(is_secret_name, _NAMES.findall(found["name"]))) else found[0]
                ),
                text,
            )
    small = text.lower()
    if "uthorization" in small:
        text = _masked(HEADER, text)
    if ("bearer" in small or "basic" in small) and any(start in small for start in _STARTS_OF_SCHEMES):
        text = _masked(SCHEME, text)
        text = BASIC.sub(lambda found: found[1] + MASK if _is_basic(found[2]) else found[0], text)
    stems = stems_in(small)
    if not stems:
        return text
    shown = _by_line(named, text, stems)
    return shown if shown is text else _with_ends(shown)


def masked_output(text: str) -> str:
    """What a program printed, or said of its end, without its secrets.

    Nobody runs it again, so a value is masked as well where a source would hold a variable's name.

    Example:
        >>> masked_output("12:30 INFO connecting with token=a1b2c3d4, lr=0.1")
        '12:30 INFO connecting with token=********, lr=0.1'
    """
    text = hide_wrapped(masked_text(text))
    stems = stems_in(text.lower())
    return _by_line(told, text, stems) if stems else text


def _may_hold(text: str, literal: str) -> bool:
    from trialbook.capture.secret_forms import PROBES

    return literal in text and all(probe.search(text) for probe in PROBES.get(literal, ()))


def _masked(place: re.Pattern[str], text: str) -> str:
    """What follows the one group of a pattern, masked. To split and to join takes a quarter of the time of ``sub``,
    which makes an object for each match."""
    parts = place.split(text)
    if len(parts) == 1:
        return text
    parts[1::2] = [before + MASK for before in parts[1::2]]
    return "".join(parts)


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
    lines = text[:_MANY_LETTERS].split("\n") if len(text) > _MANY_LETTERS else []
    # To look at the first is cheap, and says it of nearly all texts.
    if len(set(lines)) < _MANY_DISTINCT * len(lines):
        lines = text.split("\n")
    else:
        return rule(text, stems)
    distinct = list(dict.fromkeys(lines))
    if 2 * len(distinct) >= len(lines):
        return rule(text, stems)
    done = dict(zip(distinct, rule("\n".join(distinct), stems).split("\n"), strict=True))
    return "\n".join(map(done.__getitem__, lines))


def _private_keys(text: str) -> str:
    at = 0
    parts: list[str] = []
    while "PRIVATE KEY-----" in text:
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
