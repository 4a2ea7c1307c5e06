"""Which names say that their values are secret.

``docs/howto/secrets.md`` states the rules for users. ``web/generate_types.py`` writes what has a public name here into
the page's sources.
"""

import re
from functools import lru_cache
from itertools import pairwise

WORDS = frozenset(
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
        "apisecret",
        "apitoken",
        "accesskey",
        "accesstoken",
        "authkey",
        "authtoken",
        "privatekey",
        "secretkey",
        "sshpass",
        # The word for a password elsewhere: German, Spanish, Portuguese, French, Dutch.
        "passwort",
        "kennwort",
        "contrasena",
        "senha",
        "motdepasse",
        "wachtwoord",
    }
)
# The same with other letters: Spanish, Polish, Russian, Ukrainian, Chinese, Japanese, Korean. A name that holds one.
FOREIGN = ("contraseña", "hasło", "пароль", "密码", "密碼", "口令", "パスワード", "비밀번호")
# Endings of words that people write together: PGPASSWORD, dbpassword.
ENDINGS = ("password", "passwd", "passphrase", "passwort")
_KEYS_FOR = "api access private auth account encryption signing subscription consumer license deploy"
_PASSES_FOR = "db user smtp mail email redis ftp ssh"
PAIRS = frozenset(
    {(first, "key") for first in _KEYS_FOR.split()}
    | {(first, "pass") for first in _PASSES_FOR.split()}
    | {("de", "passe")}
)
# Words that may follow the one that makes a name a secret's: HF_TOKEN_2, password_value. A token_mixer is none.
AFTER = frozenset({"value", "key", "hash", "prod", "dev", "test", "live", "string", "old", "new", "v"})
# The last word of a name that has to do with a secret and holds none: password_field, token_type, API_KEY_FILE.
ABOUT = frozenset(
    {
        "field",
        "type",
        "types",
        "mixer",
        "file",
        "path",
        "url",
        "uri",
        "name",
        "length",
        "len",
        "count",
        "limit",
        "label",
        "column",
        "header",
        "env",
        "var",
        "variable",
        "prompt",
        "pattern",
        "regex",
        "placeholder",
        "format",
        "embedding",
        "embeddings",
        "dim",
        "ids",
        "index",
        "acc",
        "rate",
        "size",
        "expiry",
        "expires",
        "ttl",
        "timeout",
        "mode",
        "policy",
        "validator",
        "required",
    }
)
# What gives access when "token" follows it. By itself the word, and a pad_token, is mostly one of a text.
TOKENS = frozenset(
    {
        "access",
        "auth",
        "api",
        "refresh",
        "bearer",
        "bot",
        "session",
        "id",
        "hf",
        "github",
        "gitlab",
        "slack",
        "jwt",
        "oauth",
        "csrf",
        "deploy",
        "registry",
    }
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(1000)
def is_secret_name(name: str) -> bool:
    """Whether a name says that its value is secret.

    Example:
        >>> is_secret_name("HF_TOKEN"), is_secret_name("dbPassword"), is_secret_name("api-key")
        (True, True, True)
        >>> is_secret_name("max_tokens"), is_secret_name("tokenizer"), is_secret_name("token_type")
        (False, False, False)
    """
    if _is_foreign(name):
        return True
    words = [word.lower() for word in WORD.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in ABOUT or words[-2:] == ["token", "id"]:
        return False
    return any(map(_is_secret_word, words)) or any(pair in PAIRS for pair in pairwise(words))


@lru_cache(1000)
def names_the_value(name: str) -> bool:
    """Whether a name is that of a secret itself, and not of what has to do with one."""
    if _is_foreign(name):
        return True
    words = _to_the_secret(name)
    return bool(words) and (_is_secret_word(words[-1]) or tuple(words[-2:]) in PAIRS)


@lru_cache(1000)
def is_certain_name(name: str) -> bool:
    """Whether nothing but a secret has such a name. A ``token`` may be one of a text: it needs a word before it.

    Example:
        >>> is_certain_name("password"), is_certain_name("access_token"), is_certain_name("pad_token")
        (True, True, False)
    """
    if not names_the_value(name):
        return False
    words = _to_the_secret(name)
    return words[-1:] != ["token"] or (len(words) > 1 and words[-2] in TOKENS)


def is_password_name(name: str) -> bool:
    """Whether the value may be any word, or a number."""
    return name.lower().endswith((*ENDINGS, "pwd")) or _is_foreign(name)


def _to_the_secret(name: str) -> list[str]:
    """The words of a name up to the one that makes it a secret's; none when others stand in between."""
    words = [word.lower() for word in WORD.findall(name)]
    while words and not (_is_secret_word(words[-1]) or tuple(words[-2:]) in PAIRS):
        if not (words[-1].isdigit() or words[-1] in AFTER):
            return []
        words.pop()
    return words


def _is_secret_word(word: str) -> bool:
    return word in WORDS or word.endswith(ENDINGS)


def _is_foreign(name: str) -> bool:
    return not name.isascii() and any(word in name.lower() for word in FOREIGN)
