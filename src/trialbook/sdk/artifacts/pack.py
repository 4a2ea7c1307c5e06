"""Any object as one file: what ``upload_artifact`` stores, in the formats of ClearML."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.journal import snapshot
from trialbook.sdk.artifacts import formats

_PREVIEW = 65_000
_BLOCK = 1 << 20
_REMOTE = frozenset({"http", "https", "s3", "gs", "azure", "ftp", "hdfs"})


@dataclass(frozen=True)
class Packed:
    """An object as a file in the spool, or as an address that is stored already.

    Attributes:
        type: of the artifact, as ClearML names it.
        file_name: of the stored file.
        content_type: MIME type.
        preview: text for the page.
        path: the file; None when ``url`` is given.
        url: an address that is recorded as it is.
    """

    type: str
    file_name: str
    content_type: str
    preview: str
    path: Path | None = None
    url: str = ""


@dataclass(frozen=True)
class How:
    """What a program may choose about the file of an artifact.

    Attributes:
        extension: of the file; None is the usual one of the type.
        serialize: makes the file's bytes of any object.
        sort_keys: of a dict.
    """

    extension: str | None = None
    serialize: Callable[[Any], bytes] | None = None
    sort_keys: bool = True


def pack(
    name: str, value: Any, reserve: Callable[[str], Path], auto_pickle: bool = True, how: How | None = None
) -> Packed:
    """Write an object to a file of the spool.

    Args:
        name: of the artifact.
        value: a path (file, folder, wildcard), list of paths, address, dict, DataFrame, ndarray, PIL image, text, or
            any other object. A string that names nothing that exists, and is not an address, is kept as a string.
        reserve: gives a fresh file name with a suffix.
        auto_pickle: pickle what has no format of its own.
        how: what was chosen about the file.

    Raises:
        UsageError: a ``Path`` that does not exist, or an object that needs a pickle while ``auto_pickle`` is off.
    """
    stem = name.rsplit("/", 1)[-1] or "artifact"
    how = how or How()
    if how.serialize is not None:
        return _serialized(value, stem, reserve, how)
    if how.extension in formats.PICKLED and not _is(value, "pandas", "DataFrame"):
        return _pickle(value, stem, reserve)
    kind = _kind_of(value)
    extension = formats.chosen(kind, how.extension) if kind else None
    if extension and extension not in (".json", ".npz", ".csv.gz" if kind == "pandas" else ""):
        target = reserve(".bin")
        if formats.write(kind, extension, value, target, how.sort_keys):
            shown = target.read_text("utf-8")[:_PREVIEW] if extension == ".yaml" else _preview(value)
            return Packed(kind, f"{stem}{extension}", formats.content_type(extension), shown, target)
        extension = None
    if isinstance(value, Path) or (isinstance(value, str) and _names_file(value)):
        return _paths(value, stem, reserve)
    if isinstance(value, str):
        if _is_address(value):
            return Packed("custom", value.rsplit("/", 1)[-1], _mime(value), value, url=value)
        return _text(value, stem, reserve)
    if isinstance(value, (list, tuple)) and value and all(_is_path(item) for item in value):
        return _archive([Path(item) for item in value], stem, reserve, "")
    if isinstance(value, Mapping):
        packed = _json(value, stem, reserve, how.sort_keys, extension is not None)
        if packed is not None:
            return packed
    if _is(value, "pandas", "DataFrame"):
        packed = _frame(value, stem, reserve, auto_pickle and extension is None)
        if packed is not None:
            return packed
    if _is(value, "numpy", "ndarray") and not value.dtype.hasobject:
        return _array(value, name, stem, reserve)
    if _is(value, "PIL.Image", "Image"):
        target = reserve(".bin")
        value.save(target, format="PNG")
        preview = f"{value.mode} image of {value.width} × {value.height} pixels"
        return Packed("image", f"{stem}.png", "image/png", preview, target)
    if not auto_pickle:
        raise UsageError(
            f"the artifact {name!r} is a {type(value).__name__}, which has no file format; pass auto_pickle=True"
        )
    return _pickle(value, stem, reserve)


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size in bytes of a file."""
    total = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
            size += len(block)
    return total.hexdigest(), size


