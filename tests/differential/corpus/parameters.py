"""Parameters of every kind, by every door, and what is read back."""

import argparse
import enum
import pathlib
from collections import OrderedDict
from typing import Any

import numpy as np


class Colour(enum.Enum):
    """A choice."""

    RED = 1
    BLUE = 2


class Settings:
    """A class with plain values."""

    batch = 32
    name = "x"
    _hidden = 1


KINDS: dict[str, Any] = {
    "int": 1,
    "big": 2**70,
    "float": 0.1,
    "whole": 2.0,
    "tiny": 1e-12,
    "inf": float("inf"),
    "yes": True,
    "none": None,
    "text": "adam",
    "empty": "",
    "number text": "1",
    "true text": "true",
    "umlaut": "größe €",
    "lines": "a\nb",
    "list": [1, 2],
    "mixed": [1, "a", None, 2.5],
    "nested list": [[1], [2, 3]],
    "no list": [],
    "tuple": (1, 2),
    "no tuple": (),
    "no dict": {},
    "path": pathlib.PurePosixPath("a/b"),
    "enum": Colour.RED,
    "numpy int": np.int64(3),
    "numpy float": np.float32(0.5),
    "array": np.arange(3),
    "deep": {"x": 1, "y": {"z": [1]}},
    "slash/key": 1,
    "dot.key": 2,
    " blank ": 3,
    "$dollar": 4,
    7: "int key",
    "ordered": OrderedDict(a=1),
    "in list": [{"a": 1}],
    "function": len,
    "class": dict,
    "bytes": b"abc",
    "complex": 1 + 2j,
    "range": range(3),
    "set": {1},
}


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Connect, set, update, delete; ask by each getter after it."""
    for key, value in KINDS.items():
        answers(f"connect {key}", lambda key=key, value=value: task.connect({key: value}, name="Kinds"))
    answers("connect a class", lambda: task.connect(Settings, name="Class") is Settings)
    thing = Settings()
    thing.batch = 64
    answers("connect an object", lambda: task.connect(thing, name="Object") is thing)
    answers("connect without a name", lambda: task.connect({"a": 1, "b": {"c": 2}}))
    answers("connect twice", lambda: task.connect({"a": 5, "d": 2}))

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3, help="how often")
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--flag", action="store_true")
    parser.add_argument("--off", action="store_false")
    parser.add_argument("--many", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--choice", choices=["a", "b"], default="a")
    parser.add_argument("--nothing", default=None)
    parser.add_argument("--count", action="count", default=0)
    answers("parsed", lambda: vars(parser.parse_args(["--epochs", "5", "--many", "3", "4"])))

    answers("set float", lambda: task.set_parameter("Set/float", 0.5))
    answers("set float by text", lambda: task.set_parameter("Set/float", "2.5"))
    answers(
        "set int by text", lambda: (task.set_parameter("Set/int", 1), task.set_parameter("Set/int", "9"))[0]
    )
    answers("set described", lambda: task.set_parameter("Set/described", 1, "what it is"))
    answers("set typed", lambda: task.set_parameter("Set/typed", "3", value_type=int))
    answers("set without section", lambda: task.set_parameter("lonely", 1))
    answers("set none", lambda: task.set_parameter("Set/none", None))
    answers("set list", lambda: task.set_parameter("Set/list", [1, "a"]))
    answers("set dict", lambda: task.set_parameter("Set/dict", {"a": 1}))
    answers("set enum", lambda: task.set_parameter("Set/enum", Colour.BLUE))
    answers("update", lambda: task.update_parameters({"Set/updated": 1, "Set/float": 3.5}))
    answers("update by words", lambda: task.update_parameters({"Set": {"inner": 1}}))
    answers("delete", lambda: task.delete_parameter("Set/typed"))
    answers("delete unknown", lambda: task.delete_parameter("Set/unknown"))

    answers(
        "property words", lambda: task.set_user_properties(backbone="great", stable=True, size=3, half=0.5)
    )
    answers(
        "property full", lambda: task.set_user_properties({"name": "full", "description": "d", "value": 1})
    )
    answers("property mapping", lambda: task.set_user_properties({"mapped": 2}, {"inner": {"value": 3}}))
    answers("property odd", lambda: task.set_user_properties(odd=[1]))
    answers("property deleted", lambda: task.delete_user_properties("stable"))
    answers("property deleted by pair", lambda: task.delete_user_properties(("properties", "size")))
    answers("properties", task.get_user_properties)
    answers("properties as values", lambda: task.get_user_properties(value_only=True))

    answers("get float", lambda: task.get_parameter("Set/float"))
    answers("get float cast", lambda: task.get_parameter("Set/float", cast=True))
    answers("get int cast", lambda: task.get_parameter("Set/int", cast=True))
    answers("get unknown", lambda: task.get_parameter("Set/unknown"))
    answers("get default", lambda: task.get_parameter("Set/unknown", default=5))
    answers("all", task.get_parameters)
    answers("all cast", lambda: task.get_parameters(cast=True))
    answers("nested", task.get_parameters_as_dict)
    answers("nested cast", lambda: task.get_parameters_as_dict(cast=True))
    fresh = type(task).get_task(task_id=task.id)
    answers("fresh", lambda: fresh.get_parameters() == task.get_parameters())
