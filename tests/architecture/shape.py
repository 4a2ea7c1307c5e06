"""What the shape of the tree is measured by: each measure lists what does not yet stand as it should."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grimp
from tests.support.reference import GENERATOR

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "trialbook"
SERVER = SOURCE / "server"

NOUNS = (
    "tasks", "projects", "events", "models", "datasets", "queues", "workers", "users", "files", "series", "logs",
)  # fmt: skip
METHOD = re.compile(
    r"(?:tasks|projects|events|models|datasets|queues|workers|users|auth|series|server|debug)\.\w+"
)
LONGEST_HANDLER = 5
LONGEST_FILE = 400
FEW = 12
"""Loose files that a folder may hold beside its packages before it wants rooms."""


@cache
def tree_of(file: Path) -> ast.Module:
    """A file, parsed once."""
    return ast.parse(file.read_text())


def files(*folders: str) -> list[Path]:
    """The modules of some folders below ``src/trialbook``, or all."""
    return sorted(file for folder in folders or ("",) for file in (SOURCE / folder).rglob("*.py"))


def place(file: Path, node: ast.AST | None = None) -> str:
    """Where something is, as an editor opens it."""
    line = f":{getattr(node, 'lineno', 0)}" if node is not None else ""
    return f"{file.relative_to(SOURCE)}{line}"


def handlers() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Every function that answers a method."""
    for file in files("server/rpc/handlers"):
        for node in tree_of(file).body:
            if isinstance(node, ast.FunctionDef) and any(
                "handles(" in ast.unparse(one) for one in node.decorator_list
            ):
                yield file, node


def handlers_that_reach_past_the_services() -> list[str]:
    """Handlers, and functions beside them, that use a connection or a store."""
    stores = _stores_of_the_bundle()
    found = []
    for file in files("server/rpc/handlers"):
        for node in tree_of(file).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            text = ast.unparse(node)
            if re.search(r"\bcall\.(connection|database|read|write|in_slices|each|attempt)\b", text) or any(
                re.search(rf"\bservices\.{name}\b", text) for name in stores
            ):
                found.append(f"{place(file, node)} {node.name}")
    return found


def _stores_of_the_bundle() -> list[str]:
    bundle = tree_of(SERVER / "services" / "bundle.py")
    fields = [node for node in ast.walk(bundle) if isinstance(node, ast.AnnAssign)]
    names = {ast.unparse(field.annotation): ast.unparse(field.target) for field in fields}
    return [name for kind, name in names.items() if kind.endswith("Store") or kind == "DatasetLists"]


def handlers_longer_than_five_lines() -> list[str]:
    """Handlers that do more than to read, call one service, and answer."""
    found = []
    for file, node in handlers():
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        if lines > LONGEST_HANDLER:
            found.append(f"{place(file, node)} {node.name}: {lines} lines")
    return found


def imports_past_the_services() -> list[str]:
    """Imports of stores or series in ``rpc`` and ``loops``."""
    found = []
    for file in files("server/rpc", "server/loops"):
        for node in ast.walk(tree_of(file)):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and re.match(r"trialbook\.server\.(stores|series)\b", module):
                found.append(f"{place(file, node)} {module}")
    return found


def announcements_outside_of_changes() -> list[str]:
    """Words to the pages that do not go through ``services/changes.py``."""
    doors = {"services/changes.py", "core/hub.py", "stores/relay.py"}
    return [
        place(file, node)
        for file in files("server")
        for node in ast.walk(tree_of(file))
        if str(file.relative_to(SERVER)) not in doors
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "publish"
        and node.args
        and isinstance(node.args[0], ast.JoinedStr | ast.Constant)
    ]


def nouns_without_a_service() -> list[str]:
    """Nouns whose rules do not stand in a service of their name."""
    return [
        noun
        for noun in NOUNS
        if not (SERVER / "services" / f"{noun}.py").exists() and not (SERVER / "services" / noun).is_dir()
    ]


