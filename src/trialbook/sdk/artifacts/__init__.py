"""Artifacts: objects of programs as files, and back."""

from trialbook.sdk.artifacts.artifact import Artifact, Artifacts

__all__ = ["Artifact", "Artifacts"]
