"""What is masked, and what must stay as it is."""

import ast

import pytest

from trialbook.capture import secrets
from trialbook.capture.secrets import MASK, is_secret_name, masked_arguments, masked_text

GITHUB = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "HF_TOKEN",
        "password",
        "db.password",
        "secretKey",
        "AWS_SECRET_ACCESS_KEY",
        "--api-key",
        "pwd",
    ],
)
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "num_tokens", "key", "keyboard", "author", "secretary", "compass", "lr"],
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_command_line() -> None:
    given = [
        "t.py",
        "--token",
        "abc",
        "--token=abc",
        "db.password=x y",
        "--key",
        "v",
        f"--other={GITHUB}",
        "lr=1",
    ]
    assert masked_arguments(given) == [
        "t.py",
        "--token",
        MASK,
        f"--token={MASK}",
        f"db.password={MASK}",
        "--key",
        "v",
        f"--other={MASK}",
        "lr=1",
    ]
    assert masked_arguments(["--use-token", "--lr", "1"]) == ["--use-token", "--lr", "1"]
    assert masked_arguments(["postgres://joe:pw@host/db"]) == [f"postgres://joe:{MASK}@host/db"]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('password = "hunter2"', "hunter2"),
        ("+    api_key='abc def'", "abc def"),
        ('self.secret: str = "x1"', "x1"),
        ('os.environ["WANDB_API_KEY"] = "deadbeef"', "deadbeef"),
        ('{"password": "it\\"s me", "user": "joe"}', "it\\"),
        ('login(user="joe", password="hunter2", host="h")', "hunter2"),
        ('os.environ.setdefault("HF_TOKEN", "qwertz")', "qwertz"),
        (f"key = '{GITHUB}'", GITHUB),
        ("url = 'https://joe:hunter2@example.com/x.git'", "hunter2"),
        ("+export DB_PASSWORD=hunter2", "hunter2"),
        ('headers = {"X": "Bearer abcdefghijklmnopqrst"}', "abcdefghijklmnopqrst"),
    ],
)
def test_source_lines(line: str, secret: str) -> None:
    shown = masked_text(line)
    assert secret not in shown and MASK in shown
    if line[0] != "+":
        ast.parse(shown)


@pytest.mark.parametrize(
    "line",
    [
        'pad_token = "<pad>"',
        'cls_token = "[CLS]"',
        'token = os.environ["HF_TOKEN"]',
        "token = settings.token",
        "password: Optional[str] = None",
        "max_tokens = 4096",
        'name = "train"',
        'if token == "x": pass',
        "@@ -1,3 +1,4 @@",
        'password = "${DB_PASSWORD}"',
    ],
)
def test_lines_that_stay(line: str) -> None:
    assert masked_text(line) == line


def test_private_keys() -> None:
    text = "+-----BEGIN RSA PRIVATE KEY-----\n+MIIEow\n+IBAAK\n+-----END RSA PRIVATE KEY-----\n+x = 1\n"
    assert masked_text(text) == (
        f"+-----BEGIN RSA PRIVATE KEY-----\n+{MASK}\n+{MASK}\n+-----END RSA PRIVATE KEY-----\n+x = 1\n"
    )


def test_remembered_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_remembered", set())
    secrets.remember("hunter2hunter2")
    secrets.remember("x")
    secrets.remember(5)
    assert secrets.hide("Namespace(token='hunter2hunter2', x=5)") == f"Namespace(token='{MASK}', x=5)"
