"""Models: weights with their configuration, labels and origin."""

from trialbook.sdk.models.base import Model
from trialbook.sdk.models.frameworks import guess_framework
from trialbook.sdk.models.input import InputModel
from trialbook.sdk.models.listing import ModelList, TaskModels, add_model, task_models
from trialbook.sdk.models.output import OutputModel

__all__ = [
    "InputModel",
    "Model",
    "ModelList",
    "OutputModel",
    "TaskModels",
    "add_model",
    "guess_framework",
    "task_models",
]
