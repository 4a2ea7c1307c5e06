"""What answers under a borrowed name: ours, a stand-in, or a sentence that says what to use instead."""

INTERFACE = "2.1.12"
"""The release of the clearml SDK whose interface is offered. Libraries compare it with the least that they need."""

_STAND_INS = "trialbook.compat.stand_ins"

HOMES = {
    "": "trialbook",
    "datasets": "trialbook.sdk.dataset",
    "task": "trialbook.sdk.task",
    "logger": "trialbook.sdk.task",
    "model": "trialbook.sdk.models",
    "storage": "trialbook.sdk.storage",
    "storage.manager": "trialbook.sdk.storage",
    "task_parameters": "trialbook.sdk.task_parameters",
    "errors": f"{_STAND_INS}.errors",
    "config": f"{_STAND_INS}.config",
    "utilities": f"{_STAND_INS}.nothing",
    "utilities.plotly_reporter": f"{_STAND_INS}.plotly_reporter",
    "utilities.proxy_object": f"{_STAND_INS}.proxy_object",
    "backend_api": f"{_STAND_INS}.nothing",
    "backend_api.session": f"{_STAND_INS}.nothing",
    "backend_api.session.client": f"{_STAND_INS}.api_client",
    "binding": f"{_STAND_INS}.nothing",
    "binding.matplotlib_bind": f"{_STAND_INS}.matplotlib_bind",
    "binding.frameworks": f"{_STAND_INS}.nothing",
    "binding.frameworks.pytorch_bind": f"{_STAND_INS}.pytorch_bind",
}
"""Where the clearml SDK keeps the names that scripts and other libraries import, and whose names are found there."""

_PIPELINES = "pipelines are not part of Trialbook yet"
_SEARCHES = "searches of parameters are not part of Trialbook yet"
_SERVICES = "schedulers, triggers and monitors are not part of Trialbook yet"

ABSENT = {
    "PipelineController": _PIPELINES,
    "PipelineDecorator": _PIPELINES,
    "automation": "pipelines, searches of parameters, schedulers and triggers are not part of Trialbook yet",
    "automation.controller": _PIPELINES,
    "automation.optimization": _SEARCHES,
    "automation.optuna": _SEARCHES,
    "automation.hpbandster": _SEARCHES,
    "automation.parameters": _SEARCHES,
    "automation.job": _SEARCHES,
    "automation.scheduler": _SERVICES,
    "automation.trigger": _SERVICES,
    "automation.monitor": _SERVICES,
    "automation.auto_scaler": "machines of a cloud are not started by Trialbook",
    "automation.aws_driver": "machines of a cloud are not started by Trialbook",
    "automation.cloud_driver": "machines of a cloud are not started by Trialbook",
    "binding.frameworks.WeightsFileHandler": "callbacks around saved models are not part of Trialbook yet",
    "binding.frameworks.tensorflow_bind": "histograms of gradients are not part of Trialbook yet; the TensorBoard "
    "writers are recorded with theirs",
    "browser_login": "keys are made on the page, under Settings, or with `trialbook user`",
    "external": "a tuner's trials are recorded by the TensorBoard callback of Keras",
    "external.kerastuner": "a tuner's trials are recorded by the TensorBoard callback of Keras",
    "router": "HTTP routes of tasks are not part of Trialbook",
    "hyperdatasets": "Trialbook has `Dataset`; hyper-datasets are not part of it",
    "HyperDataset": "Trialbook has `Dataset`; hyper-datasets are not part of it",
    "DataView": "Trialbook has `Dataset`; hyper-datasets are not part of it",
    "utilities.wizard": "questions on the terminal are better asked with `click.prompt`",
    "utilities.wizard.user_input": "questions on the terminal are better asked with `click.prompt`",
}
"""Known names that are not here, and why or what to use instead."""
