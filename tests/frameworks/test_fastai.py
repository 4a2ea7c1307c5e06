"""fastai."""

import json

import pytest

from tests.frameworks.conftest import Run
from tests.frameworks.records import models, parameters
from tests.integration.program import document, points
from tests.support.server import RunningServer

PROGRAM = """
import json
from trialbook import Task


def begin(name, **wanted):
    task = Task.init("Frameworks", name, reuse_last_task_id=False, auto_connect_frameworks=wanted or True)
    print(name.upper(), task.id)
    return task


def work():
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.metrics import mae
    torch.manual_seed(0)
    x = torch.randn(48, 3)
    data = torch.utils.data.TensorDataset(x, x[:, :1])
    from fastai.data.load import DataLoader
    loaders = DataLoaders(DataLoader(data, bs=16), DataLoader(data, bs=16))
    learner = Learner(loaders, torch.nn.Linear(3, 1), loss_func=torch.nn.functional.mse_loss, metrics=[mae], path=".")
    with learner.no_logging():
        learner.fit(2, lr=0.1)
        values = list(learner.recorder.values)
        learner.fit(1, lr=0.01)
        values += list(learner.recorder.values)
        learner.validate()
    learner.save("net")
    learner.load("net")
    return Learner, [list(one) for one in values], [type(one).__name__ for one in learner.cbs]


task = begin("on")
Learner, values, callbacks = work()
print("VALUES", json.dumps(values))
task.close()
print("OURS", "trialbook" in Learner.__call__.__code__.co_filename)
task = begin("off", fastai=False, pytorch=False)
again = work()
print("SAME", again[1:] == (values, callbacks))
task.close()
"""


def test_fastai_losses_metrics_and_settings(run: Run, server: RunningServer) -> None:
    program = run(PROGRAM)
    task = program.wait_for("ON")
    values = json.loads(program.wait_for("VALUES"))
    found = points(server, task)
    assert len(values) == 3
    for column, name in enumerate(("loss/train", "loss/valid", "mae/valid")):
        # Two trainings of one learner follow each other.
        assert found[name]["iter"] == [0, 1, 2]
        assert found[name]["value"] == pytest.approx([row[column] for row in values])
    assert found["batch/loss"]["iter"] == list(range(9))
    assert found["schedule/lr"]["value"] == pytest.approx([0.1] * 6 + [0.01] * 3)
    for name in ("weights/mean", "weights/deviation", "gradients/mean", "gradients/deviation"):
        assert found[name]["iter"] == [0, 1, 2]
    known = parameters(server, task, "fastai")
    assert known["epochs"] == "1" and known["batch_size"] == "16" and known["model"] == "Linear"
    assert known["loss"] == "mse_loss" and known["lr"] == "0.01"
    assert list(models(server, task, "output")) == ["net"]
    assert models(server, task, "input") == {}

    assert program.wait_for("OURS") == "False"
    assert program.wait_for("SAME") == "True"
    off = program.wait_for("OFF")
    assert document(server, off)["models"] == {"input": [], "output": []}
    assert [name for name in points(server, off) if not name.startswith(":monitor:")] == []
    assert parameters(server, off, "fastai") == {}
