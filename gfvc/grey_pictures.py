"""Pictures without colour stay so: models were trained on coloured faces, and paint lips red."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gfvc.base_layer import Picture
from gfvc.colour import is_grey, without_colour
from models import AnimationModel, FaceParameters, Reference


def prepare_key(model: AnimationModel, key: Picture, parameters: FaceParameters) -> Reference:
    """Make a decoded key picture ready; what is drawn from a grey one is grey.

    A stream says nothing about it: a model can show no colour that the key picture does not have,
    and where that has none at all, what is painted is made up. Raises `ModelError` as
    `AnimationModel.prepare` does.
    """
    reference = model.prepare(key, parameters)
    return _GreyReference(reference) if is_grey(key) else reference


class _GreyReference(Reference):
    """Draws the luma of what another draws."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def animate(self, parameters: FaceParameters) -> Picture:
        return without_colour(self._reference.animate(parameters))

    def animate_many(self, parameters: Iterable[FaceParameters]) -> Iterator[Picture]:
        return map(without_colour, self._reference.animate_many(parameters))
