"""Every member of ``Task``, with the names, order and defaults of arguments that programs rely on.

Our members may take more arguments, after the known ones or by name; none is missing or called otherwise.
"""

import inspect
from typing import Any

import pytest

from trialbook import Task

REQUIRED = inspect.Parameter.empty
# name: arguments as "name" (required) or ("name", default); "*name" and "**name" as in Python.
METHODS: dict[str, list[Any]] = {
    "add_requirements": ["package_name", ("package_version", None)],
    "add_tags": ["tags"],
    "clone": [("source_task", None), ("name", None), ("comment", None), ("parent", None), ("project", None)],
    "close": [],
    "completed": [("ignore_errors", True)],
    "connect": ["mutable", ("name", None)],
    "connect_configuration": ["configuration", ("name", None), ("description", None)],
    "connect_label_enumeration": ["enumeration"],
    "create": [
        ("project_name", None),
        ("task_name", None),
        ("task_type", None),
        ("repo", None),
        ("branch", None),
        ("commit", None),
        ("script", None),
        ("working_directory", None),
        ("packages", None),
        ("requirements_file", None),
        ("docker", None),
        ("docker_args", None),
        ("docker_bash_setup_script", None),
        ("argparse_args", None),
        ("base_task_id", None),
        ("add_task_init_call", True),
    ],
    "create_function_task": ["func", ("func_name", None), ("task_name", None), "**kwargs"],
    "current_task": [],
    "debug_simulate_remote_task": ["task_id", ("reset_task", False)],
    "delete": [
        ("delete_artifacts_and_models", True),
        ("skip_models_used_by_other_tasks", True),
        ("raise_on_error", False),
    ],
    "delete_parameter": ["name"],
    "delete_user_properties": ["*iterables"],
    "dequeue": ["task"],
    "enqueue": ["task", ("queue_name", None), ("queue_id", None)],
    "execute_remotely": [("queue_name", None), ("clone", False), ("exit_process", True)],
    "export_task": [],
    "flush": [("wait_for_uploads", False)],
    "force_requirements_env_freeze": [("force", True)],
    "get_all": [("session", None), ("log", None), "**kwargs"],
    "get_archived": [],
    "get_base_docker": [],
    "get_configuration_object": ["name"],
    "get_configuration_objects": [],
    "get_initial_iteration": [],
    "get_label_num_description": [],
    "get_labels_enumeration": [],
    "get_last_iteration": [],
    "get_last_scalar_metrics": [],
    "get_logger": [],
    "get_model_config_dict": [],
    "get_model_config_text": [],
    "get_model_design": [],
    "get_models": [],
    "get_num_of_classes": [],
    "get_offline_mode_folder": [],
    "get_output_destination": [("extra_path", None), "**kwargs"],
    "get_output_log_web_page": [],
    "get_parameter": ["name", ("default", None)],
    "get_parameters": [("backwards_compatibility", True)],
    "get_parameters_as_dict": [],
    "get_project_id": ["project_name"],
    "get_projects": [],
    "get_registered_artifacts": [],
    "get_reported_console_output": [("number_of_reports", 1)],
    "get_reported_scalars": [("max_samples", 0), ("x_axis", "iter")],
    "get_status": [],
    "get_task": [
        ("task_id", None),
        ("project_name", None),
        ("task_name", None),
        ("allow_archived", True),
        ("task_filter", None),
    ],
    "get_tasks": [("task_ids", None), ("project_name", None), ("task_name", None), ("task_filter", None)],
    "get_user_properties": [("value_only", False)],
    "ignore_requirements": ["package_name"],
    "import_offline_session": ["session_folder_zip"],
    "import_task": ["task_data", ("target_task", None), ("update", False)],
    "init": [
        ("project_name", None),
        ("task_name", None),
        ("task_type", "training"),
        ("tags", None),
        ("reuse_last_task_id", True),
        ("continue_last_task", False),
        ("output_uri", None),
        ("auto_connect_arg_parser", True),
        ("auto_connect_frameworks", True),
        ("auto_resource_monitoring", True),
        ("auto_connect_streams", True),
    ],
    "is_current_task": [],
    "is_main_task": [],
    "is_offline": [],
    "mark_failed": [
        ("ignore_errors", True),
        ("status_reason", None),
        ("status_message", None),
        ("force", False),
    ],
    "mark_started": [("force", False)],
    "mark_stopped": [("force", False)],
    "publish": [("ignore_errors", True)],
    "register_artifact": ["name", "artifact", ("metadata", None), ("uniqueness_columns", True)],
    "reload": [],
    "reset": [("set_started_on_success", False), ("force", False)],
    "running_locally": [],
    "save_exec_model_design_file": [("filename", "model_design.txt"), ("use_cache", False)],
    "set_archived": ["archive"],
    "set_artifacts": [("artifacts_list", None)],
    "set_base_docker": ["docker_cmd", ("docker_arguments", None), ("docker_setup_bash_script", None)],
    "set_comment": ["comment"],
    "set_configuration_object": ["name", ("config_text", None), ("description", None), ("config_type", None)],
    "set_credentials": [
        ("api_host", None),
        ("web_host", None),
        ("files_host", None),
        ("key", None),
        ("secret", None),
        ("store_conf_file", False),
    ],
    "set_initial_iteration": [("offset", 0)],
    "set_input_model": [
        ("model_id", None),
        ("model_name", None),
        ("update_task_design", True),
        ("update_task_labels", True),
        ("name", None),
    ],
    "set_model_config": [("config_text", None), ("config_dict", None)],
    "set_model_label_enumeration": [("enumeration", None)],
    "set_name": ["name"],
    "set_offline": [("offline_mode", False)],
    "set_parameter": ["name", "value", ("description", None), ("value_type", None)],
    "set_parameters": ["*args", "**kwargs"],
    "set_parameters_as_dict": ["dictionary"],
    "set_parent": ["parent"],
    "set_resource_monitor_iteration_timeout": [("seconds_from_start", 1800)],
    "set_task_type": ["task_type"],
    "set_user_properties": ["*iterables", "**properties"],
    "started": [("ignore_errors", True), ("force", False)],
    "stopped": [("ignore_errors", True), ("force", False)],
    "unregister_artifact": ["name"],
    "update_model_desc": [("new_model_desc_file", None)],
    "update_output_model": [
        "model_path",
        ("name", None),
        ("comment", None),
        ("tags", None),
        ("model_name", None),
        ("iteration", None),
    ],
    "update_parameters": ["*args", "**kwargs"],
    "update_task": ["task_data"],
    "upload_artifact": [
        "name",
        "artifact_object",
        ("metadata", None),
        ("delete_after_upload", False),
        ("auto_pickle", True),
        ("preview", None),
        ("wait_on_upload", False),
    ],
    "wait_for_status": [
        ("status", ("completed", "stopped", "closed")),
        ("raise_on_status", ("failed",)),
        ("check_interval_sec", 60.0),
    ],
}
PROPERTIES = ["artifacts", "cache_dir", "labels_stats", "logger", "metrics_manager", "models", "status"]
# What is not there yet. A member that arrives must be taken out here.
ABSENT: set[str] = set()
# Where a known argument stands later than programs that pass it by place expect: it is passed by name.
LATER = {
    "get_task": {"allow_archived", "task_filter"},
    "get_tasks": {"task_filter"},
}


