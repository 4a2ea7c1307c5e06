"""What is masked, and what must stay as it is."""

import ast
import base64
import html
import json
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from trialbook.capture import secret_values
from trialbook.capture.secret_names import is_secret_name
from trialbook.capture.secret_values import MASK
from trialbook.capture.secrets import masked_arguments, masked_output, masked_text
from trialbook.client.session import Credentials
from trialbook.client.settings import Settings
from trialbook.sdk.servers.connection import Connection

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
    monkeypatch.setattr(secret_values, "_remembered", {})
    secret_values.remember("hunter2hunter2")
    secret_values.remember("x")
    secret_values.remember(5)
    assert secret_values.hide("Namespace(token='hunter2hunter2', x=5)") == f"Namespace(token='{MASK}', x=5)"


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


def test_S13_the_texts_that_the_page_masks_alike() -> None:
    """``web/test/secretRules.test.ts`` holds the page to the same file."""
    # No key stands in the file as a whole: a bar cuts it.
    lines = (Path(__file__).parent / "secret_lines.json").read_text("utf-8").replace("\\u00a6", "")
    for text, as_source, as_output in json.loads(lines):
        assert (masked_text(text), masked_output(text)) == (as_source, as_output)


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


VALUE = "Zq9kX7fPw93bVtR5m"


@pytest.mark.parametrize(
    "text",
    [
        "machine h login u password {}",
        "+machine h\n+  login u\n+  password {}",
        "//registry.npmjs.org/:_authToken={}",
        "+_auth = {}",
        '{{"auths": {{"h": {{"auth": "{}"}}}}}}',
        '{{"name": "DB_PASSWORD", "value": "{}"}}',
        '<add key="DbPassword" value="{}"/>',
        "<password>{}</password>",
        "+  - name: DB_PASSWORD\n+    value: {}\n",
        '      - "DB_PASSWORD={}"',
        "  - DB_PASSWORD={}",
        "password: {}  # prod",
        "ENV HF_TOKEN={}",
        "HF_TOKEN ?= {}",
        "$env:DB_PASSWORD={}",
        "PGPASSWORD={} psql -h x",
        "conn = 'host=db password={} dbname=x'",
        "AccountName=a;AccountKey={};EndpointSuffix=x",
        "train --api-token {} --lr 1",
        "curl -u joe:{} http://h",
        "mysql -u root -p{} db",
        "requests.get(u, auth=('joe', '{}'))",
        "HTTPBasicAuth('joe', '{}')",
        's = SecretStr("{}")',
        '{{"Cookie": "sid={}; b=2"}}',
        "Proxy-Authorization: {}",
        '"{{\\"token\\": \\"{}\\"}}"',
        "dbpassword = '{}'",
        "SMTP_PASS = '{}'",
        "Ocp-Apim-Subscription-Key: {}",
        "amqp://u:a/{}@h//",
        "https%3A%2F%2Fu%3A{}%40h",
        "git+https://{}:x-oauth-basic@github.com/x/y",
        "https://hooks.slack.com/services/T0000/B0000/{}",
    ],
)
def test_S13_files_and_programs_have_places_for_a_secret(text: str) -> None:
    shown = masked_text(text.format(VALUE))
    assert VALUE not in shown and MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "12:30 INFO [db] password: {}",
        "12:30 INFO connecting with token={}, lr=0.1",
        "Config(token={}, lr=0.1)",
        "your token is: {}.",
        "password -> {}",
        "| api_key | {} |",
        "│ secret_key │ {} │",
        "WANDB_API_KEY {}",
        "Server=tcp:x;User ID=a;Pwd={};Trusted=1",
        "GET /login?next=a%3Ftoken%3D{}",
        "\x1b[36mpassword\x1b[0m=\x1b[35m{}\x1b[0m",
    ],
)
def test_S13_what_is_printed_among_other_words(text: str) -> None:
    shown = masked_output(text.format(VALUE))
    assert VALUE not in shown and MASK in shown


