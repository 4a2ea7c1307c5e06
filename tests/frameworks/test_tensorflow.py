"""TensorFlow, where it is installed: its packages are larger than all others here together."""

import subprocess

import pytest

from tests.frameworks.conftest import Run
from tests.frameworks.records import models
from tests.support.server import RunningServer

PROGRAM = """
from trialbook import InputModel, Task

task = Task.init("Frameworks", "tensorflow", reuse_last_task_id=False, output_uri=True)
print("TASK", task.id)
import tensorflow as tf

module = tf.Module()
module.weights = tf.Variable([1.0, 2.0])
tf.saved_model.save(module, "exported")
tf.saved_model.load("exported")
checkpoint = tf.train.Checkpoint(weights=module.weights)
checkpoint.save("folder/step")
checkpoint.restore("folder/step-1")
manager = tf.train.CheckpointManager(checkpoint, "managed", max_to_keep=1)
manager.save()
manager.save()
task.flush(wait_for_uploads=True)
step = task.models.output["step-1"].id
print("STEP", step)
task.close()

task = Task.init("Frameworks", "tensorflow loads", reuse_last_task_id=False)
print("SECOND", task.id)
module.weights.assign([0.0, 0.0])
folder = InputModel(step).get_weights_package(return_path=True)
checkpoint.restore(folder + "/step-1").assert_consumed()
checkpoint.restore(None)
print("WEIGHTS", module.weights.numpy().tolist())
task.close()

task = Task.init("Frameworks", "off", reuse_last_task_id=False, auto_connect_frameworks={"tensorflow": False})
print("THIRD", task.id)
checkpoint.save("folder/step")
task.close()
"""


def test_saved_models_and_checkpoints(run: Run, server: RunningServer, frameworks_python: str) -> None:
    there = subprocess.run(
        [frameworks_python, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('tensorflow'))"]
    )
    if there.returncode:
        pytest.skip("no tensorflow: pip install tensorflow-cpu into .venv-frameworks")
    program = run(PROGRAM, TF_CPP_MIN_LOG_LEVEL="3")
    made = models(server, program.wait_for("TASK"), "output")
    assert list(made) == ["exported", "step-1", "ckpt-2", "ckpt-3"]
    assert {model["framework"] for model in made.values()} == {"TensorFlow"}
    assert all(model["uri"].endswith(".zip") for model in made.values())
    assert program.wait_for("WEIGHTS") == "[1.0, 2.0]"
    read = models(server, program.wait_for("SECOND"), "input")
    assert [model["id"] for model in read.values()] == [program.wait_for("STEP")]
    assert models(server, program.wait_for("THIRD"), "output") == {}
