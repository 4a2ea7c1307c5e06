"""Users, their access keys, and what the server itself must remember."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.server.stores.database import Json, metadata

user = sa.Table(
    "user_account",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("preferences", Json, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    # Tokens carry the number that held when they were made; another number ends them.
    sa.Column("token_epoch", sa.Integer, nullable=False, server_default="0"),
)

credential = sa.Table(
    "credential",
    metadata,
    sa.Column("access_key", sa.String(64), primary_key=True),
    sa.Column("secret_hash", sa.String(64), nullable=False),
    sa.Column("user", sa.String(32), nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("last_used", sa.Double, nullable=True),
    sa.Column("last_used_from", sa.Text, nullable=False, server_default=""),
    sa.Column("role", sa.String(16), nullable=True),
)

session = sa.Table(
    "page_session",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("user", sa.String(32), nullable=False, index=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    # The key that made the link by which it logged in, or let in the browser that made it.
    sa.Column("access_key", sa.String(64), nullable=True),
)
"""Browsers that logged in without a key: their tokens end with their rows, others with their keys."""

server_value = sa.Table(
    "server_value",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""Facts that every server process on this database shares, such as the key that signs tokens."""


class UserStore:
    """Rows of users, keys and shared values."""

    def add_user(self, connection: Connection, id: str, name: str, role: str, now: float) -> None:
        """A new user."""
        connection.execute(user.insert().values(id=id, name=name, role=role, created=now, preferences={}))

    def get_user(self, connection: Connection, id: str) -> "sa.Row[tuple[object, ...]] | None":
        """The user, or None."""
        return connection.execute(sa.select(user).where(user.c.id == id)).first()

    def users(self, connection: Connection, ids: list[str] | None) -> "list[sa.Row[tuple[object, ...]]]":
        """Users by name; ``ids`` None means all."""
        statement = sa.select(user).order_by(user.c.name, user.c.id)
        if ids is not None:
            statement = statement.where(user.c.id.in_(ids))
        return list(connection.execute(statement))

    def change_user(self, connection: Connection, id: str, **values: object) -> None:
        """Change columns of a user."""
        connection.execute(user.update().where(user.c.id == id).values(**values))

    def end_tokens(self, connection: Connection, id: str) -> None:
        """End every token of a user that was given out so far, and its browsers."""
        self.drop_sessions(connection, id)
        connection.execute(user.update().where(user.c.id == id).values(token_epoch=user.c.token_epoch + 1))

    def drop_user(self, connection: Connection, id: str) -> None:
        """Forget a user, its keys and its browsers."""
        self.drop_sessions(connection, id)
        connection.execute(credential.delete().where(credential.c.user == id))
        connection.execute(user.delete().where(user.c.id == id))

    def other_admins(self, connection: Connection, id: str) -> list[str]:
        """Ids of the administrators but one; their rows stay as they are until the transaction ends."""
        statement = (
            sa.select(user.c.id)
            .where(user.c.role == "admin", user.c.disabled.is_(False))
            .order_by(user.c.id)
            .with_for_update()
        )
        return [admin for admin in connection.execute(statement).scalars() if admin != id]

    def set_preferences(self, connection: Connection, id: str, preferences: dict[str, object]) -> None:
        """Replace them all."""
        connection.execute(user.update().where(user.c.id == id).values(preferences=preferences))

    def add_credential(
        self,
        connection: Connection,
        access_key: str,
        secret_hash: str,
        owner: str,
        label: str,
        now: float,
        role: str | None = None,
    ) -> None:
        """A new key."""
        connection.execute(
            credential.insert().values(
                access_key=access_key,
                secret_hash=secret_hash,
                user=owner,
                label=label,
                created=now,
                last_used_from="",
                role=role,
            )
        )

    def get_credential(self, connection: Connection, access_key: str) -> "sa.Row[tuple[object, ...]] | None":
        """The key's row, or None."""
        return connection.execute(sa.select(credential).where(credential.c.access_key == access_key)).first()

    def credentials(self, connection: Connection, owner: str) -> "list[sa.Row[tuple[object, ...]]]":
        """A user's keys, oldest first."""
        statement = sa.select(credential).where(credential.c.user == owner).order_by(credential.c.created)
        return list(connection.execute(statement))

    def any_credential(self, connection: Connection) -> bool:
        """False on a new server."""
        return connection.execute(sa.select(credential.c.access_key).limit(1)).first() is not None

    def change_credential(self, connection: Connection, access_key: str, owner: str, **values: object) -> int:
        """Change columns of a user's key; the number of keys changed."""
        return connection.execute(
            credential.update()
            .where(credential.c.access_key == access_key, credential.c.user == owner)
            .values(**values)
        ).rowcount

    def drop_credential(self, connection: Connection, access_key: str, owner: str) -> int:
        """End a user's key, and the browsers that a link of it let in; the number of keys ended."""
        connection.execute(
            session.delete().where(session.c.access_key == access_key, session.c.user == owner)
        )
        return connection.execute(
            credential.delete().where(credential.c.access_key == access_key, credential.c.user == owner)
        ).rowcount

    def lock(self, connection: Connection) -> None:
        """Keep others from changing users until the transaction ends."""
        statement = sa.select(server_value.c.name).where(server_value.c.name == "token_key")
        connection.execute(statement.with_for_update())

    def add_session(self, connection: Connection, **values: object) -> None:
        """A browser that logged in; those that have expired go."""
        connection.execute(session.delete().where(session.c.expires < values["created"]))
        connection.execute(session.insert().values(**values))

    def session_role(self, connection: Connection, id: str) -> str | None:
        """What a browser's session may do; None when it was ended."""
        return connection.execute(sa.select(session.c.role).where(session.c.id == id)).scalar_one_or_none()

    def session_key(self, connection: Connection, id: str) -> str | None:
        """The key that let a browser in, by however many links; None when there was none."""
        return connection.execute(
            sa.select(session.c.access_key).where(session.c.id == id)
        ).scalar_one_or_none()

    def sessions(self, connection: Connection, owner: str, now: float) -> "list[sa.Row[tuple[object, ...]]]":
        """A user's browsers, newest first."""
        statement = sa.select(session).where(session.c.user == owner, session.c.expires > now)
        return list(connection.execute(statement.order_by(session.c.created.desc())))

    def drop_session(self, connection: Connection, id: str, owner: str) -> int:
        """End one; the number ended."""
        return connection.execute(
            session.delete().where(session.c.id == id, session.c.user == owner)
        ).rowcount

    def drop_sessions(self, connection: Connection, owner: str) -> None:
        """End all of a user."""
        connection.execute(session.delete().where(session.c.user == owner))

    def shared_value(self, connection: Connection, name: str) -> str | None:
        """A fact that all server processes share."""
        return connection.execute(
            sa.select(server_value.c.value).where(server_value.c.name == name)
        ).scalar_one_or_none()

    def set_shared_value(self, connection: Connection, name: str, value: str) -> None:
        """Keep a new one."""
        connection.execute(server_value.insert().values(name=name, value=value))
