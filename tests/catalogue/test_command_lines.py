"""Command lines that argparse reads, and environment variables: recorded, and used again by an agent."""

import json
from pathlib import Path

import pytest

from tests.catalogue.conftest import Begin, again
from tests.integration.program import Program, document
from tests.support.server import RunningServer
from trialbook import Task

FIRST = "from trialbook import Task\n"
INIT = """
task = Task.init("Catalogue/Lines", "run", reuse_last_task_id=False, auto_resource_monitoring=False{more})
print("TASK", task.id)
"""
PARSER = """
import argparse, json, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("data", type=pathlib.Path, help="where it is")
parser.add_argument("--epochs", type=int, default=2, help="how long")
parser.add_argument("--rate", type=float)
parser.add_argument("--kind", choices=["adam", "sgd"], required=True)
parser.add_argument("--sizes", nargs="+", type=int, default=[7])
parser.add_argument("--fast", action="store_true")
parser.add_argument("--slow", action="store_false")
parser.add_argument("--secret", default="none")
PARSE
print("ARGS", json.dumps({name: repr(value) for name, value in vars(args).items()}))
"""
LINE = ("d/x", "--kind", "sgd", "--sizes", "1", "2", "--fast", "--secret", "abc")


def ran(server: RunningServer, home: Path, source: str, *line: str, **more: str) -> Program:
    """Run a program to its end."""
    program = Program(source, server, home, line, **more)
    assert program.wait() == 0, program.text
    return program


def texts(server: RunningServer, task: str, section: str = "Args") -> dict[str, str]:
    """Parameters of a section by name."""
    found = document(server, task)["hyperparams"].get(section) or {}
    return {name: item["value"] for name, item in found.items()}


def edited(task: str, **values: str) -> str:
    """A copy of the task with other arguments."""
    found = Task.get_task(task)
    assert found is not None
    copy = Task.clone(found)
    known = copy.data.hyperparams["Args"]
    for name, value in values.items():
        key = name.replace("__", "/")
        copy.set_parameter(f"Args/{key}", value, value_type=known.get(key, {}).get("type") or "")
    return copy.id


@pytest.mark.covers("BA-1")
@pytest.mark.parametrize(
    ("order", "parse"),
    [
        ("parse first", "args = parser.parse_args()"),
        ("init first", "args, _ = parser.parse_known_args()"),
    ],
)
def test_what_argparse_reads(sdk: RunningServer, tmp_path: Path, order: str, parse: str) -> None:
    parts = [PARSER.replace("PARSE", parse), INIT.replace("{more}", "")]
    source = FIRST + "".join(parts if order == "parse first" else reversed(parts))
    # Where the namespace is looked at: the stored values reach it at the later of the two.
    source += "print('LAST', json.dumps({name: repr(value) for name, value in vars(args).items()}))\n"
    first = ran(sdk, tmp_path / "run", source, *LINE)
    task = first.wait_for("TASK")
    assert texts(sdk, task) == {
        "data": "d/x",
        "epochs": "2",
        "rate": "",
        "kind": "sgd",
        "sizes": "[1, 2]",
        "fast": "True",
        "slow": "True",
        "secret": "abc",
    }
    known = document(sdk, task)["hyperparams"]["Args"]
    assert (known["epochs"]["type"], known["epochs"]["description"]) == ("int", "how long")
    assert known["data"]["description"] == "where it is" and known["fast"]["type"] == "bool"
    given = json.loads(first.wait_for("LAST"))
    same = ran(sdk, tmp_path / "same", source, TRIALBOOK_TASK_ID=edited(task))
    assert json.loads(same.wait_for("LAST")) == given
    # A choice that the parser does not know, and arguments that nobody gave, do not stop it.
    copy = edited(task, epochs="9", rate="1e-3", kind="lion", sizes="[5]", fast="False", slow="0", data="e")
    other = ran(sdk, tmp_path / "other", source, TRIALBOOK_TASK_ID=copy)
    assert json.loads(other.wait_for("LAST")) == {
        "data": "PosixPath('e')",
        "epochs": "9",
        "rate": "0.001",
        "kind": "'lion'",
        "sizes": "[5]",
        "fast": "False",
        "slow": "False",
        "secret": "'abc'",
    }


@pytest.mark.covers("BA-1")
def test_parsers_of_libraries_leave_the_arguments_of_the_program_alone(
    sdk: RunningServer, tmp_path: Path
) -> None:
    launcher = """
import argparse
def launch():
    parser = argparse.ArgumentParser("launcher")
    parser.add_argument("--epochs", type=int, default=77)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("script", nargs="?", default="train.py")
    return parser.parse_args(["--nodes", "4", "train.py"])
"""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "launcher.py").write_text(launcher)
    parse = PARSER.replace("PARSE", "args = parser.parse_args()")
    late = "\nseen = launcher.launch()\nprint('LAUNCHED', seen.epochs, seen.nodes)\nprint('EPOCHS', args.epochs)\n"
    early = "import launcher\nlauncher.launch()\n"
    source = FIRST + early + parse + early + INIT.replace("{more}", "") + late
    first = ran(sdk, tmp_path / "run", source, *LINE, "--epochs", "3")
    task = first.wait_for("TASK")
    found = texts(sdk, task)
    assert found["epochs"] == "3" and found["kind"] == "sgd" and found["nodes"] == "4"
    assert first.wait_for("LAUNCHED") == "77 4"
    other = ran(sdk, tmp_path / "run", source, TRIALBOOK_TASK_ID=edited(task, epochs="5"))
    assert other.wait_for("EPOCHS") == "5" and other.wait_for("LAUNCHED") == "77 4"


