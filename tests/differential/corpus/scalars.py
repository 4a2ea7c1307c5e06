"""Scalars: kinds of numbers, single values, iterations, and what is read back."""

from typing import Any

import numpy as np


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Report numbers of all kinds."""
    logger = task.get_logger()
    for name, value in {
        "int": 1,
        "float": 0.25,
        "numpy": np.float32(0.5),
        "zero dimensions": np.array(2.0),
        "one": np.array([3.0]),
        "bool": True,
        "big": 2**60,
        "nan": float("nan"),
        "inf": float("inf"),
        "text": "1.5",
        "none": None,
        "words": "words",
    }.items():
        answers(name, lambda name=name, value=value: logger.report_scalar("kinds", name, value, 1))
        answers(
            f"single {name}",
            lambda name=name, value=value: logger.report_single_value(f"single {name}", value),
        )
    for step in range(20):
        logger.report_scalar("loss", "train", 1 / (step + 1), step)
    answers("twice", lambda: [logger.report_scalar("twice", "t", value, 3) for value in (1, 2)])
    answers("negative", lambda: logger.report_scalar("steps", "negative", 1, -3))
    answers("numpy step", lambda: logger.report_scalar("steps", "numpy", 1, np.int64(4)))
    answers("float step", lambda: logger.report_scalar("steps", "float", 1, 4.0))
    answers("odd", lambda: logger.report_scalar("a/b.c $x", "ü:?", 1, 1))
    answers("flush", lambda: task.flush(wait_for_uploads=True))
    answers("last iteration", task.get_last_iteration)
    answers("reported", task.get_reported_scalars)
    answers("reported by time", lambda: sorted(task.get_reported_scalars(x_axis="timestamp")))
    answers("few", lambda: task.get_reported_scalars(max_samples=5)["loss"]["train"].keys() and True)
    answers("last", lambda: task.get_last_scalar_metrics()["loss"])
    answers("last odd", lambda: task.get_last_scalar_metrics().get("a/b.c $x"))
    answers("singles", task.get_reported_single_values)
    answers("single", lambda: task.get_reported_single_value("single int"))
    answers("no single", lambda: task.get_reported_single_value("no such"))
    answers("initial", lambda: task.set_initial_iteration(100))
    answers("after", lambda: logger.report_scalar("after", "a", 1, 1))
    answers("flush again", lambda: task.flush(wait_for_uploads=True))
    answers("last iteration after", task.get_last_iteration)
    answers("initial read", task.get_initial_iteration)
