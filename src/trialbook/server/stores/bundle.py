"""Every store of a database, by name."""

from dataclasses import dataclass

from trialbook.server.stores.database import Database
from trialbook.server.stores.dataset_lists import DatasetLists
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.queues import QueueStore
from trialbook.server.stores.tasks import TaskStore
from trialbook.server.stores.users import UserStore
from trialbook.server.stores.workers import WorkerStore


@dataclass(frozen=True)
class Stores:
    """What services are built on. Shared by all threads: none of them holds the state of one call."""

    datasets: DatasetStore
    dataset_lists: DatasetLists
    facets: FacetStore
    models: ModelStore
    projects: ProjectStore
    queues: QueueStore
    tasks: TaskStore
    users: UserStore
    workers: WorkerStore

    @classmethod
    def on(cls, database: Database) -> "Stores":
        """The stores of a database."""
        facets, datasets = FacetStore(), DatasetStore()
        return cls(
            datasets=datasets,
            dataset_lists=DatasetLists(datasets),
            facets=facets,
            models=ModelStore(facets),
            projects=ProjectStore(facets),
            queues=QueueStore(facets),
            tasks=TaskStore(facets),
            users=UserStore(),
            workers=WorkerStore(database),
        )
