"""The numbers of every picture as a decoder has them, coded picture by coded picture."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gfvc.decoded_pool import AsCoded, FromOne, FromTwo
from gfvc.decoded_units import DecodedUnit, check_rate, check_undecoded, decode_units
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.errors import InputError
from gfvc.face_edits.controls import ShownFaces
from gfvc.options.decoding import BaseLayerOptions
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.picture_units import PictureUnit
from gfvc.whole_pictures.compositing import cut_face, in_square
from models import Analyser, AnimationModel, FaceParameters, ParameterLayout, RegisteredModel
from models.contract import FloatArray, Picture

Draw = Callable[[Sequence[int], FloatArray], list[Picture]]
"""Draws output pictures of a unit, named by their places in it, by rows of other numbers."""


@dataclass(frozen=True, slots=True)
class SeenUnit:
    """A coded picture and what it drives.

    Attributes:
        unit: what the stream says of it.
        own: numbers [size] of the coded picture; None where no face is known: ordinary video.
        rows: numbers [pictures, size] of its output pictures, in their order.
        shown: their faces, where coded pictures were decoded.
        end: numbers [size] of the next coded picture, to which those after the last message go.
        picture: the coded picture, where it was decoded; of a whole one its face square, to which
            the numbers belong.
        draw: draws its output pictures, or their face squares; it works until the next unit is
            asked for.
    """

    unit: PictureUnit
    own: FloatArray | None = None
    rows: FloatArray | None = None
    shown: ShownFaces | None = None
    end: FloatArray | None = None
    picture: Picture | None = None
    draw: Draw | None = None


class SeenClip:
    """A stream whose units are gone through, as often as one likes."""

    def __init__(
        self,
        source: Path,
        stream: FaceStream,
        registered: RegisteredModel,
        options: BaseLayerOptions,
    ) -> None:
        rate = options.rate or stream.rate
        if stream.rate is None or rate is None:
            raise InputError(
                f"{source}: states no picture rate; only streams of gfvc's own are edited"
            )
        check_rate(source, stream, options.rate)
        self.source = source
        self.stream = stream
        self.rate = float(rate)
        self._registered = registered
        self._options = options

    @cached_property
    def model(self) -> AnimationModel:
        """The stream's model, loaded when it is asked for."""
        return self._registered.load(self._options.runtime)

    def units(self, *, looks: bool) -> Generator[SeenUnit, None, None]:
        """The units, decoded where someone looks at coded pictures, or numbers depend on them."""
        if looks or any(unit.part is not None for unit in self.stream.units):
            yield from _decoded_units(self.source, self.stream, self.model, self._options)
        else:
            check_undecoded(self.source, self.stream, self._registered)
            yield from _stated_units(self.source, self.stream, self._registered.card.layout)


def _stated_units(source: Path, stream: FaceStream, layout: ParameterLayout) -> Iterator[SeenUnit]:
    """The units of a stream without sequences, as their messages state them."""
    for unit in stream.units:
        if unit.is_alone:
            yield SeenUnit(unit)
            continue
        found = parameters_of_pictures(unit, layout, source, repack=stream.is_repacked)
        rows = np.stack([layout.flatten(parameters) for parameters in found])
        yield SeenUnit(unit, rows[0], rows[unit.hides_coded_picture :])


def _decoded_units(
    source: Path, stream: FaceStream, model: AnimationModel, options: BaseLayerOptions
) -> Iterator[SeenUnit]:
    """The units of a stream as a decoder sees them; raises what `decode_units` raises."""
    decoded = decode_units(source, stream, model, options.timeout, area=options.max_area)
    with closing(model.open_analyser()) as analyser:
        for unit in decoded:
            yield _seen(unit, model.layout, analyser)


def _seen(decoded: DecodedUnit, layout: ParameterLayout, analyser: Analyser) -> SeenUnit:
    unit = decoded.unit
    if unit.is_alone and unit.part is None:
        return SeenUnit(unit)

    def face(picture: Picture) -> Picture:
        return picture if unit.face_square is None else cut_face(picture, unit.face_square)

    own: FaceParameters | None = None
    shown: list[FaceParameters | None] = []
    landmarks: list[FloatArray | None] = []
    reference, pair = None, None
    for span in decoded.spans:
        if isinstance(span, AsCoded):
            own, reference = span.parameters, span.reference
            shown += [own] * span.pictures
        elif isinstance(span, FromOne):
            shown += span.parameters
        elif isinstance(span, FromTwo):
            pair = span.pair
            placed = list(span.placed)
            shown += [parameters for parameters, _ in placed]
            landmarks += [None] * (len(shown) - len(placed) - len(landmarks))
            landmarks += [
                in_square(pair.landmarks(*each), unit.face_square, decoded.picture)
                for each in placed
            ]
    if own is None:
        # It drives nothing, or nothing is known of how the face moves: it is held.
        analysis = analyser.analyse_key(face(decoded.picture))
        if analysis is None:
            return SeenUnit(unit)
        own = analysis.parameters
        shown = [own] * unit.pictures
    rows = np.stack([layout.flatten(each) for each in shown if each is not None])
    landmarks += [None] * (len(rows) - len(landmarks))
    goes_on = pair is not None and unit.has_later_reference
    ends = pair.ends if pair is not None and goes_on else None
    after = len(rows) - unit.leading

    def draw(places: Sequence[int], numbers: FloatArray) -> list[Picture]:
        drawn = []
        for place, row in zip(places, numbers, strict=True):
            parameters = layout.unflatten(row)
            if pair is not None and (place >= unit.leading or unit.hides_coded_picture):
                position = max(0, place - unit.leading) / after if goes_on else 0.0
                drawn.append(face(pair.animate(parameters, position)))
            else:
                assert reference is not None
                drawn.append(face(reference.animate(parameters)))
        return drawn

    return SeenUnit(
        unit,
        layout.flatten(own),
        rows,
        ShownFaces(rows, landmarks),
        None if ends is None else layout.flatten(ends[1]),
        face(decoded.picture),
        None if reference is None else draw,
    )
