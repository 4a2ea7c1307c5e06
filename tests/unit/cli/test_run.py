"""``trialbook run`` and the drop-in import, as processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "script.py").write_text(code)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRIALBOOK_", "CLEARML_"))}
    return subprocess.run(
        [sys.executable, "-m", "trialbook", "run", "script.py", *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_script_sees_itself_as_python_would_show_it(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("WORD = 'beside'")
    code = "import sys, neighbour\nprint(__name__, sys.argv, neighbour.WORD)"
    assert run(tmp_path, code, "--epochs", "3").stdout == "__main__ ['script.py', '--epochs', '3'] beside\n"


def test_a_script_ends_with_its_own_status_and_traceback(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys\nsys.exit(3)").returncode == 3
    failed = run(tmp_path, "from clearml import Task\nTask()")
    assert failed.returncode == 1
    assert 'script.py", line 2' in failed.stderr
    assert "Task.init()" in failed.stderr


def test_names_come_from_trialbook_and_missing_ones_say_who_answered(tmp_path: Path) -> None:
    code = "from clearml import Task\nfrom clearml.logger import Logger\nprint(Task.__module__, Logger.__module__)"
    assert run(tmp_path, code).stdout.split(".")[0] == "trialbook"
    missing = run(tmp_path, "from clearml import NoSuchThing")
    assert missing.returncode == 1
    assert "NoSuchThing" in missing.stderr and "trialbook" in missing.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("from clearml import PipelineController", "pipelines are not part"),
        ("from clearml import Task, PipelineDecorator", "pipelines are not part"),
        ("from clearml.automation import TaskScheduler", "schedulers"),
        ("import clearml.automation.optuna", "searches"),
        ("from clearml.automation.optuna import OptimizerOptuna", "searches"),
        ("from clearml.external.kerastuner import ClearmlTunerLogger", "TensorBoard callback"),
        ("from clearml.utilities.wizard.user_input import get_input", "click.prompt"),
        ("from clearml.binding.frameworks import WeightsFileHandler", "callbacks"),
        ("import clearml\nclearml.PipelineController", "pipelines are not part"),
    ],
)
def test_T35_what_is_missing_says_what_to_use_instead(tmp_path: Path, code: str, reason: str) -> None:
    missing = run(tmp_path, code)
    last = missing.stderr.strip().splitlines()[-1]
    assert missing.returncode == 1
    assert reason in last and "released package clearml" in last and "Trialbook" in last


def test_T35_modules_that_scripts_import(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import clearml
from clearml import Dataset, InputModel, Logger, Model, OutputModel, StorageManager, Task, TaskTypes
from clearml.backend_api.session.client import APIClient
from clearml.config import running_remotely
from clearml.errors import UsageError
from clearml.model import Model as again
from clearml.storage import StorageManager as manager
from clearml.storage.manager import StorageManager as same
from clearml.task_parameters import TaskParameters, param, percent_param
from clearml.utilities.plotly_reporter import SeriesInfo
assert again is Model is clearml.model.Model and manager is same is StorageManager
assert not hasattr(clearml, "PipelineController") and not running_remotely()
try:
    SeriesInfo(name="a", data=[1, 2])
except ValueError as error:
    print("REFUSED", error)
print(SeriesInfo(name="a", data=[[1, 2]], labels=["x"]).data.tolist())
""",
    )
    assert done.returncode == 0, done.stderr
    assert "REFUSED a line is N × 2" in done.stdout and done.stdout.endswith("[[1, 2]]\n")


def test_T37_libraries_find_a_distribution_and_its_interface(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import importlib.metadata as metadata, importlib.util
assert importlib.util.find_spec("clearml") is not None
version = metadata.version("clearml")
assert tuple(map(int, version.split("+")[0].split("."))) >= (1, 16), version
assert metadata.metadata("clearml")["Name"] == "clearml"
import clearml, numpy
assert clearml.__version__ == version
assert sum(one.metadata["Name"] == "clearml" for one in metadata.distributions()) == 1
assert metadata.version("numpy") == numpy.__version__
print("FOUND", version)
""",
    )
    assert "FOUND 2.1.12+trialbook." in done.stdout, done.stderr


def test_commands_fail_with_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trialbook", "sync"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TRIALBOOK_CLOSE_TIMEOUT": "soon"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines() == [done.stderr.strip()] and "TRIALBOOK_CLOSE_TIMEOUT" in done.stderr
    )
