"""Everything that handlers may use, by name."""

from dataclasses import dataclass

from trialbook.server.services.accounts import Accounts
from trialbook.server.services.crew import Crew
from trialbook.server.services.dataset_files import DatasetFiles
from trialbook.server.services.datasets import Datasets
from trialbook.server.services.documents import Documents
from trialbook.server.services.editing import Editing
from trialbook.server.services.events import Events
from trialbook.server.services.finding import Finding
from trialbook.server.services.lifecycle import Lifecycle
from trialbook.server.services.model_registry import ModelRegistry
from trialbook.server.services.own_wheel import OwnWheel
from trialbook.server.services.parts import Parts
from trialbook.server.services.team import Team
from trialbook.server.services.tree import Tree
from trialbook.server.services.usage import Usage
from trialbook.server.stores.dataset_lists import DatasetLists
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.queues import QueueStore
from trialbook.server.stores.tasks import TaskStore
from trialbook.server.stores.users import UserStore


@dataclass(frozen=True)
class Services:
    """Built once by ``wiring``; shared by all threads, so nothing in it holds the state of one call."""

    accounts: Accounts
    team: Team
    crew: Crew
    datasets: Datasets
    dataset_files: DatasetFiles
    dataset_lists: DatasetLists
    dataset_store: DatasetStore
    documents: Documents
    editing: Editing
    parts: Parts
    events: Events
    finding: Finding
    lifecycle: Lifecycle
    registry: ModelRegistry
    tree: Tree
    usage: Usage
    facets: FacetStore
    users: UserStore
    projects: ProjectStore
    tasks: TaskStore
    models: ModelStore
    queues: QueueStore
    wheel: OwnWheel
    local_login: bool = False
    address: str = ""
    listens: str = ""
