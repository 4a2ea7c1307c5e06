"""Errors under the names that scripts catch."""

from trialbook.errors import UsageError

__all__ = ["UsageError"]
