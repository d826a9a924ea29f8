"""The decoder's key pictures made ready: the last one, and earlier ones where the stream asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gfvc.base_layer import Picture
from gfvc.grey_pictures import prepare_key
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.references import NUMBERS
from models import AnimationModel, FaceParameters, Reference


class DecodedPool:
    """Prepared key pictures by number, no more of them than the stream says (`ReferenceRuns`).

    `missing` counts the pictures so far whose key picture was not there: the stream was entered
    after it, or it was cut out. The last key picture stands in, whose parameters are much alike.
    """

    def __init__(self, model: AnimationModel) -> None:
        self._model = model
        self._kept: dict[int, Reference] = {}  # by number, the oldest first
        self._size: tuple[int, ...] = ()
        self.missing = 0

    def animate(
        self, unit: PictureUnit, key: Picture, received: Iterator[FaceParameters]
    ) -> Iterator[Picture]:
        """Draw the pictures that follow a key picture; `received` begins with its parameters."""
        first = next(received, None)
        if first is None:
            return
        latest = prepare_key(self._model, key, first)
        number = self._keep(unit, latest, key.shape)
        # Of the first span, the key picture itself is drawn already.
        drawn = 1
        for _, end, back in unit.reference_spans:
            reference = self._kept.get((number - back) % NUMBERS)
            if reference is None:
                self.missing += end - drawn
            yield from (reference or latest).animate_many(islice(received, end - drawn))
            drawn = end

    def _keep(self, unit: PictureUnit, latest: Reference, size: tuple[int, ...]) -> int:
        """Keep a key picture in place of the oldest; its number."""
        references = unit.references
        pool, number = (1, 0) if references is None else (references.pool, references.number)
        if size != self._size or references is None:
            self._kept.clear()
            self._size = size
        self._kept.pop(number, None)
        while len(self._kept) >= pool:
            del self._kept[next(iter(self._kept))]
        self._kept[number] = latest
        return number
