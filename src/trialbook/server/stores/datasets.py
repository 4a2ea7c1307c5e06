"""Versions of datasets: what a finished one needs in the storage, who descends from whom, what waits to be freed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trialbook.base.ids import is_id
from trialbook.server.stores.database import Json, metadata
from trialbook.server.stores.facets import facet, head
from trialbook.server.stores.tasks import task

version = sa.Table(
    "dataset_version",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("places", Json, nullable=False),
    sa.Column("files", sa.BigInteger, nullable=False),
    sa.Column("links", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("stored", sa.BigInteger, nullable=False),
    sa.Column("finished", sa.Double, nullable=True),
)
"""One row per version that our SDK wrote, from its beginning on; ``finished`` is set by the commit."""

parent = sa.Table(
    "dataset_parent",
    metadata,
    sa.Column("version", sa.String(32), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("parent", sa.String(32), nullable=False, index=True),
)

reference = sa.Table(
    "dataset_reference",
    metadata,
    sa.Column("version", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Index("dataset_reference_by_key", "key"),
)
"""Which objects a version needs: those of its manifest once it is finished, its parents' while it is open."""

trash = sa.Table(
    "dataset_trash",
    metadata,
    sa.Column("owner", sa.String(32), primary_key=True),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)
"""Versions that are deleted and whose unreferenced objects are still in the storage."""


KEPT = "ds_kept"
"""Key of the runtime of a version of the clearml SDK: what it reads of versions that are deleted."""
_STRUCT = "Dataset Struct"


def artifact_of(path: str) -> tuple[str, str] | None:
    """The version and the artifact that a file among the files is, as the clearml SDK lays them out."""
    parts = path.split("/")
    if len(parts) < 4 or parts[-3] != "artifacts" or not is_id(parts[-4][-32:]):
        return None
    return parts[-4][-32:], parts[-2]


def owner_of(key: str) -> str:
    """The version that wrote an object, from its key ``packs/<owner>/…``."""
    return key.split("/", 2)[1] if key.count("/") >= 2 else ""


def object_key(path: str) -> str | None:
    """The key that an object of a repository has, from its path among the files; None for other files."""
    parts = path.split("/")[-3:]
    named = len(parts) == 3 and parts[0] in ("packs", "ranges", "roots") and is_id(parts[1])
    return "/".join(parts) if named else None


