"""Which tests show which promises."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def covered() -> Iterator[tuple[str, str]]:
    """Promise and test, for each ``covers`` mark below ``tests``."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.covers":
                    yield from (
                        (str(ast.literal_eval(row)), f"{path.name}::{node.name}") for row in mark.args
                    )
