"""Tables as csv.gz: what is read is what was written, and any other reader of CSV reads it too."""

import gzip
import random
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from trialbook.sdk.artifacts import tables

NAN, NA = float("nan"), pandas.NA


def same(frame: pandas.DataFrame, folder: Path) -> pandas.DataFrame:
    """The table after it was written and read; equal in values, types, labels and index."""
    types = tables.types_of(frame)
    assert types is not None
    tables.write(frame, folder / "t.csv.gz", types)
    found = tables.read(folder / "t.csv.gz")
    pandas.testing.assert_frame_equal(found, frame, check_exact=True)
    assert [repr(kind) for kind in found.dtypes] == [repr(kind) for kind in frame.dtypes]
    assert type(found.index) is type(frame.index) and found.index.name == frame.index.name
    for at in range(frame.shape[1]):
        if str(frame.dtypes.iloc[at]) == "object":
            ours, theirs = found.iloc[:, at].tolist(), frame.iloc[:, at].tolist()
            assert [(type(one), repr(one)) for one in ours] == [(type(one), repr(one)) for one in theirs]
    return found


COLUMNS: dict[str, Any] = {
    "leading zeros": ["01234", "1", "007"],
    "texts like others": ["NA", "nan", "True"],
    "empty and missing": pandas.Series(["", None, "x"], dtype=object),
    "all kinds of missing": pandas.Series([None, NAN, NA, pandas.NaT, "None"], dtype=object),
    "quotes and lines": ['a"b', "a\nb\r\nc\rd", "a,b;\t"],
    "string": pandas.array(["01", NA, ""], dtype="string"),
    "not utf-8": pandas.Series(["ab\udcff", "ü€😀"], dtype=object),
    "mixed": pandas.Series([1, "1", 1.0, True, None, 2**80], dtype=object),
    "objects": pandas.Series([[1, "a"], {"k": (1, None)}, {1, 2}, b"\xff", 1j], dtype=object),
    "exact": pandas.Series([Decimal("1.10"), date(2020, 1, 2), datetime(2020, 1, 2, 3)], dtype=object),
    "dates": pandas.to_datetime(["2020-01-01", None, "2021-05-06 07:08:09.123456789"], format="ISO8601"),
    "days": pandas.to_datetime(["2020-01-01", "2020-01-02"]),
    "far dates": numpy.array(["0300-01-01", "9999-12-31"], dtype="datetime64[s]"),
    "zones": pandas.to_datetime(["2020-10-25 00:30Z", "2020-10-25 01:30Z", None]).tz_convert("Europe/Berlin"),
    "utc": pandas.to_datetime(["2020-10-25 00:30Z", "2020-06-25 01:30:00.25Z"], format="ISO8601"),
    "durations": pandas.to_timedelta(["1 days 02:03:04.000000005", None, "-1 days"]),
    "periods": pandas.PeriodIndex(["2020-01", None, "2020-03"], freq="M"),
    "categories": pandas.Categorical(["b", None, "a"], categories=["b", "a", "unused"], ordered=True),
    "numbered categories": pandas.Categorical([3, 1, None, 3], categories=[3, 2, 1]),
    "dated categories": pandas.Categorical(pandas.to_datetime(["2020-01-01", "2020-01-02"])),
    "Int64": pandas.array([2**63 - 1, None, -1], dtype="Int64"),
    "UInt8": pandas.array([255, None], dtype="UInt8"),
    "Float32": pandas.array([0.1, None], dtype="Float32"),
    "boolean": pandas.array([True, None, False], dtype="boolean"),
    "bool": [True, False],
    "int8": numpy.array([-128, 127], "int8"),
    "uint64": numpy.array([2**64 - 1, 0], "uint64"),
    "float32": numpy.array([0.1, 1e-45, numpy.inf], "float32"),
    "float16": numpy.array([0.1, 65504], "float16"),
    "float64": [0.1, 1 / 3, 5e-324, NAN, -numpy.inf, -0.0, 1.7976931348623157e308],
    "all missing": [NAN, NAN],
    "nothing": pandas.Series([], dtype="int32"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_T8_a_column_of_each_type(name: str, tmp_path: Path) -> None:
    values = COLUMNS[name]
    same(pandas.DataFrame({name: values, "beside": range(len(values))}), tmp_path)
    if name not in ("all kinds of missing", "float16"):
        index = pandas.Index(values, name="i", dtype=getattr(values, "dtype", None))
        same(pandas.DataFrame({"v": range(len(values))}, index=index), tmp_path)


@pytest.mark.parametrize(
    "frame",
    [
        pandas.DataFrame(),
        pandas.DataFrame(index=["a", "b"]),
        pandas.DataFrame(columns=["a", "b"]),
        pandas.DataFrame([[1, 2.5], [3, 4.5]]),
        pandas.DataFrame([[1, 2]], columns=["same", "same"]),
        pandas.DataFrame([[1, "x", None]], columns=pandas.Index([1, "1", None], dtype=object)),
        pandas.DataFrame([[1, 2]], columns=pandas.Index([0.5, 1e22], name="width")),
        pandas.DataFrame([[1, 2]], columns=pandas.to_datetime(["2020-01-01", "2020-01-02"])),
        pandas.DataFrame([[1, 2]], columns=pandas.CategoricalIndex(["b", "a"], categories=["a", "b"])),
        pandas.DataFrame(
            [[1, 2, 3, 4]], columns=pandas.Index(["a\nb", 'c,"d"', "", "ab\udcff"], dtype=object)
        ),
        pandas.DataFrame({"v": [1, 2, 3]}, index=pandas.RangeIndex(4, 10, 2, name="n")),
        pandas.DataFrame({"v": [1, 2, 3]}, index=pandas.date_range("2020-01-01", periods=3, freq="2D")),
        pandas.DataFrame({"v": [1, 2, 3]}, index=["x", "x", ""]),
        pandas.DataFrame({"v": [1, 2]}, index=pandas.Index([7, 3], name=5)),
    ],
    ids=lambda frame: f"{frame.shape[0]}x{frame.shape[1]}",
)
def test_T8_labels_and_indexes(frame: pandas.DataFrame, tmp_path: Path) -> None:
    same(frame, tmp_path)


def test_T8_random_tables(tmp_path: Path) -> None:
    random.seed(8)
    for _ in range(60):
        rows = random.randrange(4)
        names = random.sample(sorted(COLUMNS), random.randrange(1, 6))
        columns = {}
        for name in names:
            column = pandas.Series(COLUMNS[name])
            if len(column):
                columns[name] = column.take([random.randrange(len(column)) for _ in range(rows)]).array
        same(pandas.DataFrame(columns), tmp_path)


def test_T8_others_read_it(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"n": [1, 2], "s": ["a", "b"]}, index=["x", "y"])
    same(frame, tmp_path)
    assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()).decode() == ",n,s\nx,1,a\ny,2,b\n"
    pandas.testing.assert_frame_equal(pandas.read_csv(tmp_path / "t.csv.gz", index_col=0), frame)
    first = (tmp_path / "t.csv.gz").read_bytes()
    same(frame, tmp_path)
    assert (tmp_path / "t.csv.gz").read_bytes() == first, "equal tables are equal files"


def test_T8_files_of_others_are_read(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"n": [1, 2]})
    frame.to_csv(tmp_path / "theirs.csv.gz")
    pandas.testing.assert_frame_equal(tables.read(tmp_path / "theirs.csv.gz"), frame)
    tables.write(frame, tmp_path / "plain.csv.gz", b"")
    pandas.testing.assert_frame_equal(tables.read(tmp_path / "plain.csv.gz"), frame)


@pytest.mark.parametrize(
    "values",
    [
        [object(), 1],
        pandas.cut(pandas.Series([1, 2]), 2),
        pandas.Series(["a\0b", "c"], dtype=object),
        pandas.Series([numpy.float32(1), "x"], dtype=object),
        pandas.Series([datetime(2020, 1, 1, tzinfo=timezone.utc), "x"], dtype=object),
        pandas.arrays.SparseArray([0, 1]),
        numpy.array([1j, 2j]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "objects")),
)
def test_T8_what_a_csv_cannot_give_back_is_said(values: Any) -> None:
    assert tables.types_of(pandas.DataFrame({"v": values})) is None
