"""Coding a segment: a sequence of the base layer, and the pictures drawn between its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain

from base_codec_adapters import PictureSpool
from gfvc.base_layer import BaseLayerCoder, CodedSequence, SequenceQps
from gfvc.encoding.face_messages import SequenceMessages
from gfvc.encoding.face_places import FacePlace
from gfvc.encoding.filter_choice import with_filter_if_better
from gfvc.encoding.grid_choice import GridChoice
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.sequence_faces import Division, FurtherSequenceFace, SequenceFace
from gfvc.encoding.work_done import WorkDone, part_of
from gfvc.face_square import FaceSquare
from gfvc.post_filtering import PostFiltering
from gfvc.stream.control_grids import SequenceGrids
from gfvc.stream.faces import FurtherFace
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.writer import StreamWriter
from gfvc.telling import Share
from models.parallel import map_in_order
from models.post_filter import FACES
from sei import SeiMessage

ChooseCoded = Callable[["Segment"], list[int]]
"""Which pictures of a segment are coded, rising; the key picture is one of them."""

# Where a larger share of a segment's pictures is coded, it is tried to code them all: below that
# it has not been seen to take fewer bits.
DENSE_SHARE = 1 / 6
# In shorter segments the key picture is most of the bits, and coded coarser it would be missed.
LEAST_PICTURES = 48
# How much of the work is done when coded pictures are chosen, coded, and, where to code all of them
# is tried too, when the faces of the others are: about their parts of the time at 256x256.
CHOSEN, CODED, DRAWN = 0.2, 0.4, 0.7
_MESSAGE_HEADER_BYTES = 2


@dataclass(slots=True)
class Segment:
    """Successive pictures of a clip that belong to one sequence of the base layer.

    `pictures` are their numbers as they are shown; `key` is the one that is coded as IDR picture:
    the first, or a later one from which those before it are drawn. `faceless` are those in which
    no face was found; `place` numbers where the first face is.
    """

    key: int
    pictures: list[int] = field(default_factory=list)
    faceless: set[int] = field(default_factory=set)
    place: int = 0


@dataclass(frozen=True, slots=True)
class CodedSegment:
    """What became of a segment: the output pictures of each coded picture, in the stream's order.

    `shown_as_coded` says that all are coded, and none drawn.
    """

    units: list[int]
    shown_as_coded: bool = False


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A segment of which some pictures are coded: their stream, and what draws the others."""

    stream: bytes
    schedule: SequenceSchedule
    messages: list[tuple[SeiMessage, ...]]
    further: tuple[FurtherFace, ...]
    grids: SequenceGrids | None

    @property
    def size(self) -> int:
        """Bytes of coded pictures, messages and control grids."""
        grids = 0 if self.grids is None else self.grids.bits // 8
        return (
            len(self.stream)
            + grids
            + sum(
                _MESSAGE_HEADER_BYTES + len(message.payload)
                for of_unit in self.messages
                for message in of_unit
            )
        )


