"""Debug images and other media of every kind."""

import io
import pathlib
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Report each as a sample."""
    logger = task.get_logger()
    grey = np.tile(np.arange(8, dtype=np.uint8), (8, 1))
    Image.fromarray(grey).save("grey.png")
    Image.fromarray(grey).save("grey.jpg")
    pathlib.Path("sound.wav").write_bytes(b"RIFF0000WAVE")
    pathlib.Path("page.html").write_text("<p>x</p>")
    for name, image in {
        "grey": grey,
        "grey 3": grey[:, :, None],
        "colour": np.dstack([grey] * 3),
        "alpha": np.dstack([grey] * 4),
        "float": np.dstack([grey] * 3) / 8.0,
        "bool": grey > 3,
        "int64": grey.astype(np.int64),
        "pil": Image.fromarray(grey),
        "two channels": np.dstack([grey] * 2),
        "flat": grey[0],
    }.items():
        answers(
            name, lambda name=name, image=image: logger.report_image("image", name, iteration=1, image=image)
        )
    answers("file", lambda: logger.report_image("image", "file", iteration=1, local_path="grey.png"))
    answers(
        "path", lambda: logger.report_image("image", "path", iteration=1, local_path=pathlib.Path("grey.jpg"))
    )
    answers(
        "url", lambda: logger.report_image("image", "url", iteration=1, url="https://example.invalid/a.png")
    )
    answers("nothing", lambda: logger.report_image("image", "nothing", iteration=1))
    answers("no file", lambda: logger.report_image("image", "no file", iteration=1, local_path="nowhere.png"))
    answers("no iteration", lambda: logger.report_image("image", "no iteration", image=grey))
    answers("odd", lambda: logger.report_image("a/b c", "ü:?", 1, image=grey))
    answers("sound", lambda: logger.report_media("media", "sound", iteration=1, local_path="sound.wav"))
    answers("page", lambda: logger.report_media("media", "page", iteration=1, local_path="page.html"))
    answers(
        "media url",
        lambda: logger.report_media("media", "url", iteration=1, url="https://example.invalid/a.mp4"),
    )
    answers(
        "stream",
        lambda: logger.report_media(
            "media", "stream", iteration=1, stream=io.BytesIO(b"abc"), file_extension="bin"
        ),
    )
    answers(
        "text stream",
        lambda: logger.report_media(
            "media", "text", iteration=1, stream=io.StringIO("abc"), file_extension=".txt"
        ),
    )
    answers(
        "unnamed stream",
        lambda: logger.report_media("media", "unnamed", iteration=1, stream=io.BytesIO(b"abc")),
    )
    answers(
        "table as page", lambda: logger.report_table("media", "table", 1, table_plot=pd.DataFrame({"a": [1]}))
    )
    for step in range(7):
        answers(
            f"history {step}",
            lambda step=step: logger.report_image("history", "kept", step, image=grey, max_image_history=3),
        )
