"""The contract of all models that are recorded without a line of code, shown with joblib."""

from pathlib import Path

from tests.frameworks.conftest import Run
from tests.frameworks.records import models
from tests.integration.program import document
from tests.support.server import RunningServer

BEGIN = """
import joblib, os, sys
from trialbook import InputModel, Model, OutputModel, StorageManager, Task

task = Task.init("Frameworks", "models", reuse_last_task_id=False, output_uri=True)
print("TASK", task.id)
"""


def stored(server: RunningServer, top: Path) -> list[str]:
    """Names of the files that the server's store has of models."""
    return sorted(path.name for path in top.rglob("models/*/*") if path.is_file())


def test_what_the_program_stores_itself_is_one_model(run: Run, server: RunningServer, tmp_path: Path) -> None:
    """Whichever comes first, a file has one model, and it is the program's; nothing is left of the other."""
    program = run(
        BEGIN.replace("output_uri=True", "output_uri='store'")
        + """
joblib.dump("automatic", "net.pkl")
explicit = OutputModel(task, name="classifier", comment="mine")
explicit.update_weights("net.pkl")
joblib.dump("later", "net.pkl")

joblib.dump("automatic", "second.pkl")
explicit.update_weights("second.pkl")

first = OutputModel(task, name="first")
open("third.pkl", "wb").write(b"explicit")
first.update_weights("third.pkl")
joblib.dump("later", "third.pkl")

joblib.dump("automatic", "fourth.pkl")
known = task.models.output["fourth"].id
task.update_output_model("fourth.pkl", comment="kept", tags=["good"], model_name="the fourth")
print("FOURTH", known)

joblib.dump("one", os.path.join(os.mkdir("pair") or "pair", "one.pkl"))
joblib.dump("two", os.path.join("pair", "two.pkl"))
pair = OutputModel(task, name="pair")
pair.update_weights_package(weights_path="pair")
joblib.dump("two", os.path.join("pair", "two.pkl"))
task.flush(wait_for_uploads=True)
print("CLASSIFIER", joblib.load(explicit.get_weights()), explicit.id)
"""
    )
    task = program.wait_for("TASK")
    found = models(server, task, "output")
    assert {model["name"] for model in found.values()} == {"classifier", "first", "the fourth", "pair"}
    everything = server.call("models.get_all", {"task": [task], "only_fields": ["name"]})["models"]
    assert len(everything) == 4
    assert program.wait_for("CLASSIFIER").split()[0] == "automatic"
    assert found["classifier"]["comment"] == "mine"
    # What the library knew of it stays known.
    assert found["classifier"]["framework"] == "joblib"
    fourth = found["fourth"]
    assert fourth["id"] == program.wait_for("FOURTH")
    assert (fourth["comment"], fourth["tags"], fourth["name"]) == ("kept", ["good"], "the fourth")
    # The classifier's own first file is not another's.
    assert stored(server, tmp_path / "store") == [
        "fourth.pkl",
        "net.pkl",
        "pair.zip",
        "second.pkl",
        "third.pkl",
    ]
    assert program.said("Traceback") == []


def test_a_published_model_is_left_alone(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN
        + """
joblib.dump(1, "net.pkl")
task.flush(wait_for_uploads=True)
published = task.models.output["net"]
published.publish()
joblib.dump(2, "net.pkl")
joblib.dump(3, "net.pkl")
task.flush(wait_for_uploads=True)
print("IDS", *[model.id for model in task.models.output])
print("CONTENT", *[joblib.load(model.get_weights(force_download=True)) for model in task.models.output])
task.close()
task = Task.init("Frameworks", "models", continue_last_task=task.id)
joblib.dump(4, "net.pkl")
task.flush(wait_for_uploads=True)
print("THEN", *[model.id for model in task.models.output])
print("CONTENT", *[joblib.load(model.get_weights(force_download=True)) for model in task.models.output])
"""
    )
    assert program.said("CONTENT") == ["1 3", "1 4"]
    # The run that goes on takes up the model that is still open.
    assert program.wait_for("THEN") == program.wait_for("IDS")


def test_a_fetched_file_is_the_model_that_it_came_from(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN
        + """
joblib.dump(1, "net.pkl")
task.flush(wait_for_uploads=True)
made = task.models.output["net"]
joblib.load(made.get_weights())
url = made.url
task.close()
print("MADE", made.id)
task = Task.init("Frameworks", "readers", reuse_last_task_id=False)
joblib.load(StorageManager.get_local_copy(url))
joblib.load(InputModel(made.id).get_weights())
joblib.load("net.pkl")
print("READER", task.id)
task.close()
task = Task.init("Frameworks", "other readers", reuse_last_task_id=False)
joblib.load("net.pkl")
print("OTHER", task.id)
"""
    )
    assert document(server, program.wait_for("TASK"))["models"]["input"] == []
    read = models(server, program.wait_for("READER"), "input")
    local = (program.home / "net.pkl").as_uri()
    assert len(read) == 2
    assert {model["id"] for model in read.values() if model["uri"] != local} == {program.wait_for("MADE")}
    # The same address is the same model in every run.
    other = models(server, program.wait_for("OTHER"), "input")
    assert [model["id"] for model in other.values()] == [m["id"] for m in read.values() if m["uri"] == local]


def test_names_of_one_kind_have_models_of_their_own(run: Run, server: RunningServer) -> None:
    program = run(
        BEGIN
        + """
for name in ("a/net.pkl", "b/net.pkl", "b/net.bin", "a/net.pkl"):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    joblib.dump(name, name)
task.flush(wait_for_uploads=True)
for name in task.models.output.keys():
    print("NAMED", name, joblib.load(task.models.output[name].get_weights()))
"""
    )
    assert program.said("NAMED") == ["net a/net.pkl", "b/net b/net.pkl", "b/net.bin b/net.bin"]


def test_a_failure_inside_never_reaches_the_program(run: Run, server: RunningServer) -> None:
    """The disk of the journal is gone, say: the file is written, the program goes on, the log tells it once."""
    program = run(
        BEGIN
        + """
import shutil
from trialbook.sdk.models import OutputModel as Real

def broken(*_, **__):
    raise OSError(28, "no room")

Real.update_weights = broken
print("DUMPED", joblib.dump(1, "net.pkl"), joblib.dump(2, "net.pkl"), joblib.load("net.pkl"))
"""
    )
    assert program.wait_for("DUMPED") == "['net.pkl'] ['net.pkl'] 2"
    assert program.text.count("no room") >= 1


def test_a_program_that_reads_its_data_that_way_lists_the_first_files(
    run: Run, server: RunningServer
) -> None:
    program = run(
        BEGIN
        + """
import pickle
import trialbook.sdk.models.watched as watched

watched._MOST_READ = 3
for number in range(6):
    with open(f"{number}.pkl", "wb") as file:
        pickle.dump(number, file)
print("READ", [joblib.load(f"{number}.pkl") for number in range(6)])
"""
    )
    assert program.wait_for("READ") == "[0, 1, 2, 3, 4, 5]"
    assert sorted(models(server, program.wait_for("TASK"), "input")) == ["0", "1", "2"]
    assert program.text.count("further ones are not listed") == 1
