"""``hydra`` reads its command line with a parser of its own; what is on it is recorded as overrides instead."""

from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import argparse
from trialbook.capture.patches import Patches


def install(main: ModuleType) -> None:
    """Have Hydra's parser left alone."""

    def makes(original: Any) -> Any:
        def get_args_parser(*args: Any, **kwargs: Any) -> Any:
            parser = original(*args, **kwargs)
            with guard("capture.hydra.parser"):
                argparse.ignore(parser)
            return parser

        return get_args_parser

    Patches("hydra").around(main, "get_args_parser", makes)
