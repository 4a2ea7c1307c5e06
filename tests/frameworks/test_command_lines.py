"""Command lines of click, fire, jsonargparse and absl: recorded, switched off, and used again by an agent."""

import json
from typing import Any

from tests.frameworks.conftest import Run
from tests.integration.program import console, document
from tests.support.server import RunningServer

INIT = (
    "task = Task.init('Frameworks', 'lines', reuse_last_task_id=False, auto_resource_monitoring=False{more})"
)


def texts(server: RunningServer, task: str, section: str = "Args") -> dict[str, str]:
    """Parameters of a section by name."""
    found = document(server, task)["hyperparams"].get(section) or {}
    return {name: item["value"] for name, item in found.items()}


def items(server: RunningServer, task: str, section: str = "Args") -> dict[str, dict[str, Any]]:
    """Parameters of a section with all that is known of them."""
    found: dict[str, dict[str, Any]] = document(server, task)["hyperparams"][section]
    return found


def copy(server: RunningServer, task: str, values: dict[str, str]) -> str:
    """A copy of the task with other values, as the page edits them."""
    made = str(server.call("tasks.clone", {"task": task, "new_task_name": "copy"})["id"])
    known = document(server, made)["hyperparams"]
    edited = []
    for name, value in values.items():
        section, key = name.split("/", 1)
        edited.append({**known.get(section, {}).get(key, {"section": section, "name": key}), "value": value})
    if edited:
        call = {"task": made, "hyperparams": edited, "replace_hyperparams": "none"}
        server.call("tasks.edit_hyper_params", call)
    return made


CLICK = (
    """
import json, pathlib, click
from trialbook import Task

@click.group()
@click.option("--verbose", is_flag=True, help="say more")
@click.option("--password", default="none given", hide_input=True)
def cli(verbose, password):
    print("GROUP", verbose, password)

@cli.command()
@click.argument("data", type=click.Path(path_type=pathlib.Path))
@click.option("--epochs", type=int, required=True, help="how long")
@click.option("--kind", type=click.Choice(["adam", "sgd"]), default="adam", prompt=True)
@click.option("--size", type=int, multiple=True, default=[1])
@click.option("--range", "span", type=(float, float), default=(0.0, 1.0))
@click.option("--fast/--slow", default=False)
@click.option("-q", count=True)
@click.option("--up", "shift", flag_value="up", default=True)
@click.option("--down", "shift", flag_value="down")
@click.option("--name", default=None)
def train(**given):
    """
    + INIT.replace("{more}", "MORE")
    + """
    print("TASK", task.id)
    print("GIVEN", json.dumps({name: repr(value) for name, value in given.items()}))

@cli.command()
@click.option("--epochs", default=7)
def test(epochs):
    """
    + INIT.replace("{more}", "MORE")
    + """
    print("TASK", task.id)
    print("TEST", epochs)

cli()
"""
)
LINE = [
    "--verbose",
    "train",
    "d/x",
    "--epochs",
    "3",
    "--kind",
    "sgd",
    "--size",
    "2",
    "--size",
    "3",
    "--range",
    "1",
    "2",
    "-qq",
    "--down",
]


