"""hydra: overrides and the composed configuration, sweeps, and both used again by an agent."""

from typing import Any

from tests.frameworks.conftest import Run
from tests.frameworks.test_command_lines import copy, items, texts
from tests.integration.program import console, document
from tests.support.server import RunningServer

FILES = """
import pathlib
pathlib.Path("conf/db").mkdir(parents=True, exist_ok=True)
pathlib.Path("conf/config.yaml").write_text(
    "defaults:\\n  - db: small\\n  - _self_\\nrate: 0.1\\nnet: {depth: 3, wide: true}\\nrun: ${rate}\\n"
)
pathlib.Path("conf/db/small.yaml").write_text("kind: small\\nport: 1\\n")
pathlib.Path("conf/db/large.yaml").write_text("kind: large\\nport: 2\\n")
"""
MAIN = (
    FILES
    + """
import json, hydra
from omegaconf import OmegaConf
from trialbook import Task

@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(cfg):
    task = Task.init("Frameworks", "hydra", auto_resource_monitoring=False{more})
    print("TASK", task.id)
    print("GIVEN", json.dumps(OmegaConf.to_container(cfg, resolve=True)))
    if cfg.rate == 13:
        raise RuntimeError("unlucky")

main()
"""
)
DEFAULTS: dict[str, Any] = {
    "db": {"kind": "small", "port": 1},
    "rate": 0.1,
    "net": {"depth": 3, "wide": True},
    "run": 0.1,
}


def given(text: str) -> Any:
    import json

    return json.loads(text)


def edit_text(server: RunningServer, task: str, text: str) -> None:
    """Change the configuration as the page does."""
    call = {"task": task, "configuration": [{"name": "OmegaConf", "value": text}]}
    server.call("tasks.edit_configuration", call)


