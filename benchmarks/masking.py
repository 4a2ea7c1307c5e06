"""What masking costs on the thread that prints, for texts of 1 MB: ordinary ones, and the worst for each rule.

python -m benchmarks.masking
"""

import hashlib
import random
import time
from collections.abc import Callable

from trialbook.capture.folding import LineFolder
from trialbook.capture.secrets import masked_text

SIZE = 1_000_000
LIMIT_MS = 50.0
USUAL = 3
"""So many of the texts are such as programs have; the others are the worst for one rule each."""


def repeated(piece: str) -> str:
    """1 MB of one piece."""
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


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
        "one word": 'SEQ = ["' + repeated("ACGT")[:-10] + '"]',
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
    for number, (name, text) in enumerate(texts().items()):
        spent = milliseconds(lambda text=text: masked_text(text))
        least = milliseconds(lambda text=text: hashlib.sha256(text.encode()).digest())
        usual, worst = max(usual, spent if number < USUAL else 0.0), max(worst, spent)
        print(f"mask {name:24} {spent:8.1f} ms   {spent / least:7.1f} × SHA-256")
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
