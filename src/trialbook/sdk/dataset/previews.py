"""A few samples of what a version brings, for its page."""

import csv
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from trialbook.base.guard import guard
from trialbook.datasets.ingest import Sources
from trialbook.sdk.logger import Logger

_EACH = 10
_LOOKED_AT = 20_000
_LARGEST = 2 << 20
_ROWS = 20
_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"})
_MEDIA = frozenset({".mp4", ".webm", ".mp3", ".wav", ".ogg", ".flac", ".html", ".json"})
_PARQUET = ".parquet"
_LARGEST_PARQUET = 1 << 30
_TABLES = {".csv": ",", ".tsv": "\t"}
_SHOWN = _IMAGES | _MEDIA | _TABLES.keys() | {_PARQUET}


def report_previews(logger: Logger, sources: Sources) -> int:
    """Report samples of local files: ten pictures, ten tables, ten other media, none larger than 2 MB.

    Of Parquet files, which may be larger, the first rows are read; that wants pyarrow.

    A sample that cannot be read is left out; the data are stored all the same.

    Returns:
        How many were reported.
    """
    done = {"image": 0, "table": 0, "media": 0}
    for path, file, size in islice(
        zip(sources.paths, sources.files, sources.facts["size"].tolist(), strict=True), _LOOKED_AT
    ):
        suffix = "." + path.rpartition(".")[2].lower()
        if (
            suffix not in _SHOWN
            or not file
            or size == 0
            or size > (_LARGEST_PARQUET if suffix == _PARQUET else _LARGEST)
        ):
            continue
        report = _reporter(logger, suffix)
        if report is None or done[report[0]] >= _EACH:
            continue
        with guard("dataset.preview"):
            if suffix == _PARQUET and find_spec("pyarrow") is None:
                logger.report_text(
                    f"{path} and other Parquet files have no preview: that wants pyarrow (pip install pyarrow)",
                    print_console=False,
                )
                done["table"] = _EACH
                continue
            report[1](path, Path(file))
            done[report[0]] += 1
    return sum(done.values())


def _reporter(logger: Logger, suffix: str) -> "tuple[str, Callable[[str, Path], None]] | None":
    if suffix in _IMAGES:
        return "image", lambda path, file: logger.report_image(
            "previews", path, iteration=0, local_path=str(file), delete_after_upload=False
        )
    if suffix in _TABLES:
        return "table", lambda path, file: _table(logger, path, file, _TABLES[suffix])
    if suffix == _PARQUET:
        return "table", lambda path, file: _parquet(logger, path, file)
    if suffix in _MEDIA:
        return "media", lambda path, file: logger.report_media(
            "previews", path, iteration=0, local_path=str(file), delete_after_upload=False
        )
    return None


def _table(logger: Logger, path: str, file: Path, delimiter: str) -> None:
    with file.open(newline="", encoding="utf-8", errors="replace") as text:
        rows = [
            [str(cell)[:200] for cell in row[:50]]
            for row in islice(csv.reader(text, delimiter=delimiter), _ROWS)
        ]
    if len(rows) > 1:
        logger.report_table("Tables", path, iteration=0, table_plot=rows)


def _parquet(logger: Logger, path: str, file: Path) -> None:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as table:
        names = table.schema_arrow.names[:50]
        batch = next(table.iter_batches(batch_size=_ROWS, columns=names), None)
        columns = [] if batch is None else [column.to_pylist() for column in batch.columns]
        names = names if batch is None else batch.schema.names
    rows = [[str(cell)[:200] for cell in row] for row in zip(*columns, strict=True)]
    if rows:
        logger.report_table("Tables", path, iteration=0, table_plot=[names, *rows])
