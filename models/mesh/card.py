"""The card of the `mesh` model."""

from __future__ import annotations

from models.card import ModelCard
from models.landmarks.layout import FACE_SPACE, FACE_SPACE_SHA256, face_layout

CARD = ModelCard(
    name="mesh",
    version="1",
    description="478 tracked landmarks as pose and expression; the key picture is warped",
    uri="gfvc:mesh:1",
    layout=face_layout(),
    engine="none",
    training=(
        "No network. Learned 2026-11-21: the expression basis is a principal component analysis "
        "of landmarks of 103 talking-head clips of about 60 people, by `python -m "
        "models.landmarks.fit`; no picture is kept."
    ),
    limits=(
        "Moves pixels and makes none: teeth, tongue, turned cheeks and uncovered background are "
        "smeared or missing; glasses and hands bend with the face; the shoulders follow the head."
    ),
    data=FACE_SPACE,
    sha256=FACE_SPACE_SHA256,
)


def cards() -> tuple[ModelCard, ...]:
    """The one card of `mesh`."""
    return (CARD,)
