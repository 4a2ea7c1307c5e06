"""Finding projects by name."""

import re

from trialbook.base.unicode import storable
from trialbook.client.session import Session


def project_ids(session: Session, name: str) -> list[str]:
    """Ids of the projects of exactly that name, the last changed first."""
    ask = {
        "name": f"^{re.escape(storable(name))}$",
        "only_fields": ["id"],
        "search_hidden": True,
        "order_by": ["-last_update"],
    }
    return [str(project["id"]) for project in session.call("projects.get_all", ask).get("projects") or []]
