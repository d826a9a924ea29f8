"""Errors of the models room.

ModelError
├── UnknownModelError      no model has the name or URI asked for
├── CheckpointError        a weights or data file is missing, damaged or of the wrong shape
├── FaceTrackerError       the face tracking library cannot be loaded or run
└── TrainingError          clips, options or a state file that training cannot go on with
"""

from __future__ import annotations


class ModelError(Exception):
    """Anything that keeps a model from being found, loaded or run; the text is one line."""


class UnknownModelError(ModelError):
    """No registered model has the name or the URI asked for."""


class CheckpointError(ModelError):
    """A weights or data file is missing, damaged, or not of the expected shape."""


class FaceTrackerError(ModelError):
    """The face tracking library cannot be loaded or run."""


class TrainingError(ModelError):
    """Clips, options or a state file that training cannot go on with; the text is one line."""


def first_line(error: Exception) -> str:
    """The first line of what an error says; its class where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).strip()