@pytest.mark.parametrize(
    "line",
    [
        "loss=0.1234 token_acc=0.93",
        "token=128/256 tokens/s: 12.3k, 1.2ms/tok",
        "next token: the",
        "  | token_embedding | Embedding2d | 38.6 M",
        "token_mixer | Conv2dBlock | 12",
        "  --token TOKEN  the token to use",
        "python-secrets==24.7.5",
        "primary_key=user1234 sort_key=abc12345",
        "forward_pass: conv2d_1x1",
        "the password is incorrect",
        "token_type_ids: int64[8,128]",
        "https://example.com:8080/path@v1.2.3/x",
        "cookie: Optional = None",
        "  0%|  | token 1/1000 [00:01<00:03, 3.2it/s]",
        "bos_token=<s> eos_token=</s> pad_token_id=50256",
    ],
)
def test_S13_ordinary_output_stays(line: str) -> None:
    assert masked_output(line) == line


@pytest.mark.parametrize("secret", ["the-own-secret-key-of-48-letters", "p@ss w'rd\"\\+/é"])
@pytest.mark.parametrize("variable", [False, True])
def test_S13_a_known_value_in_every_way_of_writing(
    secret: str, variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_values, "_remembered", {})
    monkeypatch.setattr(secret_values, "_variables", secret_values._Variables())
    if variable:
        monkeypatch.setenv("DB_PASSWORD", secret)
    else:
        secret_values.remember(secret)
    raw = secret.encode()
    ways = [secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret), quote_plus(secret)]
    ways += [quote(secret, safe=""), html.escape(secret), raw.hex(), raw.hex().upper(), raw.hex(":")]
    ways += [str(raw)[2:-1], "".join(f"%{byte:02X}" for byte in raw)]
    for written in ways:
        assert masked_output(f"x {written} y") == f"x {MASK} y"
    for before in ("", "a", "ab", "abc", "key:"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # What belongs to the neighbours too may stay: less than one letter of the secret at each end.
            left = masked_output(encode(before.encode() + raw + b":z").decode())
            assert MASK in left and len(left) < len(MASK) + 2 * (len(before) + 4)


def test_S13_the_key_of_the_sdk_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_values, "_remembered", {})
    settings = Settings(
        api_host="http://127.0.0.1:9", credentials=Credentials("access", "the-own-secret-key")
    )
    Connection(settings)
    assert masked_text("key is the-own-secret-key.") == f"key is {MASK}."


def test_T1_a_line_that_is_repeated_is_masked_as_a_single_one() -> None:
    lines = [
        "password=hunter2x",
        "  password: hunter2x",
        "token = settings.token",
        'api_key: str = "a1b2c3d4e5"',
        "x" * 200 + " token=a1b2c3d4",
        "12:30 INFO connecting with token=a1b2c3d4, lr=0.1",
        "the secret is a1b2c3d4e5",
        "export HF_TOKEN=a1b2c3d4",
        'run("host=db password=a1b2c3d4")',
        "loss 0.1",
        "",
    ]
    for rule in (masked_text, masked_output):
        whole = "\n".join(lines * 200)
        assert len(whole) > 10_000
        assert rule(whole).split("\n") == [rule(line) for line in lines] * 200
        # What differs everywhere is not looked at line by line.
        other = [f"{line} {number}" for number in range(400) for line in lines]
        assert rule("\n".join(other)).split("\n") == [rule(line) for line in other]


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
        "://a:b@",
        "login a ",
        "--password ",
        "curl -u a",
        "<a:",
        "name: a\n",
        "%3A%40",
        "token | ",
        "PASSWORD=abc123 ",
        "curl ",
        "mysql ",
        "machine a login b ",
        "Cookie: a=b",
        'argument("a", "b", ',
        "option('a', default='",
        'getenv("token") or ',
    ],
)
def test_T1_time_grows_with_the_length_only(piece: str) -> None:
    def spent(size: int) -> float:
        text = (piece * size)[:size]
        text = f'x = "{text}" {text}'
        began = time.process_time()
        masked_output(text)
        return time.process_time() - began

    # A hundred times the text: a rule that is quadratic takes ten thousand times as long, a linear one a hundred.
    small = min(spent(4_000) for _ in range(5))
    assert spent(400_000) < max(small, 1e-4) * 2000
