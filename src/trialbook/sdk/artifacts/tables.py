"""A DataFrame as csv.gz that any program reads, with its types in the comment of the gzip header.

A CSV says nothing of types: "01234" would come back as a number, a category as a text. What it does not say is JSON in
the header's comment (RFC 1952, FCOMMENT), which readers of gzip skip and which travels with the file.
"""

import ast
import base64
import io
import json
import zlib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from trialbook.errors import UsageError

_MARK = b'{"trialbook-table":1,'
_COMMENT = 0x10
_HEADER = bytes((0x1F, 0x8B, 8, _COMMENT, 0, 0, 0, 0, 0, 255))
_MOST_HEADER = 64 << 20
_SIMPLE: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text == "True",
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "literal": ast.literal_eval,
}
_KINDS = tuple(_SIMPLE)
_MISSING = ("None", "nan", "NA", "NaT")


class _UntoldError(UsageError):
    """The table holds what a CSV and a list of types cannot give back."""


def types_of(frame: Any) -> bytes | None:
    """What gives a table back as it is.

    Args:
        frame: a pandas DataFrame.

    Returns:
        For ``write``; None when a CSV and a list of types cannot hold it.
    """
    if frame.index.nlevels > 1 or frame.columns.nlevels > 1:
        return None
    try:
        return _MARK + json.dumps(_types(frame))[1:].encode("ascii")
    except _UntoldError:
        return None


def write(frame: Any, target: Path, types: bytes) -> None:
    """Write a table.

    Args:
        frame: a pandas DataFrame.
        target: the file.
        types: of ``types_of``; empty leaves it to the reader to guess.
    """
    with target.open("wb") as file:
        packed = _Packing(file, types)
        # What is not UTF-8, such as names that os.listdir gives, is kept as well.
        text = io.TextIOWrapper(
            io.BufferedWriter(packed, 1 << 16), "utf-8", errors="surrogatepass", newline=""
        )
        frame.to_csv(text)
        text.close()


def read(path: Path) -> Any:
    """The table of a file that ``write`` made; that of another csv.gz as pandas guesses its types."""
    import pandas

    types = _comment(path)
    if types is None:
        return pandas.read_csv(path, index_col=0)
    described = [types["index"], *types["values"]]
    found = pandas.read_csv(
        path,
        compression="gzip",
        header=0,
        names=list(range(len(described))),
        index_col=False,
        dtype={at: _as_read(one["type"]) for at, one in enumerate(described)},
        na_filter=False,
        skip_blank_lines=False,
        encoding_errors="surrogatepass",
    )
    index = _index(found[0], types["index"])
    values = [(_restored(found[at], one), _index_dtype(one["type"])) for at, one in enumerate(described)]
    columns = {
        at: pandas.Series(array, index=index, dtype=kind) for at, (array, kind) in enumerate(values[1:])
    }
    frame = pandas.DataFrame(columns, index=index)
    frame.columns = _labels(types["labels"], types["columns"])
    return frame


