"""A card of a model that is nothing but its layout."""

from __future__ import annotations

from models import ModelCard, ParameterLayout


def made_card(layout: ParameterLayout) -> ModelCard:
    """A card for the layout."""
    return ModelCard(
        name="made",
        version="1",
        description="",
        uri="made:1",
        tag="tag:made",
        layout=layout,
        engine="none",
        training="",
        limits="",
    )
