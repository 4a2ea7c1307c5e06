"""Forms in which a secret stands in a text: the shapes that issuers give their keys, the places that files and programs
keep for one, and the ways in which a value that is known may be written.

``secrets`` applies them. Each comes with a literal without which it is not tried: to look for that is a hundred times
faster. What a pattern reads before it knows whether it applies is bounded, so that its time grows with the text only.
"""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_SHORTEST_ENCODED = 8
"""An encoded value of fewer letters would be found where nobody wrote it."""

# Key shapes as their issuers document them.
KEYS = {
    literal: re.compile(re.escape(literal).replace(r"\-", "-") + rest)
    for literal, rest in {
        "AKIA": r"(?<![A-Za-z0-9_]AKIA)[0-9A-Z]{16}\b",
        "ASIA": r"(?<![A-Za-z0-9_]ASIA)[0-9A-Z]{16}\b",
        **{f"gh{kind}_": rf"(?<![A-Za-z0-9_]gh{kind}_)[A-Za-z0-9]{{30,}}" for kind in "pousr"},
        "github_pat_": r"(?<![A-Za-z0-9_]github_pat_)[A-Za-z0-9_]{30,}",
        "glpat-": r"(?<![A-Za-z0-9_-]glpat-)[A-Za-z0-9_-]{20,}",
        "hf_": r"(?<![A-Za-z0-9_]hf_)[A-Za-z0-9]{30,}",
        "sk-": r"(?<![A-Za-z0-9_-]sk-)[A-Za-z0-9_-]{20,}",
        "sk_live_": r"(?<![A-Za-z0-9_]sk_live_)[A-Za-z0-9]{20,}",
        "gsk_": r"(?<![A-Za-z0-9_]gsk_)[A-Za-z0-9]{30,}",
        "nvapi-": r"(?<![A-Za-z0-9_-]nvapi-)[A-Za-z0-9_-]{30,}",
        "dckr_pat_": r"(?<![A-Za-z0-9_]dckr_pat_)[A-Za-z0-9_-]{20,}",
        "glsa_": r"(?<![A-Za-z0-9_]glsa_)[A-Za-z0-9_]{30,}",
        "hvs.": r"(?<![A-Za-z0-9_]hvs\.)[A-Za-z0-9_-]{24,}",
        "SG.": r"(?<![A-Za-z0-9_]SG\.)[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        "dapi": r"(?<![A-Za-z0-9_]dapi)[0-9a-f]{32}\b",
        "ya29.": r"(?<![A-Za-z0-9_]ya29\.)[A-Za-z0-9_-]{20,}",
        "xox": r"[abeoprs](?<![A-Za-z0-9_]xox.)-[A-Za-z0-9-]{10,}",
        "xapp-": r"(?<![A-Za-z0-9_-]xapp-)[A-Za-z0-9-]{10,}",
        "AIza": r"(?<![A-Za-z0-9_-]AIza)[0-9A-Za-z_-]{35}",
        "npm_": r"(?<![A-Za-z0-9_]npm_)[A-Za-z0-9]{30,}",
        "pypi-": r"(?<![A-Za-z0-9_-]pypi-)[A-Za-z0-9_-]{30,}",
        "eyJ": r"(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        # {"api… of the keys that trackers hand out as one word.
        "eyJhcGlf": r"(?<![A-Za-z0-9+/_-]eyJhcGlf)[A-Za-z0-9+/_=-]{40,}",
        # Addresses that let everybody post who knows them.
        "hooks.slack.com/": r"(?:services|workflows|triggers)/[A-Za-z0-9_/-]{10,}",
        "discord.com/api/webhooks/": r"\d{5,30}/[A-Za-z0-9_-]{10,}",
        "discordapp.com/api/webhooks/": r"\d{5,30}/[A-Za-z0-9_-]{10,}",
        "api.telegram.org/bot": r"[0-9]{5,20}:[A-Za-z0-9_-]{10,}",
    }.items()
}


def _rarest(literal: str) -> str:
    return next((sign for sign in "/_-.x" if sign in literal), literal[0])


