"""Keras, on PyTorch."""

import json

from tests.frameworks.conftest import Run
from tests.frameworks.records import models
from tests.integration.program import document, points
from tests.support.server import RunningServer

PROGRAM = """
import json
import numpy as np
from trialbook import Task


def begin(name, **wanted):
    more = {"auto_connect_frameworks": wanted or True, "output_uri": True}
    task = Task.init("Frameworks", name, reuse_last_task_id=False, **more)
    print(name.upper(), task.id)
    return task


def work():
    import keras
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 4)).astype("float32")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, name="only")])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    keep = keras.callbacks.ModelCheckpoint("kept.keras")
    done = model.fit(x, x[:, :1], validation_split=0.25, epochs=3, batch_size=16, verbose=0, callbacks=[keep])
    model.save_weights("only.weights.h5")
    model.save("whole.keras")
    model.load_weights("only.weights.h5")
    model.evaluate(x, x[:, :1], verbose=0)
    return keras, done.history


task = begin("on")
keras, history = work()
print("HISTORY", json.dumps(history))
task.close()
end = keras.callbacks.CallbackList.on_epoch_end
functions = keras.Model.save, keras.models.load_model, keras.saving.load_model, end
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])
task = begin("off", keras=False)
print("SAME", work()[1] == history)
task.close()
task = begin("loads")
keras.models.load_model("whole.keras").load_weights("only.weights.h5")
keras.saving.load_model("whole.keras").save("whole.keras")
task.close()
"""


def test_keras_models_with_their_layers_and_the_epochs(run: Run, server: RunningServer) -> None:
    program = run(PROGRAM, KERAS_BACKEND="torch")
    task = program.wait_for("ON")
    made = models(server, task, "output")
    assert list(made) == ["kept", "only.weights", "whole"]
    assert {model["framework"] for model in made.values()} == {"Keras"}
    design = json.loads(made["kept"]["design"]["design"])
    assert design["class_name"] == "Sequential"
    assert [layer["config"]["name"] for layer in design["config"]["layers"]][-1] == "only"
    assert models(server, task, "input") == {}

    history = json.loads(program.wait_for("HISTORY"))
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    found = {
        name: series for name, series in points(server, task).items() if not name.startswith(":monitor:")
    }
    for name, values in history.items():
        side = "validation" if name.startswith("val_") else "train"
        assert found.pop(f"{name.removeprefix('val_')}/{side}") == {"iter": [0, 1, 2], "value": values}
    assert found == {}

    assert program.wait_for("OURS") == "[]"
    assert program.wait_for("SAME") == "True"
    off = program.wait_for("OFF")
    assert document(server, off)["models"] == {"input": [], "output": []}
    assert [name for name in points(server, off) if not name.startswith(":monitor:")] == []
    loads = program.wait_for("LOADS")
    assert sorted(models(server, loads, "input")) == ["only.weights", "whole"]
    assert list(models(server, loads, "output")) == ["whole"]
