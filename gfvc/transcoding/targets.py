"""Layouts to ask for, by name."""

from __future__ import annotations

from gfvc.errors import InputError
from models import MatrixShape, ParameterLayout, Registry

LAYOUTS = ("same", "compact", "keypoints", "keypoints3d")
"""Layouts by name; besides these, the name of a model stands for its layout."""

_COMPACT_FEATURE = 7
_MAX_WIDTH = 1024


def target_layout(name: str, source: ParameterLayout, registry: Registry) -> ParameterLayout:
    """The layout of a name for as many numbers as `source` has.

    Raises `InputError` when they cannot be put there, `UnknownModelError` for an unknown name.
    """
    if name == "same":
        return source
    numbers = source.size
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
