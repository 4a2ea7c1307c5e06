"""Tasks: reading, making and changing them, their parts, their life."""

from dataclasses import dataclass

from trialbook.server.services.tasks.editing import Editing
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.services.tasks.parts import Parts
from trialbook.server.services.tasks.reading import Reading


@dataclass(frozen=True)
class Tasks:
    """All that may be done with tasks, by concern."""

    reading: Reading
    editing: Editing
    parts: Parts
    lifecycle: Lifecycle
