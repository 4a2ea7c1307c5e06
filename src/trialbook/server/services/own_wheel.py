"""The wheel of this very version: made from the files that run, kept in the data folder, named by its digest.

A recorded run names the SDK by an address here, because the bare name could be answered by anybody's package on a
public index. What was recorded once stays installable: a wheel is never replaced, an upgrade adds one beside it.
"""

import base64
import csv
import hashlib
import io
import logging
import re
import threading
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from trialbook.base.files import own_folder, write_atomic
from trialbook.base.own_address import PENDING

_log = logging.getLogger("trialbook.server")
_PACKAGE = Path(__file__).resolve().parents[2]
# The first moment that a zip archive can name: the same files are the same bytes on every machine.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WHEEL = "Wheel-Version: 1.0\nGenerator: trialbook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
NONE = (
    "# trialbook: the server runs from sources that nobody installed, so it has no package of itself to offer"
)
"""Stands in the list of packages where the address would."""


class OwnWheel:
    """This version as a wheel, made when it is first needed.

    Args:
        folder: where wheels are kept; made when it is needed.
        address: what machines are told of this server; empty takes the address by which the asking one came.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._busy = threading.Lock()
        self._made: tuple[str, str] | None = None

    def completed(self, requirements: Any) -> Any:
        """Lists of packages with the addresses in them that wait for a server; everything else as it is."""
        if isinstance(requirements, dict):
            return {name: self.completed(lines) for name, lines in requirements.items()}
        if isinstance(requirements, list):
            return [self.completed(line) for line in requirements]
        if isinstance(requirements, str) and "trialbook" in requirements:
            return PENDING.sub(lambda found: self.requirement(found["server"], found["name"]), requirements)
        return requirements

    def requirement(self, server: str, name: str = "trialbook") -> str:
        """The line by which pip installs this version from here.

        Args:
            server: by which address the asking machine knows this server.
            name: with the extras that are wanted.

        Returns:
            ``name @ address#sha256=digest``; a comment that says why where there is no package.
        """
        made = self._current()
        if made is None:
            return NONE
        digest, file = made
        return f"{name} @ {self._address or server}/sdk/{digest}/{file}#sha256={digest}"

    def find(self, digest: str, name: str) -> Path | None:
        """The file of a wheel that was recorded here; None when there is no such one."""
        if not _DIGEST.fullmatch(digest) or "/" in name or name.startswith("."):
            return None
        path = self._folder / digest / name
        if path.is_file():
            return path
        # Another server on the same database may have recorded it: equal files are equal wheels.
        return path if self._current() == (digest, name) else None

    def _current(self) -> tuple[str, str] | None:
        """Digest and file name of the wheel of this version, which lies in the folder from now on."""
        with self._busy:
            if self._made is None or not (self._folder / self._made[0] / self._made[1]).is_file():
                described = _described()
                if described is None:
                    return None
                name, data = wheel(described, _PACKAGE)
                digest = hashlib.sha256(data).hexdigest()
                own_folder(self._folder)
                own_folder(self._folder / digest)
                write_atomic(self._folder / digest / name, data)
                _log.info("kept the package of this version: %s, sha256 %s", name, digest)
                self._made = (digest, name)
            return self._made


def _described() -> metadata.Distribution | None:
    try:
        return metadata.distribution("trialbook")
    except metadata.PackageNotFoundError:
        return None


def wheel(described: metadata.Distribution, package: Path) -> tuple[str, bytes]:
    """A wheel of a package folder, the same bytes for the same files.

    Args:
        described: the installed distribution, whose description the wheel gets; it may be an editable one.
        package: the folder ``trialbook``. The page is part of it in an installed package; in a checkout it is not, and
            the SDK does without.

    Returns:
        The name of its file, and the file.
    """
    version = described.version
    own = f"trialbook-{version}.dist-info"
    entries = {f"trialbook/{inside}": path for inside, path in _files(package)}
    contents = {name: path.read_bytes() for name, path in sorted(entries.items())}
    for name in ("METADATA", "entry_points.txt"):
        text = described.read_text(name)
        if text:
            contents[f"{own}/{name}"] = text.encode()
    for file in described.files or ():
        if file.parent.name == "licenses" and file.parent.parent.name == own:
            contents[f"{own}/licenses/{file.name}"] = file.read_binary()
    contents[f"{own}/WHEEL"] = _WHEEL.encode()
    contents[f"{own}/RECORD"] = _record(contents, f"{own}/RECORD")
    target = io.BytesIO()
    # Not compressed: how zlib packs depends on its version.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.create_system = 3
            entry.external_attr = _READABLE
            archive.writestr(entry, data)
    return f"trialbook-{version}-py3-none-any.whl", target.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not hidden and path.suffix not in (".pyc", ".pyo"):
            yield inside.as_posix(), path


def _record(contents: dict[str, bytes], own: str) -> bytes:
    """The list of files with their digests, by which pip checks and later removes them."""
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\n")
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.writerow((name, f"sha256={digest}", len(data)))
    lines.writerow((own, "", ""))
    return target.getvalue().encode()
