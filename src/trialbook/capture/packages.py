"""Which packages a program needs: the imports of its script and of the modules beside it, mapped to distributions."""

import ast
import codecs
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from trialbook.capture.installed import name_of, owners

_INCLUDE = re.compile(r"\s*(-r|-c|--requirement|--constraint)[ \t=]*(\"[^\"]+\"|'[^']+'|[^\s#]\S*)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before that of UTF-16, with which it begins.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
    ordered = sorted(_outside(script, root)) if script is not None else []
    # ``from cloud.storage import queue`` says both; the longer name tells whose it is.
    names = [name for name, after in itertools.pairwise([*ordered, ""]) if not after.startswith(f"{name}.")]
    homes = owners({name.split(".")[0] for name in names})
    needed: dict[str, str | None] = {}
    for name in names:
        for owner in _owners(name, homes.get(name.split(".")[0], [])):
            needed[owner] = _origin(metadata.distribution(owner))
    return _listing(needed, extra, ignored)


def frozen(extra: Mapping[str, str | None], ignored: Iterable[str]) -> str:
    """A requirements text of every package of this environment, as ``pip freeze`` lists them.

    Packages that were installed from a repository or a folder are listed by its address.
    """
    needed: dict[str, str | None] = {}
    for distribution in metadata.distributions():
        name = name_of(distribution)
        if name and name.lower() not in ("pip", "setuptools", "wheel"):
            needed[name] = _origin(distribution)
    return _listing(needed, extra, ignored)


def requirement_lines(path: Path) -> str:
    """The lines of a requirements file, with those of the files that it includes in their place.

    Another machine has none of these files. Limits (``-c file``), which cannot be said in a line, stay as a comment.
    """
    return "".join(f"{line}\n" for line in _read(path, set()))


def listed_lines(lines: Iterable[str]) -> str:
    """Requirement lines of a program, with those of the files that they include; their paths begin where it runs."""
    every = (line for text in lines for line in (text.splitlines() or [text]))
    return "".join(f"{line}\n" for line in _followed(every, Path(), set()))


def _read(path: Path, seen: set[Path]) -> Iterator[str]:
    seen.add(path.resolve())
    yield from _followed(_text(path).splitlines(), path.parent, seen)


def _text(path: Path) -> str:
    """As pip reads it: a shell on Windows writes UTF-16 into a file, and older editors what fits no UTF-8."""
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _followed(lines: Iterable[str], folder: Path, seen: set[Path]) -> Iterator[str]:
    for line in lines:
        found = _INCLUDE.match(line)
        if found is None or "://" in found[2]:
            yield line
            continue
        other = folder / found[2].strip("\"'")
        if found[1] in ("-c", "--constraint") or not other.is_file():
            yield f"# {line.strip()}  (a file of the machine that recorded this)"
        elif other.resolve() not in seen:
            yield from _read(other, seen)


def _owners(name: str, distributions: list[str]) -> list[str]:
    """Those of several distributions that share a top-level name which have the module."""
    candidates = sorted(set(distributions))
    if len(candidates) < 2:
        return candidates
    parts = name.split(".")
    files = {owner: _files(owner) for owner in candidates}
    for count in range(len(parts), 0, -1):
        base = "/".join(parts[:count])
        # A compiled module carries the interpreter in its name.
        found = [
            owner
            for owner in candidates
            if f"{base}.py" in files[owner]
            or f"{base}/__init__.py" in files[owner]
            or any(file.startswith(f"{base}.") and file.endswith((".so", ".pyd")) for file in files[owner])
        ]
        if found:
            return found[:1]
    return [distributions[0]]


def _files(owner: str) -> set[str]:
    try:
        return {str(file) for file in metadata.files(owner) or ()}
    except (ValueError, metadata.PackageNotFoundError):
        return set()


def _origin(distribution: metadata.Distribution) -> str | None:
    """`` @ address`` for a package that no index has (PEP 610)."""
    try:
        text = distribution.read_text("direct_url.json")
        if not text:
            return None
        found = json.loads(text)
        url = str(found.get("url") or "")
        version = dict(found.get("vcs_info") or {})
    except (ValueError, TypeError, AttributeError):
        # One package whose record is damaged takes no other one away.
        return None
    # A folder of this host means nothing elsewhere; the version may be on an index.
    if not url or url.startswith("file:"):
        return None
    if version.get("vcs"):
        inside = found.get("subdirectory")
        folder = f"#subdirectory={inside}" if inside else ""
        return f" @ {version['vcs']}+{url}@{version.get('commit_id', '')}{folder}"
    return f" @ {url}"


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
    return {name.split(".")[0] for name in _outside(script, root)}


def _outside(script: Path, root: Path | None) -> set[str]:
    """The dotted names of the modules, and of what is taken from them."""
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
                found.add(name)
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
        known = metadata.distribution(package).metadata["Version"]
    except (ValueError, TypeError, KeyError, metadata.PackageNotFoundError):
        return ""
    return f"=={known}" if known else ""


def _plain(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)
