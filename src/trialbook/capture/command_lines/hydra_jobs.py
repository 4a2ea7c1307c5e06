"""Jobs of a sweep that ``hydra`` runs in one process: each is told to begin and to end."""

import sys
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines.lines import jobs
from trialbook.capture.patches import Patches


def install(callbacks: ModuleType) -> None:
    """Watch the calls that Hydra makes around each job, whichever launcher runs it."""
    kind: Any = vars(callbacks)["Callbacks"]
    patches = Patches("hydra")

    def starts(original: Any) -> Any:
        def on_job_start(self: Any, config: Any, **named: Any) -> Any:
            with guard("capture.hydra.job"):
                jobs.number = _number(config)
            return original(self, config, **named)

        return on_job_start

    def ends(original: Any) -> Any:
        def on_job_end(self: Any, config: Any, job_return: Any, **named: Any) -> Any:
            with guard("capture.hydra.job"):
                number, jobs.number = jobs.number, None
                if number is not None and jobs.ended is not None:
                    value = job_return._return_value
                    jobs.ended(value if job_return.status.name == "FAILED" else None)
            return original(self, config, job_return, **named)

        return on_job_end

    patches.around(kind, "on_job_start", starts)
    patches.around(kind, "on_job_end", ends)


def _number(config: Any) -> int | None:
    """Of the job in its sweep; a single run has none."""
    omegaconf: Any = sys.modules["omegaconf"]
    job = config.hydra.job
    return None if omegaconf.OmegaConf.is_missing(job, "num") else int(job.num)
