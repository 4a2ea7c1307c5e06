"""Datasets that the clearml SDK made without a server: a task document, and a state that names files of this host."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from trialbook.client.places import from_unencoded
from trialbook.datasets.draft.draft import Draft, Link
from trialbook.datasets.ingest.run import Sources
from trialbook.datasets.paths import check
from trialbook.datasets.sources.digest import stream
from trialbook.datasets.sources.scan import FACTS, scan_file
from trialbook.errors import UsageError
from trialbook.sdk.offline import foreign_session

_DOCUMENT = "task.json"
_HIDDEN = "/.datasets/"
_MADE_HERE = "offline-"
_AGAIN = frozenset({"Dataset Struct"})
"""Configuration that is made anew when the version is closed."""


class _File(msgspec.Struct, frozen=True):
    relative_path: str
    parent_dataset_id: str
    local_path: str | None = None
    hash: str | None = None
    size: int | None = None


class _Link(msgspec.Struct, frozen=True):
    relative_path: str
    link: str
    hash: str | None = None
    size: int | None = None


class _State(msgspec.Struct, frozen=True):
    id: str
    dataset_file_entries: list[_File] = []
    dataset_link_entries: list[_Link] = []
    dependency_graph: dict[str, list[str]] = {}


@dataclass(frozen=True)
class ForeignSession:
    """One of them, read as a whole.

    Attributes:
        folder: of the session.
        document: of its task.
        state: what the version holds.
    """

    folder: Path
    document: dict[str, Any]
    state: _State

    def note(self) -> dict[str, Any]:
        """What ``dataset.json`` says of a session of ours."""
        document = self.document
        project, _, _ = str(document["project_name"]).partition(_HIDDEN)
        properties = (document.get("hyperparams") or {}).get("properties") or {}
        return {
            "id": self.state.id,
            "name": document["name"],
            "project": project,
            "version": (properties.get("version") or {}).get("value"),
            "tags": document.get("tags") or [],
            "description": document.get("comment") or "",
            "parents": [
                one for one in self.state.dependency_graph.get(self.state.id, []) if one != self.state.id
            ],
        }

    def copy_without_state(self, target: Path) -> Path:
        """The session as that of a task, without what the version's own closing writes."""
        shutil.copytree(self.folder, target)
        # Its destination is a folder of the session.
        document = {name: value for name, value in self.document.items() if name != "output"}
        execution = dict(document.get("execution") or {})
        execution["artifacts"] = [
            one for one in execution.get("artifacts") or [] if one.get("key") != "state"
        ]
        document["execution"] = execution
        configuration = document.get("configuration") or {}
        document["configuration"] = {
            name: value for name, value in configuration.items() if name not in _AGAIN
        }
        (target / _DOCUMENT).write_text(json.dumps(document), "utf-8")
        return target

    def sources(self) -> Sources:
        """The files that were added, where they are on this host.

        Raises:
            UsageError: one is not there any more, or is another one.
        """
        own = [one for one in self.state.dataset_file_entries if one.parent_dataset_id.startswith(_MADE_HERE)]
        own = sorted({one.relative_path: one for one in own}.values(), key=lambda one: one.relative_path)
        check([one.relative_path for one in own])
        files = [str(one.local_path or "") for one in own]
        for one, file in zip(own, files, strict=True):
            if not file or not Path(file).is_file():
                raise UsageError(
                    f"the file {file or one.relative_path} of the offline dataset is not on this host: "
                    "its session holds no content, so import it where the files are"
                )
            size = Path(file).stat().st_size
            if one.hash and (size != one.size or stream(file, size, True)[0].sha256.hex() != one.hash):
                raise UsageError(
                    f"the file {file} has changed since it was added offline: add it again in a new dataset"
                )
        facts = [scan_file(Path(file)).facts for file in files]
        return Sources(
            [one.relative_path for one in own], files, np.concatenate(facts) if facts else np.zeros(0, FACTS)
        )

    def bring(self, draft: Draft, sources: Sources) -> None:
        """Make a draft hold what the session says."""
        there = {one.relative_path for one in self.state.dataset_file_entries}
        there.update(one.relative_path for one in self.state.dataset_link_entries)
        draft.remove_paths(path for path in draft.base.paths if path not in there)
        if sources.paths:
            draft.add_sources(sources)
        known = set(draft.base.paths)
        draft.add_links(
            [
                Link(
                    one.relative_path,
                    from_unencoded(one.link),
                    -1 if one.size is None else one.size,
                    "",
                    _sha256(one.hash),
                )
                for one in self.state.dataset_link_entries
                if one.relative_path not in known
            ]
        )


def _sha256(text: str | None) -> bytes:
    return bytes.fromhex(text) if text and len(text) == 64 else bytes(32)


def read(folder: Path, named: Path) -> ForeignSession | None:
    """The session of a dataset in a folder; None when none of the clearml SDK's is there.

    Args:
        folder: where it is.
        named: the path that the user gave, for messages.

    Raises:
        UsageError: it is a session, but of no dataset, or it is damaged.
    """
    top = foreign_session.find(folder)
    if top is None:
        return None
    try:
        document = json.loads((top / _DOCUMENT).read_text("utf-8"))
        places = sorted(top.glob("data/**/artifacts/state/state.json"))
        if _HIDDEN not in str(document.get("project_name")) or len(places) != 1:
            raise UsageError(
                f"{named} holds the session of a task, or of a dataset to which nothing was added: "
                "Task.import_offline_session takes it"
            )
        state = msgspec.json.decode(places[0].read_bytes(), type=_State)
    except (ValueError, AttributeError, msgspec.DecodeError) as error:
        raise UsageError(f"{named} is damaged or cut short: {error}") from error
    return ForeignSession(top, document, state)
