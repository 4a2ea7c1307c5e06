"""Which installed package a module comes from.

The standard library's ``packages_distributions`` answers for every module there is: it reads all metadata and makes an
object of each file, a second in a large environment. A program asks for a few modules.
"""

from collections.abc import Iterable, Iterator
from importlib import metadata

_MODULES = (".py", ".so", ".pyd")


def owners(modules: Iterable[str]) -> dict[str, list[str]]:
    """The names of the packages that each of some top-level modules comes from.

    Args:
        modules: their names.

    Returns:
        For each that a package has, the packages in the order in which Python finds them; several share a namespace.
    """
    wanted = set(modules)
    found: dict[str, list[str]] = {}
    for distribution in metadata.distributions() if wanted else ():
        try:
            here = wanted.intersection(_top_levels(distribution))
        except ValueError:
            # Its lists are not text: an interrupted installation, or a disk that fails.
            continue
        name = name_of(distribution) if here else None
        for module in here if name else ():
            found.setdefault(module, []).append(str(name))
    return found


def name_of(distribution: metadata.Distribution) -> str | None:
    """The name of a package; None when what is left of it does not tell: one such takes no other one away."""
    try:
        return distribution.metadata["Name"]
    except (ValueError, TypeError, KeyError, metadata.PackageNotFoundError):
        return None


def _top_levels(distribution: metadata.Distribution) -> Iterable[str]:
    declared = (distribution.read_text("top_level.txt") or "").split()
    return declared or set(_listed(distribution))


def _listed(distribution: metadata.Distribution) -> Iterator[str]:
    text = distribution.read_text("RECORD")
    # Packages of a system, and old ones, have other lists than pip.
    lines = text.splitlines() if text is not None else [str(file) for file in distribution.files or ()]
    for line in lines:
        # A line of a RECORD: path, hash and size. The path stands in quotes when it has a comma.
        path = line[1:].split('"', 1)[0] if line.startswith('"') else line.split(",", 1)[0]
        if path.endswith(_MODULES):
            # A compiled module carries the interpreter in its name.
            yield path.split("/", 1)[0] if "/" in path else path.split(".", 1)[0]
