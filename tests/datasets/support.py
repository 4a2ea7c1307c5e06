"""What the dataset tests share: a client of a server in this process, and folders of files."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

Write = Callable[[Mapping[str, bytes]], Path]


def writer(top: Path) -> Write:
    """Makes a folder of these files, each time a new one."""
    count = iter(range(10_000))

    def make(files: Mapping[str, bytes]) -> Path:
        folder = top / f"source{next(count)}"
        folder.mkdir(parents=True)
        for path, data in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            os.utime(file, (1, 1))
        return folder

    return make


def tree(folder: str | Path) -> dict[str, bytes]:
    """Every file below a folder."""
    top = Path(folder)
    return {file.relative_to(top).as_posix(): file.read_bytes() for file in top.rglob("*") if file.is_file()}
