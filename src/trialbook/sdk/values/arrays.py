"""Arrays and scalars of numpy, and tensors, as plain values and back; the libraries are those that the program uses."""

import array
import sys
from typing import Any

from trialbook.sdk.values import literals


def is_array(value: Any) -> bool:
    """Whether it is a numpy array, scalar or dtype, a tensor, or another array that makes a list of itself."""
    if isinstance(value, (type, memoryview)):
        return False
    # Of its type: objects with attributes of any name are not arrays.
    return hasattr(type(value), "tolist") or _is_dtype(value)


def plain(value: Any) -> Any:
    """Its items as lists of Python's numbers; times as texts."""
    if _is_dtype(value):
        return str(value)
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "M":
        return value.astype(str).tolist()
    if kind == "m":
        return value.astype("int64").tolist()
    return value.tolist()


def read(text: str, example: Any) -> Any:
    """The text in the type of the example.

    Raises:
        ValueError: it cannot be; also TypeError and OverflowError of the library.
    """
    module = type(example).__module__.partition(".")[0]
    if isinstance(example, array.array):
        return array.array(example.typecode, _listed(literals.read(text)))
    if module == "numpy":
        return _numpy(text, example)
    if hasattr(type(example), "new_tensor"):
        made = sys.modules["torch"].tensor(literals.read(text))
        if example.dim() and not made.dim():
            made = made.reshape(1)
        narrower = made.is_floating_point() and not example.is_floating_point()
        return made.to(example.device) if narrower else made.to(example.device, example.dtype)
    raise ValueError(f"a {type(example).__name__} cannot be read from a string")


def _numpy(text: str, example: Any) -> Any:
    numpy = sys.modules["numpy"]
    if _is_dtype(example):
        return numpy.dtype(text)
    if isinstance(example, numpy.ndarray):
        return _array(numpy, literals.read(text), example)
    kind = type(example)
    if isinstance(example, numpy.bool_):
        lowered = text.strip().lower()
        return kind(
            lowered in ("true", "yes", "on") or (lowered[:1] in "-.0123456789" and float(lowered) != 0)
        )
    if isinstance(example, numpy.integer) and not isinstance(example, numpy.timedelta64):
        try:
            return kind(int(text))
        except ValueError:
            number = float(text)
            # A fraction keeps its digits, as it does for Python's own numbers.
            return kind(int(number)) if number.is_integer() and "." not in text else numpy.float64(number)
    if isinstance(example, numpy.timedelta64):
        return numpy.timedelta64(int(text), numpy.datetime_data(example.dtype))
    if isinstance(example, numpy.datetime64):
        return numpy.datetime64(text, numpy.datetime_data(example.dtype))
    if isinstance(example, numpy.complexfloating):
        return kind(complex(text))
    if isinstance(example, (numpy.floating, numpy.str_)):
        return kind(text)
    if isinstance(example, numpy.bytes_):
        return kind(literals.read(text))
    raise ValueError(f"a {kind.__name__} cannot be read from a string")


def _array(numpy: Any, value: Any, example: Any) -> Any:
    if example.dtype.names:
        raise ValueError("an array of records cannot be read from a string")
    if example.ndim and not isinstance(value, (list, tuple)):
        value = list(value) if isinstance(value, (set, range)) else [value]
    wanted = example.dtype
    made = numpy.array(value)
    # Longer texts would be cut, fractions would be cut off.
    wider = wanted.kind in "US" or (wanted.kind in "iu" and made.dtype.kind in "fc" and made.size)
    return made if wider else numpy.array(value, dtype=wanted)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_dtype(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, "dtype", ()))
