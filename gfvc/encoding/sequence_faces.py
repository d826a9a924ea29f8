"""The faces of a segment whose coded pictures are there: seen in all pictures, made into messages.

The first face is in all coded pictures: the planner and the choice of coded pictures see to that. A
further one may come and go, and is drawn where the coded pictures around it show it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from gfvc.base_layer import CodedSequence
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.encoding.face_messages import SequenceMessages, UnitFaces, UnitMessages
from gfvc.encoding.face_places import FacePlace
from gfvc.encoding.face_watch import FaceWatch
from gfvc.encoding.grid_choice import GridChoice
from gfvc.encoding.picture_store import PictureStore
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.stream.control_grids import Nodes
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequencePart
from gfvc.symbol_decisions.access_unit import Faces
from gfvc.telling import Share
from models import (
    Analysis,
    FaceParameters,
    ParameterLayout,
    Reference,
    ReferencePair,
)
from models.contract import Ends, FloatArray
from models.parallel import map_behind
from sei import SeiMessage

# Of the pictures between two coded ones, a further face is seen in this share at least.
LEAST_SEEN = 0.5


@dataclass(frozen=True, slots=True)
class Division:
    """The pictures of a segment by number: `coded` ones, and those that each of them drives.

    `leading` are shown before the first, and driven by it; `gaps` lie between each and the next.
    """

    coded: tuple[int, ...]
    leading: tuple[int, ...]
    gaps: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, pictures: Sequence[int], coded: Sequence[int]) -> Division:
        """Divide pictures, in the order in which they are shown."""
        place_of = {number: place for place, number in enumerate(pictures)}
        places = [place_of[number] for number in coded]
        gaps = (
            tuple(pictures[place + 1 : following])
            for place, following in pairwise([*places, len(pictures)])
        )
        return cls(tuple(coded), tuple(pictures[: places[0]]), tuple(gaps))

    @property
    def driven(self) -> tuple[int, ...]:
        """How many pictures each coded picture drives."""
        first, *others = map(len, self.gaps)
        return (first + len(self.leading), *others)

    def before(self, place: int) -> tuple[int, ...]:
        """The leading pictures of a coded picture, backwards from it."""
        return () if place else self.leading[::-1]


@dataclass(slots=True)
class CodedFace:
    """A face in a sequence: in which coded pictures' pictures it is drawn, and its messages.

    `sent` numbers the driven pictures that have a message; `messages` are those of each coded
    picture, `grids` the control grids between it and the next.
    """

    drawn: list[bool] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    messages: list[tuple[SeiMessage, ...]] = field(default_factory=list)
    grids: list[tuple[Nodes, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Coded:
    """A coded picture by its number, seen and made ready as decoded; a lone one is not prepared."""

    number: int
    analysis: Analysis
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class _Unit:
    """A coded picture's part of a `CodedFace`; what decides about its grids may take a while."""

    drawn: bool = False
    sent: Sequence[int] = ()
    messages: tuple[SeiMessage, ...] = ()
    choose_grids: Callable[[], tuple[Nodes, ...]] = tuple


