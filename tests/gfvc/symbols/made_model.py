"""A model that says nothing but its layout."""

from __future__ import annotations

from models import Analyser, AnimationModel, FaceParameters, ModelCard, ParameterLayout, Reference
from models.contract import Picture


class MadeModel(AnimationModel):
    """Parameters of a layout; it neither sees nor draws."""

    def __init__(self, layout: ParameterLayout) -> None:
        self._layout = layout

    @property
    def layout(self) -> ParameterLayout:
        return self._layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        raise NotImplementedError

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters) -> Reference:
        raise NotImplementedError


def made_card(layout: ParameterLayout) -> ModelCard:
    """A card for the layout."""
    return ModelCard(
        name="made",
        version="1",
        description="",
        uri="made:1",
        tag="tag:made",
        layout=layout,
        runtime="none",
        licence="",
        paper="",
        training="",
        limits="",
    )
