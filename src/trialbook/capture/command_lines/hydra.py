"""Configurations that ``hydra`` composes: for the program's main function, for each job of a sweep, and by its API."""

import sys
from types import ModuleType
from typing import Any

from trialbook.base.guard import guard
from trialbook.capture.command_lines import lines
from trialbook.capture.command_lines.lines import Parsed, Stored
from trialbook.capture.patches import Patches

SECTION = "Hydra"
SWITCH = "hydra"
TEXT = "OmegaConf"
# A parameter of the task: when somebody sets it, the text of the configuration counts, not only the overrides.
ALLOW_EDIT = "_allow_omegaconf_edit_"


def install(loading: ModuleType) -> None:
    """Watch how configurations are composed."""
    loader: Any = vars(loading)["ConfigLoaderImpl"]

    def composes(original: Any) -> Any:
        def load_configuration(
            self: Any, config_name: Any, overrides: Any, run_mode: Any, *more: Any, **named: Any
        ) -> Any:
            if run_mode.name != "RUN":
                # The plan of a sweep; each of its jobs composes a configuration of its own.
                return original(self, config_name, overrides, run_mode, *more, **named)
            stored = lines.stored(SECTION, SWITCH)
            with guard("capture.hydra.stored"):
                overrides = _overridden(overrides, stored)
            found = original(self, config_name, overrides, run_mode, *more, **named)
            with guard("capture.hydra.stored"):
                _edit(found, stored)
            with guard("capture.hydra"):
                _note(found, stored)
            return found

        return load_configuration

    Patches("hydra").around(loader, "load_configuration", composes)


def _overridden(overrides: Any, stored: Stored) -> Any:
    """The stored overrides, and those of the call that name something else."""
    own = {name: text for name, text in stored.texts.items() if name != ALLOW_EDIT}
    if not own:
        return overrides
    kept = [one for one in overrides if one.partition("=")[0] not in own]
    return kept + [
        name if name.startswith("~") and not text else f"{name}={text}" for name, text in own.items()
    ]


def _allowed(stored: Stored) -> bool:
    return stored.texts.get(ALLOW_EDIT, "").lower() in ("true", "1")


def _edit(config: Any, stored: Stored) -> None:
    """Put the text of the task in the place of what was composed; what Hydra itself needs stays."""
    if not _allowed(stored):
        return
    text = lines.stored_text(TEXT, SWITCH)
    if text is None:
        return
    omegaconf: Any = sys.modules["omegaconf"]
    conf = omegaconf.OmegaConf
    edited = conf.create(text)
    with omegaconf.read_write(config), omegaconf.open_dict(config):
        if conf.get_type(config) is dict:
            for name in [name for name in config if name != "hydra" and name not in edited]:
                del config[name]
        for name in edited:
            typed = name in config and conf.get_type(config, name) not in (dict, list, None)
            if typed and conf.is_config(config._get_node(name)):
                config[name].merge_with(edited[name])
            else:
                config[name] = edited[name]


def _note(config: Any, stored: Stored) -> None:
    omegaconf: Any = sys.modules["omegaconf"]
    overrides = [str(one) for one in config.hydra.overrides.task]
    shown = config.copy()
    with omegaconf.read_write(shown), omegaconf.open_dict(shown):
        del shown["hydra"]
    values: dict[str, Any] = {one.partition("=")[0]: one.partition("=")[2] for one in overrides}
    values[ALLOW_EDIT] = _allowed(stored)
    why = (
        "True: a run from this record uses the text of the configuration OmegaConf, not only these overrides"
    )
    lines.give(
        "hydra",
        Parsed(
            values=values,
            descriptions={ALLOW_EDIT: why},
            texts={TEXT: (omegaconf.OmegaConf.to_yaml(shown), "OmegaConf YAML")},
            section=SECTION,
            switch=SWITCH,
            arguments=False,
        ),
    )
