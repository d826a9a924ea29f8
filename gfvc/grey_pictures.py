"""Pictures without colour stay so: models were trained on coloured faces, and paint lips red."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gfvc.colour import is_grey, without_colour
from models import AnimationModel, FaceParameters, Reference, ReferencePair
from models.contract import BegunPicture, FloatArray, HeadTrust, Picture


def prepare_key(
    model: AnimationModel, key: Picture, parameters: FaceParameters | None
) -> Reference:
    """Make a decoded coded picture ready; what is drawn from a grey one is grey.

    For a model it is a key picture, whether the stream can be entered there or not. A stream says
    nothing about colour: a model can show none that the key picture does not have, and where that
    has none at all, what is painted is made up. Raises `ModelError` as
    `AnimationModel.prepare` does.
    """
    reference = model.prepare(key, parameters)
    return _GreyReference(reference) if is_grey(key) else reference


def pair_keys(model: AnimationModel, earlier: Reference, later: Reference) -> ReferencePair:
    """Make two successive references of `prepare_key` ready together.

    What is drawn is grey where both are. Raises `ModelError` as `AnimationModel.pair` does.
    """
    grey = isinstance(earlier, _GreyReference) and isinstance(later, _GreyReference)
    pair = model.pair(*(_with_colour(reference) for reference in (earlier, later)))
    return _GreyPair(pair) if grey else pair


class _GreyReference(Reference):
    """Draws the luma of what another draws."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def refine(self, picture: Picture) -> None:
        self.reference.refine(picture)

    def animate(self, parameters: FaceParameters) -> Picture:
        return without_colour(self.reference.animate(parameters))

    def begin(self, parameters: Iterable[FaceParameters]) -> Iterator[BegunPicture]:
        return _grey(self.reference.begin(parameters))

    def landmarks(self, parameters: FaceParameters) -> FloatArray | None:
        return self.reference.landmarks(parameters)


class _GreyPair(ReferencePair):
    """Draws the luma of what another pair draws."""

    def __init__(self, pair: ReferencePair) -> None:
        self._pair = pair

    @property
    def ends(self) -> tuple[FaceParameters, FaceParameters] | None:
        return self._pair.ends

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        return without_colour(self._pair.animate(parameters, position))

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        return _grey(self._pair.begin(placed))

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        return self._pair.landmarks(parameters, position)

    def trust_head(self, trust: HeadTrust) -> None:
        self._pair.trust_head(trust)

    def progress(self, parameters: FaceParameters, position: float) -> float:
        return self._pair.progress(parameters, position)


def _grey(begun: Iterable[BegunPicture]) -> Iterator[BegunPicture]:
    """Begun pictures of which the luma is to be drawn."""
    for rest in begun:
        yield lambda rest=rest: without_colour(rest())  # type: ignore[misc]


def _with_colour(reference: Reference) -> Reference:
    """What the model prepared."""
    return reference.reference if isinstance(reference, _GreyReference) else reference
