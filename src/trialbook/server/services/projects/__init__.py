"""Projects: the tree, what is in it, and how long it is kept."""

from dataclasses import dataclass

from trialbook.server.services.projects.editing import Editing
from trialbook.server.services.projects.reading import Reading
from trialbook.server.services.projects.tree import Tree


@dataclass(frozen=True)
class Projects:
    """All that may be done with projects, by concern."""

    reading: Reading
    editing: Editing
    tree: Tree