def test_overrides_and_configuration(run: Run, server: RunningServer) -> None:
    source = MAIN.replace("{more}", "")
    first = run(source, "db=large", "rate=0.5", "+fresh=1", "~net.wide")
    task = first.wait_for("TASK")
    expected = {"db": {"kind": "large", "port": 2}, "rate": 0.5, "net": {"depth": 3}, "run": 0.5, "fresh": 1}
    assert given(first.wait_for("GIVEN")) == expected
    assert texts(server, task, "Hydra") == {
        "db": "large",
        "rate": "0.5",
        "+fresh": "1",
        "~net.wide": "",
        "_allow_omegaconf_edit_": "False",
    }
    assert texts(server, task) == {}, "what Hydra's own parser read says nothing more"
    text = document(server, task)["configuration"]["OmegaConf"]
    assert text["type"] == "OmegaConf YAML" and "port: 2" in text["value"] and "run: ${rate}" in text["value"]
    assert "hydra" not in text["value"]

    same = run(source, TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert given(same.wait_for("GIVEN")) == expected
    edits = {"Hydra/db": "small", "Hydra/rate": "0.25", "Hydra/net.depth": "9"}
    made = copy(server, task, edits)
    other = run(source, "rate=7", TRIALBOOK_TASK_ID=made)
    assert given(other.wait_for("GIVEN")) == {
        "db": {"kind": "small", "port": 1},
        "rate": 0.25,
        "net": {"depth": 9},
        "run": 0.25,
        "fresh": 1,
    }
    assert "rate: 0.25" in document(server, made)["configuration"]["OmegaConf"]["value"]

    # The text counts only where the task says so.
    made = copy(server, task, {})
    edit_text(server, made, "rate: 2\nrun: ${rate}\nlist: [1, 2]\n")
    ignored = run(source, TRIALBOOK_TASK_ID=made)
    assert given(ignored.wait_for("GIVEN")) == expected
    made = copy(server, task, {"Hydra/_allow_omegaconf_edit_": "True"})
    edit_text(server, made, "rate: 2\nrun: ${rate}\nlist: [1, 2]\n")
    taken = run(source, TRIALBOOK_TASK_ID=made)
    assert given(taken.wait_for("GIVEN")) == {"rate": 2, "run": 2, "list": [1, 2]}
    assert texts(server, made, "Hydra")["_allow_omegaconf_edit_"] == "True"
    assert items(server, made, "Hydra")["_allow_omegaconf_edit_"]["type"] == "bool"


def test_switched_off(run: Run, server: RunningServer) -> None:
    program = run(MAIN.replace("{more}", ", auto_connect_frameworks={'hydra': False}"), "rate=0.5")
    found = document(server, program.wait_for("TASK"))
    assert not (found.get("hyperparams") or {}).get("Hydra") and not found.get("configuration")
    assert given(program.wait_for("GIVEN")) == {**DEFAULTS, "rate": 0.5, "run": 0.5}


def test_each_job_of_a_sweep_is_a_task(run: Run, server: RunningServer) -> None:
    source = MAIN.replace("{more}", "")
    program = run(source, "--multirun", "rate=1,13,3", "db=large", status=1)
    tasks = program.said("TASK")
    assert len(set(tasks)) == 3
    for task, rate, status in zip(tasks, ("1", "13", "3"), ("completed", "failed", "completed"), strict=True):
        assert texts(server, task, "Hydra") == {
            "rate": rate,
            "db": "large",
            "_allow_omegaconf_edit_": "False",
        }
        found = document(server, task)
        assert found["status"] == status
        assert f"rate: {rate}" in found["configuration"]["OmegaConf"]["value"]
    assert "unlucky" in document(server, tasks[1])["status_reason"]
    assert "RuntimeError: unlucky" in console(server, tasks[1])
    again = run(source, TRIALBOOK_TASK_ID=copy(server, tasks[2], {"Hydra/rate": "4"}))
    assert given(again.wait_for("GIVEN"))["rate"] == 4


def test_a_task_around_a_sweep_stays_one(run: Run, server: RunningServer) -> None:
    source = MAIN.replace("{more}", "").replace(
        "\nmain()\n",
        "\ntask = Task.init('Frameworks', 'hydra', reuse_last_task_id=False)\nmain()\nprint('END', task.status)\n",
    )
    program = run(source, "--multirun", "rate=1,2")
    assert len(set(program.said("TASK"))) == 1 and len(program.said("TASK")) == 2
    assert program.wait_for("END") == "in_progress"
    assert texts(server, program.wait_for("TASK"), "Hydra")["rate"] == "2"


STRUCTURED = """
import dataclasses, pathlib
import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
{before}

@dataclasses.dataclass
class Net:
    depth: int = 3

@dataclasses.dataclass
class Config:
    rate: float = 0.1
    net: Net = dataclasses.field(default_factory=Net)

ConfigStore.instance().store(name="config", node=Config)
with hydra.initialize(version_base=None):
    cfg = hydra.compose("config", overrides=["net.depth=5"])
{after}
print("TASK", task.id)
print("GIVEN", cfg.rate, cfg.net.depth, OmegaConf.get_type(cfg.net).__name__)
"""
BEGIN = """
from trialbook import Task
task = Task.init("Frameworks", "compose", reuse_last_task_id=False, auto_resource_monitoring=False)
"""


def test_the_compose_api_before_and_after_init(run: Run, server: RunningServer) -> None:
    for before, after in ((BEGIN, ""), ("from trialbook import Task", BEGIN)):
        source = STRUCTURED.replace("{before}", before).replace("{after}", after)
        task = run(source).wait_for("TASK")
        assert texts(server, task, "Hydra")["net.depth"] == "5"
        assert "depth: 5" in document(server, task)["configuration"]["OmegaConf"]["value"]
        made = copy(server, task, {"Hydra/net.depth": "6", "Hydra/rate": "0.5"})
        assert run(source, TRIALBOOK_TASK_ID=made).wait_for("GIVEN") == "0.5 6 Net"
        made = copy(server, task, {"Hydra/_allow_omegaconf_edit_": "True"})
        edit_text(server, made, "rate: 2\nnet: {depth: 8}\n")
        assert run(source, TRIALBOOK_TASK_ID=made).wait_for("GIVEN") == "2.0 8 Net"


def test_an_error_stays_away_from_the_program(run: Run, server: RunningServer) -> None:
    broken = """
from trialbook.capture.command_lines import lines
def give(*_):
    raise RuntimeError("broken")
lines.give = give
"""
    program = run(broken + MAIN.replace("{more}", ""), "rate=0.5")
    assert given(program.wait_for("GIVEN"))["rate"] == 0.5 and "broken" in program.text
    assert texts(server, program.wait_for("TASK"), "Hydra") == {}
