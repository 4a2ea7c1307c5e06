"""joblib and scikit-learn."""

from tests.frameworks.conftest import Run
from tests.frameworks.records import models
from tests.support.server import RunningServer

BEGIN = """
from trialbook import Task
task = Task.init("Frameworks", "joblib", reuse_last_task_id=False, output_uri={output})
print("TASK", task.id)
"""


def test_what_is_dumped_becomes_an_output_model_with_the_content_of_that_moment(
    run: Run, server: RunningServer
) -> None:
    program = run(
        BEGIN.format(output=True)
        + """
def train():
    import joblib, os
    from sklearn.linear_model import LogisticRegression
    joblib.dump(LogisticRegression(C=3.0), "net.pkl")
    os.remove("net.pkl")
train()
task.flush(wait_for_uploads=True)
import joblib
print("C", joblib.load(task.models.output["net"].get_weights()).C)
"""
    )
    assert program.wait_for("C") == "3.0"
    found = models(server, program.wait_for("TASK"), "output")
    assert found["net"]["framework"] == "ScikitLearn"
    assert str(found["net"]["uri"]).startswith(server.url)


def test_an_estimator_is_of_the_library_that_its_class_comes_from(run: Run, server: RunningServer) -> None:
    """Whatever makes the class; and plain ``pickle`` is the program's own business."""
    program = run(
        BEGIN.format(output=None)
        + """
import joblib, pickle
import xgboost, lightgbm
from sklearn.pipeline import make_pipeline

class Mine(lightgbm.LGBMRegressor):
    pass

joblib.dump(xgboost.XGBRegressor(), "trees.pkl")
joblib.dump(Mine(), "mine.pkl")
joblib.dump(make_pipeline(xgboost.XGBRegressor()), "line.pkl")
joblib.dump([1], "list.pkl")
with open("plain.pkl", "wb") as file:
    pickle.dump(1, file)
    joblib.dump(1, file)
joblib.load("trees.pkl")
"""
    )
    found = models(server, program.wait_for("TASK"), "output")
    assert {name: model["framework"] for name, model in found.items()} == {
        "trees": "XGBoost",
        "mine": "LightGBM",
        "line": "ScikitLearn",
        "list": "joblib",
    }
