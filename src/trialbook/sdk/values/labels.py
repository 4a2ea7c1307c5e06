"""Label enumerations: names of classes and their numbers."""

import json
from collections.abc import Mapping

from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.names import checked


def check_labels(labels: Mapping[str, int]) -> dict[str, int]:
    """Labels as texts to integers.

    Raises:
        UsageError: they are something else.
    """
    if not isinstance(labels, Mapping) or any(
        not isinstance(name, str) or isinstance(number, bool) or not hasattr(number, "__index__")
        for name, number in labels.items()
    ):
        raise UsageError(
            f"labels are a dict of names to integers, such as {{'cat': 0}}, not {json.dumps(str(labels))}"
        )
    return {
        checked("a class", storable(name)) if name else name: int(number) for name, number in labels.items()
    }