class _Packing(io.RawIOBase):
    """One gzip member with a comment; closing it leaves the file open."""

    def __init__(self, file: Any, comment: bytes) -> None:
        self._file, self._crc, self._size = file, 0, 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        file.write(_HEADER + comment + b"\0")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._file.write(self._packer.compress(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            end = self._crc.to_bytes(4, "little") + (self._size % 2**32).to_bytes(4, "little")
            self._file.write(self._packer.flush() + end)
        super().close()


def _comment(path: Path) -> Any:
    with path.open("rb") as file:
        if file.read(len(_HEADER))[:4] != _HEADER[:4] or file.read(len(_MARK)) != _MARK:
            return None
        text = bytearray(b"{")
        while b"\0" not in text and len(text) < _MOST_HEADER:
            block = file.read(1 << 16)
            if not block:
                return None
            text += block
        return json.loads(text[: text.index(0)])


# -- what is kept of a column -----------------------------------------------------------------------------------------


def _types(frame: Any) -> dict[str, Any]:
    labels = frame.columns
    return {
        "index": _described_index(frame.index),
        "columns": _described_index(labels),
        "labels": [_text(label) for label in labels],
        "values": [
            _described(frame.iloc[:, at].array, frame.iloc[:, at].dtype) for at in range(frame.shape[1])
        ],
    }


def _described_index(index: Any) -> dict[str, Any]:
    name = _described_label(index.name)
    span = [index.start, index.stop, index.step] if type(index).__name__ == "RangeIndex" else None
    return {
        **_described(index.array, index.dtype),
        "name": name,
        "range": span,
        "freq": getattr(index, "freqstr", None) if hasattr(index, "freq") else None,
    }


def _described_label(label: Any) -> list[str] | None:
    if label is None:
        return None
    kind = type(label).__name__
    if kind not in ("str", "int", "float", "bool"):
        raise _UntoldError(f"a name of the type {kind}")
    return [kind, str(label)]


def _described(values: Any, dtype: Any) -> dict[str, Any]:
    name = str(dtype)
    if name == "category":
        categories = dtype.categories
        below = _described(categories.array, categories.dtype)
        return {
            "type": "category",
            "ordered": bool(dtype.ordered),
            "categories": [_text(category) for category in categories],
            "of": below,
            "codes": _shrunk(values.codes.astype("<i4").tobytes()),
        }
    if type(dtype).__name__ == "StringDtype":
        kind = name if name == "str" else f"string[{dtype.storage}]"
        _check_texts(values)
        return {"type": kind, **_missing(values)}
    if name == "object":
        return {"type": "object", **_missing(values), **_kinds(values)}
    plain = getattr(dtype, "kind", "") in "iufb" and (name[0].islower() or name[0] in "IUF")
    known = plain and "[" not in name and name != "float128"
    if known or name == "boolean" or name.startswith(("datetime64[", "timedelta64[", "period[")):
        return {"type": name}
    raise _UntoldError(f"a column of the type {name}")


def _missing(values: Any) -> dict[str, Any]:
    import pandas

    absent = pandas.isna(values)
    if not absent.any():
        return {}
    codes = bytes(_code(value) if gone else 0 for value, gone in zip(values, absent, strict=True))
    return {"missing": _shrunk(codes)}


def _code(value: Any) -> int:
    name = "None" if value is None else {"NAType": "NA", "NaTType": "NaT"}.get(type(value).__name__, "nan")
    return _MISSING.index(name) + 1


def _kinds(values: Any) -> dict[str, Any]:
    """Of objects the type of each; nothing when all are texts."""
    import pandas

    codes = bytearray()
    for value, gone in zip(values, pandas.isna(values), strict=True):
        kind = type(value).__name__
        if gone:
            codes.append(0)
        elif kind in _SIMPLE and type(value).__module__ in ("builtins", "datetime", "decimal"):
            if kind == "datetime" and value.tzinfo is not None:
                raise _UntoldError("a moment of a zone that its text does not name")
            codes.append(_KINDS.index(kind))
        elif _is_literal(value):
            codes.append(_KINDS.index("literal"))
        else:
            raise _UntoldError(f"an object of the type {kind}")
    _check_texts(values)
    return {"kinds": _shrunk(bytes(codes))} if any(codes) else {}


def _is_literal(value: Any) -> bool:
    if type(value) not in (list, tuple, dict, set, bytes, complex):
        return False
    try:
        again = ast.literal_eval(str(value))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    # 1, 1.0 and True are equal; what they are called tells them apart.
    return type(again) is type(value) and repr(again) == repr(value)


def _check_texts(values: Any) -> None:
    if any("\0" in value for value in values if isinstance(value, str)):
        raise _UntoldError("a text with the character 0")


def _text(label: Any) -> str:
    return "" if label is None else str(label)


def _shrunk(codes: bytes) -> str:
    return base64.b85encode(zlib.compress(codes)).decode("ascii")


def _grown(text: str) -> bytes:
    return zlib.decompress(base64.b85decode(text))


# -- and made of it again ---------------------------------------------------------------------------------------------


def _as_read(kind: str) -> str:
    """The type in which pandas reads a column; what needs more care is read as text."""
    return kind if kind.startswith(("int", "uint", "bool")) and kind != "boolean" else "object"


def _restored(texts: Any, described: dict[str, Any]) -> Any:
    import numpy
    import pandas

    kind = described["type"]
    if kind == "category":
        categories = _labels(described["categories"], described["of"])
        codes = numpy.frombuffer(_grown(described["codes"]), "<i4")
        return pandas.Categorical.from_codes(codes, categories=categories, ordered=described["ordered"])
    if kind == "object" or kind == "str" or kind.startswith("string["):
        values = _objects(texts, described)
        if kind != "object":
            return pandas.array(values, dtype=kind)
        filled = numpy.empty(len(values), dtype=object)
        for at, value in enumerate(values):
            filled[at] = value
        return filled
    if kind.startswith("datetime64[") and "," not in kind:
        return numpy.array([text or "NaT" for text in texts], dtype=kind)
    if kind.startswith("datetime64["):
        moments = [pandas.Timestamp(text) if text else pandas.NaT for text in texts]
        return pandas.Series(pandas.to_datetime(moments, utc=True)).astype(kind).array
    if kind.startswith("timedelta64["):
        return pandas.Series(pandas.to_timedelta(list(texts))).astype(kind).array
    if kind.startswith("period["):
        return pandas.PeriodIndex([text or pandas.NaT for text in texts], dtype=kind).array
    if kind[0] in "IUF" or kind == "boolean":
        make = _SIMPLE["bool" if kind == "boolean" else "float" if kind[0] == "F" else "int"]
        return pandas.array([make(text) if text else pandas.NA for text in texts], dtype=kind)
    if kind.startswith("float"):
        # As Python reads numbers: what pandas reads by itself may differ in the last digit.
        return numpy.array([float(text) if text else numpy.nan for text in texts], dtype=kind)
    return texts.astype(kind).to_numpy()


def _objects(texts: Any, described: dict[str, Any]) -> list[Any]:
    import pandas

    missing = (None, None, float("nan"), pandas.NA, pandas.NaT)
    values = list(texts)
    if described.get("kinds"):
        makers = [_SIMPLE[kind] for kind in _KINDS]
        kinds = _grown(described["kinds"])
        values = [makers[kind](text) if kind else text for text, kind in zip(values, kinds, strict=True)]
    if described.get("missing"):
        gone = _grown(described["missing"])
        values = [missing[code] if code else value for value, code in zip(values, gone, strict=True)]
    return values


def _index(texts: Any, described: dict[str, Any]) -> Any:
    import pandas

    name = None if described["name"] is None else _SIMPLE[described["name"][0]](described["name"][1])
    if described["range"] is not None:
        return pandas.RangeIndex(*described["range"], name=name)
    index = pandas.Index(_restored(texts, described), name=name, dtype=_index_dtype(described["type"]))
    if described.get("freq") and not described["type"].startswith("period["):
        index = type(index)(index, freq=described["freq"], name=name)
    return index


def _labels(texts: list[str], described: dict[str, Any]) -> Any:
    """Labels of columns or categories as an index."""
    import pandas

    read = _as_read(described["type"])
    values: list[Any] = list(texts)
    if read != "object":
        make = _SIMPLE[read.rstrip("0123456789").lstrip("u")]
        values = [make(text) for text in texts]
    column = pandas.Series(values, dtype=read)
    return _index(column, {"name": None, "range": None, **described})


def _index_dtype(kind: str) -> Any:
    return object if kind == "object" else None
