"""Versions as a file system for fsspec: ``trialbook://dataset/<project>/<name>@<version>/<path>``, read only."""

from bisect import bisect_left
from typing import Any

from fsspec.spec import AbstractFileSystem

from trialbook.datasets.manifest.rows import LINK, Rows
from trialbook.errors import UsageError
from trialbook.sdk.dataset import Dataset
from trialbook.sdk.dataset.members.base import opened_of

_ROOT = "dataset/"
_NEWEST = ("", "latest")


class TrialbookFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Reads files of finished versions in place.

    The part with the ``@`` names dataset and version; ``@latest`` is the highest one that is finished. pandas, pyarrow,
    duckdb and others find it by its protocol when fsspec is installed.

    Example:
        >>> import pandas  # doctest: +SKIP
        >>> pandas.read_csv("trialbook://dataset/Vision/digits@1.0.0/labels.csv")  # doctest: +SKIP
    """

    protocol = "trialbook"
    root_marker = ""
    cachable = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._versions: dict[tuple[str, str, str], Dataset] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        text = str(path)
        return text.removeprefix("trialbook://").strip("/")

    def _find(self, path: str) -> tuple[Dataset, str, str]:
        """The version that a path names, the path's beginning that names it, and what follows."""
        text = self._strip_protocol(path)
        parts = text.removeprefix(_ROOT).split("/")
        number = next((n for n, part in enumerate(parts) if "@" in part), None)
        if not text.startswith(_ROOT) or not number:
            raise UsageError(
                f"{path!r} does not name a dataset: trialbook://dataset/<project>/<name>@<version>/<path>, "
                "with @latest for the highest version"
            )
        project = "/".join(parts[:number])
        name, _, version = parts[number].rpartition("@")
        key = (project, name, version)
        if key not in self._versions:
            self._versions[key] = Dataset.get(
                dataset_project=project,
                dataset_name=name,
                dataset_version=None if version in _NEWEST else version,
                only_completed=True,
                silence_alias_warnings=True,
            )
        head = _ROOT + "/".join(parts[: number + 1])
        return self._versions[key], head, "/".join(parts[number + 1 :])

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder.

        Raises:
            FileNotFoundError: there is none.
        """
        dataset, head, below = self._find(path)
        rows = opened_of(dataset).version.rows
        name = f"{head}/{below}" if below else head
        place = rows.find(below)
        if place is not None:
            return _file(rows, place, name)
        start = bisect_left(rows.paths, f"{below}/") if below else 0
        if not below or (start < len(rows) and rows.paths[start].startswith(f"{below}/")):
            return {"name": name, "size": 0, "type": "directory"}
        raise FileNotFoundError(path)

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """What lies directly in a folder, or the file itself."""
        dataset, head, below = self._find(path)
        rows = opened_of(dataset).version.rows
        place = rows.find(below)
        if place is not None:
            found = [_file(rows, place, f"{head}/{below}")]
        else:
            prefix = f"{below}/" if below else ""
            found = _entries(rows, head, prefix)
            if not found and below:
                raise FileNotFoundError(path)
        return found if detail else [entry["name"] for entry in found]

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise UsageError(
                "versions are read only: make a child with Dataset.create(parent_datasets=[...])"
            )
        dataset, _head, below = self._find(path)
        if opened_of(dataset).version.rows.find(below) is None:
            raise FileNotFoundError(path)
        return dataset.open(below)

    def ukey(self, path: str) -> str:
        """Changes when the content does: never, for a version."""
        dataset, _, below = self._find(path)
        return f"{dataset.id}/{below}"


def _file(rows: Rows, place: int, name: str) -> dict[str, Any]:
    row = rows.data[place]
    size = int(row["size"])
    kind = "link" if row["kind"] == LINK else "file"
    return {
        "name": name,
        "size": None if size < 0 else size,
        "type": "file",
        "kind": kind,
        "mtime": int(row["mtime"]) / 1e9,
    }


def _entries(rows: Rows, head: str, prefix: str) -> list[dict[str, Any]]:
    paths = rows.paths
    place = bisect_left(paths, prefix)
    found: list[dict[str, Any]] = []
    while place < len(paths) and paths[place].startswith(prefix):
        name, slash, _ = paths[place][len(prefix) :].partition("/")
        if slash:
            found.append({"name": f"{head}/{prefix}{name}", "size": 0, "type": "directory"})
            # "0" is the character after "/".
            place = bisect_left(paths, f"{prefix}{name}0")
        else:
            found.append(_file(rows, place, f"{head}/{paths[place]}"))
            place += 1
    return found
