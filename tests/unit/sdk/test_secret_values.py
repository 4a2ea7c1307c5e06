"""Secrets that a process knows by value are masked wherever they are printed."""

import os

import pytest

from trialbook.blobs.accounts import AzureAccount, S3Account
from trialbook.capture import secret_values
from trialbook.capture.secret_values import MASK, remember
from trialbook.capture.secrets import masked_output, masked_text
from trialbook.sdk.accounts import storage_settings

KEY = "zQ8-abcdEFGH123456789xyz"


@pytest.fixture(autouse=True)
def _knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_values, "_remembered", {})
    monkeypatch.setattr(secret_values, "_variables", secret_values._Variables())


@pytest.mark.parametrize(
    "name", ["MY_API_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "SMTP_PASS", "PASSWORT"]
)
def test_S13_the_value_of_a_secret_variable_is_masked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert masked_output(KEY) == KEY
    # Given after the first line was printed, as by a file that the program reads.
    monkeypatch.setenv(name, KEY)
    assert masked_output(KEY) == MASK
    assert masked_output(f"('{KEY}', 1)\n{KEY}{KEY}\n") == f"('{MASK}', 1)\n{MASK}{MASK}\n"
    assert masked_text(f'login("{KEY}")') == f'login("{MASK}")'
    monkeypatch.delenv(name)
    assert masked_output(KEY) == MASK


def test_S13_a_variable_that_changes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_TOKEN", KEY)
    now = 100.0
    monkeypatch.setattr(secret_values.time, "monotonic", lambda: now)
    assert masked_output(KEY) == MASK
    monkeypatch.setenv("MY_API_TOKEN", "another-of-many-letters")
    now += 1
    assert masked_output(f"another-of-many-letters {KEY}") == f"{MASK} {MASK}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "postgres"),
        ("MY_TOKEN", "abc1234"),
        ("PWD", "/somewhere/else1"),
        ("TOKEN_TYPE", "bearer-of-news1"),
        ("API_TOKEN", os.__file__),
        ("TOKENIZERS_PARALLELISM", "false-1234"),
        ("MAX_TOKENS", "123456789"),
        ("AUTH_SECRET", "https://example.com/login"),
        ("DATA", KEY),
    ],
)
def test_S13_ordinary_values_of_variables_stay(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    line = f"{value} is not {value}x"
    assert masked_output(line) == line


def test_S13_a_private_key_of_a_variable_is_masked_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0B",
        "AQEFAASCBKcwggSjAgEAAoIB",
        "-----END PRIVATE KEY-----",
    ]
    monkeypatch.setenv("DEPLOY_PRIVATE_KEY", "\n".join(lines))
    assert [masked_output(line) for line in lines[1:]] == [MASK, MASK, lines[3]]


@pytest.mark.parametrize("cut", [8, 12, 16])
@pytest.mark.parametrize("border", ["", "  ", "│ "])
def test_S13_a_key_that_is_broken_at_the_end_of_a_line(cut: int, border: str) -> None:
    remember(KEY)
    first, second = f"{border}the key: {KEY[:cut]}{border[::-1]}", f"{border}{KEY[cut:]} was given"
    shown = masked_output(f"{first}\n{second}")
    assert KEY[:cut] not in shown and KEY[cut:] not in shown
    # Lines come one by one as well.
    assert [masked_output(first), masked_output(second)] == shown.split("\n")
    # What only looks like a part stays.
    assert masked_output(f"{KEY[:10]}…") == f"{KEY[:10]}…"


def test_S13_what_opens_a_storage_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_settings._given, "value", storage_settings.Accounts())
    assert masked_output(f"s3 {KEY}") == f"s3 {KEY}"
    storage_settings.give(S3Account(key="access", secret=KEY), azure=AzureAccount(key=KEY[::-1]))
    assert masked_output(f"s3 {KEY}, azure {KEY[::-1]}, access") == f"s3 {MASK}, azure {MASK}, access"
