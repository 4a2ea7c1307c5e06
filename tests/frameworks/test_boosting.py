"""XGBoost, LightGBM and CatBoost."""

import json
from typing import Any

from tests.frameworks.conftest import Run
from tests.frameworks.records import models, parameters
from tests.integration.program import document, points
from tests.support.server import RunningServer

DATA = """
import json
import numpy as np
from trialbook import Task

random = np.random.default_rng(0)
x = random.normal(size=(200, 4))
y = x[:, 0] + 0.1 * random.normal(size=200)
train, held = (x[:150], y[:150]), (x[150:], y[150:])


def begin(name, **wanted):
    task = Task.init("Frameworks", name, reuse_last_task_id=False, auto_connect_frameworks=wanted or True)
    print(name.upper(), task.id)
    return task
"""

XGBOOST = (
    DATA
    + """
def work():
    import xgboost
    results = {}
    data, other = xgboost.DMatrix(*train), xgboost.DMatrix(*held)
    evals = [(data, "train"), (other, "held")]
    wanted = {"max_depth": 2, "objective": "reg:squarederror"}
    booster = xgboost.train(wanted, data, 5, evals=evals, evals_result=results, verbose_eval=False)
    booster.save_model("booster.ubj")
    model = xgboost.XGBRegressor(n_estimators=3, max_depth=3, eval_metric="mae")
    model.fit(*train, eval_set=[held], verbose=False)
    model.save_model("regressor.json")
    answers = [booster.predict(other).tolist(), model.predict(held[0]).tolist()]
    return xgboost, {**results, **model.evals_result()}, answers


task = begin("on")
xgboost, results, answers = work()
print("RESULTS", json.dumps(results))
print("NAMES", xgboost.train.__name__, xgboost.train.__module__)
task.close()
functions = xgboost.train, xgboost.sklearn.train, xgboost.Booster.save_model, xgboost.XGBModel.save_model
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])
task = begin("off", xgboost=False)
print("SAME", work()[2] == answers)
task.close()
task = begin("loads")
xgboost.Booster(model_file="booster.ubj")
xgboost.XGBRegressor().load_model("regressor.json")
xgboost.Booster().load_model(bytearray(xgboost.Booster(model_file="booster.ubj").save_raw()))
task.close()
"""
)


def curves(server: RunningServer, task: str) -> dict[str, list[float]]:
    """Values in order of rounds, which are all there."""
    found = {}
    for name, series in points(server, task).items():
        if not name.startswith(":monitor:"):
            assert series["iter"] == list(range(len(series["iter"])))
            found[name] = series["value"]
    return found


def test_T32_xgboost_models_rounds_and_parameters(run: Run, server: RunningServer) -> None:
    program = run(XGBOOST)
    task = program.wait_for("ON")
    made = models(server, task, "output")
    assert {name: model["framework"] for name, model in made.items()} == {
        "booster": "XGBoost",
        "regressor": "XGBoost",
    }
    results: dict[str, Any] = json.loads(program.wait_for("RESULTS"))
    expected = {
        f"{data}/{metric}": values for data, each in results.items() for metric, values in each.items()
    }
    # The second training of a run has charts of its own.
    expected["validation_0 - 1/mae"] = expected.pop("validation_0/mae")
    assert set(expected) == {"train/rmse", "held/rmse", "validation_0 - 1/mae"}
    assert curves(server, task) == expected
    assert parameters(server, task, "XGBoost") == {
        "max_depth": "3",
        "objective": "reg:squarederror",
        "num_boost_round": "3",
        "eval_metric": "mae",
    }
    assert program.wait_for("NAMES") == "train xgboost.training"
    assert program.wait_for("OURS") == "[]"
    assert program.wait_for("SAME") == "True"
    off = program.wait_for("OFF")
    assert document(server, off)["models"] == {"input": [], "output": []}
    assert curves(server, off) == {} and parameters(server, off, "XGBoost") == {}
    assert sorted(models(server, program.wait_for("LOADS"), "input")) == ["booster", "regressor"]


