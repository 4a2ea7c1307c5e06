"""Deleting: tasks, artifacts, and their files."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialbook.base.unicode import storable
from trialbook.client.calls import where
from trialbook.errors import (
    FileMissing,
    ModelNotFound,
    TaskNotDeletable,
    TrialbookError,
    UsageError,
)
from trialbook.sdk.console import say
from trialbook.sdk.record import of_this_process
from trialbook.sdk.task.base import TaskBase

if TYPE_CHECKING:
    from trialbook.client.api import ArtifactRef, GetAllTasks, GetTaskEvents


class DeletionMixin(TaskBase):
    """Members that delete."""

    def delete(
        self,
        delete_artifacts_and_models: bool = True,
        skip_models_used_by_other_tasks: bool = True,
        raise_on_error: bool = False,
    ) -> bool:
        """Delete the task.

        Args:
            delete_artifacts_and_models: also its output models and the files that were stored for it (artifacts,
                weights, pictures). Files that were only registered by their address stay.
            skip_models_used_by_other_tasks: keep models that another task takes as input.
            raise_on_error: False prints what went wrong.

        Returns:
            True when the task is gone.

        Raises:
            TaskNotDeletable: it is published, or the task that an agent runs as this process.

        Example:
            >>> Task.create("Examples", "not needed").delete()
            True
        """
        try:
            self._delete(delete_artifacts_and_models, skip_models_used_by_other_tasks)
        except TrialbookError as error:
            if raise_on_error:
                raise
            say(f"Trialbook: task {self.id} was not deleted: {error}")
            return False
        return True

    def delete_artifacts(
        self,
        artifact_names: Sequence[str] | str,
        raise_on_errors: bool = True,
        delete_from_storage: bool = True,
    ) -> bool:
        """Delete artifacts of the task.

        Args:
            artifact_names: their names; a string is one.
            raise_on_errors: False prints what went wrong.
            delete_from_storage: also their files.

        Returns:
            True when all are gone.

        Raises:
            UsageError: there is no artifact of that name, or the task is published.

        Example:
            >>> task.upload_artifact("temporary", {"a": 1}, wait_on_upload=True)
            True
            >>> task.delete_artifacts(["temporary"])
            True
        """
        names = [
            storable(str(name))
            for name in ([artifact_names] if isinstance(artifact_names, str) else artifact_names)
        ]
        try:
            self._record.require_unpublished("The artifacts")
            self._delete_artifacts(names, delete_from_storage)
        except TrialbookError as error:
            if raise_on_errors:
                raise
            say(f"Trialbook: artifacts of task {self.id} were not deleted: {error}")
            return False
        return True

    def remove_input_models(self, models_to_remove: Sequence[Any]) -> None:
        """Take models from the list of those that the task started from. The models themselves stay.

        Args:
            models_to_remove: models or their ids.

        Raises:
            UsageError: the task does not list one of them, or it has ended.

        Example:
            >>> task.set_input_model(model_id=model.id)
            >>> task.remove_input_models([model.id])
            >>> len(task.models["input"])
            0
        """
        self._record.require_editable("The models")
        listed = (self._document().get("models") or {}).get("input") or []
        names = {str(entry["model"]): str(entry["name"]) for entry in listed}
        gone = [str(getattr(model, "id", model)) for model in models_to_remove]
        missing = [model for model in gone if model not in names]
        if missing:
            raise UsageError(f"task {self.id} has no input model {', '.join(missing)}")
        if not gone:
            return
        with self._record.lock:
            self._record.changes.tasks.delete_models(
                {"task": self.id, "models": [{"name": names[model], "type": "input"} for model in gone]}
            )
            kept = [entry for entry in listed if str(entry["model"]) not in gone]
            self._document()["models"] = {**(self._document().get("models") or {}), "input": kept}

    # -- inside ---

    def _delete_artifacts(self, names: list[str], files: bool) -> None:
        records = {self._record, *of_this_process(self.id)}
        if any(name in record.storing for record in records for name in names):
            self._artifact_ready()
        entries = (self._record.fresh().get("execution") or {}).get("artifacts") or []
        found = {str(entry["key"]): entry for entry in entries}
        missing = [name for name in names if name not in found]
        if missing:
            raise UsageError(
                f"task {self.id} has no artifact {', '.join(missing)}; it has {', '.join(found)}"
            )
        keys: list[ArtifactRef] = [
            {"key": name, "mode": str(found[name].get("mode") or "output")} for name in names
        ]
        self._record.api.tasks.delete_artifacts({"task": self.id, "artifacts": keys, "force": True})
        for record in records:
            for name in names:
                record.storing.pop(name, None)
        for name in names if files else ():
            self._remove_file(str(found[name].get("uri") or ""))
        self._record.reload()

    def _delete(self, everything: bool, skip_used: bool) -> None:
        if self._record.own and self._record.settings.task_id:
            raise TaskNotDeletable("a task cannot delete itself while an agent runs it")
        document = self._record.fresh()
        if document.get("status") in ("published", "publishing"):
            raise TaskNotDeletable(f"task {self.id} is published; published tasks stay")
        urls = self._stored(document) if everything else []
        models = [str(entry["model"]) for entry in (document.get("models") or {}).get("output") or []]
        self._record.api.tasks.delete({"task": self.id, "force": True, "delete_output_models": False})
        for model in models if everything else ():
            if skip_used and self._used(model):
                continue
            try:
                reply = self._record.api.models.delete({"model": model, "force": True})
            except ModelNotFound:
                continue
            urls.append(str(reply.get("url") or ""))
        for url in dict.fromkeys(url for url in urls if url):
            self._remove_file(url)

    def _stored(self, document: Mapping[str, Any]) -> list[str]:
        """Addresses of the artifacts and pictures of the task."""
        found = [
            str(artifact.get("uri") or "")
            for artifact in (document.get("execution") or {}).get("artifacts") or []
            if artifact.get("mode", "output") == "output"
        ]
        ask: GetTaskEvents = {"task": self.id, "event_type": "training_debug_image", "batch_size": 10_000}
        while True:
            answer = self._record.api.events.get_task_events(ask)
            found += [str(event.get("url") or "") for event in answer["events"]]
            if not answer["events"]:
                break
            ask["scroll_id"] = answer["scroll_id"]
        plots = self._record.api.events.get_task_plots(
            {"task": self.id, "iters": 1_000_000, "no_scroll": True}
        )
        for plot in plots.get("plots") or []:
            images = (json.loads(plot["plot_str"]).get("layout") or {}).get("images") or []
            found += [str(image.get("source") or "") for image in images]
        return found

    def _used(self, model: str) -> bool:
        ask: GetAllTasks = {"only_fields": ["id"], "page_size": 1}
        ask = where(ask, {"models.input.model": [model]})
        return bool(self._record.api.tasks.get_all(ask).get("tasks"))

    def _remove_file(self, url: str) -> None:
        # A file that was only registered belongs to the user. What the SDK stored has the task's id in its path.
        if self.id not in url:
            return
        connection = self._record.connection
        if connection is None or (url.startswith("http") and not connection.files.owns(url)):
            return
        try:
            connection.storage.delete(url)
        except (UsageError, FileMissing):
            return
        except TrialbookError as error:
            # The task is gone by now; one storage that is away should not keep the files in others.
            say(f"Trialbook: the file {url} stays: {error}")
