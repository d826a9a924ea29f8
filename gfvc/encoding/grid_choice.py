"""Control grids between two coded pictures: measured in drawn pictures, sent where it pays.

Some pictures are drawn as a decoder draws them without grids. Their optical flow from the source
says where they are off (Kroeger et al., "Fast optical flow using dense inverse search", 2016), and
`gfvc.encoding.grid_fitting` finds the nodes that say it best. Of no grid, one, three, seven and so
on the best is taken by rate and distortion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from gfvc.control_motion import ControlMotion, moved, pictures_of_grids
from gfvc.encoding.grid_fitting import FlowMiss, fitted, flow_miss
from gfvc.encoding.picture_store import PictureStore
from gfvc.scaling import reduced, reduced_size
from gfvc.stream.control_grids import (
    FEW_GRIDS,
    MOST_EXPONENT,
    STEPS_OF_SIDE,
    ControlGrids,
    GridShape,
    Nodes,
    SequenceGrids,
)
from models.contract import FaceParameters, FloatArray, Picture, ReferencePair
from models.landmarks.rest_motion import LEAST_SIZE
from models.metrics.similarity import ssim_map
from models.parallel import finish, map_in_order

# Nodes are such shares of the longer side apart: closer in pictures whose longer side is more than
# so many samples, which take more bits anyway, and have more beside the face.
SPACING, CLOSER, LARGE = 1 / 3, 1 / 5, 384
# Optical flow is looked for in pictures reduced to this width or height, and what they are like in
# such of half of it: grids move nothing fine.
WORKING_SIZE, COMPARED_SIZE = 320, 160
# More than a few grids are tried where they are so many pictures apart: closer, they say no more.
LEAST_APART = 4
# So many pictures are compared at least, if they are there, also for one grid.
LEAST_SEEN = 3
# Structural similarity falls from 1 by MOST_LOST * m / (m + HALF_LOST) where flow is missed by m
# squared pixels on the mean: fitted to drawn pictures of clips, moved and unmoved.
MOST_LOST, HALF_LOST = 0.1, 2.0
COUNT_BITS = 2  # of how many grids there are, where they are few


class _Seen(NamedTuple):
    """A picture to be corrected: reduced, as filmed and as drawn, and where its face is drawn."""

    position: float
    source: Picture
    drawn: Picture
    landmarks: FloatArray | None

    def reduced(self) -> _Seen:
        """The same, to be compared."""
        source, drawn = (reduced(each, COMPARED_SIZE) for each in (self.source, self.drawn))
        return self._replace(source=source, drawn=drawn)


class GridChoice:
    """Decides about control grids. `multiplier` is in seconds of wrong pictures a kilobit."""

    def __init__(self, pictures: PictureStore, rate: Fraction, multiplier: float) -> None:
        self._pictures = pictures
        self._seconds = 1 / float(rate)
        self._multiplier = multiplier

    @property
    def shape(self) -> GridShape:
        """The shape of grids of the pictures."""
        return grid_shape(*self._pictures.picture_size)

    def choose(
        self, pair: ReferencePair, faces: Sequence[FaceParameters], numbers: Sequence[int]
    ) -> tuple[Nodes, ...]:
        """Grids between two coded pictures, of the pictures of `numbers` that are driven there.

        `faces` are the parameters that a decoder has of each.
        """
        driven = len(numbers)
        tried = grids_tried(driven)
        # Optical flow wants to be so wide and high.
        working_size = reduced_size(self._pictures.picture_size, WORKING_SIZE)
        if not tried or min(working_size) < LEAST_SIZE:
            return ()
        shape = self.shape
        # Also the pictures of fewer grids are among those of most.
        places = pictures_of_grids(max(*tried, min(LEAST_SEEN, driven)), driven)
        seen = self._see(pair, faces, numbers, places)
        misses = map_in_order(
            lambda each: flow_miss(shape, each.source, each.drawn, each.landmarks), seen
        )
        of_place = dict(zip(places, misses, strict=True))
        candidates = [
            self._fitted(
                shape, [of_place[place] for place in pictures_of_grids(grids, driven)], driven
            )
            for grids in tried
        ]
        compared = [picture.reduced() for picture in seen]
        costs = map_in_order(
            lambda grids: self._cost(shape, grids, compared, driven), [(), *candidates]
        )
        return min(zip(costs, [(), *candidates], strict=True), key=lambda pair: pair[0])[1]

    def _fitted(
        self, shape: GridShape, misses: Sequence[FlowMiss], driven: int
    ) -> tuple[Nodes, ...]:
        """Grids of pictures whose flow is missed so; they share the driven ones among them."""
        seconds = driven * self._seconds / len(misses)
        grids: list[Nodes] = []
        for miss in misses:
            lost = MOST_LOST * HALF_LOST / (miss.least + HALF_LOST) ** 2
            before = grids[-1] if grids else None
            multiplier = self._multiplier / 1000 / (lost * seconds)
            grids.append(fitted(shape, miss, before, multiplier))
        return tuple(grids)

    def _see(
        self,
        pair: ReferencePair,
        faces: Sequence[FaceParameters],
        numbers: Sequence[int],
        places: Sequence[int],
    ) -> list[_Seen]:
        placed = [(faces[place - 1], place / (len(numbers) + 1)) for place in places]
        drawn = finish(pair.begin(placed))
        return [
            _Seen(
                position,
                reduced(self._pictures[numbers[place - 1]], WORKING_SIZE),
                reduced(picture, WORKING_SIZE),
                pair.landmarks(parameters, position),
            )
            for place, picture, (parameters, position) in zip(places, drawn, placed, strict=True)
        ]

    def _cost(
        self, shape: GridShape, grids: tuple[Nodes, ...], seen: Sequence[_Seen], driven: int
    ) -> float:
        """Distortion of all driven pictures, as far as some tell, and weighted bits."""
        corrected = (picture.drawn for picture in seen)
        bits = COUNT_BITS
        if grids:
            motion = ControlMotion(ControlGrids(shape, grids), driven)
            corrected = (
                moved(picture.drawn, motion.at(picture.position), picture.landmarks)
                for picture in seen
            )
            bits += SequenceGrids(shape, (grids,)).bits
        errors = [
            1 - float(ssim_map(picture.source, drawn).mean())
            for picture, drawn in zip(seen, corrected, strict=True)
        ]
        distortion = float(np.mean(errors)) * driven * self._seconds
        return distortion + self._multiplier * bits / 1000


def grids_tried(driven: int) -> list[int]:
    """How many grids are tried between two coded pictures that drive so many: 1, 3, 7, ...

    The pictures of fewer grids are among those of more.
    """
    tried = [grids for grids, least in ((1, 2), (FEW_GRIDS, FEW_GRIDS)) if driven >= least]
    while tried and driven + 1 >= LEAST_APART * 2 * (tried[-1] + 1):
        tried.append(2 * tried[-1] + 1)
    return tried


def grid_shape(width: int, height: int) -> GridShape:
    """The shape of grids for pictures of a size: their nodes are about as far apart both ways.

    A step is about as long as a pixel.
    """
    longer = max(width, height)
    spacing = CLOSER if longer > LARGE else SPACING
    columns, rows = (1 + max(1, round(side / longer / spacing)) for side in (width, height))
    exponent = round(math.log2(STEPS_OF_SIDE / longer))
    return GridShape(columns, rows, min(max(exponent, 0), MOST_EXPONENT))
