"""Texts of a figure in the little markup that the page draws."""

import re
from typing import Any

from trialbook.capture.interactive.unknown import Unknown

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_PART = re.compile(r"(?<!\\)\$")
_GREEK = {
    name: letter
    for names, letters in (
        (
            "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau",
            "αβγδζηθικλμνξπρστ",
        ),
        ("upsilon chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega", "υχψωΓΔΘΛΞΠΣΦΨΩ"),
        ("times pm cdot leq geq neq approx infty rightarrow leftarrow degree", "×±·≤≥≠≈∞→←°"),
    )
    for name, letter in zip(names.split(), letters, strict=True)
}
_FORMULA = re.compile(
    r"\\(?P<name>[A-Za-z]+) ?|(?P<raise>[\^_])(?:\{(?P<group>[^{}\\]*)\}|(?P<one>[A-Za-z0-9]))|(?P<letter>[A-Za-z])"
    r"|(?P<plain>[0-9.,:;=+*/()\[\]|!?<>-])|(?P<space> +)"
)
_RAISED = {"^": "sup", "_": "sub"}


def words(text: str, math: bool = True) -> str:
    """A text as the page has to be given it, so that it shows every character.

    Args:
        text: as the program gave it, with matplotlib's formulas between dollars.
        math: False when dollars are only dollars.

    Raises:
        Unknown: it has a formula that is more than letters, signs, and what stands above and below them.
    """
    parts = _PART.split(text)
    if not math or len(parts) == 1 or len(parts) % 2 == 0:
        return _plain(text if not math else text.replace(r"\$", "$"))
    return "".join(_formula(part) if number % 2 else _plain(part) for number, part in enumerate(parts))


def of(text: Any) -> str:
    """The words of a ``matplotlib.text.Text``; empty for one that is not shown.

    Raises:
        Unknown: they are set by TeX, or see ``words``.
    """
    if not text.get_visible() or not text.get_text().strip():
        return ""
    if text.get_usetex():
        raise Unknown("a text of TeX")
    return words(text.get_text(), text.get_parse_math())


def _plain(text: str) -> str:
    return text.translate(_ESCAPED).replace("\n", "<br>")


def _formula(text: str) -> str:
    if "\\" not in text and "^" not in text and "_" not in text and not text.strip():
        raise Unknown("an empty formula")
    found, at = [], 0
    while at < len(text):
        match = _FORMULA.match(text, at)
        if match is None or (match["name"] and match["name"] not in _GREEK):
            raise Unknown(f"the formula {text}")
        at = match.end()
        if match["name"]:
            found.append(_GREEK[match["name"]])
        elif match["raise"]:
            inner = match["group"] if match["group"] is not None else match["one"]
            found.append(f"<{_RAISED[match['raise']]}>{_plain(inner)}</{_RAISED[match['raise']]}>")
        elif match["letter"]:
            found.append(f"<i>{match['letter']}</i>")
        else:
            # Blanks of a formula are not blanks.
            found.append(_plain(match["plain"] or "").replace("-", "\N{MINUS SIGN}"))
    return "".join(found)