def zip_files(files: Iterable[tuple[Path, str]], target: Path) -> list[str]:
    """A zip of files under the given names; returns the names."""
    import zipfile

    names = []
    with zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=6, strict_timestamps=False
    ) as packed:
        for path, name in files:
            name = storable(name)
            packed.write(path, name)
            names.append(name)
    return names


def _names_file(text: str) -> bool:
    if not text or "\n" in text or len(text) > 4096 or "\0" in text:
        return False
    if _is_address(text):
        return False
    try:
        return Path(text).expanduser().exists() or bool(_matches(text))
    except (OSError, ValueError, RuntimeError, NotImplementedError):
        # Too long for a name, no such home: what the system takes for no path is a text.
        return False


def _is_address(text: str) -> bool:
    """``s3://bucket/key`` is one; ``s3: fast`` is a text."""
    if "://" not in text or any(mark.isspace() for mark in text):
        return False
    try:
        split = urlsplit(text)
    except ValueError:
        return False
    return split.scheme in _REMOTE and bool(split.netloc or split.path.strip("/"))


def _matches(pattern: str) -> list[Path]:
    """The files of a wildcard."""
    if not any(mark in pattern for mark in "*?["):
        return []
    path = Path(pattern).expanduser()
    base = _parent(str(path))
    if base.is_absolute() and base == Path(base.anchor):
        # A text such as `/**` would have the whole machine searched.
        return []
    below = str(path.relative_to(base)) if str(base) != "." else str(path)
    if Path(below).name == "**":
        # By itself it names folders only, and a wildcard is about the files in them.
        below = f"{below}/*"
    return sorted(found for found in base.glob(below) if found.is_file())


def _is_path(value: Any) -> bool:
    return isinstance(value, Path) or (isinstance(value, str) and _names_file(value) and Path(value).exists())


def _parent(pattern: str) -> Path:
    parts = Path(pattern).parts
    fixed = []
    for part in parts:
        if any(mark in part for mark in "*?["):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def _paths(value: str | Path, stem: str, reserve: Callable[[str], Path]) -> Packed:
    path = Path(value).expanduser()
    if path.is_file():
        target = reserve(".bin")
        # The program may overwrite or delete its file at once.
        snapshot.keep(path, target)
        preview = f"{path.name} ({snapshot.size_of(target):,} bytes)"
        return Packed("custom", path.name, _mime(path.name), preview, target)
    if path.is_dir():
        files = sorted(found for found in path.rglob("*") if found.is_file())
        return _archive(files, path.resolve().name or stem, reserve, path)
    files = _matches(str(value))
    if files:
        base = _parent(str(path))
        return _archive(files, base.resolve().name or stem, reserve, base)
    raise UsageError(f"there is no file or folder {value}")


def _archive(files: list[Path], stem: str, reserve: Callable[[str], Path], base: Path | str) -> Packed:
    target = reserve(".bin")
    named: list[tuple[Path, str]] = []
    for path in files:
        if path.is_dir():
            named += [
                (f, str(Path(path.name) / f.relative_to(path)))
                for f in sorted(path.rglob("*"))
                if f.is_file()
            ]
        else:
            named.append((path, str(path.relative_to(base)) if base else path.name))
    names = zip_files(named, target)
    preview = f"Archive of {len(names)} files:\n" + "\n".join(names)
    return Packed("archive", f"{stem}.zip", "application/zip", preview[:_PREVIEW], target)


def _text(value: str, stem: str, reserve: Callable[[str], Path]) -> Packed:
    target = reserve(".bin")
    target.write_bytes(value.encode("utf-8", "surrogatepass"))
    return Packed("string", f"{stem}.txt", "text/plain", value[:_PREVIEW], target)