@pytest.mark.covers("BA-2", "IA-9", "IA-10", "IA-11")
def test_single_arguments_off(sdk: RunningServer, tmp_path: Path) -> None:
    parse = PARSER.replace("PARSE", "args = parser.parse_args()")
    source = (
        FIRST + parse + INIT.replace("{more}", ", auto_connect_arg_parser={'secret': False, 'rate': True}")
    )
    source += "print('SECRET', args.secret, args.epochs)\n"
    task = ran(sdk, tmp_path / "run", source, *LINE).wait_for("TASK")
    found = texts(sdk, task)
    assert "secret" not in found and {"rate", "epochs", "kind"} <= set(found)
    copy = edited(task, secret="from the page", epochs="4")
    other = ran(sdk, tmp_path / "other", source, "--secret", "here", TRIALBOOK_TASK_ID=copy)
    assert other.wait_for("SECRET") == "here 4"
    for off in ("False", "{}"):
        without = source.replace("{'secret': False, 'rate': True}", off)
        task = ran(sdk, tmp_path / "off", without, *LINE).wait_for("TASK")
        assert texts(sdk, task) == {}


VARIABLES = """
import os
from trialbook import Task
print("EARLY", os.environ.get("DATA_ROOT"), os.environ.get("DATA_FORMAT"), os.environ.get("HOME"))
task = Task.init("Catalogue/Lines", "environment", reuse_last_task_id=False, auto_resource_monitoring=False)
print("TASK", task.id)
import subprocess, sys
print("CHILD", subprocess.run([sys.executable, "-c", "import os; print(os.environ['DATA_ROOT'])"],
                              capture_output=True, text=True).stdout)
"""


@pytest.mark.covers("BA-8")
def test_environment_variables(sdk: RunningServer, tmp_path: Path) -> None:
    given = {"DATA_ROOT": "/here", "DATA_FORMAT": "csv", "DATA_TOKEN": "hunter22222", "OTHER": "x"}
    none = ran(sdk, tmp_path / "none", VARIABLES, **given).wait_for("TASK")
    assert texts(sdk, none, "Environment") == {}
    task = ran(
        sdk, tmp_path / "run", VARIABLES, CLEARML_LOG_ENVIRONMENT="DATA_*, NOT_THERE", **given
    ).wait_for("TASK")
    assert texts(sdk, task, "Environment") == {"DATA_ROOT": "/here", "DATA_FORMAT": "csv"}
    exact = ran(sdk, tmp_path / "run", VARIABLES, TRIALBOOK_LOG_ENVIRONMENT="DATA_TOKEN", **given)
    assert texts(sdk, exact.wait_for("TASK"), "Environment") == {"DATA_TOKEN": "hunter22222"}
    file = tmp_path / "file.conf"
    file.write_text('sdk.development.log_os_environments: ["DATA_R*", "OTHER"]\n')
    listed = ran(sdk, tmp_path / "run", VARIABLES, TRIALBOOK_CONFIG_FILE=str(file), **given)
    assert texts(sdk, listed.wait_for("TASK"), "Environment") == {"DATA_ROOT": "/here", "OTHER": "x"}
    everything = ran(sdk, tmp_path / "run", VARIABLES, TRIALBOOK_LOG_ENVIRONMENT="*", **given)
    found = texts(sdk, everything.wait_for("TASK"), "Environment")
    assert {"DATA_ROOT", "OTHER", "HOME"} <= set(found)
    assert not [name for name in found if name.startswith(("TRIALBOOK_", "CLEARML_")) or "TOKEN" in name]

    # An agent's program has them before it reads them; what belongs to the machine stays.
    copy = Task.clone(everything.wait_for("TASK"))
    copy.set_parameter("Environment/DATA_ROOT", "/there")
    remote = ran(
        sdk,
        tmp_path / "agent",
        VARIABLES,
        TRIALBOOK_TASK_ID=copy.id,
        TRIALBOOK_LOG_ENVIRONMENT="*",
        DATA_ROOT="/of the agent",
    )
    assert remote.wait_for("EARLY") == f"/there csv {tmp_path / 'agent'}"
    assert remote.wait_for("CHILD") == "/there"
    stored = texts(sdk, copy.id, "Environment")
    assert stored["DATA_ROOT"] == "/there" and stored["HOME"] == str(tmp_path / "run")


@pytest.mark.covers("BA-8")
def test_environment_variables_of_a_simulated_agent(
    begin: Begin, draft: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_ROOT", "/here")
    draft.set_parameter("Environment/DATA_ROOT", "/there")
    Task.debug_simulate_remote_task(draft.id)
    begin()
    import os

    assert os.environ["DATA_ROOT"] == "/there"


@pytest.mark.covers("BA-9")
def test_a_yaml_file_keeps_its_comments(begin: Begin, tmp_path: Path) -> None:
    text = "# why\nrate: 0.1  # slow\n\nnet:\n  - a\r\n  - b\n"
    file = tmp_path / "c.yaml"
    file.write_bytes(text.encode())
    task = begin()
    task.connect_configuration(str(file), name="OmegaConf")
    assert again(task).get_configuration_object("OmegaConf") == text
    task.close()
    copy = Task.clone(task)
    copy.set_configuration_object("OmegaConf", text + "more: 1 # here\n")
    Task.debug_simulate_remote_task(copy.id)
    path = begin().connect_configuration(file, name="OmegaConf")
    assert path.read_bytes().decode() == text + "more: 1 # here\n"
