"""Layouts to ask for, and how a stream says that it does not have its model's own.

A stream in another layout than its model's carries the model's URI with `;repacked` behind it. A
decoder of ours takes the mark off, finds the model, and puts the numbers back; one that
does not know the mark finds no such model, and draws nothing rather than nonsense.
"""

from __future__ import annotations

from gfvc.errors import InputError
from gfvc.transcoding.numbers import count
from models import MatrixShape, ParameterLayout, Registry

LAYOUTS = ("same", "compact", "keypoints", "keypoints3d")
"""Layouts by name; besides these, the name of a model stands for its layout."""

_COMPACT_FEATURE = 7
_MAX_WIDTH = 1024
_MARK = ";repacked"


def target_layout(name: str, source: ParameterLayout, registry: Registry) -> ParameterLayout:
    """The layout of a name for as many numbers as `source` has.

    Raises `InputError` when they cannot be put there, `UnknownModelError` for an unknown name.
    """
    if name == "same":
        return source
    numbers = count(source)
    if name == "compact":
        if numbers > _MAX_WIDTH:
            raise InputError(f"{numbers} numbers a picture are more than a compact feature holds")
        return ParameterLayout(matrices=(MatrixShape(_COMPACT_FEATURE, 1, 1, numbers),))
    if name in ("keypoints", "keypoints3d"):
        dimensions = 3 if name == "keypoints3d" else 2
        if numbers % dimensions:
            raise InputError(
                f"{numbers} numbers a picture do not make {dimensions}-D keypoints: not a multiple "
                f"of {dimensions}"
            )
        return ParameterLayout(keypoints=numbers // dimensions, dimensions=dimensions)
    return registry.find(name).card.layout


def is_marked(uri: str) -> bool:
    """Whether a stream of this URI has another layout than its model."""
    return uri.endswith(_MARK)


def model_uri(uri: str) -> str:
    """The URI of the model itself."""
    return uri.removesuffix(_MARK)


def marked_uri(uri: str) -> str:
    """The URI of a model for a stream that has another layout."""
    return model_uri(uri) + _MARK
