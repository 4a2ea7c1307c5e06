"""Which packages a program needs: the imports of its script and of the modules beside it, mapped to distributions."""

import ast
import json
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

_MOST_FILES = 500
_MOST_BYTES = 2 << 20


def required(
    script: Path | None, root: Path | None, extra: Mapping[str, str | None], ignored: Iterable[str]
) -> str:
    """A requirements text: the packages that the program imports, with the versions of this environment.

    Args:
        script: the entry point; None lists only ``extra``.
        root: folder of the program's own modules.
        extra: further packages; None pins the installed version, an empty text leaves the version open.
        ignored: packages to leave out.

    Returns:
        A comment with the Python version, then one line per package.
    """
    names = imported(script, root) if script is not None else set()
    owners = metadata.packages_distributions()
    needed: dict[str, str | None] = {}
    needed.update({distribution: None for name in names for distribution in owners.get(name, [])[:1]})
    return _listing(needed, extra, ignored)


def frozen(extra: Mapping[str, str | None], ignored: Iterable[str]) -> str:
    """A requirements text of every package of this environment, as ``pip freeze`` lists them.

    Packages that were installed from a repository or a folder are listed by its address.
    """
    needed: dict[str, str | None] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name.lower() not in ("pip", "setuptools", "wheel"):
            needed[name] = _origin(distribution)
    return _listing(needed, extra, ignored)


def _origin(distribution: metadata.Distribution) -> str | None:
    """`` @ address`` for a package that no index has (PEP 610)."""
    text = distribution.read_text("direct_url.json")
    if not text:
        return None
    found = json.loads(text)
    url = str(found.get("url") or "")
    version = found.get("vcs_info") or {}
    if version.get("vcs"):
        return f" @ {version['vcs']}+{url}@{version.get('commit_id', '')}"
    # A folder of this host means nothing elsewhere; the version may be on an index.
    return None if url.startswith("file:") else f" @ {url}"


def _listing(needed: dict[str, str | None], extra: Mapping[str, str | None], ignored: Iterable[str]) -> str:
    for package, version in extra.items():
        for known in [known for known in needed if _same(known, package)]:
            del needed[known]
        needed[package] = version
    unwanted = {_plain(package) for package in ignored}
    lines = [f"# Python {sys.version.split()[0]} ({sys.platform})", ""]
    listed = [package for package in sorted(needed, key=str.lower) if _plain(package) not in unwanted]
    lines += [package + _version(package, needed[package]) for package in listed]
    return "\n".join(lines) + "\n"


def imported(script: Path, root: Path | None) -> set[str]:
    """Top-level names that a script imports, itself and through modules below ``root``; standard library left out."""
    found: set[str] = set()
    waiting = [script]
    seen: set[Path] = set()
    folders = [script.parent, *([root, root / "src"] if root is not None else [])]
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        if path in seen or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        seen.add(path)
        for name in _imports(path):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names:
                continue
            own = [folder for folder in folders if _is_own(folder, top)]
            waiting.extend(path for folder in own for path in _modules(folder, name))
            if not own:
                found.add(top)
    return found


def _imports(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
    return names


def _is_own(folder: Path, top: str) -> bool:
    return (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()


def _modules(folder: Path, name: str) -> list[Path]:
    """The files that importing a dotted name runs; its last part may be an attribute."""
    parts = name.split(".")
    found = []
    for count in range(1, len(parts) + 1):
        base = folder.joinpath(*parts[:count])
        found += [path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()]
    return found


def _version(package: str, wanted: str | None) -> str:
    if wanted == "":
        return ""
    if wanted:
        return wanted if wanted[0] in "=<>~!@ " else f"=={wanted}"
    try:
        return f"=={metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return ""


def _plain(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)
