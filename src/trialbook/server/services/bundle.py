"""Everything that handlers may use, by name."""

from dataclasses import dataclass

from trialbook.server.services.about import About
from trialbook.server.services.accounts import Accounts
from trialbook.server.services.credentials import Credentials
from trialbook.server.services.datasets.versions import Datasets
from trialbook.server.services.event_pictures import EventPictures
from trialbook.server.services.event_values import EventValues
from trialbook.server.services.events import Events
from trialbook.server.services.logs import Logs
from trialbook.server.services.models import Models
from trialbook.server.services.own_wheel import OwnWheel
from trialbook.server.services.projects import Projects
from trialbook.server.services.queues import Queues
from trialbook.server.services.series import Series
from trialbook.server.services.tasks import Tasks
from trialbook.server.services.users import Users
from trialbook.server.services.workers import Workers


@dataclass(frozen=True)
class Services:
    """Built once by ``wiring``; shared by all threads, so nothing in it holds the state of one call."""

    about: About
    accounts: Accounts
    credentials: Credentials
    workers: Workers
    datasets: Datasets
    events: Events
    event_values: EventValues
    event_pictures: EventPictures
    series: Series
    logs: Logs
    users: Users
    projects: Projects
    tasks: Tasks
    models: Models
    queues: Queues
    wheel: OwnWheel
