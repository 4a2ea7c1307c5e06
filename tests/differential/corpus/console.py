"""The console: prints, logs and texts."""

import logging
import sys
from typing import Any


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Print by every door; each line carries the mark by which the records find it."""
    logger = task.get_logger()
    print("case plain")
    print("case two\ncase lines")
    print("case no end", end="")
    print(" case goes on")
    print("case ünicode €")
    print("case tab\tinside")
    print("case error stream", file=sys.stderr)
    print("case colour \x1b[31mred\x1b[0m")
    sys.stdout.write("case 1%\rcase 2%\rcase done\n")
    print("  case blank before and after  ")
    answers("text", lambda: logger.report_text("case text"))
    answers("quiet text", lambda: logger.report_text("case quiet", print_console=False))
    answers("level", lambda: logger.report_text("case level", level=logging.ERROR))
    answers(
        "level quiet",
        lambda: logger.report_text("case level quiet", level=logging.WARNING, print_console=False),
    )
    answers("lines", lambda: logger.report_text("case first\ncase second", print_console=False))
    answers("console", lambda: logger.console("case console"))
    answers("number", lambda: logger.report_text(5))
    logging.getLogger("mine").warning("case warning")
    logging.getLogger("mine").info("case info is below the level")
    answers("flush", lambda: task.flush(wait_for_uploads=True))
    answers("kind", lambda: type(task.get_reported_console_output()).__name__)
