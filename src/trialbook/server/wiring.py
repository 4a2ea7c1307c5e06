"""The only place that names concrete parts and puts them together."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

from trialbook.base.clock import now
from trialbook.blobs.object_store import ObjectStoreBlobs
from trialbook.blobs.store import BlobStore
from trialbook.server import migrations
from trialbook.server.core.folder import DataFolder, close_database
from trialbook.server.core.hub import Hub
from trialbook.server.core.limits import Crowd
from trialbook.server.loops.dataset_sweep import DatasetSweep
from trialbook.server.loops.file_sweep import FileSweep
from trialbook.server.loops.idle_end import IdleEnd
from trialbook.server.loops.leaving import Leaving
from trialbook.server.loops.retention import Retention
from trialbook.server.loops.runner import Job, Loops
from trialbook.server.loops.watchdog import Watchdog
from trialbook.server.rpc import registry
from trialbook.server.rpc.activity import Activity
from trialbook.server.rpc.app import build_app
from trialbook.server.rpc.calls import Calls
from trialbook.server.rpc.dispatch import Dispatcher
from trialbook.server.rpc.files import Files
from trialbook.server.rpc.own_package import OwnPackage
from trialbook.server.rpc.pages import Pages
from trialbook.server.rpc.resumable import Resumable
from trialbook.server.rpc.stream import Stream
from trialbook.server.series.compact import compact
from trialbook.server.series.erase import clear_graves, erase_owner
from trialbook.server.series.statistics import last_metrics
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.bundle import Services
from trialbook.server.services.crew import Crew
from trialbook.server.services.dataset_files import DatasetFiles
from trialbook.server.services.datasets import Datasets
from trialbook.server.services.documents import Documents
from trialbook.server.services.editing import Editing
from trialbook.server.services.events import Events
from trialbook.server.services.file_rules import FileRules
from trialbook.server.services.finding import Finding
from trialbook.server.services.first_queues import make_first_queues
from trialbook.server.services.lifecycle import Eraser, Lifecycle
from trialbook.server.services.model_registry import ModelRegistry
from trialbook.server.services.own_wheel import OwnWheel
from trialbook.server.services.parts import Parts
from trialbook.server.services.team import Team
from trialbook.server.services.tree import Tree
from trialbook.server.services.usage import Usage
from trialbook.server.settings import Settings
from trialbook.server.stores import logs
from trialbook.server.stores.database import Database, unusable
from trialbook.server.stores.dataset_lists import DatasetLists
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.facets import FacetStore
from trialbook.server.stores.models import ModelStore
from trialbook.server.stores.projects import ProjectStore
from trialbook.server.stores.queues import QueueStore
from trialbook.server.stores.relay import Relay
from trialbook.server.stores.tasks import TaskStore
from trialbook.server.stores.users import UserStore
from trialbook.server.stores.workers import WorkerStore


@dataclass(frozen=True)
class Server:
    """A server that is ready to serve."""

    settings: Settings
    folder: DataFolder
    database: Database
    services: Services
    hub: Hub
    executors: tuple[ThreadPoolExecutor, ...]
    loops: Loops
    relay: Relay
    app: ASGIApp

    def close(self) -> None:
        """Finish what runs and let everything go."""
        self.loops.stop()
        self.relay.stop()
        for executor in self.executors:
            executor.shutdown(wait=True)
        self.database.close()


def build_services(database: Database, settings: Settings, blobs: BlobStore, listens: str = "") -> Services:
    """The services on a database."""
    facets = FacetStore()
    users, projects, models, queues = (
        UserStore(),
        ProjectStore(facets),
        ModelStore(facets),
        QueueStore(facets),
    )
    tasks = TaskStore(facets)
    versions = DatasetStore()
    lists, held = DatasetLists(versions), DatasetFiles(blobs)
    lifecycle = Lifecycle(tasks, projects, models, queues, _eraser(versions))
    wheel = OwnWheel(settings.data / "sdk", settings.address)
    editing = Editing(tasks, projects, wheel)
    parts = Parts(tasks, editing)
    accounts = Accounts(database, users, now, settings.token_days)
    return Services(
        crew=Crew(WorkerStore(database), tasks, queues),
        accounts=accounts,
        team=Team(users, accounts),
        datasets=Datasets(versions, lists, tasks, projects, editing, parts, lifecycle, held),
        dataset_files=held,
        dataset_lists=lists,
        dataset_store=versions,
        documents=Documents(last_metrics),
        editing=editing,
        parts=parts,
        events=Events(tasks, models),
        finding=Finding(projects),
        lifecycle=lifecycle,
        registry=ModelRegistry(models, projects, tasks, lifecycle),
        usage=Usage(projects),
        tree=Tree(projects, tasks, models, facets, lifecycle),
        facets=facets,
        users=users,
        projects=projects,
        tasks=tasks,
        models=models,
        queues=queues,
        wheel=wheel,
        local_login=settings.loopback,
        address=settings.address,
        listens=listens,
    )


def _eraser(versions: DatasetStore) -> Eraser:
    def erase(connection: Connection, owner: str, *, deleted: bool = False, files: bool = False) -> None:
        erase_owner(connection, owner, deleted=deleted, files=files)
        if deleted:
            versions.forget(connection, owner, now())

    return erase


def build_jobs(
    settings: Settings,
    database: Database,
    services: Services,
    hub: Hub,
    blobs: BlobStore,
    needed: Callable[[str], bool],
) -> list[Job]:
    """What the server does on its own."""
    watchdog = Watchdog(database, services.tasks, services.lifecycle, hub, now, settings.silent_task_seconds)
    sweep = DatasetSweep(database, services.dataset_store, services.dataset_files)
    return [
        Job("compaction", 2.0, lambda: compact(database).more),
        Job("console", 10.0, lambda: logs.merge(database) > 1000),
        Job("graves", 2.0, lambda: clear_graves(database)),
        Job("projects", 10.0, Leaving(database, services.tree, hub, now)),
        Job("watchdog", min(60.0, max(1.0, settings.silent_task_seconds / 2)), watchdog),
        Job("datasets", 2.0, sweep),
        Job("files", 2.0, FileSweep(database, blobs, now, needed)),
        Job("retention", 600.0, Retention(database, services.projects, services.lifecycle, hub, now)),
        Job("space", 60.0, database.shrink),
    ]


def build(settings: Settings, folder: DataFolder, listens: str = "") -> Server:
    """A server on a data folder.

    Args:
        settings: of the server.
        folder: its files and first key.
        listens: where it listens, as other machines reach it.

    Raises:
        ConfigurationError: the database cannot be used.
    """
    database = Database(settings.database_url, pool_size=settings.threads)
    if database.dialect == "sqlite" and database.engine.url.database:
        close_database(Path(database.engine.url.database))
    blobs = ObjectStoreBlobs.in_folder(folder.files)
    services = build_services(database, settings, blobs, listens)
    try:
        migrations.prepare(database)
        services.accounts.prepare(folder.credentials)
        make_first_queues(database, services.queues, services.users, now)
    except DBAPIError as error:
        raise unusable(error, database) from None
    hub = Hub()
    executor = ThreadPoolExecutor(settings.threads, thread_name_prefix="call")
    dispatcher = Dispatcher(registry.load(), hub)
    calls = Calls(dispatcher, services, database, executor, settings, now)
    # Files wait for the disk, so they have threads of their own.
    file_executor = ThreadPoolExecutor(16, thread_name_prefix="file")
    rules = FileRules(blobs, database, services.dataset_store)
    resumable = Resumable(folder.uploads, rules.place, file_executor, settings.file_limit)
    uploads = Crowd(settings.caller_requests, "uploads")
    files = Files(
        blobs,
        rules,
        services.accounts,
        file_executor,
        settings.file_limit,
        resumable,
        folder.uploads,
        uploads,
    )
    stream, pages = Stream(hub, services.accounts, executor), Pages(settings.web)
    app = Activity(build_app(calls, stream, files, pages, OwnPackage(services.wheel)))
    jobs = build_jobs(settings, database, services, hub, blobs, rules.needed)
    jobs.append(Job("uploads", 3600.0, resumable.tidy))
    if settings.idle_hours > 0:
        limit = settings.idle_hours * 3600
        idle = IdleEnd(database, app.idle_seconds, limit, lambda: signal.raise_signal(signal.SIGTERM))
        jobs.append(Job("idle", min(60.0, limit / 4), idle))
    loops = Loops(jobs)
    relay = Relay(database, hub)
    return Server(settings, folder, database, services, hub, (executor, file_executor), loops, relay, app)
