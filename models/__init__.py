"""Animation models: what turns a picture into a few numbers, and a still and numbers into video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.card import ModelCard
    from models.contract import (
        Analyser,
        Analysis,
        AnimationModel,
        FaceParameters,
        MatrixShape,
        ParameterLayout,
        Reference,
        ReferencePair,
    )
    from models.errors import CheckpointError, FaceTrackerError, ModelError, UnknownModelError
    from models.registry import RegisteredModel, Registry, default_registry
    from models.runtime import Runtime

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
    "ReferencePair",
    "RegisteredModel",
    "Registry",
    "Runtime",
    "UnknownModelError",
    "default_registry",
]

_HOME = {
    "ModelCard": "models.card",
    "Analyser": "models.contract",
    "Analysis": "models.contract",
    "AnimationModel": "models.contract",
    "FaceParameters": "models.contract",
    "MatrixShape": "models.contract",
    "ParameterLayout": "models.contract",
    "Reference": "models.contract",
    "ReferencePair": "models.contract",
    "CheckpointError": "models.errors",
    "FaceTrackerError": "models.errors",
    "ModelError": "models.errors",
    "UnknownModelError": "models.errors",
    "RegisteredModel": "models.registry",
    "Registry": "models.registry",
    "default_registry": "models.registry",
    "Runtime": "models.runtime",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: parsers know of training, and must not wait for numpy."""
    if name not in _HOME:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