def _json(
    value: Mapping[Any, Any], stem: str, reserve: Callable[[str], Path], sort_keys: bool, asked: bool
) -> Packed | None:
    try:
        text = json.dumps(value, sort_keys=sort_keys, indent=4)
    except (TypeError, ValueError, RecursionError):
        return None
    if not asked and json.loads(text) != value:
        # Keys that are not text would come back as text: a pickle keeps them.
        return None
    target = reserve(".bin")
    target.write_text(text, "utf-8")
    return Packed("dict", f"{stem}.json", "application/json", text[:_PREVIEW], target)


def _frame(value: Any, stem: str, reserve: Callable[[str], Path], auto_pickle: bool) -> Packed | None:
    from trialbook.sdk.artifacts import tables

    types = tables.types_of(value)
    if types is None and (auto_pickle or value.index.nlevels > 1 or value.columns.nlevels > 1):
        # A pickle gives it back as it is.
        return None
    target = reserve(".bin")
    tables.write(value, target, types or b"")
    preview = value.head(50).to_csv()
    return Packed("pandas", f"{stem}.csv.gz", "text/csv", preview[:_PREVIEW], target)


def _array(value: Any, name: str, stem: str, reserve: Callable[[str], Path]) -> Packed:
    import zipfile

    import numpy

    target = reserve(".bin")
    # As numpy.savez_compressed, which takes no array named "file" or "allow_pickle".
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed,
        packed.open(f"{name}.npy", "w", force_zip64=True) as file,
    ):
        numpy.lib.format.write_array(file, numpy.asanyarray(value), allow_pickle=False)
    preview = f"ndarray of {value.dtype}, shape {tuple(value.shape)}\n{value}"
    return Packed("numpy", f"{stem}.npz", "application/numpy", preview[:_PREVIEW], target)


def _pickle(value: Any, stem: str, reserve: Callable[[str], Path]) -> Packed:
    import pickle

    target = reserve(".bin")
    try:
        with target.open("wb") as file:
            pickle.dump(value, file, protocol=4)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        target.unlink(missing_ok=True)
        raise UsageError(f"a {type(value).__name__} cannot be pickled: {error}") from error
    return Packed("pickle", f"{stem}.pkl", "application/pickle", repr(value)[:_PREVIEW], target)


def _serialized(value: Any, stem: str, reserve: Callable[[str], Path], how: How) -> Packed:
    assert how.serialize is not None
    content = how.serialize(value)
    if not isinstance(content, (bytes, bytearray)):
        raise UsageError(f"serialization_function makes bytes of the object, not a {type(content).__name__}")
    target = reserve(".bin")
    target.write_bytes(content)
    file_name = f"{stem}{how.extension or ''}"
    return Packed("custom", file_name, _mime(file_name), repr(value)[:_PREVIEW], target)


def _kind_of(value: Any) -> str:
    """The type of the artifact, where it has several formats."""
    if isinstance(value, Mapping):
        return "dict"
    libraries = {
        "pandas": ("pandas", "DataFrame"),
        "numpy": ("numpy", "ndarray"),
        "image": ("PIL.Image", "Image"),
    }
    return next((kind for kind, (module, name) in libraries.items() if _is(value, module, name)), "")


def _preview(value: Any) -> str:
    shown = value.head(50).to_csv() if _is(value, "pandas", "DataFrame") else repr(value)
    return str(shown)[:_PREVIEW]


def _is(value: Any, module: str, name: str) -> bool:
    """Whether ``value`` is of a class of a library, without importing the library."""
    home = sys.modules.get(module)
    kind = getattr(home, name, None) if home is not None else None
    return isinstance(kind, type) and isinstance(value, kind)


def _mime(name: str) -> str:
    import mimetypes

    return mimetypes.guess_type(name)[0] or "application/octet-stream"