# By the rarest letter of their literals, because most texts have few of these.
KEYS_BY_SIGN = {
    sign: [(literal, shape) for literal, shape in KEYS.items() if _rarest(literal) == sign]
    for sign in sorted(set(map(_rarest, KEYS)))
}
# The password reaches to the last @ of the host's part: one may hold @ itself, and so may the user's name.
URL_PASSWORD = re.compile(r"(://[^\s/:'\"<>]*:)[^\s/'\"<>]+(?=@)")
# A user is a token when a program speaks HTTP and it is as long as one, whatever stands for a password.
URL_TOKEN = re.compile(r"://(?<=http://|ttps://)[^\s/:@'\"<>{}$*]{16,}(?=@|:[^\s/:@'\"<>{}]{0,100}@)")
# Not encoded as an address asks for: the password holds slashes, and no port comes first.
URL_LOOSE = re.compile(r"(://[^\s/:@'\"<>]{0,100}:)(?!\d{1,5}/)[^\s/@'\"<>]{1,100}/[^\s@'\"<>]{0,100}(?=@)")
# As a value within another address.
URL_QUOTED = re.compile(
    r"(%3A(?:%2F%2F|//)[^\s/:@'\"<>%]{0,100}(?:%3A|:))[^\s/@'\"<>&]{1,100}?(?=%40)", re.IGNORECASE
)

_NAME = r"[\w.-]{1,100}"
# A pattern that begins with letters is looked for by these, ten times as fast as one that begins with a boundary; and
# none reads on past the place at which the next attempt begins.
PLACES = [
    (literal, re.compile(pattern, re.MULTILINE))
    for literal, pattern in (
        # .netrc, on one line or on three, and .npmrc
        (
            "login",
            r"((?:\bmachine\s{1,20}\S{1,100}\s{1,20}(?:[+-]\s{0,20})?|\bdefault\s{1,20}|^[+\- ]?[ \t]{0,20})"
            r"login\s{1,20}\S{1,100}\s{1,20}(?:[+-]\s{0,20})?password[ \t]{1,20})\S+",
        ),
        ("_auth", r"(^[+\- ]?(?://\S{1,100}:)?_auth[ \t]{0,20}=[ \t]{0,20})\S+"),
        # docker's config.json
        ('"auth"', r'("auth":\s{0,20}")[A-Za-z0-9+/=]{8,}'),
        # requests and httpx
        (
            "auth",
            r"(auth(?<!\wauth)[ ]?=[ ]?\(\s{0,40}[bruf]?[\"'][^\"'\n]{0,100}[\"'],\s{0,40}[bruf]?[\"'])[^\"'\n]+",
        ),
        ("Auth(", r"((?:Basic|Digest)Auth\(\s{0,40}[\"'][^\"'\n]{0,100}[\"'],\s{0,40}[\"'])[^\"'\n]+"),
        # joe:hunter2 on its way into a header
        ("b64encode(", r"(b64encode\(\s{0,40}[bruf]{0,2}[\"'][^\"':\n]{1,100}:)[^\"'\n{%]+"),
        ("Secret", r"(Secret(?<!\wSecret)(?:Str|Bytes)\(\s{0,40}[bruf]{0,2}[\"'])[^\"'\n*]+"),
        (
            "ookie",
            r"(ookie(?:(?<=\bCookie)|(?<=[\"']cookie))[\"']?[ \t]?:[ \t]{0,5}[bruf]?[\"']?)"
            r"[^\s=\"']{1,100}=[^\"'\n]{6,}",
        ),
        # what programs are started with
        (
            "--",
            r"(--[\w-]{0,60}(?:password|passwd|passphrase|token|secret|api[_-]?key)[ \t]{1,5}[\"']?)"
            r"(?=[^\s\"']{0,100}\d)[^\s\"'<>$\[{*-][^\s\"']{5,}",
        ),
        (
            "curl",
            r"(curl\b(?<!\wcurl)(?:[^\nc]|c(?!url\b)){0,300}?\s"
            r"(?:-u|--user|--proxy-user)[ =]{0,2}[\"']?[^\s:\"']{1,100}:)[^\s\"']+",
        ),
        ("mysql", r"(mysql(?<!\wmysql)(?:dump|admin)?\b(?:[^\nm]|m(?!ysql)){0,200}?\s-p)[^\s-]\S*"),
        ("sshpass", r"(sshpass(?<!\wsshpass)\s{1,5}-p\s{0,5}[\"']?)[^\s\"']+"),
        ("</", r"(<[\w:.-]{0,60}(?:[Pp]assw(?:or)?d|[Ss]ecret|[Aa]pi_?[Kk]ey|[a-z]Token)>)[^<\n]+(?=</)"),
    )
]
"""What comes before the secret is the pattern's one group."""
_ROOTS = [
    "pass",
    "token",
    "secret",
    "key",
    "pwd",
    "credential",
    "kennwort",
    "contrasena",
    "senha",
    "wachtwoord",
]
PROBES = {
    "login": [re.compile(r"login\s{1,20}\S{1,100}\s{1,20}(?:[+-]\s{0,20})?password[ \t]")],
    "_auth": [re.compile(r"_auth[ \t]{0,20}=")],
    # Formats such as %3d are in many sources.
    "%3": [
        re.compile(r"%3[ADad](?<=[A-Za-z0-9_.-]%3.)"),
        re.compile(
            f"(?:{'|'.join(form for root in _ROOTS for form in (root, root.capitalize(), root.upper()))})"
            r"[A-Za-z0-9_.-]{0,100}(?:%22)?%3[ADad]"
        ),
    ],
}
"""Patterns without each of which a place is not there; it is found faster than the place, which begins before its
literal."""

