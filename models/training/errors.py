"""Errors of training."""

from __future__ import annotations

from models.errors import ModelError


class TrainingError(ModelError):
    """Clips, options or a state file that training cannot go on with; the text is one line."""
