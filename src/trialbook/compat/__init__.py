"""Scripts written for the clearml SDK run on Trialbook with their imports unchanged."""

from trialbook.compat.install import install_as

__all__ = ["install_as"]
