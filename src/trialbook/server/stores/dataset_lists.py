"""Finding versions of datasets among the tasks."""

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from trialbook.base import versions
from trialbook.base.clock import iso
from trialbook.server.core.patterns import SECONDS, program, took_too_long
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.facets import facet, head
from trialbook.server.stores.projects import project
from trialbook.server.stores.tasks import task
from trialbook.wire.datasets import DatasetSummary, DatasetVersion, GetDatasets
from trialbook.wire.states import FINISHED

DATASET, HIDDEN = "dataset", "hidden"
PART = ".datasets"
"""Name of the project that hides the datasets of its parent."""

_COLUMNS: tuple[Any, ...] = (
    task.c.id,
    task.c.name,
    task.c.status,
    task.c.tags,
    task.c.comment,
    task.c.created,
    task.c.last_update,
    task.c.user,
    task.c.archived,
    task.c.runtime,
    task.c.project,
    project.c.name.label("path"),
)


def split_path(path: str) -> tuple[str, str]:
    """Project and dataset name of a hidden project's full path."""
    above, found, name = path.rpartition(f"/{PART}/")
    return (above, name) if found else (path, "")


class DatasetLists:
    """Queries; nothing is changed here.

    Args:
        store: has what the tasks do not.
    """

    def __init__(self, store: DatasetStore) -> None:
        self._store = store

    def lock_project(self, connection: Connection, id: str) -> None:
        """Keep other writers off a dataset until the transaction ends."""
        connection.execute(sa.select(project.c.id).where(project.c.id == id).with_for_update())

    def tasks_in(self, connection: Connection, place: str) -> "list[sa.Row[Any]]":
        """Tasks of the versions of one dataset."""
        statement = sa.select(task.c.id, task.c.project, task.c.runtime)
        return list(connection.execute(statement.where(task.c.project == place, _is_dataset())))

    def versions_in(self, connection: Connection, place: str) -> list[str]:
        """Version texts of one dataset."""
        texts = [(row.runtime or {}).get("version") for row in self.tasks_in(connection, place)]
        return [str(text) for text in texts if text]

    def in_use(self, connection: Connection, place: str) -> bool:
        """Whether a project holds a task or another project."""
        held = connection.execute(sa.select(task.c.id).where(task.c.project == place).limit(1)).first()
        below = connection.execute(sa.select(project.c.id).where(project.c.parent == place).limit(1)).first()
        return held is not None or below is not None

    def find(self, connection: Connection, ask: GetDatasets) -> tuple[list[DatasetVersion], int]:
        """Versions that match, the last changed first, and how many there are without paging."""
        statement = (
            sa.select(*_COLUMNS)
            .join(project, project.c.id == task.c.project)
            .where(_is_dataset(), *_conditions(ask))
            .order_by(task.c.last_update.desc(), task.c.id)
        )
        if ask.name_pattern:
            # Refused also where there is nothing to look at.
            program(ask.name_pattern)
        rows = list(connection.execute(statement))
        until = time.monotonic() + SECONDS
        chosen = [row for row in rows if _passes(row, ask, until)]
        total = len(chosen)
        if ask.page_size:
            start = (ask.page or 0) * ask.page_size
            chosen = chosen[start : start + ask.page_size]
        return self.documents(connection, chosen), total

    def by_id(self, connection: Connection, ids: Sequence[str]) -> dict[str, DatasetVersion]:
        """Versions by id; those that are gone are left out."""
        if not ids:
            return {}
        statement = (
            sa.select(*_COLUMNS).outerjoin(project, project.c.id == task.c.project).where(task.c.id.in_(ids))
        )
        found = self.documents(connection, list(connection.execute(statement.where(_is_dataset()))))
        return {item.id: item for item in found}

    def documents(self, connection: Connection, rows: "Sequence[sa.Row[Any]]") -> list[DatasetVersion]:
        """Rows as the wire shows them."""
        ids = [row.id for row in rows]
        known, parents = self._store.many(connection, ids), self._store.parents(connection, ids)
        return [_document(row, known.get(row.id), parents.get(row.id, [])) for row in rows]

    def summaries(self, connection: Connection, ask: GetDatasets) -> tuple[list[DatasetSummary], int]:
        """Datasets with a version that matches, each with its highest version."""
        found, _ = self.find(connection, _unpaged(ask))
        groups: dict[str, list[DatasetVersion]] = {}
        for item in found:
            groups.setdefault(item.project_id, []).append(item)
        listed = [
            DatasetSummary(
                id=place,
                name=members[0].name,
                project=members[0].project,
                latest=max(members, key=_rank),
                versions=len(members),
                tags=sorted({tag for item in members for tag in item.tags}),
                last_update=members[0].last_update,
            )
            for place, members in groups.items()
        ]
        if ask.page_size:
            start = (ask.page or 0) * ask.page_size
            return listed[start : start + ask.page_size], len(listed)
        return listed, len(listed)


