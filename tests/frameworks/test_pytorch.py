"""PyTorch, safetensors, and launches of several processes."""

from tests.frameworks.conftest import Run
from tests.frameworks.looking import content, samples
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
    import pickle
    assert pickle.loads(pickle.dumps((torch.save, torch.jit.load))) == (torch.save, torch.jit.load)
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


class Samples(torch.utils.data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, number):
        return torch.load("sample.pt")


with io.BytesIO() as sample, open("sample.pt", "wb") as file:
    torch.save(torch.ones(1), sample)
    file.write(sample.getvalue())
assert len(list(torch.utils.data.DataLoader(Samples(), num_workers=1))) == 2
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
    # Neither what a worker of a data loader reads. What was fetched is the model that it came from; the file
    # beside it is one of its own, once.
    assert program.wait_for("BEST") in dict(found)
    assert local in dict(found).values()
    assert list(models(server, second, "output")) == ["kept"]
    assert models(server, second, "output")["kept"]["uri"] == (program.home / "kept.pt").as_uri()

    assert document(server, program.wait_for("THIRD"))["models"] == {"input": [], "output": []}


LAUNCH = """
import os, subprocess, sys

if "RANK" not in os.environ:
    # The gradients' exchange needs an address, not a network.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__]
    raise SystemExit(subprocess.run(command, check=False).returncode)

from trialbook import Task

task = Task.init("Frameworks", "launch", reuse_last_task_id=False, output_uri=True)
import torch
import torch.distributed as group
group.init_process_group("gloo")
rank = group.get_rank()
net = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
for step in range(2):
    net(torch.ones(4, 2)).sum().backward()
    torch.save({"rank": rank, "step": step}, "shared.pt" if rank == 0 else "other.pt")
    torch.save({"rank": rank}, f"rank{rank}.pt")
group.barrier()
# In one write: both ranks share the pipe.
os.write(1, f"TASK {task.id}\\nRANK {rank}\\n".encode())
group.destroy_process_group()
task.close()
"""


def test_a_launch_of_two_has_one_task_and_the_models_of_the_first(run: Run, server: RunningServer) -> None:
    program = run(LAUNCH)
    assert sorted(program.said("RANK")) == ["0", "1"]
    tasks = set(program.said("TASK"))
    assert len(tasks) == 1
    assert list(models(server, tasks.pop(), "output")) == ["shared", "rank0"]


WORKERS = """
import multiprocessing as processes
from trialbook import Task


def work(name, group):
    import torch
    # A spawned process joins the run when it asks for the task.
    task = Task.current_task()
    if group:
        torch.distributed.init_process_group("gloo", init_method=group, rank=1, world_size=2)
    torch.save(1, f"{name}.pt")
    print(f"CHILD {task.id}", flush=True)


def lead(group):
    import torch
    torch.distributed.init_process_group("gloo", init_method=group, rank=0, world_size=2)


if __name__ == "__main__":
    import socket
    task = Task.init("Frameworks", "workers", reuse_last_task_id=False, output_uri=True)
    print("TASK", task.id)
    import torch
    torch.save(0, "parent.pt")
    for way in ("fork", "spawn"):
        child = processes.get_context(way).Process(target=work, args=(way, ""))
        child.start()
        child.join()
        assert child.exitcode == 0
    # A group that no launcher made: the second process of it says nothing.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    child = processes.get_context("spawn").Process(target=work, args=("second", meeting))
    child.start()
    lead(meeting)
    child.join()
    assert child.exitcode == 0
    torch.save(0, "first.pt")
    task.close()
"""


def test_processes_of_a_run_save_to_its_task(run: Run, server: RunningServer) -> None:
    program = run(WORKERS)
    task = program.wait_for("TASK")
    assert program.said("CHILD") == [task] * 3
    assert sorted(models(server, task, "output")) == ["first", "fork", "parent", "spawn"]


LIGHTNING = """
import torch
import torch.library

# torchvision may be there for another PyTorch than this one; it is imported on the way, and never called.
register = torch.library.register_fake


def lenient(name, *more, **named):
    return (lambda function: function) if str(name).startswith("torchvision::") else register(name, *more, **named)


torch.library.register_fake = lenient
from trialbook import Task

task = Task.init("Frameworks", "lightning", reuse_last_task_id=False, output_uri=True)
print("TASK", task.id)
import pytorch_lightning as lightning


class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, _):
        return self.layer(batch[0]).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def trainer(*callbacks):
    more = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return lightning.Trainer(max_epochs=2, accelerator="cpu", callbacks=list(callbacks), **more)


data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), batch_size=4)
first = trainer(lightning.callbacks.ModelCheckpoint("kept", "{epoch}", save_top_k=-1, save_last=True))
first.fit(Net(), data)
first.save_checkpoint("final.ckpt")
task.close()
task = Task.init("Frameworks", "lightning loads", reuse_last_task_id=False)
print("SECOND", task.id)
Net.load_from_checkpoint("final.ckpt", weights_only=True)
task.close()
print("OURS", "trialbook" in lightning.Trainer.save_checkpoint.__code__.co_filename)
"""


def test_checkpoints_of_lightning_are_models_once(run: Run, server: RunningServer) -> None:
    program = run(LIGHTNING)
    made = models(server, program.wait_for("TASK"), "output")
    assert sorted(made) == ["epoch=0", "epoch=1", "final", "last"]
    assert {model["framework"] for model in made.values()} == {"PyTorch"}
    assert all(str(model["uri"]).startswith(server.url) for model in made.values())
    assert list(models(server, program.wait_for("SECOND"), "input")) == ["final"]
    assert program.wait_for("OURS") == "False"


def test_T10_tensors_are_pictures(run: Run, server: RunningServer) -> None:
    """With a gradient, of a type that NumPy does not know, channels in front, a batch."""
    program = run("""
import torch
from trialbook import Task
task = Task.init("Frameworks", "pictures", reuse_last_task_id=False, auto_connect_frameworks=False)
print("TASK", task.id)
logger = task.get_logger()
ramp = torch.linspace(0, 1, 12).reshape(1, 3, 4)
logger.report_image("p", "gradient", 0, image=ramp.clone().requires_grad_())
logger.report_image("p", "half", 0, image=ramp.bfloat16())
logger.report_image("p", "batch", 0, image=ramp.expand(4, 3, 3, 4))
logger.report_image("p", "bytes", 0, image=(ramp * 255).to(torch.uint8))
task.close()
""")
    pictures = samples(server, program.wait_for("TASK"))
    assert sorted(series for _, series in pictures) == ["batch", "bytes", "gradient", "half"]
    assert all(content(server, each[0])[:4] == b"\x89PNG" for each in pictures.values())
