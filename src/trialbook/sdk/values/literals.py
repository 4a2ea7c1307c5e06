"""Values as JSON or Python writes them, read back. Nothing is run: only the forms that are named here are known."""

import ast
import json
from collections import deque
from collections.abc import Callable
from typing import Any

_NAMES = {
    **{"nan": float("nan"), "NaN": float("nan"), "inf": float("inf"), "Infinity": float("inf")},
    **{"infj": complex(0.0, float("inf")), "nanj": complex(0.0, float("nan"))},
    **{"true": True, "false": False, "null": None},
}
_CALLS: dict[str, Callable[..., Any]] = {
    **{"set": set, "frozenset": frozenset, "range": range},
    **{"bytearray": bytearray, "deque": deque},
}


def read(text: str) -> Any:
    """The value that a text writes.

    Args:
        text: a number, a text in quotes, a list, tuple, set or dict, in JSON or in Python; ``nan``, ``inf``, ``set()``,
            ``frozenset({1})``, ``range(3)`` and complex numbers as well.

    Raises:
        ValueError: it is none of them.

    Example:
        >>> read("[1, true, {'a': (2, -inf)}]")
        [1, True, {'a': (2, -inf)}]
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:100]!r} is not a value: {error}") from error


def _value(node: ast.AST) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +_value(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            real, imaginary = _value(left), _value(right)
            if isinstance(imaginary, complex) and isinstance(real, (int, float)):
                return real + imaginary if isinstance(sign, ast.Add) else real - imaginary
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(key): _value(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _CALLS:
            return _CALLS[name](*(_value(argument) for argument in arguments))
    raise ValueError(f"{ast.unparse(node)[:100]} is not a plain value")