def test_click(run: Run, server: RunningServer) -> None:
    first = run(CLICK.replace("MORE", ""), *LINE)
    task = first.wait_for("TASK")
    given = json.loads(first.wait_for("GIVEN"))
    found = items(server, task)
    assert texts(server, task) == {
        "verbose": "True",
        "password": "none given",
        "train": "True",
        "test": "False",
        "train/data": "d/x",
        "train/epochs": "3",
        "train/kind": "sgd",
        "train/size": "[2, 3]",
        "train/span": "[1.0, 2.0]",
        "train/fast": "False",
        "train/q": "2",
        "train/shift": "down",
        "train/name": "",
    }
    assert found["train"]["type"] == "command" == found["test"]["type"]
    assert (found["train/epochs"]["type"], found["train/epochs"]["description"]) == ("int", "how long")

    # An agent starts it without a command line: what is required, asked for or positional is on the task.
    same = run(CLICK.replace("MORE", ""), TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert json.loads(same.wait_for("GIVEN")) == given
    assert same.wait_for("GROUP") == "True none given"
    edits = {
        "Args/verbose": "False",
        "Args/train/epochs": "5",
        "Args/train/size": "[7]",
        "Args/train/fast": "True",
        "Args/train/shift": "up",
        "Args/train/name": "b",
        "Args/train/data": "e",
    }
    made = copy(server, task, edits)
    other = run(CLICK.replace("MORE", ""), TRIALBOOK_TASK_ID=made)
    expected = {
        "data": "PosixPath('e')",
        "epochs": "5",
        "size": "(7,)",
        "fast": "True",
        "shift": "'up'",
        "name": "'b'",
    }
    assert json.loads(other.wait_for("GIVEN")) == {**given, **expected}
    assert other.wait_for("GROUP") == "False none given"
    assert texts(server, made)["train/epochs"] == "5"

    # The page chooses the other command; the task wins over the command line.
    made = copy(server, task, {"Args/train": "False", "Args/test": "True", "Args/test/epochs": "9"})
    switched = run(CLICK.replace("MORE", ""), TRIALBOOK_TASK_ID=made)
    assert switched.wait_for("TEST") == "9"
    made = copy(server, task, {"Args/train/epochs": "6"})
    both = run(CLICK.replace("MORE", ""), *LINE, TRIALBOOK_TASK_ID=made)
    assert json.loads(both.wait_for("GIVEN")) == {**given, "epochs": "6"}


def test_click_switched_off(run: Run, server: RunningServer) -> None:
    for off in ("False", "{}"):
        program = run(CLICK.replace("MORE", f", auto_connect_arg_parser={off}"), *LINE)
        assert texts(server, program.wait_for("TASK")) == {}
    program = run(CLICK.replace("MORE", ", auto_connect_arg_parser={'password': False, 'q': False}"), *LINE)
    found = texts(server, program.wait_for("TASK"))
    assert "password" not in found and "train/q" not in found and found["train/epochs"] == "3"
    # What is switched off keeps its own value, although the task has one.
    off = ", auto_connect_arg_parser={'password': False}"
    early = "from trialbook import Task\n" + INIT.replace("{more}", off) + CLICK.replace("MORE", off)
    made = copy(server, program.wait_for("TASK"), {"Args/password": "stored", "Args/train/epochs": "6"})
    remote = run(early, "--password", "given", *LINE, TRIALBOOK_TASK_ID=made)
    assert remote.wait_for("GROUP") == "True given"
    assert json.loads(remote.wait_for("GIVEN"))["epochs"] == "6"


TYPER = (
    """
import typer
from trialbook import Task

app = typer.Typer()

@app.command()
def train(data: str, epochs: int = typer.Option(..., help="how long"), size: list[int] = [1], fast: bool = False):
    """
    + INIT.replace("{more}", "")
    + """
    print("TASK", task.id)
    print("GIVEN", data, epochs, size, fast)

@app.command()
def test():
    pass

app()
"""
)


def test_typer(run: Run, server: RunningServer) -> None:
    first = run(TYPER, "train", "d", "--epochs", "3", "--size", "2", "--fast")
    task = first.wait_for("TASK")
    assert texts(server, task) == {
        "train": "True",
        "test": "False",
        "train/data": "d",
        "train/epochs": "3",
        "train/size": "[2]",
        "train/fast": "True",
    }
    assert items(server, task)["train/epochs"]["description"] == "how long"
    edits = {"Args/train/epochs": "5", "Args/train/size": "[7, 8]", "Args/train/fast": "False"}
    other = run(TYPER, TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert other.wait_for("GIVEN") == "d 5 [7, 8] False"


FIRE = (
    """
import json, sys, fire
from trialbook import Task

class Trainer:
    def __init__(self, rate, layers=(1, 2)):
        self.rate, self.layers = rate, layers

    def train(self, epochs, *files, fast=False, **more):
        """
    + INIT.replace("{more}", "MORE")
    + """
        print("TASK", task.id)
        print("GIVEN", json.dumps([repr(v) for v in (self.rate, self.layers, epochs, files, fast, more)]))

    def test(self):
        pass

def single(steps, name="a", none=None):
    """
    + INIT.replace("{more}", "MORE")
    + """
    print("TASK", task.id)
    print("GIVEN", repr((steps, name, none)))

fire.Fire(COMPONENT)
"""
)


def test_fire(run: Run, server: RunningServer) -> None:
    source = FIRE.replace("MORE", "").replace("COMPONENT", "single")
    task = run(source, "4", "--name=b").wait_for("TASK")
    assert texts(server, task) == {"steps": "4", "name": "b", "none": ""}
    same = run(source, TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert same.wait_for("GIVEN") == "(4, 'b', None)"
    edits = {"Args/steps": "5", "Args/name": "7"}
    other = run(source, TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert other.wait_for("GIVEN") == "(5, '7', None)"
    both = run(source, "8", TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert both.wait_for("GIVEN") == "(5, '7', None)"


def test_fire_with_commands(run: Run, server: RunningServer) -> None:
    source = FIRE.replace("MORE", "").replace("COMPONENT", "{'model': Trainer, 'single': single}")
    line = ["model", "--rate", "0.5", "train", "3", "a", "b", "--fast", "--extra", "1"]
    first = run(source, *line)
    task = first.wait_for("TASK")
    assert texts(server, task) == {
        "model": "True",
        "single": "False",
        "model/rate": "0.5",
        "model/layers": "[1, 2]",
        "model/train": "True",
        "model/test": "False",
        "model/train/epochs": "3",
        "model/train/files": '["a", "b"]',
        "model/train/fast": "True",
        "model/train/extra": "1",
    }
    assert items(server, task)["model/train"]["type"] == "command"
    same = run(source, TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert same.wait_for("GIVEN") == first.wait_for("GIVEN")
    edits = {
        "Args/model/rate": "0.25",
        "Args/model/layers": "[3]",
        "Args/model/train/epochs": "4",
        "Args/model/train/fast": "False",
        "Args/model/train/extra": "2",
    }
    other = run(source, TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert json.loads(other.wait_for("GIVEN")) == [
        "0.25",
        "(3,)",
        "4",
        "('a', 'b')",
        "False",
        "{'extra': 2}",
    ]
    off = run(source.replace("_monitoring=False", "_monitoring=False, auto_connect_arg_parser=False"), *line)
    assert off.wait_for("GIVEN") == first.wait_for("GIVEN")
    assert texts(server, off.wait_for("TASK")) == {}


JSONARGPARSE = (
    """
import dataclasses, enum, json, pathlib
import jsonargparse
from trialbook import Task

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

class Optimizer:
    def __init__(self, rate: float = 0.1):
        self.rate = rate

class Adam(Optimizer):
    def __init__(self, beta: float = 0.9, **more):
        super().__init__(**more)
        self.beta = beta

@dataclasses.dataclass
class Model:
    depth: int = 3
    sizes: list[int] = dataclasses.field(default_factory=lambda: [1, 2])

def make():
    parser = jsonargparse.ArgumentParser()
    parser.add_argument("--config", action="config")
    parser.add_argument("--model", type=Model, default=Model())
    parser.add_argument("--optimizer", type=Optimizer, default={"class_path": "Adam"})
    parser.add_argument("--colour", type=Colour, default=Colour.RED, help="of it")
    parser.add_argument("--limit", type=int | None, default=None)
    parser.add_argument("--name", type=str, required=True)
    return parser

pathlib.Path("c.yaml").write_text("model: {depth: 4}\\nname: from the file\\n")
parser = make()
found = parser.parse_args()
ready = parser.instantiate_classes(found)
"""
    + INIT.replace("{more}", "MORE")
    + """
print("TASK", task.id)
seen = (ready.model, type(ready.optimizer).__name__, ready.optimizer.rate, ready.optimizer.beta, ready.colour,
        ready.limit, ready.name)
print("GIVEN", repr(seen))
"""
)


def test_jsonargparse(run: Run, server: RunningServer) -> None:
    source = JSONARGPARSE.replace("MORE", "")
    first = run(source, "--config", "c.yaml", "--optimizer.rate=0.5", "--colour", "BLUE")
    task = first.wait_for("TASK")
    seen = "(Model(depth=4, sizes=[1, 2]), 'Adam', 0.5, 0.9, <Colour.BLUE: 2>, None, 'from the file')"
    assert first.wait_for("GIVEN") == seen
    found = texts(server, task)
    assert "c.yaml" in found.pop("config")
    assert found == {
        "model.depth": "4",
        "model.sizes": "[1, 2]",
        "optimizer.class_path": "__main__.Adam",
        "optimizer.init_args.rate": "0.5",
        "optimizer.init_args.beta": "0.9",
        "colour": "BLUE",
        "limit": "",
        "name": "from the file",
        "_ignore_ui_overrides_": "False",
    }
    assert items(server, task)["colour"]["description"] == "of it"
    assert items(server, task)["model.sizes"]["type"] == "list"
    same = run(source, TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert same.wait_for("GIVEN") == seen
    edits = {
        "Args/model.depth": "9",
        "Args/model.sizes": "[5]",
        "Args/optimizer.init_args.beta": "0.1",
        "Args/colour": "RED",
        "Args/limit": "8",
        "Args/name": "12",
    }
    edited = "(Model(depth=9, sizes=[5]), 'Adam', 0.5, 0.1, <Colour.RED: 1>, 8, '12')"
    other = run(source, TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert other.wait_for("GIVEN") == edited
    both = run(source, "--name=x", "--limit=1", TRIALBOOK_TASK_ID=copy(server, task, edits))
    assert both.wait_for("GIVEN") == edited
    ignored = copy(server, task, {**edits, "Args/_ignore_ui_overrides_": "True"})
    own = run(source, "--name=x", TRIALBOOK_TASK_ID=ignored)
    assert (
        own.wait_for("GIVEN")
        == "(Model(depth=3, sizes=[1, 2]), 'Adam', 0.1, 0.9, <Colour.RED: 1>, None, 'x')"
    )
    assert texts(server, ignored)["_ignore_ui_overrides_"] == "True"


def test_jsonargparse_switched_off(run: Run, server: RunningServer) -> None:
    for off in ("auto_connect_frameworks={'jsonargparse': False}", "auto_connect_arg_parser=False"):
        program = run(JSONARGPARSE.replace("MORE", f", {off}"), "--name=x")
        assert texts(server, program.wait_for("TASK")) == {}


SUB_COMMANDS = (
    """
import jsonargparse
from trialbook import Task

def train(epochs: int, rate: float = 0.1):
    """
    + INIT.replace("{more}", "")
    + """
    print("TASK", task.id)
    print("GIVEN", epochs, rate)

def test(steps: int = 1):
    print("TEST", steps)

jsonargparse.CLI([train, test])
"""
)


def test_jsonargparse_with_commands(run: Run, server: RunningServer) -> None:
    task = run(SUB_COMMANDS, "train", "3").wait_for("TASK")
    found = texts(server, task)
    assert found["subcommand"] == "train" and found["train.epochs"] == "3" and found["train.rate"] == "0.1"
    other = run(SUB_COMMANDS, TRIALBOOK_TASK_ID=copy(server, task, {"Args/train.epochs": "5"}))
    assert other.wait_for("GIVEN") == "5 0.1"


ABSL = (
    """
import enum, json
from absl import app, flags
from trialbook import Task

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

FLAGS = flags.FLAGS
flags.DEFINE_integer("epochs", 2, "how long", short_name="e")
flags.DEFINE_float("rate", 0.1, "step")
flags.DEFINE_bool("fast", False, "hurry")
flags.DEFINE_string("name", None, "of it", required=True)
flags.DEFINE_list("layers", ["1", "2"], "sizes")
flags.DEFINE_multi_integer("seed", [7], "seeds")
flags.DEFINE_enum_class("colour", Colour.RED, Colour, "of it")
flags.DEFINE_integer("limit", None, "at most")
flags.register_validator("epochs", lambda value: value > 0)

def main(argv):
    """
    + INIT.replace("{more}", "MORE")
    + """
    print("TASK", task.id)
    names = ("epochs", "rate", "fast", "name", "layers", "seed", "colour", "limit")
    print("GIVEN", repr([FLAGS[name].value for name in names]), argv[1:])

app.run(main)
"""
)


def test_absl(run: Run, server: RunningServer) -> None:
    source = ABSL.replace("MORE", "")
    line = ["--epochs=3", "--fast", "--name=x", "--seed=1", "--seed=2", "--colour=blue", "rest"]
    first = run(source, *line)
    task = first.wait_for("TASK")
    assert first.wait_for("GIVEN") == (
        "[3, 0.1, True, 'x', ['1', '2'], [1, 2], <Colour.BLUE: 2>, None] ['rest']"
    )
    found = texts(server, task, "TF_DEFINE")
    own = {"epochs", "rate", "fast", "name", "layers", "seed", "colour", "limit"}
    assert {name: found[name] for name in own} == {
        "epochs": "3",
        "rate": "0.1",
        "fast": "True",
        "name": "x",
        "layers": '["1", "2"]',
        "seed": "[1, 2]",
        "colour": "BLUE",
        "limit": "",
    }
    assert "help" not in found and "e" not in found and "flagfile" not in found and "verbosity" in found
    known = items(server, task, "TF_DEFINE")["epochs"]
    assert (known["type"], known["description"]) == ("int", "how long")
    assert texts(server, task) == {}
    same = run(source, TRIALBOOK_TASK_ID=copy(server, task, {}))
    assert same.wait_for("GIVEN").startswith(
        "[3, 0.1, True, 'x', ['1', '2'], [1, 2], <Colour.BLUE: 2>, None]"
    )
    edits = {
        "TF_DEFINE/epochs": "5",
        "TF_DEFINE/rate": "1e-3",
        "TF_DEFINE/fast": "False",
        "TF_DEFINE/name": "y",
        "TF_DEFINE/layers": "['9']",
        "TF_DEFINE/seed": "[4, 5]",
        "TF_DEFINE/colour": "RED",
        "TF_DEFINE/limit": "6",
    }
    made = copy(server, task, edits)
    other = run(source, *line, TRIALBOOK_TASK_ID=made)
    assert other.wait_for("GIVEN") == ("[5, 0.001, False, 'y', ['9'], [4, 5], <Colour.RED: 1>, 6] ['rest']")
    assert texts(server, made, "TF_DEFINE")["seed"] == "[4, 5]"
    # A value that the program's own check refuses stays what it was.
    wrong = run(source, *line, TRIALBOOK_TASK_ID=copy(server, task, {"TF_DEFINE/epochs": "-1"}))
    assert wrong.wait_for("GIVEN").startswith("[3, ")


def test_absl_switched_off(run: Run, server: RunningServer) -> None:
    program = run(ABSL.replace("MORE", ", auto_connect_arg_parser=False"), "--name=x")
    assert texts(server, program.wait_for("TASK"), "TF_DEFINE") == {}


def test_an_error_in_a_watcher_stays_away_from_the_program(run: Run, server: RunningServer) -> None:
    broken = """
import trialbook
from trialbook import Task
from trialbook.capture.command_lines import lines
def give(*_):
    raise RuntimeError("broken")
lines.give = give
"""
    for source, line in (
        (CLICK, LINE),
        (FIRE.replace("COMPONENT", "single"), ["4"]),
        (JSONARGPARSE, ["--name=x"]),
        (ABSL, ["--name=x"]),
    ):
        program = run(broken + source.replace("MORE", ""), *line)
        assert program.said("GIVEN") and "broken" in program.text
        assert texts(server, program.wait_for("TASK")) == {}


def test_the_order_of_imports_does_not_matter(run: Run, server: RunningServer) -> None:
    first = "from trialbook import Task\n"
    for source, line, section, name in (
        (CLICK, LINE, "Args", "train/epochs"),
        (FIRE.replace("COMPONENT", "single"), ["3"], "Args", "steps"),
        (JSONARGPARSE, ["--name=x", "--model.depth=3"], "Args", "model.depth"),
        (ABSL, ["--name=x", "--epochs=3"], "TF_DEFINE", "epochs"),
    ):
        program = run(first + source.replace("MORE", ""), *line)
        assert texts(server, program.wait_for("TASK"), section)[name] == "3"


AFTER = (
    """
import click, click.testing, fire
from trialbook import Task

@click.command()
@click.option("--token", default="hunter22222")
@click.option("--epochs", default=1)
def command(token, epochs):
    print("SAID", token, epochs)

def single(steps):
    return steps * 2

def look(epochs):
    print(click.testing.CliRunner().invoke(command, ["--epochs", epochs]).output)
    print("FIRED", fire.Fire(single, [epochs]))

"""
    + INIT.replace("{more}", "")
    + """
print("TASK", task.id)
look("2")
task.close()
look("5")
"""
)


def test_secrets_stay_off_the_console_and_nothing_is_recorded_after_close(
    run: Run, server: RunningServer
) -> None:
    program = run(AFTER)
    task = program.wait_for("TASK")
    assert program.said("SAID") == ["hunter22222 2", "hunter22222 5"]
    assert program.said("FIRED") == ["4", "10"]
    assert texts(server, task) == {"token": "hunter22222", "epochs": "2", "steps": "2"}
    seen = console(server, task)
    assert "SAID ******** 2" in seen and "hunter22222" not in seen