class SequenceFace:
    """Codes the first face of a segment, which is in all of its coded pictures.

    `grids` decides about what is beside it; None sends no control grids.
    """

    def __init__(
        self,
        place: FacePlace,
        pictures: PictureStore,
        messages: SequenceMessages,
        grids: GridChoice | None = None,
    ) -> None:
        self._model = place.model
        self._analyser = place.analyser
        self._pictures = pictures
        self._messages = messages
        self._grids = grids

    def code(self, division: Division, coded: CodedSequence, tell: Share) -> CodedFace:
        """See the face in the coded pictures, as decoded, and in the others; decide and code.

        `tell` is told how much of that is done.
        """
        face = CodedFace()
        units = self._units(division, coded)
        # Grids of a coded picture are decided about while the faces of the next one are seen.
        decided = map_behind(lambda unit: (unit, unit.choose_grids()), units)
        with contextlib.closing(decided):
            for unit, grids in decided:
                face.drawn.append(unit.drawn)
                face.sent += unit.sent
                face.messages.append(unit.messages)
                face.grids.append(grids)
                tell(len(face.drawn) / len(division.coded))
        return face

    def _units(self, division: Division, coded: CodedSequence) -> Iterator[_Unit]:
        """See the faces of each coded picture and of those that it drives, and make messages."""
        names_model = True
        start = 0
        # One is looked at ahead, no more: a segment may have many coded pictures.
        coming = pairwise(chain(self._coded_keys(division, coded), [None]))
        for place, (key, following) in enumerate(coming):
            unit = _Unit()
            if self._is_drawn(division, place, key, following):
                assert key is not None
                before, gap = division.before(place), division.gaps[place]
                pair = self._pair(key, following)
                of_unit = self._messages.of_unit(
                    self._faces_of_unit(key, before, gap, following, pair), names_model=names_model
                )
                names_model = False
                sent = [start + picture for picture in of_unit.sent]
                unit = _Unit(drawn=True, sent=sent, messages=of_unit.messages)
                if pair is not None and self._grids is not None:
                    faces = self._as_received(of_unit, len(before), len(gap), pair.ends)
                    choose = partial(self._grids.choose, pair, faces, gap)
                    unit = replace(unit, choose_grids=choose)
            yield unit
            start += division.driven[place]

    def _is_drawn(
        self, division: Division, place: int, key: _Coded | None, following: _Coded | None
    ) -> bool:
        """Whether there is something to say of a coded picture, and what it drives.

        The first one names the network if any picture of its sequence is drawn.
        """
        return bool(division.driven[place]) or (place == 0 and any(division.driven))

    def _coded_keys(self, division: Division, coded: CodedSequence) -> Iterator[_Coded | None]:
        """The coded pictures as a receiver has them, each made ready when its turn comes.

        None for one that does not show the face.
        """
        for place, number in enumerate(division.coded):
            decoded = coded.picture(place)
            analysis = self._analyser.analyse_key(decoded)
            if analysis is None:
                yield None
                continue
            # A lone one makes no pair.
            reference = None
            if len(division.coded) > 1:
                reference = prepare_key(self._model, decoded, analysis.parameters)
            yield _Coded(number, analysis, reference)

    def _pair(self, key: _Coded, following: _Coded | None) -> ReferencePair | None:
        """A coded picture and the next made ready together; None without a next one."""
        if following is None:
            return None
        assert key.reference is not None
        assert following.reference is not None
        return pair_keys(self._model, key.reference, following.reference)

    def _as_received(
        self, of_unit: UnitMessages, leading: int, driven: int, known: Ends | None
    ) -> list[FaceParameters]:
        """Parameters of the driven pictures after a coded one, as a decoder has them."""
        schedule = PictureSchedule(1 + leading + driven, of_unit.sent)
        unit = PictureUnit(
            messages=[FaceMessage(values, 0) for values in of_unit.values],
            part=SequencePart(
                0,
                schedule,
                leading,
                has_messages=bool(of_unit.messages),
                has_later_reference=True,
            ),
        )
        unit.announce(schedule)
        received = parameters_of_pictures(unit, self._model.layout, Path(), known, repack=False)
        return list(received)[1 + leading :]

    def _faces_of_unit(
        self,
        key: _Coded,
        before: Sequence[int],
        gap: Sequence[int],
        following: _Coded | None,
        pair: ReferencePair | None,
    ) -> UnitFaces:
        """Faces of a coded picture, of pictures shown before it, and of those up to the next."""
        parameters = key.analysis.parameters
        weights = self._model.value_weights(parameters)
        leading = self._faces(key, before)
        known = None if pair is None else pair.ends
        if following is None or known is None:
            return UnitFaces(parameters, weights, leading, self._faces(key, gap))
        first, *faces, last = self._faces(key, [key.number, *gap, following.number])
        if first is not None and last is not None:
            faces = through_ends(faces, (first, last), known, self._model.layout)
        return UnitFaces(parameters, weights, leading, faces, known[1])

    def _faces(self, key: _Coded, numbers: Sequence[int]) -> Faces:
        """Parameters of successive pictures from a coded one on, or back; None without a face."""
        if numbers:
            # Later pictures were looked at before, in which the face may be elsewhere.
            self._analyser.look_again(self._pictures[key.number])
        pictures = (self._pictures[number] for number in numbers)
        found = self._analyser.analyse_many(pictures, key.analysis)
        return [None if analysis is None else analysis.parameters for analysis in found]


