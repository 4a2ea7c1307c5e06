"""Masking what must not leave this host with the record of a run: passwords, tokens and keys.

What counts as a secret is decided by its name (``password``, ``api_key``, ``hf_token``), by its shape (the prefixes
that providers give their keys) or because the program was given it on the command line under such a name.
``docs/howto/secrets.md`` states the rule for users.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

MASK = "********"
_WORDS = frozenset(
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
_PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("auth", "key"), ("account", "key")}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SHORTEST_REMEMBERED = 6

# Key shapes as their issuers document them.
_KEYS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bgithub_pat_[A-Za-z0-9_]{30,}\b|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bhf_[A-Za-z0-9]{30,}\b|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|\bAIza[0-9A-Za-z_-]{35}|\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"]*):([^\s/@'\"]+)@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{16,}")
# name = "value", name: "value", name["x"] = "value", "name": "value"; the name may be a part of a longer one.
_QUOTED = re.compile(
    r"""(?P<name>[A-Za-z_][\w.-]*)["']?\]?(?P<mid>\s*(?::\s*[\w.\[\]| ]+?)?\s*(?:=(?!=)|:|,)\s*[rbfuRBFU]{0,2})"""
    r"""(?P<quote>["'])(?P<value>(?:\\.|(?!(?P=quote)).)+)(?P=quote)"""
)
# NAME=value in shell and .env style: nothing but the value follows.
_BARE = re.compile(
    r"""^(?P<head>[+\- ]?\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.-]*)\s*[=:]\s*)(?P<value>[^\s"'()\[\]{},;]{6,})\s*$"""
)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_PLACEHOLDER = re.compile(r"^(?:<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\$\{?\w+\}?|%\(?\w+\)?s?|\**)$")
_remembered: set[str] = set()


def is_secret_name(name: str) -> bool:
    """Whether a name says that its value is secret.

    Example:
        >>> is_secret_name("HF_TOKEN"), is_secret_name("dbPassword"), is_secret_name("api-key")
        (True, True, True)
        >>> is_secret_name("max_tokens"), is_secret_name("tokenizer"), is_secret_name("key")
        (False, False, False)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _WORDS for word in words) or any(pair in _PAIRS for pair in pairwise(words))


def remember(value: object) -> None:
    """Mask this value wherever it appears from now on in this process; short texts and other types are ignored."""
    if isinstance(value, str) and len(value) >= _SHORTEST_REMEMBERED:
        _remembered.add(value)


def hide(text: str) -> str:
    """The text without the values that ``remember`` was given."""
    for value in _remembered:
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
        secret = is_secret_name(name) and " " not in name
        if equals and secret and value:
            shown.append(f"{name}={MASK}")
        else:
            shown.append(_shapes(hide(argument)))
        follows = secret and not equals and argument.startswith("-")
    return shown


def masked_text(text: str) -> str:
    """Source text, or a patch of it, without its secrets; line ends and quotes stay, so that it is still valid.

    Example:
        >>> print(masked_text('API_KEY = "abc"; model = "gpt"; pad_token = "<pad>"'))
        API_KEY = "********"; model = "gpt"; pad_token = "<pad>"
    """
    lines = hide(text).split("\n")
    private = False
    for number, line in enumerate(lines):
        if private:
            private = not _PEM_END.search(line)
            if private:
                # The first column is the mark of a patch.
                lines[number] = (line[:1] if line[:1] in "+- " else "") + MASK
            continue
        begins = _PEM_BEGIN.search(line)
        if begins and not _PEM_END.search(line, begins.end()):
            private = True
            continue
        lines[number] = _line(line)
    return "\n".join(lines)


def _line(line: str) -> str:
    line = _shapes(_QUOTED.sub(_quoted, line))
    bare = _BARE.match(line)
    if bare and _looks_secret(bare["name"], bare["value"]) and not _is_code(bare["value"]):
        ending = line[bare.end("value") :]
        return bare["head"] + MASK + ending
    return line


def _quoted(found: re.Match[str]) -> str:
    if not _looks_secret(found["name"], found["value"]):
        return found[0]
    start = found.start("value") - found.start()
    return found[0][:start] + MASK + found["quote"]


def _looks_secret(name: str, value: str) -> bool:
    return is_secret_name(name) and not _PLACEHOLDER.match(value)


def _is_code(value: str) -> bool:
    """An attribute or a name is no value: ``token = settings.token``, ``password: Optional``."""
    return value.replace(".", "").replace("_", "").isalpha()


def _shapes(text: str) -> str:
    text = _KEYS.sub(MASK, text)
    text = _BEARER.sub(rf"\1\2{MASK}", text)
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
