"""What masking costs on the thread that prints, for texts of 1 MB: ordinary ones, and the worst for each rule.

python -m benchmarks.masking
"""

import base64
import hashlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from trialbook.capture.folding import LineFolder
from trialbook.capture.secrets import masked_output, masked_text

SIZE = 1_000_000
LIMIT_MS = 50.0
USUAL = 5
"""So many of the texts are such as programs have; the others hold a secret in every line or more, or are the worst for
one rule each."""
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGH23456789"
_NAMES = ("token", "password", "api_key", "secret", "HF_TOKEN", "db_password", "accessToken", "private_key")


def repeated(piece: str) -> str:
    """1 MB of one piece."""
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


def distinct(draw: random.Random) -> dict[str, str]:
    """Texts of secrets, each of which is there once."""

    def word(least: int, most: int) -> str:
        return "".join(draw.choices(_LETTERS, k=draw.randint(least, most)))

    def name() -> str:
        return draw.choice(_NAMES)

    pieces: dict[str, Callable[[], str]] = {
        "addresses": lambda: f"https://joe:{word(8, 8)}@example.com/a\n",
        "quoted": lambda: f'{name()} = "{word(10, 10)}"\n',
        "quoted arguments": lambda: f'{name()}="{word(10, 10)}", ',
        "annotations": lambda: f'{name()}: str = "{word(8, 8)}"\n',
        "values in lists": lambda: f"{name()}: {word(6, 6)}, ",
        "parameters": lambda: f"?token={word(6, 6)}&sig={word(3, 3)}",
        "lines of settings": lambda: f"{name()}={word(12, 12)}\n",
        "assignments": lambda: f"{name()}={word(8, 8)} ",
        "short assignments": lambda: f"{name()}={word(3, 8)} ",
        "JSON": lambda: f'{{"{name()}": "{word(10, 10)}"}},\n',
        "headers": lambda: f"Authorization: Bearer {word(24, 24)}\n",
    }
    made = {f"distinct {kind}": filled(piece) for kind, piece in pieces.items()}
    made["distinct mixture"] = filled(lambda: draw.choice(list(pieces.values()))())
    return made


def filled(piece: Callable[[], str]) -> str:
    """1 MB of pieces."""
    parts: list[str] = []
    size = 0
    while size < SIZE:
        parts.append(piece())
        size += len(parts[-1])
    return "".join(parts)[:SIZE]


def real_source() -> str:
    """Python's own modules; a number at the end of each line, for a line that is repeated is looked at once."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    lines = "\n".join(file.read_text("utf-8") for file in files).splitlines()
    return "\n".join(f"{line}#{number}" for number, line in enumerate(lines))[:SIZE]


def texts() -> dict[str, str]:
    """Name to text."""
    draw = random.Random(1)
    words = ["loss", "epoch", "value", "key", "def", "self.model", "return", "(x, y)", "=", '"name"', "\n"]
    pieces = {
        "letters": "ACGT",
        "names": "token.",
        "names and lines": "key-\n",
        "stems": "secret",
        "capitals": "SECRET_KEY_",
        "assignments": "token=",
        "short assignments": "pwd=a\n",
        "quoted assignments": 'password="hunter2" ',
        "open quotes": 'token="',
        "escapes": 'token="\\"',
        "annotations": "token: ",
        "spaces": "token" + " " * 1000,
        "empty lines": "\n",
        "addresses": "https://a:b@c ",
        "open addresses": "://a:",
        "parameters": "&a=b",
        "secret parameters": "?token=abcdef&sig=x",
        "web tokens": "eyJ",
        "web tokens of two": "eyJaaaaaaaa.",
        "keys": "sk-",
        "headers": "Authorization: Bearer ",
        "schemes": "bearer  ",
        "private keys": "-----BEGIN PRIVATE KEY-----\n",
        "begins": "-----BEGIN ",
        "mixed": "token ['\"]=: ://@",
    }
    source = " ".join(draw.choice(words) for _ in range(SIZE // 4))[:SIZE]
    return {
        "source": source,
        "real source": real_source(),
        "logs": filled(
            lambda: (
                f"12:00:{draw.randrange(60):02} INFO epoch {draw.randrange(900)} loss={draw.random():.6f} "
                f"token {draw.randrange(99)}/100\n"
            )
        ),
        "one word": 'SEQ = ["' + repeated("ACGT")[:-10] + '"]',
        "base64": base64.b64encode(draw.randbytes(SIZE * 3 // 4)).decode(),
        **distinct(draw),
        "long secret": 'token = "' + "x" * (SIZE - 20) + '"',
        **{name: repeated(piece) for name, piece in pieces.items()},
    }


def milliseconds(call: Callable[[], object]) -> float:
    """Of processor time, the best of three: other programs on the machine have no part in it."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        call()
        times.append(time.thread_time() - began)
    return min(times) * 1000


def folded(text: str, size: int) -> None:
    """What a program writes, in pieces, made to lines."""
    folder = LineFolder(lambda lines: None)
    for start in range(0, len(text), size):
        folder.write(text[start : start + size])


def main() -> None:
    """Print each text's time and the ratio to a SHA-256 of it in the same run."""
    usual, worst = 0.0, 0.0
    print(f"{'':29} {'a source':>11} {'printed':>11}")
    for number, (name, text) in enumerate(texts().items()):
        spent = milliseconds(lambda text=text: masked_text(text))
        printed = milliseconds(lambda text=text: masked_output(text))
        least = milliseconds(lambda text=text: hashlib.sha256(text.encode()).digest())
        usual, worst = max(usual, spent if number < USUAL else 0.0), max(worst, spent)
        print(f"mask {name:24} {spent:8.1f} ms {printed:8.1f} ms   {spent / least:7.1f} × SHA-256")
    print(
        f"limit {LIMIT_MS:.0f} ms for 1 MB: {'kept' if usual <= LIMIT_MS else 'MISSED'}; "
        f"100 000 secrets in it, or names of secrets: {worst:.0f} ms"
    )
    strokes = {
        "one line in small pieces": (repeated("x"), 1),
        "backspaces": (repeated("x" * 1000 + "\b" * 1000) + "\n", SIZE + 1),
        "redraws": (repeated("\r 10 %|####"), 11),
        "block redraws": (repeated("\rone\n\rtwo\x1b[A"), 13),
        "open escapes": (repeated("\x1b["), 1000),
    }
    for name, (text, size) in strokes.items():
        print(f"fold {name:24} {milliseconds(lambda t=text, s=size: folded(t, s)):8.1f} ms")


if __name__ == "__main__":
    main()
