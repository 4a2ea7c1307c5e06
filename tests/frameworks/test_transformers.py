"""The Trainer of transformers and accelerate's trackers, watched and under ``trialbook run``."""

import subprocess
from pathlib import Path

from tests.frameworks.conftest import Run
from tests.frameworks.records import models, parameters
from tests.integration.program import document, points
from tests.support.server import RunningServer

TRAIN = """
import sys
# Its released wheel does not fit the PyTorch of these tests; transformers does without.
sys.modules["torchvision"] = None
import torch
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments


class Config(PretrainedConfig):
    model_type = "tiny"


class Tiny(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(4, 1)
        self.post_init()

    def forward(self, x, labels=None):
        answer = self.layer(x)
        return {"loss": ((answer - labels) ** 2).mean(), "logits": answer}


def trainer(report_to):
    torch.manual_seed(1)
    rows = [{"x": torch.randn(4), "labels": torch.randn(1)} for _ in range(32)]
    wanted = TrainingArguments(
        "out", per_device_train_batch_size=4, num_train_epochs=2, logging_steps=4, save_steps=8, learning_rate=0.01,
        eval_strategy="steps", eval_steps=8, report_to=report_to, use_cpu=True, disable_tqdm=True,
    )
    return Trainer(Tiny(Config()), wanted, train_dataset=rows, eval_dataset=rows)
"""

LINES = {"train/loss": [4, 8, 12, 16], "train/learning_rate": [4, 8, 12, 16], "eval/loss": [8, 16]}


def lines(server: RunningServer, task: str) -> dict[str, list[int]]:
    return {name: series["iter"] for name, series in points(server, task).items() if name in LINES}


def test_T38_a_trainer_with_nothing_but_init(run: Run, server: RunningServer) -> None:
    program = run(
        TRAIN
        + """
from trialbook import Task
task = Task.init("Frameworks", "trainer", reuse_last_task_id=False, output_uri=True)
print("TASK", task.id)
one = trainer("none")
one.train()
one.save_model("final")
torch.save({"own": 1}, "own.pt")
task.close()
functions = Trainer.save_model, Trainer._save_checkpoint
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])
"""
    )
    task = program.wait_for("TASK")
    assert lines(server, task) == LINES
    assert parameters(server, task, "Transformers")["learning_rate"] == "0.01"
    assert '"model_type": "tiny"' in document(server, task)["configuration"]["Model Configuration"]["value"]
    made = models(server, task, "output")
    assert {name: model["framework"] for name, model in made.items()} == {
        "checkpoint-8": "Transformers",
        "checkpoint-16": "Transformers",
        "final": "Transformers",
        "own": "PyTorch",
    }
    assert program.wait_for("OURS") == "[]"


def test_T37_the_trainers_own_callback_under_the_borrowed_name(
    server: RunningServer, frameworks_python: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(TRAIN + '\ntrainer("clearml").train()\nprint("TRAINED")\n')
    done = subprocess.run(
        [frameworks_python, "-m", "trialbook", "run", "train.py"],
        cwd=tmp_path,
        env={
            **server.client_environment(tmp_path),
            "CLEARML_PROJECT": "Hugging",
            "CLEARML_LOG_MODEL": "TRUE",
        },
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0 and "TRAINED" in done.stdout, done.stdout + done.stderr
    (found,) = server.call("tasks.get_all", {"project_name": ["Hugging"], "name": "Trainer"})["tasks"] or [
        None
    ]
    task = found["id"]
    assert lines(server, task) == LINES
    assert parameters(server, task, "Transformers")["learning_rate"] == "0.01"
    assert sorted(models(server, task, "output")) == ["checkpoint-16", "checkpoint-8"]
    assert document(server, task)["status"] == "completed"


def test_T37_accelerate_finds_its_tracker(
    server: RunningServer, frameworks_python: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text("""
from accelerate import Accelerator
one = Accelerator(log_with="clearml", cpu=True)
one.init_trackers("Accelerated", config={"rate": 0.1})
for step in range(3):
    one.log({"loss/train": 1 / (step + 1)}, step=step)
from clearml import Task
print("TASK", Task.current_task().id)
one.end_training()
""")
    done = subprocess.run(
        [frameworks_python, "-m", "trialbook", "run", "train.py"],
        cwd=tmp_path,
        env=server.client_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0 and "supported trackers" not in done.stderr, done.stdout + done.stderr
    task = done.stdout.split("TASK ")[1].split()[0]
    (values,) = [series["iter"] for series in points(server, task).values() if len(series["iter"]) == 3]
    assert values == [0, 1, 2]


def test_T37_libraries_switch_watching_off(run: Run, server: RunningServer) -> None:
    """As those do that record models and figures themselves."""
    program = run(
        """
from trialbook.compat import install_as
install_as("clearml")
from clearml import Task
from clearml.binding.frameworks.pytorch_bind import PatchPyTorchModelIO
from clearml.binding.matplotlib_bind import PatchedMatplotlib
task = Task.init("Frameworks", "switched", reuse_last_task_id=False)
print("TASK", task.id)
import torch
from matplotlib import pyplot
torch.save({"a": 1}, "before.pt")
PatchPyTorchModelIO.update_current_task(None)
PatchedMatplotlib.update_current_task(None)
torch.save({"a": 1}, "after.pt")
pyplot.plot([1, 2]); pyplot.savefig("after.png")
"""
    )
    task = program.wait_for("TASK")
    assert list(models(server, task, "output")) == ["before"]
    assert server.call("events.get_task_plots", {"task": task})["total"] == 0