# {"name": "TOKEN", "value": "…"} and <add key="Password" value="…"/>
_FIELDS = re.compile(
    rf"([KkNn](?:(?<=[Kk])ey|(?<=[Nn])ame)(?<!\w[Kk]ey)(?<!\w[Nn]ame)[\"']?\s{{0,9}}[=:]\s{{0,9}}[\"'](?P<name>{_NAME})[\"'],?[\s+-]{{0,60}}"
    r"[\"']?[Vv]alue[\"']?\s{0,9}[=:]\s{0,9}[\"'])[^\"'\n]+"
)
# The list of a container's environment in YAML.
_LIST = re.compile(
    rf"(name:(?<!\wname:)[ \t]{{0,9}}[\"']?(?P<name>{_NAME})[\"']?[ \t\r]{{0,9}}\n[+\- ]?[ \t]{{0,60}}"
    r"value:[ \t]{0,9}[\"']?)[^\s\"'{$][^\"'\n]*"
)
# In an address within an address: password%3Dhunter2, %22password%22%3A%22hunter2%22.
_ENCODED = re.compile(
    r"(?<![\w.-])((?:(?<=%)[0-9A-Fa-f]{2})?(?P<name>[A-Za-z0-9_.-]{1,100})(?:%22)?%3[ADad](?:%20)?(?:%22)?)"
    r"(?:[^\s%&\"'<>{}#*]|%(?!26|22|27|2[Cc]|0[AaDd]|20|3[BbEe]|7[BbDd]|23))+"
)
# add_argument("-p", "--password", …, default="…"), and an option of click; ends before the next one and with the call.
_OPTION = re.compile(
    rf"""((?:rgument|ption)\([\s+-]{{0,60}}(?P<name>["']{_NAME}["'](?:,[\s+]{{0,60}}["']{_NAME}["']){{0,4}}),"""
    r"""(?:(?!(?:rgument|ption)\(|\)[ \t]{0,9}(?:[\r\n;]|\Z))[\s\S]){0,600}?\bdefault[ \t]?=[ \t]?"""
    r"""[rbfuRBFU]{0,2}["'])[^"'\n<\[{$%*][^"'\n]*"""
)
# What stands in for a variable of the environment: …get("TOKEN") or "…"
_ELSE = re.compile(
    rf"""((?:nviron|etenv)(?:\.get)?[\[(][bu]?["'](?P<name>{_NAME})["'][\])]"""
    r"""[ \t]{1,9}or[ \t]{1,9}[rbfuRBFU]{0,2}["'])[^"'\n<\[{$%*][^"'\n]*"""
)
NAMED_VALUES = [
    (("%3",), _ENCODED),
    (('alue"', "alue'", "alue="), _FIELDS),
    (("alue:",), _LIST),
    (("rgument(", "ption("), _OPTION),
    (("nviron.get(", "nviron[", "etenv("), _ELSE),
]
"""Names and a value as fields of one thing; the value is a secret when one of the names is that of one."""


def written_forms(value: str) -> Iterator[str]:
    """A value, and what it becomes on its way through source, JSON, addresses, pages, headers and dumps.

    Example:
        >>> forms = set(written_forms("p@ss'word"))
        >>> {"p%40ss%27word", "p@ss&#x27;word", "704073732777 6f7264".replace(" ", "")} <= forms
        True
    """
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield value.replace("'", "'\\''")
    yield from (quote(value), quote(value, safe=""), quote_plus(value), html.escape(value))
    raw = value.encode("utf-8", "surrogatepass")
    long = [base64.b32encode(raw).decode().rstrip("="), raw.hex(), raw.hex().upper()]
    long += [raw.hex(":"), raw.hex(" "), "".join(f"\\x{byte:02x}" for byte in raw), repr(raw)[2:-1]]
    long += ["".join(f"%{byte:02X}" for byte in raw), "".join(f"\\u{ord(letter):04x}" for letter in value)]
    for skipped in range(3):
        # Within a longer text (key:secret of a header) it begins at any of three places of a group; the letters at
        # both ends belong to its neighbours too.
        encoded = base64.b64encode(bytes(skipped) + raw)
        own = encoded[(skipped * 8 + 5) // 6 : (skipped + len(raw)) * 8 // 6].decode()
        long += [own, own.replace("+", "-").replace("/", "_")]
    yield from (form for form in long if len(form) >= _SHORTEST_ENCODED)
