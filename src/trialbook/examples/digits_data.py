"""The handwritten digits as a dataset: a table for the training, and every image as a file for people.

The first run stores them, every later one finds them, and the page shows which runs used which version.
"""

import csv
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from trialbook import Dataset
from trialbook.errors import UsageError

PROJECT, NAME = "Examples/Digits", "handwritten digits"
_SCALE = 8


def get() -> tuple[np.ndarray, np.ndarray]:
    """The images and what they show, from the newest version of the dataset.

    Returns:
        Images of shape (1797, 64) with values 0 to 1, and digits of shape (1797,).
    """
    try:
        data = Dataset.get(dataset_project=PROJECT, dataset_name=NAME, alias="digits", only_completed=True)
    except UsageError:
        store()
        data = Dataset.get(dataset_project=PROJECT, dataset_name=NAME, alias="digits", only_completed=True)
    table = np.loadtxt(Path(data.get_local_copy()) / "digits.csv", delimiter=",", skiprows=1)
    return table[:, 1:] / 16.0, table[:, 0].astype(int)


def store() -> None:
    """Make the first version out of what ships with scikit-learn."""
    digits = load_digits()
    with tempfile.TemporaryDirectory(prefix="digits-") as name:
        folder = Path(name)
        with (folder / "digits.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["digit", *(f"pixel {place}" for place in range(64))])
            table.writerows(
                [digit, *map(int, pixels)] for digit, pixels in zip(digits.target, digits.data, strict=True)
            )
        for number, (digit, pixels) in enumerate(zip(digits.target, digits.images, strict=True)):
            path = folder / "images" / str(digit) / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(pixels))
        data = Dataset.create(
            NAME, PROJECT, description="1 797 handwritten digits of 8 × 8 pixels (UCI, 1998)"
        )
        data.add_files(folder)
        data.finalize(auto_upload=True)


def picture(pixels: np.ndarray) -> bytes:
    """A grey PNG of an image with values 0 to 16, each pixel eight wide (format: ISO/IEC 15948)."""
    grey = np.kron(255 - pixels * 255 / 16, np.ones((_SCALE, _SCALE))).astype(np.uint8)
    height, width = grey.shape
    # Each line begins with its filter: 0, none.
    lines = np.hstack([np.zeros((height, 1), np.uint8), grey]).tobytes()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
