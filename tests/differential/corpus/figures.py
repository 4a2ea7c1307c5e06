"""Plots of every kind."""

from typing import Any

import numpy as np
import pandas as pd


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Report each kind of plot with plain and with unusual arguments."""
    logger = task.get_logger()
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, None]}, index=["r", "s"])
    answers("histogram", lambda: logger.report_histogram("histogram", "list", [1, 5, 2], 1))
    answers("histogram bare", lambda: logger.report_histogram("histogram", "bare", values=np.array([1, 5])))
    answers(
        "histogram rows",
        lambda: logger.report_histogram(
            "histogram",
            "rows",
            [[1, 2], [3, 4]],
            1,
            labels=["a", "b"],
            xlabels=["x", "y"],
            xaxis="X",
            yaxis="Y",
        ),
    )
    answers(
        "histogram mode", lambda: logger.report_histogram("histogram", "stack", [[1], [2]], 1, mode="stack")
    )
    answers("vector", lambda: logger.report_vector("vector", "v", [1, 2], 1, xaxis="X"))
    answers("table", lambda: logger.report_table("table", "frame", 1, table_plot=frame))
    answers("table rows", lambda: logger.report_table("table", "rows", 1, table_plot=[["a", "b"], [1, 2]]))
    answers("table url", lambda: logger.report_table("table", "url", 1, url="https://example.invalid/a.csv"))
    answers("lines bare", lambda: logger.report_line_plot("lines", [], "X", "Y", iteration=1))
    for name, points in {"array": np.array([[0, 1], [1, 2]]), "list": [(0, 1), (1, 2)]}.items():
        answers(
            f"scatter {name}",
            lambda name=name, points=points: logger.report_scatter2d("scatter", name, points, 1),
        )
    answers(
        "scatter full",
        lambda: logger.report_scatter2d(
            "scatter", "full", [(0, 1)], 1, xaxis="X", yaxis="Y", labels=["p"], mode="markers", comment="c"
        ),
    )
    answers("cloud", lambda: logger.report_scatter3d("cloud", "c", [(0, 1, 2), (1, 2, 3)], 1, zaxis="Z"))
    answers(
        "cloud labels",
        lambda: logger.report_scatter3d("cloud", "l", [(0, 1, 2)], 1, labels=["p"], mode="lines"),
    )
    answers("confusion", lambda: logger.report_confusion_matrix("confusion", "c", np.eye(2), 1))
    answers(
        "confusion full",
        lambda: logger.report_confusion_matrix(
            "confusion",
            "full",
            [[5, 1], [2, 7]],
            1,
            xaxis="X",
            yaxis="Y",
            xlabels=["a", "b"],
            ylabels=["c", "d"],
            yaxis_reversed=True,
        ),
    )
    answers("matrix", lambda: logger.report_matrix("matrix", "m", np.eye(2), 1))
    answers(
        "surface", lambda: logger.report_surface("surface", "s", np.eye(2), 1, zaxis="Z", camera=(1, 2, 3))
    )
    answers(
        "plotly",
        lambda: logger.report_plotly(
            "plotly", "p", {"data": [{"type": "bar", "y": [1]}], "layout": {"title": "t"}}, 1
        ),
    )
    answers("layout", lambda: logger.report_vector("layout", "v", [1], 1, extra_layout={"height": 300}))
    answers("empty", lambda: logger.report_histogram("histogram", "empty", [], 1))
    answers("not a number", lambda: logger.report_scatter2d("scatter", "nan", [(0, float("nan"))], 1))
    answers("odd", lambda: logger.report_vector("a/b c", "ü:$.", [1], 1))
