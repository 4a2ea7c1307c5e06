"""Arithmetic over ancestors: graphs, and what belongs to whom."""

from collections.abc import Iterable, Sequence

from trialbook.datasets.manifest.roots import Root


def graph_of(version: str, parents: Sequence[Root]) -> dict[str, tuple[str, ...]]:
    """Every version that ``version`` descends from, itself included, with its direct parents in order."""
    graph: dict[str, tuple[str, ...]] = {version: tuple(root.version for root in parents)}
    for root in parents:
        for name, above in root.graph.items():
            graph.setdefault(name, above)
    return graph


def chunks(roots: Iterable[Root]) -> int:
    """Number of packs that several versions use together, each counted once."""
    return len({ref.key for root in roots for ref in root.packs})


def own_chunks(root: Root) -> int:
    """Number of packs that a version brought itself."""
    return sum(ref.key.startswith(f"{root.version}/") for ref in root.packs)