def circles() -> dict[str, int]:
    """The largest circle of imports, those for types counted, in each package that has one; in modules."""
    import networkx

    graph = grimp.build_graph("trialbook", exclude_type_checking_imports=False, cache_dir=None)
    arrows: Any = networkx.DiGraph()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            if "trialbook" not in (module, other):
                arrows.add_edge(module, other)
    found: dict[str, int] = {}
    for circle in networkx.strongly_connected_components(arrows):
        if len(circle) > 1:
            package = sorted(circle)[0].split(".")[1]
            found[package] = max(found.get(package, 0), len(circle))
    return dict(sorted(found.items()))


OF_NAMED_TUPLES = frozenset({"_asdict", "_fields", "_make", "_replace"})
"""Their public members: the names without an underscore belong to the fields."""


def accesses_to_privates_of_others() -> list[str]:
    """``other._name``, where ``other`` is neither this object nor this class."""
    found = []
    for file in files():
        for node in ast.walk(tree_of(file)):
            if not isinstance(node, ast.Attribute) or not re.match(r"_[a-z]", node.attr):
                continue
            if node.attr in OF_NAMED_TUPLES:
                continue
            owner = ast.unparse(node.value)
            if owner in {"self", "cls", "super()"} or owner.startswith("type(self)"):
                continue
            if owner in {"os", "sys"} or owner[:1].isupper():
                continue
            found.append(f"{place(file, node)} {owner}.{node.attr}")
    return found


DOORS = {
    "client/session.py", "client/calls.py", "sdk/record.py", "journal/reports.py", "sdk/offline/foreign_session.py",
    "cli/own_server.py",
}  # fmt: skip
"""Where the typed methods of ``client/api.pyi`` become a name and a dict, as the wire has them."""
TYPED_BY_NAME = ("post", "guard")
"""``Session.post`` takes the methods of ``BodyMethod`` only; a guard has a label."""


def untyped_calls_of_the_server() -> list[str]:
    """Calls past the typed doors (``session.api``, ``record.changes`` …): what is sent, and what comes back, is checked
    by nobody. They name a method as text, hand one on (``session.call(method, …)``), or write down a call themselves.
    """
    found = []
    for file in files("sdk", "client", "cli", "datasets", "journal", "capture", "compat"):
        door = str(file.relative_to(SOURCE)) in DOORS
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Dict):
                keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                if not door and keys == {"method", "params"}:
                    found.append(f"{place(file, node)} a call as a dict")
            if not isinstance(node, ast.Call) or not node.args:
                continue
            first, called = node.args[0], ast.unparse(node.func)
            value = first.value if isinstance(first, ast.Constant) else None
            if isinstance(value, str) and METHOD.fullmatch(value):
                if called.rpartition(".")[2] not in TYPED_BY_NAME:
                    found.append(f"{place(file, node)} {value}")
            elif not door and re.search(r"(session|journal)\.(call|fetch|post)$", called):
                found.append(f"{place(file, node)} {called}")
    return found


def loose_types() -> list[str]:
    """``Any``, casts and ``type: ignore``."""
    found = []
    for file in files():
        for number, line in enumerate(file.read_text().splitlines(), 1):
            code = line.split("#")[0]
            if line.lstrip().startswith(("from ", "import ")):
                continue
            many = len(re.findall(r"\bAny\b|\bcast\(", code)) + line.count("type: ignore")
            found += [f"{place(file)}:{number}"] * many
    return found


def global_statements() -> list[str]:
    """State of a process that a module keeps to itself."""
    return [
        f"{place(file, node)} {', '.join(node.names)}"
        for file in files()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Global)
    ]


def fork_hooks() -> list[str]:
    """Places that say what a fork forgets."""
    return [
        place(file, node)
        for file in files()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("register_at_fork")
    ]


