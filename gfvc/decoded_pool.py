"""The decoder's coded pictures made ready: the last ones, and earlier ones where the stream asks.

What a coded picture drives comes as spans: successive pictures that are drawn alike. A decoder
draws them; who wants to know what the face does asks them for its parameters and landmarks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from typing import NamedTuple

from gfvc.control_motion import ControlMotion, begin_moved
from gfvc.face_square import FaceSquare
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.scaling import Size
from gfvc.stream.control_grids import ControlGrids
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.references import NUMBERS
from gfvc.whole_pictures.model import of_whole_pictures
from models import AnimationModel, FaceParameters, Reference, ReferencePair
from models.contract import BegunPicture, Ends, FloatArray, HeadTrust, Picture, finished
from models.parallel import finish

ParametersOf = Callable[["Ends | None"], Iterator[FaceParameters]]
"""Parameters of the pictures of a unit, of the coded one first.

It is given what is known, without a message, of the coded picture and of the next."""


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """A coded picture that drives others: its unit, decoded, and its parameters, if it has any.

    `control` are the control grids between it and the next, of whole pictures; `part` says of which
    square of what size of picture `picture` is, None where it is whole. `fine` shows such a square
    in more pixels, if there are more.
    """

    unit: PictureUnit
    picture: Picture
    parameters: FaceParameters | None
    control: ControlGrids | None = None
    part: tuple[FaceSquare, Size] | None = None
    fine: Picture | None = None

    def prepared(self, model: AnimationModel) -> Reference:
        """Made ready for drawing; raises as `prepare_key` does."""
        reference = prepare_key(model, self.picture, self.parameters)
        if self.fine is not None:
            reference.refine(self.fine)
        return reference


# By how many of the coded pictures at the ends are hidden: an edited head takes nothing along.
_TRUST = (HeadTrust.AS_FILMED, HeadTrust.NEAR_ITS_WAY, HeadTrust.EDITED)

Face = tuple["FaceParameters | None", "FloatArray | None"]
"""Parameters of a picture, and landmarks [478, 3]; None where nothing is known of them."""


class Span(ABC):
    """Successive output pictures that are drawn alike; they can be gone through once."""

    @abstractmethod
    def begin(self) -> Iterator[BegunPicture]:
        """The pictures, begun."""

    def draw(self) -> Iterator[Picture]:
        """The pictures."""
        return finish(self.begin())

    @abstractmethod
    def faces(self) -> Iterator[Face]:
        """What is known of the face in each."""


@dataclass(frozen=True, slots=True)
class AsCoded(Span):
    """The coded picture itself, so many times; `reference` knows its parameters' landmarks.

    With texture of its key picture, if that `is_textured`. No times at all where it is hidden; its
    `face` is known all the same.
    """

    picture: Picture
    parameters: FaceParameters | None = None
    reference: Reference | None = None
    pictures: int = 1
    is_textured: bool = False

    def begin(self) -> Iterator[BegunPicture]:
        """The coded picture."""
        return repeat(finished(self.picture), self.pictures)

    @property
    def face(self) -> Face:
        """The face that it shows."""
        landmarks = None
        if self.parameters is not None and self.reference is not None:
            landmarks = self.reference.landmarks(self.parameters)
        return self.parameters, landmarks

    def faces(self) -> Iterator[Face]:
        """The face that it shows, each time."""
        return repeat(self.face, self.pictures)


@dataclass(frozen=True, slots=True)
class FromOne(Span):
    """Pictures that are drawn from one reference."""

    reference: Reference
    parameters: Iterable[FaceParameters]

    def begin(self) -> Iterator[BegunPicture]:
        """What the reference draws."""
        return self.reference.begin(self.parameters)

    def faces(self) -> Iterator[Face]:
        """The reference's face with each picture's parameters."""
        for parameters in self.parameters:
            yield parameters, self.reference.landmarks(parameters)


@dataclass(frozen=True, slots=True)
class FromTwo(Span):
    """Pictures that are drawn from two references, with their positions.

    `motion` is by how much else they are moved; None where the stream does not say.
    """

    pair: ReferencePair
    placed: Iterable[tuple[FaceParameters, float]]
    motion: ControlMotion | None = None

    def begin(self) -> Iterator[BegunPicture]:
        """What the two draw together."""
        if self.motion is None:
            return self.pair.begin(self.placed)
        return begin_moved(self.pair, self.placed, self.motion)

    def faces(self) -> Iterator[Face]:
        """The face between the two."""
        for parameters, position in self.placed:
            yield parameters, self.pair.landmarks(parameters, position)


class _Ready(NamedTuple):
    """A coded picture made ready, and with texture of its key picture, if it has taken some."""

    unit: PictureUnit
    reference: Reference
    textured: Picture | None


class DecodedPool:
    """Prepared key pictures by number, no more of them than the stream says (`ReferenceRuns`).

    `missing` counts the pictures so far whose key picture was not there: the stream was entered
    after it, or it was cut out. The last key picture stands in, whose parameters are much alike.
    """

    def __init__(self, model: AnimationModel) -> None:
        self._model = model
        self._kept: dict[int, Reference] = {}  # by number, the oldest first
        self._size: tuple[int, ...] = ()
        self._later: _Ready | None = None  # made ready before its turn
        self._before: _Ready | None = None
        self._key: Reference | None = None  # the first coded picture of the sequence
        self.missing = 0

    def start_sequence(self) -> None:
        """Have what comes next belong with no coded picture before it, but for those kept."""
        self._before = self._key = None

    def shown(self, unit: PictureUnit, picture: Picture) -> Picture:
        """A decoded picture that drives nothing, as it is shown after those that it helped draw."""
        later = self._later
        if later is None or later.unit is not unit or later.textured is None:
            return picture
        return later.textured

    def draw(
        self,
        key: CodedPicture,
        parameters_of: ParametersOf,
        later: CodedPicture | None = None,
    ) -> Iterator[Picture]:
        """The pictures of a unit in output order, the coded one among them, as of `spans`."""
        for span in self.spans(key, parameters_of, later):
            yield from span.draw()

    def spans(
        self,
        key: CodedPicture,
        parameters_of: ParametersOf,
        later: CodedPicture | None = None,
    ) -> Iterator[Span]:
        """The pictures of a unit in output order; each span is to be used before the next.

        A coded picture that is hidden is a span of no pictures.
        `later` is the coded picture after them, if they are drawn from it, too. All that a hidden
        coded picture drives is drawn from two, so that nothing beside the face jumps: leading ones
        at its own position, and so are those of the last of a sequence, by the one before it.
        """
        unit = key.unit
        model = of_whole_pictures(self._model, unit.face_squares[:1])
        ready = self._ready(model, key)
        latest = ready.reference
        is_textured = ready.textured is not None
        shown = key.picture if ready.textured is None else ready.textured
        number = self._keep(unit, latest, key.picture.shape)
        before, self._before = self._before, ready
        pair = None
        if later is not None:
            self._later = self._made_ready(model, later)
            pair = pair_keys(model, latest, self._later.reference)
            pair.trust_head(_TRUST[unit.hides_coded_picture + later.unit.hides_coded_picture])
        received = parameters_of(None if pair is None else pair.ends)
        own = next(received, None)  # Of the coded picture itself, which is there.
        if own is None:
            # Nothing is known of how the face moves.
            yield AsCoded(shown, pictures=unit.pictures, is_textured=is_textured)
            return
        hidden = unit.hides_coded_picture
        beside = pair
        if hidden and pair is None and before is not None and before.unit.shares_driven_with(unit):
            beside = pair_keys(model, latest, before.reference)
        if unit.leading:
            leading = list(islice(received, unit.leading))[::-1]
            if hidden and beside is not None:
                yield FromTwo(beside, zip(leading, repeat(0.0)))
            else:
                yield FromOne(latest, leading)
        yield AsCoded(shown, own, latest, not hidden, is_textured)
        drawn = 1 + unit.leading
        if pair is not None:
            # In place of a hidden coded picture is a driven one, at its time.
            count = unit.numbered_pictures - drawn - hidden
            positions = (place / (count + 1) for place in range(not hidden, count + 1))
            motion = None
            if key.control is not None:
                motion = ControlMotion(key.control, count, key.part)
            yield FromTwo(pair, zip(received, positions, strict=False), motion)
            return
        if beside is not None:
            yield FromTwo(beside, zip(received, repeat(0.0)))
            return
        for _, end, back in unit.reference_spans:
            reference = self._kept.get((number - back) % NUMBERS)
            if reference is None:
                self.missing += end - drawn
            yield FromOne(reference or latest, islice(received, end - drawn))
            drawn = end

    def _ready(self, model: AnimationModel, coded: CodedPicture) -> _Ready:
        """A coded picture made ready, once."""
        ready, self._later = self._later, None
        if ready is not None and ready.unit is coded.unit:
            return ready
        return self._made_ready(model, coded)

    def _made_ready(self, model: AnimationModel, coded: CodedPicture) -> _Ready:
        reference = coded.prepared(model)
        textured = None
        if coded.unit.part is not None:
            if coded.unit.starts_sequence:
                self._key = reference
            elif self._key is not None:
                largest = coded.picture if coded.fine is None else coded.fine
                textured = reference.take_texture(self._key, largest)
        return _Ready(coded.unit, reference, textured)

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