def _unpaged(ask: GetDatasets) -> GetDatasets:
    values = {name: getattr(ask, name) for name in ask.__struct_fields__}
    return GetDatasets(**{**values, "page": None, "page_size": None})


def _rank(item: DatasetVersion) -> tuple[bool, versions.Order, str]:
    return item.status in FINISHED, versions.order(item.version), item.last_update


def _is_dataset() -> ColumnElement[bool]:
    owners = sa.select(facet.c.owner).where(
        facet.c.field == "system_tags", facet.c.head == DATASET, facet.c.value == DATASET
    )
    return task.c.id.in_(owners)


def _conditions(ask: GetDatasets) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if ask.ids:
        found.append(task.c.id.in_(ask.ids))
    if ask.name is not None:
        # Blanks at the ends do not count, as when the dataset was made.
        names = {ask.name, ask.name.strip()}
        found += [task.c.name_head.in_([head(name) for name in names]), task.c.name.in_(names)]
    if ask.statuses:
        found.append(task.c.status.in_(ask.statuses))
    if not ask.archived:
        found.append(task.c.archived.is_(False))
    for tag in ask.tags:
        owners = sa.select(facet.c.owner).where(
            facet.c.field == "tags", facet.c.head == head(tag), facet.c.value == tag
        )
        found.append(task.c.id.in_(owners))
    return found


def _passes(row: "sa.Row[Any]", ask: GetDatasets, until: float) -> bool:
    above, _ = split_path(row.path)
    wanted = "/".join(part.strip() for part in (ask.project or "").split("/") if part.strip())
    if wanted and above != wanted and not (ask.recursive and above.startswith(f"{wanted}/")):
        return False
    if ask.version is not None and str((row.runtime or {}).get("version") or "") != ask.version:
        return False
    if ask.name_pattern:
        if time.monotonic() > until:
            raise took_too_long()
        if not program(ask.name_pattern).search(row.name):
            return False
    if ask.search_text:
        text = "\n".join([row.id, row.name, above, row.comment, *row.tags]).casefold()
        return ask.search_text.casefold() in text
    return True


def _document(row: "sa.Row[Any]", known: "sa.Row[Any] | None", parents: list[str]) -> DatasetVersion:
    above, name = split_path(row.path or "")
    runtime = row.runtime or {}
    done = known is not None and known.finished is not None
    mine = known if done else None
    return DatasetVersion(
        id=row.id,
        name=name or row.name,
        project=above,
        project_id=row.project or "",
        version=str(runtime.get("version") or ""),
        status=row.status,
        tags=row.tags,
        comment=row.comment,
        created=iso(row.created),
        last_update=iso(row.last_update),
        user=row.user,
        archived=bool(row.archived),
        root=mine.root if mine is not None else "",
        repository=mine.repository if mine is not None else "",
        places=mine.places if mine is not None else {},
        files=mine.files if mine is not None else _number(runtime.get("ds_file_count")),
        links=mine.links if mine is not None else _number(runtime.get("ds_link_count")),
        bytes=mine.bytes if mine is not None else _number(runtime.get("ds_total_size")),
        stored=mine.stored if mine is not None else _number(runtime.get("ds_total_size_compressed")),
        parents=parents,
        native=known is not None,
        changes={
            word: _number(runtime.get(f"ds_change_{key}")) or 0
            for word, key in (("added", "add"), ("modified", "modify"), ("removed", "remove"))
        },
    )


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
