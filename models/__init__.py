"""Animation models: what turns a picture into a few numbers, and a still and numbers into video."""

from __future__ import annotations

from models.card import ModelCard
from models.contract import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    MatrixShape,
    ParameterLayout,
    Reference,
)
from models.errors import CheckpointError, FaceTrackerError, ModelError, UnknownModelError
from models.registry import RegisteredModel, Registry, default_registry

__all__ = [
    "Analyser",
    "Analysis",
    "AnimationModel",
    "CheckpointError",
    "FaceParameters",
    "FaceTrackerError",
    "MatrixShape",
    "ModelCard",
    "ModelError",
    "ParameterLayout",
    "Reference",
    "RegisteredModel",
    "Registry",
    "UnknownModelError",
    "default_registry",
]
