"""Plays scripts of this folder in one process, each with a run of its own, and writes down what they answered.

Runs unchanged under both SDKs: ``clearml`` is the released one, or Trialbook under ``trialbook run``.
"""

import enum
import importlib
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clearml import Task


def plain(value: Any) -> Any:
    """A value as JSON that keeps its type: what JSON cannot tell apart gets its type's name."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else f"float {value}"
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if type(value).__module__.startswith(("clearml", "trialbook")):
        return "an object"
    return f"{type(value).__name__} {value!s}"


class Answers:
    """What a script has to tell, by name."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def __call__(self, name: str, ask: Callable[[], Any]) -> Any:
        """Ask, and keep the answer or the class of the refusal; the answer itself."""
        try:
            answer = ask()
        except Exception as error:
            # What a program can catch: ours are classes of their own below the well-known ones.
            known = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
            self.told[name] = f"raises {known.__name__}"
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            return None
        self.told[name] = plain(answer)
        return answer


project, *names = sys.argv[1:]
records: dict[str, Any] = {}
for name in names:
    folder = Path(name)
    folder.mkdir()
    os.chdir(folder)
    task = Task.init(
        project_name=project,
        task_name=name,
        reuse_last_task_id=False,
        output_uri=True,
        auto_connect_frameworks={"matplotlib": True, "joblib": False},
        auto_resource_monitoring=False,
    )
    answers = Answers()
    tasks = {name: task.id}
    importlib.import_module(name).play(task, answers, tasks)
    task.flush(wait_for_uploads=True)
    task.close()
    os.chdir("..")
    records[name] = {"answers": answers.told, "tasks": tasks}
Path(os.environ["RESULT"]).write_text(json.dumps(records))
