"""What a stream says of the face in each output picture, in output order.

Two ways lead there. `decoded_faces` asks the decoder: it has the coded pictures decoded, sees the
person's own landmarks in them, and knows what goes straight between two of them. `stated_faces`
goes by the messages alone, and needs no decoder program; what no message says stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gfvc.decoded_pool import AsCoded, FromTwo
from gfvc.decoded_units import decode_units
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.options.decoding import BaseLayerOptions
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.picture_units import PictureUnit
from gfvc.telling import Notes
from gfvc.whole_pictures.compositing import cut_face, in_square
from models import AnimationModel, FaceParameters, ParameterLayout, ReferencePair
from models.contract import FloatArray, Picture

KEY, CODED, MESSAGE, BETWEEN, ORDINARY = "key", "coded", "message", "between", "ordinary"
"""Kinds of output pictures: a key picture; another coded picture; a driven picture with a message
of its own; a driven picture without one; ordinary video, of which the stream says nothing."""

HIDDEN = "hidden"
"""Kind of a coded picture that is no output picture: a driven one is shown in its place."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """The face of an output picture, or of a hidden coded one.

    `against` is the coded picture, counted from 0, that its parameters are against; `parameters`
    and `landmarks` [478, 3] are None where they are not known. `picture` is there for coded
    pictures that were decoded.
    """

    kind: str
    against: int
    parameters: FaceParameters | None = None
    landmarks: FloatArray | None = None
    picture: Picture | None = None


def decoded_faces(
    source: Path,
    stream: FaceStream,
    model: AnimationModel | None,
    options: BaseLayerOptions,
    notes: Notes,
) -> Iterator[SeenFace]:
    """Faces as a decoder knows them; arguments and errors are those of `decode_units`.

    Of whole pictures they are told in the face square, to which parameters belong.
    """
    places = _Places()
    pair: ReferencePair | None = None  # of the coded picture before, and this one
    for number, decoded in enumerate(
        decode_units(source, stream, model, options.timeout, notes, options.max_area)
    ):
        kinds = iter(places.of(decoded.unit))
        square, whole = decoded.unit.face_square, decoded.picture
        coded = whole if square is None else cut_face(whole, square)
        if decoded.unit.is_alone and pair is not None and pair.ends is not None:
            # It drives nothing, and has no message; the one before was drawn towards it.
            own = pair.ends[1]
            landmarks = in_square(pair.landmarks(own, 1.0), square, whole)
            yield SeenFace(CODED, number - 1, own, landmarks, coded)
            pair = None
            continue
        pair = None
        for span in decoded.spans:
            if isinstance(span, FromTwo) and decoded.unit.has_later_reference:
                pair = span.pair
            if isinstance(span, AsCoded) and not span.pictures:
                own_parameters, landmarks = span.face
                landmarks = in_square(landmarks, square, whole)
                yield SeenFace(HIDDEN, number, own_parameters, landmarks, coded)
            for (parameters, landmarks), (kind, against) in zip(span.faces(), kinds, strict=False):
                picture = coded if isinstance(span, AsCoded) else None
                landmarks = in_square(landmarks, square, whole)
                yield SeenFace(kind, against, parameters, landmarks, picture)


def stated_faces(
    source: Path, units: Iterable[PictureUnit], layout: ParameterLayout, *, repack: bool
) -> Iterator[SeenFace]:
    """Faces as the messages of units state them.

    `repack` says that the stream has another layout, whose numbers are put into this one. Raises
    `StreamError` when messages do not carry what the layout wants.
    """
    places = _Places()
    for unit in units:
        stated = list(parameters_of_pictures(unit, layout, source, repack=repack))
        known: list[FaceParameters | None] = [*stated[: _stated_pictures(unit)]]
        known += [None] * (unit.numbered_pictures - len(known))
        for picture, (kind, against) in zip(_shown(unit), places.of(unit), strict=True):
            yield SeenFace(kind, against, known[picture])


def needs_pictures(stream: FaceStream) -> bool:
    """Whether parameters of some pictures are to be seen in coded pictures alone."""
    return any(unit.has_later_reference and unit.pictures > 1 for unit in stream.units)


def _stated_pictures(unit: PictureUnit) -> int:
    """Numbered pictures of a unit up to the last that messages say something of."""
    if not unit.messages:
        return 0
    schedule = unit.schedule
    if schedule is None or not unit.has_later_reference:
        return unit.numbered_pictures
    # Those after the last message go to what is seen in the next coded picture.
    return 1 + max(tuple(schedule.sent)[-1] if schedule.sent else 0, unit.leading)


def _shown(unit: PictureUnit) -> list[int]:
    """Numbers of the pictures of a unit in output order."""
    return sorted(range(unit.hides_coded_picture, unit.numbered_pictures), key=unit.output_place)


class _Places:
    """Kinds of the pictures of successive units, and the coded pictures that they go by."""

    def __init__(self) -> None:
        self._units = 0
        self._keys: list[int] = []

    def of(self, unit: PictureUnit) -> list[tuple[str, int]]:
        """Kind and coded picture of each output picture of the next unit, in output order."""
        number = self._units
        self._units += 1
        if unit.is_alone:
            return [(CODED if unit.part is not None else ORDINARY, number)]
        self._keys.append(number)
        schedule, count = unit.schedule, unit.numbered_pictures
        sent = range(count) if schedule is None else schedule.sent
        against = [number] * count
        for start, end, back in unit.reference_spans:
            against[start:end] = [self._keys[max(-1 - back, -len(self._keys))]] * (end - start)
        kinds = [MESSAGE if picture in sent else BETWEEN for picture in range(count)]
        kinds[0] = KEY if unit.can_be_entered else CODED
        return [(kinds[picture], against[picture]) for picture in _shown(unit)]
