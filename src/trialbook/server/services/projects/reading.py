"""Finding projects, and what their tasks and models have in use."""

from collections.abc import Sequence
from typing import Any

from trialbook.server.core.projection import Projection
from trialbook.server.services.call import Call
from trialbook.server.services.finding import Finding
from trialbook.server.services.projects.tree import Tree
from trialbook.server.services.usage import MOST, Usage
from trialbook.server.stores.models import model
from trialbook.server.stores.projects import ProjectStore, document, project
from trialbook.server.stores.tasks import task
from trialbook.wire import projects as wire

_TABLES = {"projects": project, "tasks": task, "models": model}


class Reading:
    """What projects are and hold.

    Args:
        projects: the store.
        tree: counts what is below a project.
        finding: helps queries.
        usage: knows what is in use.
    """

    def __init__(self, projects: ProjectStore, tree: Tree, finding: Finding, usage: Usage) -> None:
        self._projects = projects
        self._tree = tree
        self._finding = finding
        self._usage = usage

    def get(self, call: Call, id: str) -> dict[str, Any]:
        """One project.

        Raises:
            ProjectNotFound: there is none.
        """
        return document(self._projects.require(call.connection, id))

    def find(self, call: Call, ask: wire.GetAllProjects, *, extended: bool) -> wire.GetAllProjectsReply:
        """The projects of one page; with their total and statistics where that is asked for."""
        kind = ask.children_type if isinstance(ask, wire.GetAllProjectsEx) else None
        query = self._finding.without(ask, "parent") if ask.shallow_search else ask
        rows, total, scroll = self._projects.find(
            call.connection,
            query,
            parents=ask.parent if ask.shallow_search else None,
            shallow=ask.shallow_search,
            with_total=extended,
            among=None if kind is None else self._tree.holding(call.connection, kind),
        )
        statistics: dict[str, dict[str, Any]] = {}
        if getattr(ask, "include_stats", False):
            statistics = self._tree.statistics(call.connection, [row.id for row in rows])
        projection = Projection(ask.only_fields)
        found = [projection({**document(row), **statistics.get(row.id, {})}) for row in rows]
        return wire.GetAllProjectsReply(projects=found, total=total, scroll_id=scroll)

    def contents(self, call: Call, id: str) -> wire.ProjectContents:
        """How much is in a project and below it."""
        return wire.ProjectContents(**self._tree.contents(call.connection, id))

    def tags(self, call: Call, noun: str, ask: wire.ProjectTags) -> wire.ProjectTagsReply:
        """Tags in use on ``projects``, ``tasks`` or ``models``."""
        table = _TABLES[noun]
        found = self._tree.tags(call.connection, table, ask.projects)
        system: list[str] = []
        if ask.include_system:
            system = self._tree.tags(call.connection, table, ask.projects, "system_tags")
        return wire.ProjectTagsReply(tags=found, system_tags=system)

    def series(self, call: Call, ask: wire.InProject) -> list[wire.MetricVariant]:
        """Series in use, by name."""
        start = ask.page * ask.page_size
        rows = self._usage.series(
            call.connection, _one(ask.project), ask.include_subprojects, start, ask.page_size
        )
        return [
            wire.MetricVariant(
                metric=row.metric,
                metric_hash=row.metric_hash,
                variant=row.variant,
                variant_hash=row.variant_hash,
            )
            for row in rows
        ]

    def parameters(self, call: Call, ask: wire.InProject) -> wire.ParametersReply:
        """Hyper-parameters in use."""
        found = self._usage.parameters(call.connection, _one(ask.project), ask.include_subprojects)
        page, left = _page(found, ask)
        names = [wire.ParameterName(section=section, name=name) for section, name in page]
        return wire.ParametersReply(parameters=names, total=len(found), remaining=left)

    def parameter_values(self, call: Call, ask: wire.ParameterValues) -> wire.ParameterValuesReply:
        """Values of a hyper-parameter in use."""
        found = self._usage.values(
            call.connection, ask.projects, ask.include_subprojects, ask.section, ask.name
        )
        return wire.ParameterValuesReply(values=found[:MOST], total=len(found))

    def parents(self, call: Call, ask: wire.TaskParents) -> list[wire.TaskParent]:
        """Tasks with children."""
        rows = self._usage.parents(call.connection, ask.projects, ask.include_subprojects)
        return [wire.TaskParent(id=row.id, name=row.name, project=row.project) for row in rows]

    def metadata_keys(self, call: Call, ask: wire.InProject) -> wire.MetadataKeysReply:
        """Names of texts on models."""
        found = self._usage.metadata(call.connection, _one(ask.project), ask.include_subprojects)
        page, left = _page(found, ask)
        return wire.MetadataKeysReply(keys=page, total=len(found), remaining=left)

    def metadata_values(self, call: Call, ask: wire.MetadataValues) -> wire.ParameterValuesReply:
        """Values of a text on models."""
        found = self._usage.metadata(call.connection, ask.projects, ask.include_subprojects, ask.key)
        return wire.ParameterValuesReply(values=found[:MOST], total=len(found))


def _one(project: str | None) -> list[str] | None:
    return [project] if project else None


def _page(found: Sequence[Any], ask: wire.InProject) -> tuple[list[Any], int]:
    start = ask.page * ask.page_size
    return list(found[start : start + ask.page_size]), max(0, len(found) - start - ask.page_size)
