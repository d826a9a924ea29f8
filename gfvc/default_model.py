"""Which model encodes when a user does not say."""

from __future__ import annotations

BEST, ANY_SIZE = "face", "mesh"
_SIDE_MULTIPLE = 32
"""`face` draws pictures whose sides are multiples of this; `mesh` draws any."""


def choose_model(name: str | None, features: int, size: int) -> str:
    """The registered name of the model asked for.

    Args:
        name: None for the best one that draws pictures of the size.
        features: values of the compact feature beside the landmarks, which `face` can measure.
        size: side of the coded picture.
    """
    if name is None:
        name = ANY_SIZE if size % _SIDE_MULTIPLE and not features else BEST
    return f"{name}+{features}" if features else name