@dataclass(frozen=True, slots=True)
class SegmentCoder:
    """Codes segments, one after the other, into a stream.

    Faces are described against decoded coded pictures, so a segment is coded once it is complete:
    first its base layer, then the faces of its other pictures. Where many are coded, and to code
    all pictures takes fewer bits, with reordering and by `all_qps`, all are; None for never.
    `places` are where faces may be; at all but the one of a segment's first face there may be
    further faces. `messages` make those of each, the first face's first. `rate` is in pictures a
    second. `work` is told how much is done. `grids` decides about control grids; None sends none.
    Coded pictures may be `reordered`. They go by the post-filter of a number, or, where the
    coder `chooses_filter`, by the better of that and none.
    """

    places: Sequence[FacePlace]
    messages: Sequence[SequenceMessages]
    rate: Fraction
    pictures: PictureStore
    base: BaseLayerCoder
    qps: SequenceQps
    writer: StreamWriter
    choose: ChooseCoded
    work: WorkDone
    all_qps: SequenceQps | None = None
    grids: GridChoice | None = None
    reordered: bool = False
    post_filter: int = 0
    chooses_filter: bool = False

    def code(self, segment: Segment) -> CodedSegment | None:
        """Code a segment, and write it.

        None, and nothing written, when its coded key picture shows no face.
        """
        tell = self.work.of_segment(len(segment.pictures))
        chosen = self.choose(segment)
        tell(CHOSEN)
        analyser = self.places[segment.place].analyser
        while True:
            shown = (self.pictures[number] for number in chosen)
            coded = self.base.code(
                shown, self.qps, reordered=self.reordered, tell=part_of(tell, CHOSEN, CODED)
            )
            coded = self._filtered(coded, self._squares(segment.place), chosen)
            # Nothing can be drawn from the others: the coded picture before them serves.
            first = coded.decoded[0]
            threads = coded.post_filter.threads(first.width, first.height)
            decoded = map_in_order(coded.picture, range(len(chosen)), threads)
            kept = [
                number
                for number, picture in zip(chosen, decoded, strict=True)
                if analyser.analyse_key(picture) is not None
            ]
            if segment.key not in kept:
                return None
            if kept == chosen:
                break
            chosen = kept
        tell(CODED)
        count = len(segment.pictures)
        is_dense = count >= LEAST_PICTURES and len(chosen) > DENSE_SHARE * count
        all_qps = self.all_qps if is_dense else None
        until = 1 if all_qps is None else DRAWN
        drawn = self._drawn(segment, coded, chosen, part_of(tell, CODED, until))
        if all_qps is not None and self._write_all(
            segment, all_qps, drawn.size, part_of(tell, DRAWN, 1)
        ):
            return CodedSegment([1] * count, shown_as_coded=True)
        self.writer.write_sequence(
            drawn.stream,
            drawn.schedule,
            drawn.messages,
            self.places[segment.place].square,
            drawn.further,
            drawn.grids,
            coded.places,
            coded.post_filter.number,
            coded.qps,
        )
        units = [1 + count for count in drawn.schedule.driven]
        if coded.places is not None:
            units = [units[place] for place in coded.places]
        return CodedSegment(units)

    def _write_all(self, segment: Segment, qps: SequenceQps, most: int, tell: Share) -> bool:
        """Code all pictures, and write them unless they take more than so many bytes; whether."""
        with PictureSpool() as spool:
            for number in segment.pictures:
                spool.append(self.base.sampled(self.pictures[number]))
            stream = self.base.encode(spool, qps, reordered=True, tell=tell)
            if len(stream) > most:
                return False
            # The user data of ordinary video have room for one square.
            squares = self._squares(segment.place)[:1]
            number = 0
            if self.post_filter:
                coded = self.base.decoded(stream, spool, qps, reordered=True)
                number = self._filtered(coded, squares, segment.pictures).post_filter.number
        of_face = squares[0] if squares and number == FACES else None
        self.writer.write_as_coded(stream, number, self.base.told(qps), of_face)
        return True

    def _filtered(
        self, coded: CodedSequence, squares: tuple[FaceSquare, ...], numbers: Sequence[int]
    ) -> CodedSequence:
        """A sequence of pictures of some numbers, in output order, with its post-filter if any."""
        filtered = replace(coded, post_filter=PostFiltering(self.post_filter, squares))
        if not self.chooses_filter:
            return filtered
        return with_filter_if_better(filtered, lambda place: self.pictures[numbers[place]])

    def _squares(self, first: int) -> tuple[FaceSquare, ...]:
        """The squares of all places, that of the first face before the others."""
        places = (self.places[first], *self._beside(first))
        return tuple(place.square for place in places if place.square is not None)

    def _drawn(
        self, segment: Segment, coded: CodedSequence, chosen: Sequence[int], tell: Share
    ) -> _Drawn:
        division = Division.of(segment.pictures, chosen)
        own, *others = [self.places[segment.place], *self._beside(segment.place)]
        pictures = self.pictures
        messages_of = iter(self.messages)
        faces = [
            SequenceFace(own, pictures, next(messages_of), self.grids),
            *(
                FurtherSequenceFace(place, pictures, messages, self.rate)
                for place, messages in zip(others, messages_of, strict=True)
            ),
        ]
        share = 1 / len(faces)
        first, *further_faces = [
            face.code(division, coded, part_of(tell, number * share, (number + 1) * share))
            for number, face in enumerate(faces)
        ]
        schedule = SequenceSchedule(
            division.driven, tuple(first.sent), len(division.leading), len(chosen) > 1
        )
        further = tuple(
            FurtherFace(place.square, tuple(face.drawn), replace(schedule, sent=tuple(face.sent)))
            for place, face in zip(others, further_faces, strict=True)
            if place.square is not None
        )
        if not (any(any(face.drawn) for face in further) or coded.post_filter.number == FACES):
            further = ()  # Nothing happens in their squares.
        messages = [
            tuple(chain.from_iterable(of_unit))
            for of_unit in zip(*(face.messages for face in (first, *further_faces)), strict=True)
        ]
        grids = None
        if self.grids is not None and any(first.grids):
            shape = self.grids.shape
            grids = SequenceGrids(shape, tuple(first.grids[:-1]))
        return _Drawn(coded.stream, schedule, messages, further, grids)

    def _beside(self, first: int) -> list[FacePlace]:
        """The places of further faces beside the first, by the number of its place."""
        return [place for number, place in enumerate(self.places) if number != first]
