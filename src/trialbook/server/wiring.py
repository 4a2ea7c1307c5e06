"""The only place that names concrete parts and puts them together."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
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
from trialbook.server.loops.idle_end import IdleEnd
from trialbook.server.loops.runner import Job, Loops
from trialbook.server.rpc import registry
from trialbook.server.rpc.activity import Activity
from trialbook.server.rpc.app import build_app
from trialbook.server.rpc.calls import Calls
from trialbook.server.rpc.dispatch import Dispatcher
from trialbook.server.rpc.files import Files
from trialbook.server.rpc.http_call import HttpCall
from trialbook.server.rpc.own_package import OwnPackage
from trialbook.server.rpc.pages import Pages
from trialbook.server.rpc.resumable import Resumable
from trialbook.server.rpc.stream import Stream
from trialbook.server.series.compact import compact
from trialbook.server.series.erase import clear_graves, erase_owner
from trialbook.server.series.statistics import last_metrics
from trialbook.server.services import changes
from trialbook.server.services.about import About
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.bundle import Services
from trialbook.server.services.credentials import Credentials
from trialbook.server.services.dataset_names import DatasetNames
from trialbook.server.services.datasets.files import DatasetFiles
from trialbook.server.services.datasets.sweep import DatasetSweep
from trialbook.server.services.datasets.versions import Datasets
from trialbook.server.services.event_pictures import EventPictures
from trialbook.server.services.event_values import EventValues
from trialbook.server.services.events import Events
from trialbook.server.services.files.rules import FileRules
from trialbook.server.services.files.sweep import FileSweep
from trialbook.server.services.finding import Finding
from trialbook.server.services.logs import Logs
from trialbook.server.services.models import Models
from trialbook.server.services.own_wheel import OwnWheel
from trialbook.server.services.projects import Projects
from trialbook.server.services.projects.editing import Editing as ProjectEditing
from trialbook.server.services.projects.leaving import Leaving
from trialbook.server.services.projects.reading import Reading as ProjectReading
from trialbook.server.services.projects.retention import Retention
from trialbook.server.services.projects.tree import Tree
from trialbook.server.services.queues import Queues
from trialbook.server.services.series import Series
from trialbook.server.services.tasks import Tasks
from trialbook.server.services.tasks.documents import Documents
from trialbook.server.services.tasks.editing import Editing
from trialbook.server.services.tasks.lifecycle import Lifecycle
from trialbook.server.services.tasks.moves import Eraser
from trialbook.server.services.tasks.parts import Parts
from trialbook.server.services.tasks.reading import Reading
from trialbook.server.services.tasks.watchdog import Watchdog
from trialbook.server.services.usage import Usage
from trialbook.server.services.users import Users
from trialbook.server.services.workers import Workers
from trialbook.server.settings import Settings
from trialbook.server.stores import logs
from trialbook.server.stores.bundle import Stores
from trialbook.server.stores.database import Database, unusable
from trialbook.server.stores.datasets import DatasetStore
from trialbook.server.stores.relay import Relay


@dataclass(frozen=True)
class Server:
    """A server that is ready to serve."""

    settings: Settings
    folder: DataFolder
    database: Database
    services: Services
    stores: Stores
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


def build_services(
    database: Database, settings: Settings, blobs: BlobStore, listens: str = "", stores: Stores | None = None
) -> Services:
    """The services on a database."""
    on = stores or Stores.on(database)
    held = DatasetFiles(blobs)
    lifecycle = Lifecycle(on.tasks, on.projects, on.models, on.queues, _eraser(on.datasets))
    wheel = OwnWheel(settings.data / "sdk", settings.address)
    names = DatasetNames(on.dataset_lists, on.projects)
    editing = Editing(on.tasks, on.projects, names, wheel)
    parts = Parts(on.tasks, editing)
    accounts = Accounts(database, on.users, now, settings.token_days)
    events = Events(on.tasks, on.models)
    documents, finding, usage = Documents(last_metrics), Finding(on.projects), Usage(on.projects)
    tree = Tree(on.projects, on.tasks, on.models, on.facets, lifecycle)
    datasets = Datasets(
        on.datasets, on.dataset_lists, on.tasks, on.projects, editing, parts, lifecycle, held, documents
    )
    values = EventValues(events, on.tasks, on.models)
    return Services(
        about=About(accounts, settings.loopback, settings.address, listens),
        accounts=accounts,
        credentials=Credentials(on.users, accounts),
        datasets=datasets,
        event_pictures=EventPictures(events, values),
        event_values=values,
        events=events,
        logs=Logs(events),
        models=Models(on.models, on.projects, on.tasks, lifecycle, documents, finding, usage),
        projects=Projects(
            ProjectReading(on.projects, tree, finding, usage),
            ProjectEditing(on.projects, tree, datasets, names),
            tree,
        ),
        queues=Queues(on.queues, on.tasks, on.users, lifecycle),
        series=Series(),
        tasks=Tasks(Reading(on.tasks, on.users, documents, finding, usage), editing, parts, lifecycle),
        users=Users(on.users, accounts),
        wheel=wheel,
        workers=Workers(on.workers, on.tasks, on.queues),
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
    stores: Stores,
    hub: Hub,
    blobs: BlobStore,
    needed: Callable[[str], bool],
) -> list[Job]:
    """What the server does on its own."""
    watchdog = Watchdog(
        database, stores.tasks, services.tasks.lifecycle, hub, now, settings.silent_task_seconds
    )
    sweep = DatasetSweep(database, stores.datasets, DatasetFiles(blobs))
    return [
        Job("compaction", 2.0, lambda: compact(database).more),
        Job("console", 10.0, lambda: logs.merge(database) > 1000),
        Job("graves", 2.0, lambda: clear_graves(database)),
        Job(
            "projects",
            10.0,
            Leaving(
                database,
                Tree(stores.projects, stores.tasks, stores.models, stores.facets, services.tasks.lifecycle),
                hub,
                now,
            ),
        ),
        Job("watchdog", min(60.0, max(1.0, settings.silent_task_seconds / 2)), watchdog),
        Job("datasets", 2.0, sweep),
        Job("files", 2.0, FileSweep(database, blobs, now, needed)),
        Job("retention", 600.0, Retention(database, stores.projects, services.tasks.lifecycle, hub, now)),
        Job("changes", 600.0, lambda: changes.prune(database, now())),
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
    stores = Stores.on(database)
    services = build_services(database, settings, blobs, listens, stores)
    try:
        migrations.prepare(database)
        services.accounts.prepare(folder.credentials)
        services.queues.prepare(database, now)
    except DBAPIError as error:
        raise unusable(error, database) from None
    hub = Hub()
    executor = ThreadPoolExecutor(settings.threads, thread_name_prefix="call")
    dispatcher = Dispatcher(registry.load(), services, hub)
    calls = Calls(dispatcher, services, partial(HttpCall, database), executor, settings, now)
    # Files wait for the disk, so they have threads of their own.
    file_executor = ThreadPoolExecutor(16, thread_name_prefix="file")
    rules = FileRules(blobs, database, stores.datasets)
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
    jobs = build_jobs(settings, database, services, stores, hub, blobs, rules.needed)
    jobs.append(Job("uploads", 3600.0, resumable.tidy))
    if settings.idle_hours > 0:
        limit = settings.idle_hours * 3600
        running = partial(services.tasks.reading.any_runs, database)
        idle = IdleEnd(running, app.idle_seconds, limit, lambda: signal.raise_signal(signal.SIGTERM))
        jobs.append(Job("idle", min(60.0, limit / 4), idle))
    loops = Loops(jobs)
    relay = Relay(database, hub)
    executors = (executor, file_executor)
    return Server(settings, folder, database, services, stores, hub, executors, loops, relay, app)
