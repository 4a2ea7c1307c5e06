"""Configuration objects (whole texts), label enumeration, container."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trialbook.base.files import write_atomic
from trialbook.base.unicode import storable
from trialbook.errors import UsageError
from trialbook.sdk.names import checked, safe
from trialbook.sdk.task.base import TaskBase
from trialbook.sdk.task.inputs.proxy import ConnectedDict
from trialbook.sdk.values import hocon
from trialbook.sdk.values.labels import check_labels
from trialbook.sdk.values.structures import contained, structure_of

if TYPE_CHECKING:
    from trialbook.client.api import Configuration

_log = logging.getLogger("trialbook")
_GENERAL = "General"
_DESIGN = "design"


class ConfigurationMixin(TaskBase):
    """Members about configuration, labels and the container."""

    def connect_configuration(
        self,
        configuration: Any,
        name: str | None = None,
        description: str | None = None,
        ignore_remote_overrides: bool = False,
    ) -> Any:
        """Record a configuration as one text that people can read and edit.

        Args:
            configuration: a dict, a list, or the path of a file of any format.
            name: of the section; None is "General".
            description: shown with it.
            ignore_remote_overrides: keep the code's configuration when an agent runs it.

        Returns:
            For a dict, one whose changes reach the task; for a list, itself, which is not followed; for a file, its
            path. When an agent runs the code: the dict, the list, or a path of a file, with the content stored on the
            task.

        Raises:
            UsageError: the file cannot be read, it is neither a dict nor a list nor a path, or the task is neither a
                draft nor running.

        Example:
            >>> network = task.connect_configuration({"layers": [64, 64]}, name="network")
            >>> network["layers"].append(10)
            >>> network["activation"] = "relu"
            >>> print(task.get_configuration_object("network"))
            layers = [64, 64, 10]
            activation = "relu"
        """
        self._record.require_editable("The configuration")
        section = storable(name or _GENERAL)
        remote = bool(self._record.settings.task_id) and self._record.own and not ignore_remote_overrides
        stored = self._objects().get(section) if remote else None
        if remote and stored is None:
            _log.warning("the task has no configuration %r; that of the code is used and stored", section)
        if isinstance(configuration, Mapping):
            return self._connect_mapping(configuration, section, description, stored)
        if isinstance(configuration, (str, Path)):
            return self._connect_file(configuration, section, description, stored)
        if isinstance(configuration, list):
            if stored is not None:
                return _listed(str(stored.get("value") or ""), section)
            self._put(section, hocon.dump_list(configuration), description or "", "dictionary")
            return configuration
        raise UsageError(f"a configuration is a dict, a list or a path, not a {type(configuration).__name__}")

    def get_configuration_object(self, name: str) -> str | None:
        """The text of a configuration section, asked from the server for a task that this process does not run.

        Args:
            name: of the section.

        Returns:
            The text; None when there is no such section.

        Example:
            >>> task.set_configuration_object("augment", config_text="flip: true")
            >>> task.get_configuration_object("augment"), task.get_configuration_object("other")
            ('flip: true', None)
        """
        found = self._fresh_objects().get(storable(name))
        return str(found.get("value") or "") if found is not None else None

    def get_configuration_objects(self) -> dict[str, str]:
        """The texts of all configuration sections.

        Returns:
            Names to strings; empty when there are none.

        Example:
            >>> task.set_configuration_object("augment", config_text="flip: true")
            >>> task.get_configuration_objects()
            {'augment': 'flip: true'}
        """
        return {name: str(item.get("value") or "") for name, item in self._fresh_objects().items()}

    def get_configuration_object_as_dict(self, name: str) -> dict[str, Any] | None:
        """A configuration section as a dict.

        Args:
            name: of the section.

        Returns:
            The dict, or the list of a section that holds one; None when there is no such section, or it is neither
            HOCON nor JSON.

        Example:
            >>> task.set_configuration_object("augment", config_text="flip: true")
            >>> task.get_configuration_object_as_dict("augment")
            {'flip': True}
        """
        text = self.get_configuration_object(name)
        if text is None:
            return None
        try:
            return cast("dict[str, Any]", hocon.load_any(text))
        except ValueError:
            return None

    def set_configuration_object(
        self,
        name: str,
        config_text: str | None = None,
        description: str | None = None,
        config_type: str | None = None,
        config_dict: Mapping[str, Any] | None = None,
    ) -> None:
        """Store a string under a name; other sections stay.

        Args:
            name: of the section.
            config_text: the text.
            description: shown with it.
            config_type: its format, for the web UI.
            config_dict: a dict instead of a string.

        Raises:
            UsageError: both or neither of string and dict, or the task is neither a draft nor running.

        Example:
            >>> task.set_configuration_object("notes", "as they are", description="why")
        """
        if (config_text is None) == (config_dict is None):
            raise UsageError("give either config_text or config_dict")
        self._record.require_editable("The configuration")
        text = config_text if config_text is not None else hocon.dump(config_dict or {})
        self._put(
            storable(name),
            text,
            description or "",
            config_type or ("dictionary" if config_dict is not None else ""),
        )

    def connect_label_enumeration(self, enumeration: dict[str, int]) -> dict[str, int]:
        """Record the meaning of class numbers; output models made later carry it.

        Args:
            enumeration: names to integers.

        Returns:
            What the program should use: when an agent runs it, what the task has.

        Raises:
            UsageError: not a dict of strings to integers, or the task is neither a draft nor running.

        Example:
            >>> task.connect_label_enumeration({"background": 0, "person": 1})
            {'background': 0, 'person': 1}
        """
        if self._record.settings.task_id and self._record.own and self.get_labels_enumeration():
            return self.get_labels_enumeration()
        self.set_model_label_enumeration(enumeration)
        return enumeration

    def set_model_label_enumeration(self, enumeration: Mapping[str, int] | None = None) -> None:
        """Set the meaning of class numbers; output models made later carry it.

        Args:
            enumeration: names to integers; None clears it.

        Raises:
            UsageError: not a dict of strings to integers, or the task is neither a draft nor running.

        Example:
            >>> task.set_model_label_enumeration({"cat": 0, "dog": 1})
            >>> OutputModel(task).labels
            {'cat': 0, 'dog': 1}
        """
        labels = check_labels(enumeration or {})
        self._record.require_editable("The labels")
        execution = {**(self._document().get("execution") or {}), "model_labels": labels}
        self._document()["execution"] = execution
        self._record.changes.tasks.edit(
            {"task": self.id, "force": True, "execution": {"model_labels": labels}}
        )

    def get_labels_enumeration(self) -> dict[str, int]:
        """The meaning of class numbers.

        Returns:
            Names to numbers; empty when none were set.

        Example:
            >>> task.set_model_label_enumeration({"cat": 0, "dog": 1})
            >>> task.get_labels_enumeration()
            {'cat': 0, 'dog': 1}
        """
        labels = (self._document().get("execution") or {}).get("model_labels") or {}
        return {str(name): int(number) for name, number in labels.items()}

    def get_label_num_description(self) -> dict[int, str]:
        """What class numbers mean.

        Returns:
            Numbers to names; several names of one number are joined with a comma.

        Example:
            >>> task.set_model_label_enumeration({"cat": 0, "kitten": 0, "dog": 1})
            >>> task.get_label_num_description()
            {0: 'cat, kitten', 1: 'dog'}
        """
        found: dict[int, list[str]] = {}
        for name, number in self.get_labels_enumeration().items():
            found.setdefault(number, []).append(name)
        return {number: ", ".join(names) for number, names in found.items()}

    def get_num_of_classes(self) -> int:
        """How many classes the labels have.

        Returns:
            The greatest class number and one more; 0 without labels. Numbers that no label has are counted, with a
            warning.

        Example:
            >>> task.set_model_label_enumeration({"background": 0, "person": 1})
            >>> task.get_num_of_classes()
            2
        """
        numbers = set(self.get_labels_enumeration().values())
        count = max(numbers, default=-1) + 1
        missing = count - len({number for number in numbers if number >= 0})
        if missing > 0:
            _log.warning("the labels leave out %d of the numbers below %d", missing, count)
        return count

    def get_model_design(self) -> str:
        """The model configuration.

        Returns:
            The text of ``set_model_config`` or ``update_model_desc``, else that of the section "General"; empty when
            there is none.

        Example:
            >>> task.set_model_config(config_text="layers: 3")
            >>> task.get_model_design()
            'layers: 3'
        """
        found = self._objects().get(_DESIGN) or self._objects().get(_GENERAL)
        return str((found or {}).get("value") or "")

    def get_model_config_text(self) -> str:
        """The same as ``get_model_design``, under an older name.

        Returns:
            The text; empty when there is none.

        Example:
            >>> task.set_model_config(config_text="layers: 3")
            >>> task.get_model_config_text()
            'layers: 3'
        """
        return self.get_model_design()

    def get_model_config_dict(self) -> dict[str, Any]:
        """``get_model_design`` as a dict; an older form of ``get_configuration_object_as_dict``.

        Returns:
            The dict; empty when the text is neither HOCON nor JSON.

        Example:
            >>> task.set_model_config(config_text="layers: 3")
            >>> task.get_model_config_dict()
            {'layers': 3}
        """
        try:
            return hocon.load(self.get_model_design() or "{}")
        except ValueError:
            return {}

    def set_model_config(
        self, config_text: str | None = None, config_dict: Mapping[str, Any] | None = None
    ) -> None:
        """Store the model configuration; an older form of ``connect_configuration``.

        Args:
            config_text: as a text.
            config_dict: as a dict instead.

        Raises:
            UsageError: both or neither.

        Example:
            >>> task.set_model_config(config_dict={"layers": 3})
            >>> task.get_model_config_dict()
            {'layers': 3}
        """
        self.set_configuration_object(_DESIGN, config_text, config_dict=config_dict)

    def update_model_desc(self, new_model_desc_file: str | Path | None = None) -> None:
        """Replace the model configuration by the text of a file.

        Args:
            new_model_desc_file: its path.

        Raises:
            OSError: the file cannot be read.
            UsageError: no file is named, or it is not text.

        Example:
            >>> _ = pathlib.Path("net.txt").write_text("layers: 3")
            >>> task.update_model_desc("net.txt")
            >>> task.get_model_design()
            'layers: 3'
        """
        if new_model_desc_file is None:
            raise UsageError("update_model_desc needs the path of a file")
        path = Path(new_model_desc_file).expanduser()
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8 text: {error}") from error
        self.set_configuration_object(_DESIGN, text, config_type=path.suffix.lstrip(".") or None)

    def save_exec_model_design_file(self, filename: str = "model_design.txt", use_cache: bool = False) -> str:
        """Write the model configuration to a file in the task's cache folder.

        Args:
            filename: of the file.
            use_cache: keep a file that is there.

        Returns:
            Its path.

        Raises:
            UsageError: the task has no model configuration, or the name leads out of the folder.

        Example:
            >>> task.set_model_config(config_text="layers: 3")
            >>> pathlib.Path(task.save_exec_model_design_file("net.txt")).read_text()
            'layers: 3'
        """
        path = self._record.settings.own_cache(self.id) / filename
        if Path(filename).name != filename:
            raise UsageError(f"filename is a name without folders, not {filename!r}")
        if use_cache and path.is_file():
            return str(path)
        text = self.get_model_design()
        if not text:
            raise UsageError(f"task {self.id} has no model configuration; see update_model_desc")
        write_atomic(path, text.encode())
        return str(path)

    def set_base_docker(
        self,
        docker_cmd: str | None = None,
        docker_arguments: str | Sequence[str] | None = None,
        docker_setup_bash_script: str | Sequence[str] | None = None,
        docker_image: str | None = None,
    ) -> None:
        """Set the container in which an agent runs the task.

        Args:
            docker_cmd: image, and arguments after a blank.
            docker_arguments: arguments of the container.
            docker_setup_bash_script: lines to run in it first.
            docker_image: image, under its newer name.

        Raises:
            UsageError: the task is neither a draft nor running.

        Example:
            >>> draft = Task.create("Examples", "in a container")
            >>> draft.set_base_docker("python:3.12", docker_arguments="--ipc=host")
            >>> draft.get_base_docker()
            'python:3.12 --ipc=host'
        """
        if self._record.settings.task_id and self._record.own:
            return
        self._record.require_editable("The container")
        image, _, more = (docker_image or docker_cmd or "").partition(" ")
        listed = [docker_arguments] if isinstance(docker_arguments, str) else list(docker_arguments or [])
        script = docker_setup_bash_script or ""
        self._record.edit(
            container={
                "image": image,
                "arguments": " ".join(part for part in [more, *listed] if part),
                "setup_shell_script": script if isinstance(script, str) else "\n".join(script),
            }
        )

    def get_base_docker(self) -> str | None:
        """The container in which an agent runs the task.

        Returns:
            Image and arguments as one string; None when there is none.

        Example:
            >>> draft.set_base_docker("python:3.12", docker_arguments="--ipc=host")
            >>> draft.get_base_docker()
            'python:3.12 --ipc=host'
        """
        container = self._document().get("container") or {}
        text = " ".join(str(container.get(part)) for part in ("image", "arguments") if container.get(part))
        return text or None

    # -- inside ---

    def _objects(self) -> dict[str, dict[str, Any]]:
        document = self._document()
        if not isinstance(document.get("configuration"), dict):
            document["configuration"] = {}
        found: dict[str, dict[str, Any]] = document["configuration"]
        return found

    def _fresh_objects(self) -> dict[str, dict[str, Any]]:
        if not self._record.own:
            self._record.reload()
        return self._objects()

    def _put(self, name: str, text: str, description: str, kind: str) -> None:
        checked("a configuration", name)
        item: Configuration = {"name": name, "value": text, "type": kind, "description": description}
        with self._record.lock:
            self._objects()[name] = {**item}
            self._record.changes.tasks.edit_configuration(
                {"task": self.id, "configuration": [item], "force": True}
            )

    def _connect_mapping(
        self,
        values: Mapping[Any, Any],
        section: str,
        description: str | None,
        stored: Mapping[str, Any] | None,
    ) -> ConnectedDict:
        structure = structure_of(values)
        content = contained(structure.values if structure is not None else values)
        if stored is not None:
            content = hocon.load(str(stored.get("value") or ""))
        connected: ConnectedDict

        def changed() -> None:
            self._put(section, hocon.dump(connected), description or "", "dictionary")

        connected = ConnectedDict(content, changed)
        if stored is None:
            changed()
        return connected

    def _connect_file(
        self, path: str | Path, section: str, description: str | None, stored: Mapping[str, Any] | None
    ) -> str | Path:
        source = Path(path).expanduser()
        if stored is not None:
            import tempfile

            target = Path(tempfile.mkdtemp(prefix="trialbook-")) / f"{safe(section)}{source.suffix}"
            # Line ends as they were recorded.
            target.write_bytes(str(stored.get("value") or "").encode())
            return target if isinstance(path, Path) else str(target)
        try:
            text = source.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the configuration file {path} cannot be read: {error}") from error
        self._put(section, text, description or "", source.suffix.lstrip(".") or "file")
        return path


def _listed(text: str, section: str) -> list[Any]:
    try:
        found = hocon.load_any(text)
    except ValueError as error:
        raise UsageError(f"the configuration {section!r} on the task cannot be read: {error}") from error
    if not isinstance(found, list):
        raise UsageError(f"the configuration {section!r} on the task is not a list, but the code wants one")
    return found