def test_the_page_has_103_members() -> None:
    assert len(METHODS) + len(PROPERTIES) == 103


def test_what_is_absent() -> None:
    assert {name for name in [*METHODS, *PROPERTIES] if not hasattr(Task, name)} == ABSENT


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ABSENT])
def test_signature(name: str) -> None:
    ours = inspect.signature(getattr(Task, name)).parameters
    given = [parameter for key, parameter in ours.items() if key != "self"]
    later = LATER.get(name, set())
    place = 0
    for argument in METHODS[name]:
        key, default = argument if isinstance(argument, tuple) else (argument, REQUIRED)
        if key.startswith("*"):
            kind = inspect.Parameter.VAR_KEYWORD if key.startswith("**") else inspect.Parameter.VAR_POSITIONAL
            assert any(parameter.kind is kind for parameter in given), f"{name} takes no {key}"
            continue
        assert key in ours, f"{name} has no argument {key}"
        if key not in later:
            assert given[place].name == key, f"{name}: {key} is not at its place"
            place += 1
        if default is not REQUIRED:
            assert ours[key].default == default, f"{name}: {key}"


@pytest.mark.parametrize("name", PROPERTIES)
def test_property(name: str) -> None:
    assert isinstance(inspect.getattr_static(Task, name), property)


@pytest.mark.parametrize(
    "name", ["init", "create", "clone", "get_task", "current_task", "import_offline_session"]
)
def test_class_methods(name: str) -> None:
    if name not in ABSENT:
        assert isinstance(inspect.getattr_static(Task, name), classmethod)