def lists_written_again() -> list[str]:
    """Lists of states, types of tasks and log levels, beside the one in ``wire/``."""
    groups = {
        "states": {
            "created",
            "in_progress",
            "stopped",
            "published",
            "closed",
            "failed",
            "completed",
            "queued",
        },
        "types": {
            "training",
            "testing",
            "inference",
            "data_processing",
            "controller",
            "optimizer",
            "monitor",
        },
        "levels": {
            "debug",
            "info",
            "warning",
            "error",
            "critical",
            "DEBUG",
            "INFO",
            "WARNING",
            "ERROR",
            "CRITICAL",
        },
    }
    found = []
    for file in files():
        if file.is_relative_to(SOURCE / "wire"):
            continue
        for node in ast.walk(tree_of(file)):
            if not isinstance(node, ast.Set | ast.List | ast.Tuple | ast.Dict):
                continue
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            values = {
                part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
            for name, members in groups.items():
                if len(values & members) >= 3 and len(values & members) * 2 >= len(values):
                    found.append(f"{place(file, node)} {name}")
    return found


def error_classes_with_a_code_of_another() -> list[str]:
    """Errors of the wire that a client cannot tell apart."""
    from trialbook import errors

    seen: dict[tuple[int, int], str] = {}
    found = []
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.WireError) and kind is not errors.WireError:
            code = (kind.code, kind.subcode)
            if code in seen:
                found.append(f"{name} and {seen[code]}: {code}")
            seen.setdefault(code, name)
    return found


def loose_files() -> dict[str, int]:
    """Folders with more files on one level than a reader takes in."""
    found = {}
    for folder in sorted({file.parent for file in files()}):
        many = len([file for file in folder.glob("*.py") if file.name != "__init__.py"])
        if many > FEW and "handlers" not in folder.parts and "versions" not in folder.parts:
            found[str(folder.relative_to(SOURCE))] = many
    return found


def long_files() -> list[str]:
    """Files above 400 lines, here and in the page; the examples of docstrings, which are pages, not counted."""
    web = ROOT / "web" / "src"
    sources = [*files(), *(file for kind in ("*.ts", "*.tsx") for file in web.rglob(kind))]
    return sorted(
        f"{file.relative_to(ROOT)}: {lines}"
        for file in sources
        if "types.gen" not in file.name
        and (lines := len(file.read_text().splitlines()) - _lines_of_examples(file)) > LONGEST_FILE
    )


def _lines_of_examples(file: Path) -> int:
    if file.suffix != ".py":
        return 0
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    documents = [ast.get_docstring(node) or "" for node in ast.walk(tree_of(file)) if isinstance(node, kinds)]
    return sum(len(rest.splitlines()) + 1 for text in documents for rest in text.split("\nExample:\n")[1:])


def public_members_without_an_example() -> list[str]:
    """Public classes, members and functions whose docstring shows no use; those that are shown are run."""
    return [name for name, thing in GENERATOR.documented() if ">>>" not in (thing.__doc__ or "")]


def paths_that_do_not_exist() -> list[str]:
    """Paths that ``CONTRIBUTING.md`` and ``contributing/`` name, of files or folders, whole or from a room on."""
    known: set[str] = set()
    for folder in ("src", "tests", "web", "docs", "contributing", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            if "node_modules" not in path.parts and "__pycache__" not in path.parts:
                known.add("/" + path.relative_to(ROOT).as_posix())
    known |= {f"/{path.name}" for path in ROOT.iterdir()}
    ends = {known_path[at:] for known_path in known for at in _slashes(known_path)}
    return [
        f"{page.name}: {name}"
        for page in [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "contributing").glob("*.md"))]
        for name in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|ts|tsx|md|toml))`", page.read_text())
        if f"/{name.strip('/')}" not in ends
    ]


def _slashes(path: str) -> list[int]:
    return [at for at, letter in enumerate(path) if letter == "/"]
