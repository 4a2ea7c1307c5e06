"""What ``docs/generate_reference.py`` describes, for the tests of the documentation and of the tree's shape."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_FILE = Path(__file__).parents[2] / "docs" / "generate_reference.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", _FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GENERATOR = _load()