class FurtherSequenceFace(SequenceFace):
    """Codes a face beside the first, where it is seen.

    It is drawn by a coded picture if that shows it, the next one does, most of the pictures between
    do, and all are of one person. `rate` is in pictures a second.
    """

    def __init__(
        self,
        place: FacePlace,
        pictures: PictureStore,
        messages: SequenceMessages,
        rate: Fraction,
    ) -> None:
        super().__init__(place, pictures, messages)
        self._rate = rate
        self._persons: dict[int, int | None] = {}

    def code(self, division: Division, coded: CodedSequence, tell: Share) -> CodedFace:
        """See the face where it is, decide and code."""
        self._persons = self._see_persons(division)
        return super().code(division, coded, tell)

    def _see_persons(self, division: Division) -> dict[int, int | None]:
        """Who is seen in each picture, by a number; None without a face."""
        watch = FaceWatch(self._rate)
        gaps = zip(division.coded, division.gaps, strict=True)
        in_order = [*division.leading, *chain.from_iterable((key, *gap) for key, gap in gaps)]
        persons: dict[int, int | None] = {}
        self._analyser.look_again(self._pictures[in_order[0]])
        for number in in_order:
            picture = self._pictures[number]
            landmarks = self._analyser.landmarks(picture)
            sight = watch.see(self._analyser.face_picture(picture), landmarks)
            persons[number] = None if sight is None or sight.mixed else sight.person
        return persons

    def _is_drawn(
        self, division: Division, place: int, key: _Coded | None, following: _Coded | None
    ) -> bool:
        """Whether the face is drawn in the pictures of a coded picture."""
        last = place + 1 == len(division.coded)
        if not division.driven[place] or key is None or (following is None and not last):
            return False
        between = [*division.before(place), *division.gaps[place]]
        ends = [key.number] if following is None else [key.number, following.number]
        at_ends = {self._persons[number] for number in ends}
        seen = [self._persons[number] for number in between if self._persons[number] is not None]
        one_person = len(at_ends) == 1 and None not in at_ends and at_ends >= set(seen)
        return one_person and len(seen) >= LEAST_SEEN * len(between)


def through_ends(
    faces: Sequence[FaceParameters | None], found: Ends, known: Ends, layout: ParameterLayout
) -> list[FaceParameters | None]:
    """Parameters of the pictures between two coded ones, moved so that they meet what is known.

    `found` are those of the two pictures, found in the source as `faces` are; `known` those that a
    receiver sees in them as coded. The difference is spread linearly over time.

    A tracker sees a coarsely coded face a little elsewhere than the same face in the source, and a
    model draws a picture by where it sees the landmarks in the coded ones. What is sent of the
    pictures between must agree with that at both ends, or the face would jump at each coded one.
    """
    first, last = (
        layout.flatten(seen) - layout.flatten(own) for seen, own in zip(known, found, strict=True)
    )

    def moved(place: int, face: FaceParameters) -> FaceParameters:
        share = place / (len(faces) + 1)
        vector: FloatArray = layout.flatten(face) + first + (last - first) * np.float64(share)
        return layout.unflatten(vector)

    return [None if face is None else moved(place, face) for place, face in enumerate(faces, 1)]
