"""Parameters of a draft: what replaces and what adds; configuration objects and labels."""

import pathlib
from typing import Any

from clearml import Task


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Fill a draft and the run, and read both."""
    draft = Task.create(project_name=task.get_project_name(), task_name="draft")
    tasks["draft"] = draft.id
    answers("set", lambda: draft.set_parameters({"A/a": 1, "A/b": "x", "c": 2.5}))
    answers("set again", lambda: draft.set_parameters({"A/a": 2}))
    answers("after", draft.get_parameters)
    answers("as words", lambda: draft.set_parameters({"B/a": 1}, {"B/b": 2}, **{"B/c": 3}))
    answers("after words", draft.get_parameters)
    answers("nested", lambda: draft.set_parameters_as_dict({"C": {"x": 1, "deep": {"y": [1]}}, "loose": 4}))
    answers("after nested", draft.get_parameters)
    answers("after nested, nested", draft.get_parameters_as_dict)

    answers("configuration dict", lambda: task.connect_configuration({"w": 1, "d": {"x": None}}, name="dict"))
    answers("configuration list", lambda: task.connect_configuration([1, {"a": 2}], name="list"))
    text = pathlib.Path("config.yaml")
    text.write_text("width: 3  # comment\n")
    answers(
        "configuration file",
        lambda: pathlib.Path(task.connect_configuration(text, name="file", description="a file")).read_text(),
    )
    answers(
        "configuration text path",
        lambda: pathlib.Path(task.connect_configuration(str(text), name="text path")).name,
    )
    answers("configuration unnamed", lambda: task.connect_configuration({"a": "ü"}))
    answers(
        "configuration described", lambda: task.connect_configuration({"a": 1}, "described", "what it is")
    )
    answers("configuration set", lambda: task.set_configuration_object("set", config_text="a = 1"))
    answers(
        "configuration set typed",
        lambda: task.set_configuration_object("typed", "x", description="d", config_type="yaml"),
    )
    answers(
        "configuration set dict",
        lambda: task.set_configuration_object("as dict", config_dict={"k": [1, None]}),
    )
    for name in ("dict", "list", "file", "set", "as dict", "unknown"):
        answers(f"object {name}", lambda name=name: task.get_configuration_object(name))
        answers(f"object {name} as dict", lambda name=name: task.get_configuration_object_as_dict(name))
    answers("objects", task.get_configuration_objects)
    answers("labels", lambda: task.connect_label_enumeration({"cat": 0, "dog": 1}))
    answers("labels with floats", lambda: task.connect_label_enumeration({"cat": 0.5}))
    answers("labels read", task.get_labels_enumeration)
    answers("labels read 2", task.get_label_num_description)
    answers("model config", lambda: task.set_model_label_enumeration({"a": 1}))
    answers("model labels read", task.get_labels_enumeration)
    answers("design", lambda: task.set_model_config(config_text="layers = 2"))
    answers("design read", task.get_model_config_text)
    answers("design read as dict", task.get_model_config_dict)
