"""What is masked, and what must stay as it is."""

import ast
import time

import pytest

from trialbook.capture import secrets
from trialbook.capture.secrets import MASK, is_secret_name, masked_arguments, masked_text
from trialbook.client.session import Credentials
from trialbook.sdk.connection import Connection
from trialbook.sdk.settings import Settings

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


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("Looking in indexes: https://joe:hunter2@pypi.example.com/simple", "hunter2"),
        ("postgresql://joe:hun@ter2@db:5432/x", "ter2"),
        ("Authorization: Bearer abc123", "abc123"),
        ("{'Authorization': 'Bearer eyJx'}", "eyJx"),
        ("authorization: token abc1234", "abc1234"),
        ('h = {"Authorization": "Basic am9lOmg="}', "am9lOmg="),
        ("PIP_INDEX_URL=https://joe:hunter2@pypi.example.com/simple", "hunter2"),
        ("--extra-index-url https://u:SECRET@h/simple", "SECRET"),
        ("lab @ git+https://u:glsecret@example.com/lab.git@0a1b2c", "glsecret"),
        ("lab @ git+https://0123456789abcdef0123@example.com/lab.git", "0123456789abcdef"),
        ("https://example.com/r.git?token=abc", "abc"),
        ("GET /data?x=1&access_token=abc&y=2", "=abc"),
        ("https://acc.blob.core.windows.net/c/f?sv=2020&sig=Zm9v%3D", "Zm9v"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c&X-Amz-Date=1", "0a1b2c"),
        ("started with --password=hunter2 --lr 1", "hunter2"),
        ('password = """hunter2"""', "hunter2"),
        ("{'db': {'password': 'hunter2'}}", "hunter2"),
        ("+HF_TOKEN: abc123def", "abc123def"),
        ('x = "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----"', "MIIE"),
    ],
)
def test_S13_one_list_of_rules_for_every_text(line: str, secret: str) -> None:
    shown = masked_text(line)
    assert secret not in shown and MASK in shown
    assert masked_text(f"before\n{line}\nafter") == f"before\n{shown}\nafter"


@pytest.mark.parametrize(
    "line",
    [
        "https://example.com/simple?page=1&sign=2",
        "git@github.com:lab/digits.git",
        "ssh://git@example.com/lab.git",
        "time 12:30: https://example.com/a:b, c@d",
        "pad token: 0.93",
        "key: value123",
        "tokens: 123456",
        "bearer of bad news",
        "f(token=cfg.token2, lr=1)",
        'url = f"https://{user}:{password}@host"',
    ],
)
def test_S13_ordinary_lines_stay(line: str) -> None:
    assert masked_text(line) in (line, line.replace("{user}:{password}@", f"{{user}}:{MASK}@"))


def test_S13_the_key_of_the_sdk_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_remembered", set())
    settings = Settings(
        api_host="http://127.0.0.1:9", credentials=Credentials("access", "the-own-secret-key")
    )
    Connection(settings)
    assert masked_text("key is the-own-secret-key.") == f"key is {MASK}."


@pytest.mark.parametrize(
    "piece",
    [
        "ACGT",
        "token.",
        "token=",
        "key-",
        'token="',
        'token="\\"',
        "token: ",
        "token ",
        "&a=b",
        "eyJ",
        "://a:",
        "sk-",
        "-----BEGIN PRIVATE KEY-----\n",
        "?token=a",
        " ",
        "\n",
        "Authorization: ",
        "eyJaaaaaaaa.",
        "a@",
    ],
)
def test_T1_time_grows_with_the_length_only(piece: str) -> None:
    def spent(size: int) -> float:
        text = (piece * size)[:size]
        text = f'x = "{text}" {text}'
        began = time.process_time()
        masked_text(text)
        return time.process_time() - began

    # A hundred times the text: a rule that is quadratic takes ten thousand times as long, a linear one a hundred.
    small = min(spent(4_000) for _ in range(5))
    assert spent(400_000) < max(small, 1e-4) * 2000
