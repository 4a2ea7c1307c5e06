"""A few samples of what a version brings, for its page."""

import csv
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from trialbook.base.guard import guard
from trialbook.datasets.ingest.run import Sources
from trialbook.sdk.logger import Logger

_EACH = 10
_LOOKED_AT = 20_000
_LARGEST = 2 << 20
_ROWS = 20
_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"})
_MEDIA = frozenset({".mp4", ".webm", ".mp3", ".wav", ".ogg", ".flac", ".html", ".json"})
_TABLES = frozenset({".csv", ".tsv"})
_PARQUET = ".parquet"
_LARGEST_PARQUET = 1 << 30
_KINDS = {
    **dict.fromkeys(_IMAGES, "image"),
    **dict.fromkeys(_TABLES | {_PARQUET}, "table"),
    **dict.fromkeys(_MEDIA, "media"),
}


def report_previews(logger: Logger, sources: Sources) -> int:
    """Report samples of local files: ten pictures, ten tables, ten other media, none larger than 2 MB.

    They are taken evenly from all there are, so that no folder stands for the others. Of Parquet files, which may be
    larger, the first rows are read; that wants pyarrow. A sample that cannot be read is left out; the data are stored
    all the same.

    Returns:
        How many were reported.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    unread = ""
    for path, file, size in islice(
        zip(sources.paths, sources.files, sources.facts["size"].tolist(), strict=True), _LOOKED_AT
    ):
        suffix = "." + path.rpartition(".")[2].lower()
        kind = _KINDS.get(suffix)
        if kind is None or not file or not 0 < size <= (_LARGEST_PARQUET if suffix == _PARQUET else _LARGEST):
            continue
        if suffix == _PARQUET and (unread or find_spec("pyarrow") is None):
            unread = unread or path
            continue
        found.setdefault(kind, []).append((path, Path(file)))
    if unread:
        logger.report_text(
            f"{unread} and other Parquet files have no preview: that wants pyarrow (pip install pyarrow)",
            print_console=False,
        )
    done = 0
    for kind, several in found.items():
        for path, source in _spread(several):
            with guard("dataset.preview"):
                _report(logger, kind, path, source)
                done += 1
    return done


def _report(logger: Logger, kind: str, path: str, file: Path) -> None:
    if kind == "image":
        logger.report_image("previews", path, iteration=0, local_path=str(file), delete_after_upload=False)
    elif kind == "media":
        logger.report_media("previews", path, iteration=0, local_path=str(file), delete_after_upload=False)
    elif file.suffix.lower() == _PARQUET:
        _parquet(logger, path, file)
    else:
        _table(logger, path, file)


def _spread(several: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    if len(several) <= _EACH:
        return several
    return [several[place * len(several) // _EACH] for place in range(_EACH)]


def _table(logger: Logger, path: str, file: Path) -> None:
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
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
