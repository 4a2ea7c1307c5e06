"""Models that tasks make."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.ids import new_id
from trialbook.base.unicode import storable
from trialbook.client.calls import filled, kept
from trialbook.errors import UsageError
from trialbook.journal import snapshot
from trialbook.journal.frames import Kind
from trialbook.journal.spool import Upload
from trialbook.sdk import current
from trialbook.sdk.artifacts.pack import zip_files
from trialbook.sdk.full_disk import spared
from trialbook.sdk.models.base import PACKAGE_TAG, PLACEHOLDER, Model, storing
from trialbook.sdk.models.frameworks import guess_framework, stem
from trialbook.sdk.models.listing import add_model, design_text
from trialbook.sdk.names import checked as checked_name
from trialbook.sdk.names import join, safe, task_folder
from trialbook.sdk.record import Record, record_of
from trialbook.sdk.values.argument_types import checked
from trialbook.sdk.values.labels import check_labels

if TYPE_CHECKING:
    from trialbook.client.api import AddMetadata, Calls, CreateModel, EditModel, EditModelFields, MetadataItem
    from trialbook.journal.journal import Journal
    from trialbook.sdk.current import Task


@checked
class OutputModel(Model):
    """A model that a task makes. It exists on the server with its first weights, or when it is connected.

    Args:
        task: None is the task of this process.
        config_text: configuration as a string.
        config_dict: configuration as a dict, instead of the text.
        label_enumeration: names to class numbers; None is the task's.
        name: None is the task's name.
        tags: of the model.
        comment: description.
        framework: None is guessed from the weights.
        base_model_id: id of a model that it continues from.

    Raises:
        UsageError: both forms of configuration, or no task.

    Example:
        >>> _ = pathlib.Path("best.pt").write_bytes(b"weights")
        >>> best = OutputModel(task, name="best", tags=["good"], label_enumeration={"cat": 0, "dog": 1})
        >>> url = best.update_weights("best.pt")
    """

    def __init__(
        self,
        task: "Task | None" = None,
        config_text: str | None = None,
        config_dict: Mapping[str, Any] | None = None,
        label_enumeration: Mapping[str, int] | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        comment: str | None = None,
        framework: str | None = None,
        base_model_id: str | None = None,
    ) -> None:
        owner = task or current.main_task()
        if owner is None:
            raise UsageError("an OutputModel belongs to a task: give task=, or call Task.init() first")
        super().__init__(base_model_id or new_id())
        self._task = owner
        self._record: Record = record_of(owner)
        self._made = base_model_id is not None
        self._slot = checked_name("a model", storable(name)) if name else None
        self._destination: str | None = None
        labels = (
            check_labels(label_enumeration)
            if label_enumeration is not None
            else owner.get_labels_enumeration()
        )
        if not self._made:
            self._known = {
                "id": self._id,
                "name": checked_name("a model", storable(name or owner.name)),
                "uri": PLACEHOLDER,
                "framework": framework or "",
                "labels": labels,
                "tags": list(tags or []),
                "comment": comment or "",
                "design": {"design": design_text(config_text, config_dict) or owner.get_model_design()},
                "task": owner.id,
                "project": owner.project,
                "ready": False,
                "metadata": {},
                "system_tags": [],
            }
        else:
            changes: EditModelFields = {"name": name, "framework": framework, "comment": comment}
            changes = filled(changes)
            if label_enumeration is not None:
                changes["labels"] = labels
            if tags is not None:
                changes["tags"] = list(tags)
            if changes:
                self._change(changes)
            if config_text is not None or config_dict is not None:
                self.update_design(config_text, config_dict)

    def connect(self, task: "Task", name: str | None = None, **_: Any) -> None:
        """List it with its task's output models; the task takes over its configuration and labels when it has none.

        Args:
            task: the task that the model was made for.
            name: of the slot; None is the model's name.

        Raises:
            UsageError: another task, or the task is published.

        Example:
            >>> net = OutputModel(task, config_dict={"layers": 3})
            >>> net.connect(task, name="net")
            >>> task.get_model_config_dict()
            {'layers': 3}
        """
        if task.id != self._task.id:
            raise UsageError(
                f"this model is an output of task {self._task.id}, not of {task.id}: make one for the other task with "
                f"OutputModel(task=…), or let it start from this one with InputModel({self.id!r}).connect(task)"
            )
        self._slot = name or self._slot
        self._make(self._slot or self.name)
        known = self._data()
        self._tell_task((known.get("design") or {}).get("design") or "", known.get("labels"))

    def update_weights(
        self,
        weights_filename: str | None = None,
        upload_uri: str | None = None,
        target_filename: str | None = None,
        auto_delete_file: bool = True,
        register_uri: str | None = None,
        iteration: int | None = None,
        update_comment: bool = True,
        is_package: bool = False,
        async_enable: bool = True,
    ) -> str:
        """Store new weights; they replace the model's earlier ones.

        A file that a watched library has saved is this model's alone from now on: the model that was made for it
        disappears, and later saves to the path are not taken (``auto_connect_frameworks`` of ``Task.init``).

        Args:
            weights_filename: a file or a folder (stored as one zip).
            upload_uri: where to; None is the model's or the task's destination. When there is none either, a file stays
                where it is and its path is recorded; a folder goes to the files server.
            target_filename: name to store it under.
            auto_delete_file: delete the file after it arrived, when ``upload_uri`` or ``target_filename`` was given.
            register_uri: an address that is stored already, instead of a file.
            iteration: of the weights; kept with the model and noted in the description.
            update_comment: note file and iteration in the description.
            is_package: the file is a zip of several.
            async_enable: False returns when it has arrived.

        Returns:
            The address of the weights.

        Raises:
            UsageError: both or neither of file and address, no such file, or model or task are published.

        Example:
            >>> _ = pathlib.Path("net.pt").write_bytes(b"weights")
            >>> model = OutputModel(task, name="net", tags=["good"])
            >>> url = model.update_weights("net.pt", iteration=3)
            >>> model.framework
            'PyTorch'
        """
        if (weights_filename is None) == (register_uri is None):
            raise UsageError("give either weights_filename or register_uri")
        self._record.require_unpublished("The models")
        self._require_changeable()
        changes: EditModelFields = {}
        if iteration is not None:
            changes["iteration"] = int(iteration)
        if iteration is not None and update_comment:
            changes["comment"] = _noted(self.comment, weights_filename or str(register_uri), iteration)
        if register_uri is not None:
            return self._registered(register_uri, is_package, changes)
        return self._store(
            Path(str(weights_filename)).expanduser(),
            upload_uri,
            target_filename,
            auto_delete_file and (target_filename is not None or upload_uri is not None),
            is_package,
            async_enable,
            changes,
        )

    def _registered(self, url: str, package: bool, changes: "EditModelFields") -> str:
        changes = {**changes, "uri": url, "framework": self.framework or guess_framework(url)}
        if package:
            changes["system_tags"] = sorted({*self.system_tags, PACKAGE_TAG})
        self._make(stem(url))
        self._change(changes)
        return url

    @spared("file", "")
    def update_weights_package(
        self,
        weights_filenames: Sequence[str] | None = None,
        weights_path: str | None = None,
        upload_uri: str | None = None,
        target_filename: str | None = None,
        auto_delete_file: bool = False,
        iteration: int | None = None,
        async_enable: bool = True,
    ) -> str:
        """Store several files as one package.

        Args:
            weights_filenames: the files.
            weights_path: a folder, instead.
            upload_uri: where to; None is the model's or the task's destination, else the files server.
            target_filename: name to store it under.
            auto_delete_file: delete the files once they are packed.
            iteration: of the weights; kept with the model and noted in the description.
            async_enable: False returns when it has arrived.

        Returns:
            The address of the package.

        Raises:
            UsageError: both or neither of files and folder, no such file, or the task is published.

        Example:
            >>> for name in ("encoder.pt", "decoder.pt"):
            ...     _ = pathlib.Path(name).write_bytes(name.encode())
            >>> model = OutputModel(task, name="pair")
            >>> url = model.update_weights_package(["encoder.pt", "decoder.pt"])
            >>> [pathlib.Path(path).name for path in model.get_weights_package()]
            ['decoder.pt', 'encoder.pt']
        """
        if (weights_filenames is None) == (weights_path is None):
            raise UsageError("give either weights_filenames or weights_path")
        self._record.require_unpublished("The models")
        if weights_path is not None:
            return self.update_weights(
                weights_path,
                upload_uri,
                target_filename,
                False,
                iteration=iteration,
                async_enable=async_enable,
            )
        files = [Path(name).expanduser() for name in weights_filenames or []]
        for path in files:
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
            self._claim(path)
        source = self._record.journal.spool.reserve(".zip")
        names = [path.name for path in files]
        if len(set(names)) < len(names):
            raise UsageError(
                "two of the files have the same name; put them into a folder and pass weights_path"
            )
        zip_files(zip(files, names, strict=True), source)
        changes: EditModelFields = {}
        if iteration is not None:
            changes["iteration"] = int(iteration)
            changes["comment"] = _noted(self.comment, names[0], iteration)
        url = self._send(
            source, upload_uri, target_filename or f"{safe(self.name)}.zip", None, True, async_enable, changes
        )
        for path in files if auto_delete_file else ():
            path.unlink(missing_ok=True)
        return url

    def update_design(
        self, config_text: str | None = None, config_dict: Mapping[str, Any] | None = None
    ) -> bool:
        """Replace the configuration; a task that has none gets it too.

        Args:
            config_text: as text.
            config_dict: as a dict, instead.

        Returns:
            True.

        Raises:
            UsageError: both, or the model is published.

        Example:
            >>> net = OutputModel(task, name="net")
            >>> net.update_design(config_dict={"layers": 3})
            True
        """
        design = design_text(config_text, config_dict)
        self._require_changeable()
        self._change({"design": {"design": design}})
        self._tell_task(design=design)
        return True

    def _require_changeable(self) -> None:
        if self._data().get("ready"):
            raise UsageError(f"model {self.id} is published and cannot change; make a new OutputModel")

    def update_labels(self, labels: Mapping[str, int]) -> None:
        """Replace the meaning of class numbers, here and on the task as long as the task is a draft or runs.

        Args:
            labels: names to integers.

        Raises:
            UsageError: not a dict of strings to integers, or the model is published.

        Example:
            >>> model = OutputModel(task, name="net")
            >>> model.update_labels({"cat": 0, "dog": 1})
            >>> task.get_labels_enumeration()
            {'cat': 0, 'dog': 1}
        """
        checked = check_labels(labels)
        self._require_changeable()
        self._change({"labels": checked})
        if self._record.editable:
            self._task.set_model_label_enumeration(checked)

    @property
    def labels(self) -> dict[str, int]:
        """The meaning of its class numbers; to assign them is ``update_labels``.

        Example:
            >>> OutputModel(task, label_enumeration={"cat": 0, "dog": 1}).labels
            {'cat': 0, 'dog': 1}
        """
        return super().labels

    @labels.setter
    def labels(self, value: Mapping[str, int]) -> None:
        self.update_labels(value)

    @property
    def config_text(self) -> str:
        """Its configuration as a string; to assign it is ``update_design``.

        Example:
            >>> OutputModel(task, config_text="layers: 3").config_text
            'layers: 3'
        """
        return super().config_text

    @config_text.setter
    def config_text(self, value: str) -> None:
        self.update_design(config_text=value)

    @property
    def config_dict(self) -> dict[str, Any]:
        """Its configuration as a dict; empty when the text is neither HOCON nor JSON. To assign it is
        ``update_design``.

        Example:
            >>> OutputModel(task, config_text="layers: 3").config_dict
            {'layers': 3}
        """
        return super().config_dict

    @config_dict.setter
    def config_dict(self, value: Mapping[str, Any]) -> None:
        self.update_design(config_dict=value)

    def set_upload_destination(self, uri: str) -> None:
        """Where later weights go.

        Args:
            uri: a folder or an address.

        Raises:
            UsageError: it cannot be written to.

        Example:
            >>> _ = pathlib.Path("best.pt").write_bytes(b"weights")
            >>> best = OutputModel(task, name="best")
            >>> best.set_upload_destination("/tmp/store")
            >>> best.update_weights("best.pt")
            '/tmp/store/...'
        """
        from trialbook.sdk.storage import check_writable

        check_writable(uri)
        self._destination = uri

    def set_name(self, name: str) -> None:
        """Rename it.

        Args:
            name: the new name.

        Example:
            >>> model.set_name("larger net")
            >>> Model(model.id).name
            'larger net'
        """
        self._change({"name": checked_name("a model", storable(str(name)))})

    def set_comment(self, comment: str) -> None:
        """Replace the description.

        Args:
            comment: the new one.

        Example:
            >>> model.set_comment("before pruning")
            >>> Model(model.id).comment
            'before pruning'
        """
        self._change({"comment": str(comment)})

    def set_tags(self, tags: Sequence[str]) -> None:
        """Replace the tags.

        Args:
            tags: the new ones.

        Example:
            >>> model.set_tags(["good"])
            >>> Model(model.id).tags
            ['good']
        """
        self._change({"tags": list(tags)})

    def wait_for_uploads(self, timeout: float | None = None, max_num_uploads: int | None = None) -> bool:
        """Wait until weights that this object is storing have arrived.

        Args:
            timeout: seconds for each; None waits as long as it takes.
            max_num_uploads: only for so many of them.

        Returns:
            True when they have.

        Example:
            >>> _ = pathlib.Path("best.pt").write_bytes(b"weights")
            >>> best = OutputModel(task, name="best")
            >>> _ = best.update_weights("best.pt", upload_uri="store")
            >>> best.wait_for_uploads(timeout=60)
            True
        """
        return all(pending.wait(timeout) for pending in storing.get(self.id, [])[:max_num_uploads])

    def _store_metadata(self, entries: "Sequence[MetadataItem]", replace: bool) -> None:
        self._make(self.name)
        known = {} if replace else dict(self._data().get("metadata") or {})
        self._data()["metadata"] = {**known, **{entry["key"]: entry for entry in entries}}
        ask: AddMetadata = {"model": self.id, "metadata": entries, "replace_metadata": replace}
        self._record.later.models.add_or_update_metadata(ask)

    def _journal(self) -> "Journal":
        self._make(self.name)
        return self._record.journal

    def _tell_task(self, design: str = "", labels: Mapping[str, int] | None = None) -> None:
        """What the task does not say itself it takes from its model."""
        if not self._record.editable:
            return
        if design and not self._task.get_model_design():
            self._task.set_model_config(design)
        if labels and not self._task.get_labels_enumeration():
            self._task.set_model_label_enumeration(labels)

    @property
    def _api(self) -> "Calls":
        self._record.flush()
        return self._record.api

    def _make(self, slot: str) -> None:
        """Create it on the server and list it with the task, once."""
        if self._made:
            if slot not in _slots(self._record, "output") and self._id not in _models(self._record, "output"):
                self._record.require_unpublished("The models")
                add_model(self._record, "output", self._slot or slot, self._id)
            return
        self._record.require_unpublished("The models")
        self._made = True
        known = self._data()
        fields: CreateModel = {
            "id": known["id"],
            "name": known["name"],
            "uri": known["uri"],
            "framework": known["framework"],
            "labels": known["labels"],
            "tags": known["tags"],
            "comment": known["comment"],
            "design": known["design"],
            "task": known["task"],
            "ready": known["ready"],
        }
        if known.get("project"):
            fields["project"] = known["project"]
        self._record.later.models.create(fields)
        add_model(self._record, "output", self._slot or slot, self._id)

    def _change(self, changes: "EditModelFields") -> None:
        if not self._made:
            # It could never be stored: said here, not when its weights come.
            self._record.require_unpublished("The models")
        self._data().update(changes)
        if self._made and changes:
            self._record.later.models.edit({"model": self.id, **changes})

    @spared("file", "")
    def _store(
        self,
        path: Path,
        destination: str | None,
        target: str | None,
        delete: bool,
        package: bool,
        background: bool,
        changes: "EditModelFields",
    ) -> str:
        if path.exists():
            self._claim(path)
        if path.is_dir():
            source = self._record.journal.spool.reserve(".zip")
            zip_files(
                [
                    (found, str(found.relative_to(path)))
                    for found in sorted(path.rglob("*"))
                    if found.is_file()
                ],
                source,
            )
            return self._send(
                source, destination, target or f"{path.name}.zip", None, True, background, changes
            )
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        if not (destination or self._destination or self._task.output_uri):
            return self._registered(path.resolve().as_uri(), package, changes)
        source = self._record.journal.spool.reserve(path.suffix or ".bin")
        # The program may write its next checkpoint over the file at once.
        snapshot.keep(path, source)
        return self._send(
            source,
            destination,
            target or path.name,
            path.resolve() if delete else None,
            package,
            background,
            changes,
        )

    def _claim(self, path: Path) -> None:
        """What other libraries save there is this model's from now on."""
        if self._record.on_weights is None:
            return
        for told in self._record.on_weights(path, self):
            # What the library told of the weights, and the program did not.
            if not self.framework:
                self._change({"framework": told.framework})
            if told.config_text and not self.config_text:
                self.update_design(config_text=told.config_text)

    def _send(
        self,
        source: Path,
        destination: str | None,
        file_name: str,
        own: Path | None,
        package: bool,
        background: bool,
        changes: "EditModelFields",
    ) -> str:
        base, project, name = self._record.place()
        root = destination or self._destination or self._task.output_uri or base
        # A folder of its own: two models of a task may both have their weights in "model.pt".
        own_folder = f"{safe(self.name)[:80]}.{self.id[:8]}"
        url = join(root, task_folder(project, name, self._record.id), "models", own_folder, safe(file_name))
        self._make(stem(file_name))
        changes = {**changes, "uri": url}
        if not self.framework:
            changes["framework"] = guess_framework(file_name)
        if package:
            changes["system_tags"] = sorted({*self.system_tags, PACKAGE_TAG})
        self._data().update(changes)
        ask: EditModel = {"model": self.id, **changes}
        call = kept(lambda changes: changes.models.edit(ask))
        pending = self._record.journal.upload(Upload(source, url, True, ((Kind.CALL, call),), own))
        if pending is not None and self._record.connection is not None:
            storing.setdefault(self.id, []).append(pending)
            if not background:
                self._ready()
                self._record.flush()
        return url


class SlotModel(OutputModel):
    """An output model in a slot of its task that is not called as the model.

    Args:
        slot: name of the slot.
        task: whose it is.
        given: as of ``OutputModel``.
    """

    def __init__(self, slot: str, task: "Task", **given: Any) -> None:
        super().__init__(task, **given)
        self._slot = slot


def _slots(record: Record, side: str) -> list[str]:
    return [str(entry.get("name")) for entry in (record.document.get("models") or {}).get(side) or []]


def _models(record: Record, side: str) -> list[str]:
    return [str(entry.get("model")) for entry in (record.document.get("models") or {}).get(side) or []]


def _noted(comment: str, file_name: str, iteration: int) -> str:
    lines = [line for line in comment.split("\n") if line and not line.startswith("update_model: ")]
    return "\n".join([*lines, f"update_model: {Path(file_name).name} (iteration {iteration})"])
