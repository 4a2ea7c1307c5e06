"""Who may do what: users, access keys, tokens."""

import hashlib
import hmac
import logging
import secrets
import string
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
from sqlalchemy.engine import Connection

from trialbook.base.clock import Clock
from trialbook.base.files import write_json
from trialbook.base.ids import new_id
from trialbook.base.version import __version__
from trialbook.errors import BadCredentials, BadField, BadToken, Forbidden
from trialbook.server.services.caller import ROLES, Caller
from trialbook.server.services.links import Links
from trialbook.server.stores.database import Database
from trialbook.server.stores.projects import COMPANY
from trialbook.server.stores.users import UserStore
from trialbook.wire.table import Permission

API_VERSION = "2.34"
SERVER_VERSION = "2.34.0"
"""What released clients compare with their own limits; our own version is ``trialbook.__version__``."""

COMPANY_NAME = "Trialbook"
_log = logging.getLogger("trialbook.server")
_DAY = 86_400
_LONGEST = 366 * _DAY
_LETTERS = string.ascii_uppercase + string.digits


class Accounts:
    """Log-in, tokens and keys.

    Args:
        database: where users live.
        users: their store.
        clock: now.
        token_days: life of a token when the caller asks for none, days.
    """

    def __init__(self, database: Database, users: UserStore, clock: Clock, token_days: float = 30.0) -> None:
        self._database = database
        self._users = users
        self._clock = clock
        self._token_days = token_days
        self._signing_key = ""
        self._identity = ""
        # A token is checked against its key's row once a minute, so that a revoked key ends soon and calls stay cheap.
        self._checked: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self.ended = 0
        """Grows whenever a user, a key or a session was changed by this process."""
        self._lock = threading.Lock()
        self.links = Links()

    def prepare(self, credentials_file: Path) -> None:
        """Make what a new server needs: the signing key, the administrator and the first access key."""
        with self._database.write() as connection:
            found = self._users.shared_value(connection, "token_key")
            if found is None:
                found = secrets.token_hex(32)
                self._users.set_shared_value(connection, "token_key", found)
            self._signing_key = found
            identity = self._users.shared_value(connection, "identity")
            if identity is None:
                identity = new_id()
                self._users.set_shared_value(connection, "identity", identity)
            self._identity = identity
            first = None
            if not self._users.any_credential(connection):
                owner = new_id()
                self._users.add_user(connection, owner, "admin", "admin", self._clock())
                first = self._add_key(connection, owner, "first key")
            if first is not None:
                if credentials_file.exists():
                    kept = _put_aside(credentials_file)
                    _log.warning(
                        "the database is new, but %s was of an earlier one (it is %s now): what that held is not here."
                        " If its file was lost or emptied, stop this server and restore it as docs/howto/recovery.md"
                        " says",
                        credentials_file,
                        kept.name,
                    )
                # Inside the transaction: a key without its file would lock everybody out.
                write_json(credentials_file, {"access_key": first[0], "secret_key": first[1]}, mode=0o600)

    @property
    def identity(self) -> str:
        """Which server this is, whatever address it is reached at: told to everybody, made once with the database."""
        return self._identity

    @property
    def cookie(self) -> str:
        """Name of the page's cookie. Browsers share cookies over all ports of a host, so that two servers of one
        machine would end each other's sessions if they had the same."""
        return f"trialbook_session_{hashlib.sha256(self._signing_key.encode()).hexdigest()[:12]}"

    def _add_key(
        self, connection: Connection, owner: str, label: str, role: str | None = None
    ) -> tuple[str, str]:
        access_key = "".join(secrets.choice(_LETTERS) for _ in range(24))
        secret = secrets.token_urlsafe(36)
        self._users.add_credential(connection, access_key, _hashed(secret), owner, label, self._clock(), role)
        return access_key, secret

    def create_key(
        self, connection: Connection, owner: str, label: str, role: str | None = None
    ) -> tuple[str, str]:
        """A new access key and its secret, which is shown this once; ``role`` None is its owner's."""
        return self._add_key(connection, owner, label, role)

    @staticmethod
    def lesser(owner: str, key: str | None) -> str:
        """What a key may do: as its maker chose, never more than its owner."""
        return owner if key is None or ROLES[key] >= ROLES[owner] else key

    def by_key(self, access_key: str, secret: str, origin: str = "") -> Caller:
        """The owner of a key.

        Raises:
            BadCredentials: unknown key or wrong secret; the message does not say which.
        """
        with self._database.read() as connection:
            row: Any = self._users.get_credential(connection, access_key)
            # A row that is missing costs the same time as one with another secret.
            stored = row.secret_hash if row else _hashed("")
            if not hmac.compare_digest(stored, _hashed(secret)) or row is None:
                raise BadCredentials(
                    "the access key or the secret is wrong; make a new pair in the web UI under Settings, or take the"
                    " first one from credentials.json in the server's data folder"
                )
            owner: Any = self._users.get_user(connection, row.user)
        if owner.disabled:
            raise BadCredentials(f"the user {owner.name!r} is disabled; ask an administrator")
        now = self._clock()
        # Once a minute is enough to know: log-in must not wait for the disk each time.
        if row.last_used is None or now - row.last_used > 60:
            self._note_use(row, access_key, origin, now)
        role = self.lesser(owner.role, row.role)
        return Caller(owner.id, owner.name, role, access_key, "key", epoch=owner.token_epoch)

    def _note_use(self, row: Any, access_key: str, origin: str, now: float) -> None:
        with self._database.write() as connection:
            self._users.change_credential(
                connection, access_key, row.user, last_used=now, last_used_from=origin
            )

    def local_admin(self) -> Caller:
        """The first administrator, for the user who runs the server."""
        with self._database.read() as connection:
            admins = [
                row for row in self._users.users(connection, None) if row.role == "admin" and not row.disabled
            ]
        first: Any = min(admins, key=lambda row: row.created)
        return Caller(first.id, first.name, first.role, "", "key", epoch=first.token_epoch)

    def page_token(self, connection: Connection, caller: Caller, method: str, origin: str) -> tuple[str, int]:
        """A token for a browser that has no key, and its life in seconds. It ends with its session's row, and that
        with the key whose link let it in, also where a browser that was let in by that key made the link.

        Raises:
            BadToken: what the caller had shown has ended since.
        """
        caller = self._standing(connection, caller)
        token, life = self.token(replace(caller, access_key="", session=new_id()))
        session = jwt.decode(token, options={"verify_signature": False})["session_id"]
        now = self._clock()
        self._users.add_session(
            connection,
            id=session,
            user=caller.user,
            role=caller.role,
            method=method,
            origin=origin,
            created=now,
            expires=now + life,
            access_key=caller.access_key or self._users.session_key(connection, caller.session),
        )
        return token, life

    def end_session(self, connection: Connection, session: str, owner: str) -> int:
        """End a browser's session of this user; ``forget`` the user once that is committed."""
        return self._users.drop_session(connection, session, owner)

    def token(self, caller: Caller, seconds: int | None = None) -> tuple[str, int]:
        """A signed token for a caller, and its life in seconds. A token that is made with a browser's session belongs
        to that session.

        Raises:
            BadField: the life asked for is not positive.
        """
        life = int(self._token_days * _DAY) if seconds is None else min(seconds, _LONGEST)
        if life <= 0:
            raise BadField(f"expiration_sec: {seconds} is not positive", field="expiration_sec")
        now = int(self._clock())
        claims = {
            "iat": now,
            "exp": now + life,
            "env": "trialbook",
            "auth_type": "Bearer",
            "session_id": caller.session or new_id(),
            "api_version": API_VERSION,
            "server_version": SERVER_VERSION,
            "server_build": __version__,
            "feature_set": "basic",
            "key": caller.access_key,
            "epoch": caller.epoch,
            "identity": {
                "user": caller.user,
                "user_name": caller.name,
                "role": caller.role,
                "company": COMPANY,
                "company_name": COMPANY_NAME,
            },
        }
        return jwt.encode(claims, self._signing_key, algorithm="HS256"), life

    def remembered(self, token: str) -> Caller | None:
        """The caller of a token that was checked within the last minute."""
        with self._lock:
            known = self._checked.get(token)
        return known[1] if known is not None and time.monotonic() - known[0] < 60 else None

    def by_token(self, token: str) -> Caller:
        """The caller that a token was made for.

        Raises:
            BadToken: it is malformed, expired, signed with another key, or its access key was revoked.
        """
        moment, ended = time.monotonic(), self.ended
        known = self.remembered(token)
        if known is not None:
            return known
        try:
            claims = jwt.decode(token, self._signing_key, algorithms=["HS256"], options={"require": ["exp"]})
            identity = claims["identity"]
            caller = Caller(
                identity["user"],
                identity["user_name"],
                identity["role"],
                claims.get("key", ""),
                "token",
                "" if claims.get("key") else claims["session_id"],
                # Tokens of earlier versions carry none.
                claims.get("epoch", 0),
            )
        except jwt.ExpiredSignatureError:
            raise BadToken("the token has expired; log in again") from None
        except (jwt.InvalidTokenError, KeyError, TypeError):
            raise BadToken("the token is not valid here; log in again") from None
        with self._database.read() as connection:
            caller = self._standing(connection, caller)
        with self._lock:
            # Short-lived tokens must not outlive their end in the cache, nor one that ended since it was looked at.
            if claims["exp"] - self._clock() > 60 and ended == self.ended:
                self._checked[token] = (moment, caller)
                while len(self._checked) > 4096:
                    self._checked.popitem(last=False)
        return caller

    def _standing(self, connection: Connection, caller: Caller) -> Caller:
        """A caller as its user and the key or session that it came with stand now.

        Raises:
            BadToken: one of these was ended.
        """
        owner: Any = self._users.get_user(connection, caller.user)
        if owner is None:
            raise BadToken("the user of this token is gone")
        if owner.disabled:
            raise BadToken("the user of this token is disabled; ask an administrator")
        if owner.token_epoch != caller.epoch:
            raise BadToken("this token was ended when its user was disabled; log in again")
        role: str | None = None
        if caller.access_key:
            key: Any = self._users.get_credential(connection, caller.access_key)
            if key is None:
                raise BadToken("the access key of this token was revoked")
            role = key.role
        elif caller.kind != "key":
            role = self._users.session_role(connection, caller.session)
            if role is None:
                raise BadToken("this session was ended; log in again")
        return replace(caller, name=owner.name, role=self.lesser(owner.role, role))

    def revoke(self, connection: Connection, owner: str, access_key: str) -> int:
        """End a key of a user, and with it its tokens and the browsers that its links let in; ``forget`` the user
        once that is committed."""
        return self._users.drop_credential(connection, access_key, owner)

    def forget(self, user: str) -> None:
        """Look at a user's rows again at the next call: it was changed, or something of it has ended. In this process
        that holds at once. To be called after the commit: a call before it would find the old rows."""
        with self._lock:
            # A check that goes on in another thread may have read the old rows: it must not keep what it found.
            self.ended += 1
            for token in [token for token, (_, owner) in self._checked.items() if owner.user == user]:
                del self._checked[token]

    def require(self, caller: Caller, permission: Permission) -> None:
        """Check a permission.

        Raises:
            Forbidden: the caller does not hold it.
        """
        if not caller.may(permission):
            raise Forbidden(
                f"this needs the permission {permission.value!r}; your role is {caller.role or 'unknown'}"
            )


def _hashed(secret: str) -> str:
    # Secrets are 288 random bits, so a plain digest cannot be guessed back; a slow one would only slow log-in.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _put_aside(file: Path) -> Path:
    """Give a file another name, and no earlier one's."""
    number = 1
    while (kept := file.with_name(f"{file.stem}.earlier-{number}{file.suffix}")).exists():
        number += 1
    file.rename(kept)
    return kept
