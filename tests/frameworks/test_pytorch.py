"""PyTorch, safetensors, and launches of several processes."""


from tests.frameworks.conftest import Run
from tests.frameworks.records import models
from tests.integration.program import document
from tests.support.server import RunningServer

PROGRAM = """
import io, os, sys
from trialbook import InputModel, OutputModel, Task

outside = io.BytesIO()
task = Task.init("Frameworks", "torch", reuse_last_task_id=False, output_uri=True)
task.set_model_label_enumeration({"cat": 1})
print("TASK", task.id)
assert "torch" not in sys.modules


def train():
    import torch

    net = torch.nn.Linear(2, 1)
    torch.save({"step": 1}, "last.pt")
    torch.save({"step": 2}, "last.pt")
    os.remove("last.pt")
    with open("best.pt", "wb") as file:
        torch.save({"step": 7}, file)
    torch.save(net.state_dict(), io.BytesIO())
    torch.jit.save(torch.jit.script(net), "scripted.pt")
    torch.jit.script(net).save("method.pt")
    torch.load("best.pt")
    torch.jit.load("scripted.pt")
    from safetensors.torch import load_file, save_file
    save_file(net.state_dict(), "net.safetensors")
    assert load_file("net.safetensors").keys() == net.state_dict().keys()
    try:
        torch.load("nothing.pt")
    except FileNotFoundError:
        print("ERROR kept")
    return torch


torch = train()
task.flush(wait_for_uploads=True)
print("LAST", torch.load(task.models.output["last"].get_weights()))
best = task.models.output["best"].id
task.close()
functions = torch.save, torch.load, torch.jit.save, torch.jit.load, torch.jit.RecursiveScriptModule.save
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])

task = Task.init("Frameworks", "loads", reuse_last_task_id=False, auto_connect_frameworks={"pytorch": ["*.pt"]})
print("SECOND", task.id)
torch.load(InputModel(best).get_weights())
torch.load("best.pt")
torch.load("best.pt")
torch.save(1, "kept.pt")
torch.save(1, "left.ckpt")
task.close()
print("BEST", best)

task = Task.init("Frameworks", "off", reuse_last_task_id=False, auto_connect_frameworks={"pytorch": False})
print("THIRD", task.id)
torch.save(1, "kept.pt")
torch.load("kept.pt")
task.close()
"""


def test_what_is_saved_and_loaded_is_on_the_task(run: Run, server: RunningServer) -> None:
    program = run(PROGRAM)
    first = program.wait_for("TASK")
    made = models(server, first, "output")
    assert list(made) == ["last", "best", "scripted", "method", "net"]
    assert {model["framework"] for model in made.values()} == {"PyTorch"}
    assert all(str(model["uri"]).startswith(server.url) for model in made.values())
    assert made["best"]["labels"] == {"cat": 1}
    # Content of the moment, one model for the path, an error of the library's own is passed on.
    assert program.wait_for("LAST") == "{'step': 2}"
    assert program.wait_for("ERROR") == "kept"
    assert program.wait_for("OURS") == "[]"
    assert models(server, first, "input") == {}

    second = program.wait_for("SECOND")
    read = models(server, second, "input")
    local = (program.home / "best.pt").as_uri()
    found = sorted((model["id"], model["uri"]) for model in read.values())
    assert len(found) == 2
    # What was fetched is the model that it came from; the file beside it is one of its own, once.
    assert program.wait_for("BEST") in dict(found)
    assert local in dict(found).values()
    assert list(models(server, second, "output")) == ["kept"]
    assert models(server, second, "output")["kept"]["uri"] == (program.home / "kept.pt").as_uri()

    assert document(server, program.wait_for("THIRD"))["models"] == {"input": [], "output": []}
