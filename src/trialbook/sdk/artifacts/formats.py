"""Formats of artifacts other than the usual one of their type: chosen by the ending of the file, read by it as well."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trialbook.errors import UsageError

_log = logging.getLogger("trialbook")

PICKLED = (".pkl", ".pickle")
OFFERED: Mapping[str, tuple[str, ...]] = {
    "dict": (".json", ".yaml"),
    "pandas": (".csv.gz", ".parquet", ".feather", ".pickle"),
    "numpy": (".npz", ".csv.gz"),
}
"""By type of the artifact; the first one is used when none is chosen. Pictures take every ending that PIL knows."""
_MIME = {
    ".yaml": "application/yaml",
    ".parquet": "application/parquet",
    ".feather": "application/feather",
    ".pickle": "application/pickle",
    ".csv.gz": "text/csv",
}


def chosen(kind: str, extension: str | None) -> str | None:
    """The ending when it is not the usual one of its type; one that the type does not have is said and not taken."""
    if not extension:
        return None
    known = _pictures() if kind == "image" else OFFERED[kind]
    if extension.lower() not in known:
        _log.warning(
            "an artifact of type %s cannot be stored as %s; it is stored as %s, and could be as %s",
            kind,
            extension,
            ".png" if kind == "image" else known[0],
            ", ".join(known),
        )
        return None
    return extension.lower()


def content_type(extension: str) -> str:
    """MIME type."""
    import mimetypes

    return _MIME.get(extension) or mimetypes.guess_type(f"x{extension}")[0] or "application/octet-stream"


def write(kind: str, extension: str, value: Any, target: Path, sort_keys: bool = True) -> bool:
    """Write an object in a format that is not the usual one of its type.

    Returns:
        False when a library that the format needs is not installed, or the format cannot hold the object: said, and the
        usual format is to be used.
    """
    try:
        _write(kind, extension, value, target, sort_keys)
    except (
        ImportError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        NotImplementedError,
    ) as error:
        # Of the packages that write: absent, or unable to hold this object.
        target.unlink(missing_ok=True)
        usual = ".png" if kind == "image" else OFFERED[kind][0]
        _log.warning("the artifact cannot be stored as %s (%s); it is stored as %s", extension, error, usual)
        return False
    return True


def _write(kind: str, extension: str, value: Any, target: Path, sort_keys: bool) -> None:
    if extension == ".yaml":
        import yaml

        try:
            text = yaml.safe_dump(dict(value), sort_keys=sort_keys, allow_unicode=True)
            same = yaml.safe_load(text) == value
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error
        if not same:
            raise ValueError("it would come back as something else")
        target.write_text(text, "utf-8")
    elif kind == "image":
        with target.open("wb") as file:
            value.save(file, format=_pictures()[extension])
    elif kind == "numpy":
        import gzip

        import numpy

        with gzip.open(target, "wb") as packed:
            numpy.savetxt(packed, value, delimiter=",")
    elif extension == ".parquet":
        value.to_parquet(target)
    elif extension == ".feather":
        value.to_feather(target)
    else:
        value.to_pickle(target, compression=None)


def read(kind: str, extension: str, path: Path) -> Any:
    """The object of a file in such a format; ``KeyError`` when it is no such format.

    Raises:
        UsageError: a library that the format needs is not installed.
    """
    try:
        return _READS[kind, extension](path)
    except ImportError as error:
        raise UsageError(
            f"a {extension} file needs a package that is not here: pip install {error.name}"
        ) from error


def _yaml(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text("utf-8"))


def _texts(path: Path) -> Any:
    import gzip

    import numpy

    with gzip.open(path, "rb") as packed:
        return numpy.loadtxt(packed, delimiter=",")


def _parquet(path: Path) -> Any:
    import pandas

    return pandas.read_parquet(path)


def _feather(path: Path) -> Any:
    import pandas

    return pandas.read_feather(path)


def _pickle(path: Path) -> Any:
    import pandas

    return pandas.read_pickle(path, compression=None)


_READS = {
    ("dict", ".yaml"): _yaml,
    ("numpy", ".csv.gz"): _texts,
    ("pandas", ".parquet"): _parquet,
    ("pandas", ".feather"): _feather,
    ("pandas", ".pickle"): _pickle,
}


def extension_of(kind: str, name: str) -> str:
    """The ending of a stored file's name, when its type has other formats than the usual one."""
    return next((ending for other, ending in _READS if other == kind and name.endswith(ending)), "")


def _pictures() -> Any:
    from PIL import Image

    Image.init()
    return dict(Image.EXTENSION)