class DatasetStore:
    """Rows of versions, their parents, references and trash."""

    def get(self, connection: Connection, id: str) -> "sa.Row[Any] | None":
        """The row of a version, or None."""
        return connection.execute(sa.select(version).where(version.c.id == id)).first()

    def many(self, connection: Connection, ids: Sequence[str]) -> "dict[str, sa.Row[Any]]":
        """Rows by id."""
        if not ids:
            return {}
        return {row.id: row for row in connection.execute(sa.select(version).where(version.c.id.in_(ids)))}

    def begin(self, connection: Connection, id: str, parents: Sequence[str], pins: Sequence[str]) -> None:
        """A version is open: its parents, and the objects that must stay for it."""
        if self.get(connection, id) is None:
            connection.execute(
                version.insert().values(
                    id=id,
                    root="",
                    repository="",
                    places={},
                    files=0,
                    links=0,
                    bytes=0,
                    stored=0,
                    finished=None,
                )
            )
        connection.execute(parent.delete().where(parent.c.version == id))
        if parents:
            rows = [{"version": id, "position": place, "parent": one} for place, one in enumerate(parents)]
            connection.execute(parent.insert(), rows)
        wanted = sorted({*parents, *pins})
        if wanted:
            held = sa.select(reference.c.key, reference.c.bytes).where(reference.c.version.in_(wanted))
            self.refer(connection, id, {row.key: row.bytes for row in connection.execute(held)})

    def refer(self, connection: Connection, id: str, objects: Mapping[str, int]) -> None:
        """Replace what a version needs."""
        connection.execute(reference.delete().where(reference.c.version == id))
        if objects:
            rows = [{"version": id, "key": key, "bytes": size} for key, size in sorted(objects.items())]
            connection.execute(reference.insert(), rows)

    def finish(self, connection: Connection, id: str, values: Mapping[str, Any]) -> None:
        """Write what the commit says."""
        connection.execute(version.update().where(version.c.id == id).values(**values))

    def parents(self, connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
        """Direct parents in merge order, by version."""
        found: dict[str, list[str]] = {}
        if ids:
            rows = sa.select(parent).where(parent.c.version.in_(ids)).order_by(parent.c.position)
            for row in connection.execute(rows):
                found.setdefault(row.version, []).append(row.parent)
        return found

    def children(self, connection: Connection, ids: Sequence[str]) -> list[str]:
        """Versions that have one of these as a parent."""
        found = sa.select(parent.c.version).where(parent.c.parent.in_(ids)).distinct()
        return sorted(connection.execute(found).scalars()) if ids else []

    def related(self, connection: Connection, id: str, limit: int = 2000) -> dict[str, list[str]]:
        """Every ancestor and descendant of a version with its parents; ``limit`` bounds a runaway lineage."""
        graph: dict[str, list[str]] = {}
        waiting = [id]
        while waiting and len(graph) < limit:
            parents = self.parents(connection, waiting)
            graph.update({one: parents.get(one, []) for one in waiting})
            waiting = sorted({up for one in waiting for up in parents.get(one, [])} - graph.keys())
        waiting = self.children(connection, [id])
        while waiting and len(graph) < limit:
            parents = self.parents(connection, waiting)
            graph.update({one: parents.get(one, []) for one in waiting})
            waiting = [one for one in self.children(connection, waiting) if one not in graph]
        return graph

    def users(self, connection: Connection, id: str) -> list[str]:
        """Tasks that say in their parameters or runtime that they read a version."""
        found = (
            sa.select(facet.c.owner)
            .where(
                facet.c.field.in_(["hyperparams", "runtime"]),
                facet.c.head == head(id),
                facet.c.value == id,
                facet.c.owner != id,
            )
            .distinct()
        )
        return sorted(connection.execute(found).scalars())

    def shares(self, connection: Connection, id: str) -> tuple[dict[str, int], dict[str, list[str]]]:
        """What a version needs with the bytes of each, and by key who else needs it."""
        own = {
            row.key: row.bytes
            for row in connection.execute(sa.select(reference).where(reference.c.version == id))
        }
        mine, other = reference.alias("mine"), reference.alias("other")
        joined = (
            sa.select(other.c.key, other.c.version)
            .join(mine, mine.c.key == other.c.key)
            .where(mine.c.version == id, other.c.version != id)
        )
        others: dict[str, list[str]] = {}
        for row in connection.execute(joined):
            others.setdefault(row.key, []).append(row.version)
        return own, others

    def is_referenced(self, connection: Connection, key: str) -> bool:
        """Whether any version needs an object."""
        return (
            connection.execute(sa.select(reference.c.key).where(reference.c.key == key)).first() is not None
        )

    def referenced(self, connection: Connection, owner: str) -> set[str]:
        """Objects of an owner that some version needs."""
        found: set[str] = set()
        for kind in ("packs", "ranges", "roots"):
            low = f"{kind}/{owner}/"
            keys = sa.select(reference.c.key).where(reference.c.key >= low, reference.c.key < low[:-1] + "0")
            found.update(connection.execute(keys.distinct()).scalars())
        return found

    def foreign(self, connection: Connection, id: str) -> list[str]:
        """Versions of the clearml SDK that descend from a version: each tells its ancestors in a configuration."""
        tagged = sa.select(facet.c.owner).where(
            facet.c.field == "system_tags", facet.c.head == "dataset", facet.c.value == "dataset"
        )
        found = sa.select(task.c.id, task.c.configuration).where(
            task.c.id.in_(tagged),
            task.c.id != id,
            task.c.id.not_in(sa.select(version.c.id)),
            sa.cast(task.c.configuration, sa.Text).like(f"%{id}%"),
        )
        return sorted(
            row.id
            for row in connection.execute(found)
            if id in str(((row.configuration or {}).get(_STRUCT) or {}).get("value") or "")
        )

    def is_needed(self, connection: Connection, owner: str, artifact: str, leaving: str = "") -> bool:
        """Whether a version reads an artifact of another one, ``owner``, that the clearml SDK wrote.

        Args:
            connection: of the transaction.
            owner: the version that has, or had, the artifact.
            artifact: its name.
            leaving: a version that is about to go.
        """
        key = f"packs/{owner}/{artifact}.zip"
        held = sa.select(reference.c.key).where(
            reference.c.key == key, reference.c.version.not_in([owner, leaving])
        )
        heirs = set(self.foreign(connection, owner)) - {leaving}
        return connection.execute(held).first() is not None or bool(heirs)

    def kept(self, connection: Connection, id: str) -> dict[str, dict[str, str]]:
        """Addresses by deleted version and artifact that a version of the clearml SDK still reads."""
        row = connection.execute(sa.select(task.c.runtime).where(task.c.id == id)).first()
        text = (row.runtime or {}).get(KEPT) if row is not None else None
        found: dict[str, dict[str, str]] = json.loads(text) if text else {}
        return found

    def _hand_over(self, connection: Connection, id: str) -> None:
        """Let the clearml SDK's descendants of a version that goes know, and keep, what they read of it."""
        row = connection.execute(sa.select(task.c.execution).where(task.c.id == id)).first()
        heirs = self.foreign(connection, id) if row is not None else []
        if row is None or not heirs:
            return
        artifacts = {
            str(item.get("key")): str(item["uri"])
            for item in (row.execution or {}).get("artifacts") or ()
            if item.get("uri")
        }
        packs = sa.select(reference.c.key, reference.c.bytes).where(
            reference.c.version == id, reference.c.key.like("packs/%")
        )
        held = {one.key: one.bytes for one in connection.execute(packs)}
        for heir in heirs:
            runtime = (
                connection.execute(sa.select(task.c.runtime).where(task.c.id == heir)).scalar_one() or {}
            )
            known = {**self.kept(connection, id), **self.kept(connection, heir), id: artifacts}
            connection.execute(
                task.update().where(task.c.id == heir).values(runtime={**runtime, KEPT: json.dumps(known)})
            )
            mine = sa.select(reference.c.key).where(reference.c.version == heir)
            there = set(connection.execute(mine).scalars())
            fresh = [{"version": heir, "key": key, "bytes": held[key]} for key in sorted(held.keys() - there)]
            if fresh:
                connection.execute(reference.insert(), fresh)

    def forget(self, connection: Connection, id: str, now: float, *, free: bool = True) -> None:
        """A version is deleted; with ``free`` what only it needed waits in the trash, else it stays in the storage."""
        if free:
            self._hand_over(connection, id)
        row = self.get(connection, id)
        if row is None:
            connection.execute(reference.delete().where(reference.c.version == id))
            return
        keys = connection.execute(sa.select(reference.c.key).where(reference.c.version == id)).scalars()
        owners = {owner_of(key) for key in keys} | {id}
        connection.execute(reference.delete().where(reference.c.version == id))
        connection.execute(parent.delete().where(parent.c.version == id))
        connection.execute(version.delete().where(version.c.id == id))
        if free and row.repository:
            alive = set(self.many(connection, sorted(owners)))
            waiting = {one.owner for one in self.waiting(connection)}
            rows = [
                {"owner": one, "repository": row.repository, "since": now}
                for one in sorted(owners - alive - waiting - {""})
            ]
            if rows:
                connection.execute(trash.insert(), rows)

    def waiting(self, connection: Connection) -> "list[sa.Row[Any]]":
        """Rows of the trash, the oldest first."""
        return list(connection.execute(sa.select(trash).order_by(trash.c.since)))

    def swept(self, connection: Connection, owners: Iterable[str]) -> int:
        """Owners whose objects were freed."""
        return connection.execute(trash.delete().where(trash.c.owner.in_(list(owners)))).rowcount