LIGHTGBM = (
    DATA
    + """
import lightgbm


def work():
    results = {}
    data = lightgbm.Dataset(*train)
    other = data.create_valid(*held)
    stop = lightgbm.early_stopping(2, verbose=False)
    wanted = {"num_leaves": 4, "metric": ["l1"], "verbose": -1, "learning_rate": 0.9}
    callbacks = [stop, lightgbm.record_evaluation(results)]
    booster = lightgbm.train(wanted, data, 40, [data, other], ["train", "held out"], callbacks=callbacks)
    booster.save_model("booster.txt")
    model = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1)
    model.fit(*train, eval_set=[held])
    return {**results, **model.evals_result_}, [booster.predict(held[0]).tolist(), model.predict(held[0]).tolist()]


task = begin("on")
results, answers = work()
print("RESULTS", json.dumps(results))
task.close()
functions = lightgbm.train, lightgbm.sklearn.train, lightgbm.Booster.save_model, lightgbm.Booster.__init__
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])
task = begin("off", lightgbm=False)
print("SAME", work()[1] == answers)
task.close()
task = begin("loads")
lightgbm.Booster(model_file="booster.txt")
lightgbm.train({"verbose": -1}, lightgbm.Dataset(*train), 1, init_model="booster.txt")
task.close()
"""
)


def test_T32_lightgbm_models_rounds_and_parameters(run: Run, server: RunningServer) -> None:
    program = run(LIGHTGBM)
    task = program.wait_for("ON")
    made = models(server, task, "output")
    assert {name: model["framework"] for name, model in made.items()} == {"booster": "LightGBM"}
    results: dict[str, Any] = json.loads(program.wait_for("RESULTS"))
    # The round that stopped it is there as well.
    assert 2 < len(results["held out"]["l1"]) < 40
    expected = {
        f"{data}/{metric}": values for data, each in results.items() for metric, values in each.items()
    }
    assert curves(server, task) == expected
    known = parameters(server, task, "LightGBM")
    assert known["num_leaves"] == "31" and known["num_boost_round"] == "3" and known["learning_rate"] == "0.1"
    assert program.wait_for("OURS") == "[]"
    assert program.wait_for("SAME") == "True"
    off = program.wait_for("OFF")
    assert document(server, off)["models"] == {"input": [], "output": []}
    assert curves(server, off) == {} and parameters(server, off, "LightGBM") == {}
    assert sorted(models(server, program.wait_for("LOADS"), "input")) == ["booster"]


CATBOOST = (
    DATA
    + """
def work():
    import catboost
    model = catboost.CatBoostRegressor(iterations=10, depth=2, verbose=False, allow_writing_files=False, thread_count=1)
    model.fit(*train, eval_set=held)
    model.save_model("model.cbm")
    sparse = catboost.CatBoostClassifier(iterations=10, verbose=False, allow_writing_files=False, thread_count=1)
    sparse.fit(train[0], train[1] > 0, metric_period=4)
    return catboost, model.get_evals_result(), [model.predict(held[0]).tolist()]


task = begin("on")
catboost, results, answers = work()
print("RESULTS", json.dumps(results))
task.close()
functions = catboost.CatBoost.fit, catboost.CatBoostRegressor.fit, catboost.CatBoost.save_model
print("OURS", [one for one in functions if "trialbook" in one.__code__.co_filename])
task = begin("off", catboost=False)
print("SAME", work()[2] == answers)
task.close()
task = begin("loads")
catboost.CatBoostRegressor().load_model("model.cbm")
task.close()
"""
)


def test_T32_catboost_models_curves_and_parameters(run: Run, server: RunningServer) -> None:
    program = run(CATBOOST)
    task = program.wait_for("ON")
    made = models(server, task, "output")
    assert {name: model["framework"] for name, model in made.items()} == {"model": "CatBoost"}
    results: dict[str, Any] = json.loads(program.wait_for("RESULTS"))
    found = {
        name: series for name, series in points(server, task).items() if not name.startswith(":monitor:")
    }
    assert found.pop("learn - 1/Logloss")["iter"] == [0, 4, 8, 9]
    assert found == {
        f"{data}/{metric}": {"iter": list(range(10)), "value": values}
        for data, each in results.items()
        for metric, values in each.items()
    }
    assert parameters(server, task, "CatBoost")["iterations"] == "10"
    assert program.wait_for("OURS") == "[]"
    assert program.wait_for("SAME") == "True"
    off = program.wait_for("OFF")
    assert document(server, off)["models"] == {"input": [], "output": []}
    assert curves(server, off) == {} and parameters(server, off, "CatBoost") == {}
    assert sorted(models(server, program.wait_for("LOADS"), "input")) == ["model"]
