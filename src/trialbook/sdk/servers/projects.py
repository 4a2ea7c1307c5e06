"""Finding projects by name."""

import re
from typing import TYPE_CHECKING

from trialbook.base.unicode import storable
from trialbook.client.session import Session

if TYPE_CHECKING:
    from trialbook.client.api import GetAllProjects


def project_ids(session: Session, name: str) -> list[str]:
    """Ids of the projects of exactly that name, the last changed first; as in names that are given to projects, empty
    parts and blanks around parts do not count."""
    path = "/".join(part.strip() for part in storable(name).split("/") if part.strip())
    ask: GetAllProjects = {
        "name": f"^{re.escape(path or name)}$",
        "only_fields": ["id"],
        "search_hidden": True,
        "order_by": ["-last_update"],
    }
    return [str(project["id"]) for project in session.api.projects.get_all(ask).get("projects") or []]
