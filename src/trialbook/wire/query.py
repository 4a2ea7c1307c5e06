"""What every ``get_all`` takes: filters, order, page and projection. The grammar itself is in ``server/query``."""

from typing import Annotated, Any

import msgspec

ListFilter = str | list[Any] | None
"""One value, or a list of values with ``__$all``, ``__$any``, ``__$not`` operators, ``-value`` and null."""

RangeFilter = list[Any] | None
"""``[least, greatest]``, both inclusive; null leaves a side open."""

DateFilter = str | list[Any] | None
"""``">=2026-01-01T00:00:00"`` and its kin, or a list of such that must all hold."""


class FieldsFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A test that any, or all, of some fields must pass."""

    fields: list[str] = []
    pattern: str | None = None
    datetime: str | list[str] | None = None


class FilterTerms(msgspec.Struct, frozen=True, kw_only=True):
    """``include``: one of (any) or each of (all) these; ``exclude``: not all of (any) or none of (all) these."""

    include: list[str | None] = []
    exclude: list[str | None] = []


class ExplicitFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The newer spelling of a list filter."""

    any: FilterTerms | None = None
    all: FilterTerms | None = None
    op: str = "and"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Every constraint that is given must hold; null, absent and an empty list are no constraint."""

    id: ListFilter = None
    name: str | None = None
    tags: ListFilter = None
    system_tags: ListFilter = None
    any_: Annotated[FieldsFilter | None, msgspec.Meta(description="any of these fields")] = msgspec.field(
        name="_any_", default=None
    )
    or_: FieldsFilter | None = msgspec.field(name="_or_", default=None)
    all_: FieldsFilter | None = msgspec.field(name="_all_", default=None)
    and_: FieldsFilter | None = msgspec.field(name="_and_", default=None)
    filters: dict[str, ExplicitFilter] = {}
    search_text: str | None = None
    search_hidden: bool = False
    order_by: str | list[str] | None = None
    page: Annotated[int, msgspec.Meta(ge=0)] | None = None
    page_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    scroll_id: str | None = None
    size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    refresh_scroll: bool = False
    only_fields: str | list[str] | None = None
    allow_public: bool = True
    dotted: dict[str, Any] = {}
    """Constraints whose name is a path, such as ``hyperparams.Args.lr`` or ``execution.queue``; the dispatcher
    collects them here."""


class ProjectQuery(Query, frozen=True, kw_only=True):
    """Constraints of documents that live in projects."""

    comment: str | None = None
    user: ListFilter = None
    project: ListFilter = None
    parent: ListFilter = None
    created: RangeFilter = None
    last_iteration: RangeFilter = None
    last_update: DateFilter = None
    last_change: DateFilter = None
    include_subprojects: bool = False


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents changed, and what they hold now in the fields that changed."""

    updated: int = 0
    fields: dict[str, Any] = {}


class ManyFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one document of many was left alone."""

    id: str
    error: dict[str, Any] = {}


class ManyReply(msgspec.Struct, frozen=True, kw_only=True):
    """Which documents changed and which did not."""

    succeeded: list[dict[str, Any]] = []
    failed: list[ManyFailure] = []


class Empty(msgspec.Struct, frozen=True):
    """No field."""
