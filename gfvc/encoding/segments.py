"""Coding a segment: a sequence of the base layer, and the pictures drawn between its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

import numpy as np

from base_codec_adapters import PictureSpool
from gfvc.base_layer import BaseLayerCoder, CodedSequence, SequenceQps
from gfvc.colour import to_picture420
from gfvc.encoding.face_messages import SequenceMessages, UnitFaces
from gfvc.encoding.picture_store import PictureStore
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions import Faces
from models import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    ParameterLayout,
    Reference,
)
from models.contract import Ends, FloatArray
from sei import SeiMessage

ChooseCoded = Callable[["Segment"], list[int]]
"""Which pictures of a segment are coded, rising; the key picture is one of them."""

# Where a larger share of a segment's pictures is coded, it is tried to code them all: below that
# it has not been seen to take fewer bits.
DENSE_SHARE = 1 / 6
# In shorter segments the key picture is most of the bits, and coded coarser it would be missed.
LEAST_PICTURES = 48
_MESSAGE_HEADER_BYTES = 2


@dataclass(slots=True)
class Segment:
    """Successive pictures of a clip that belong to one sequence of the base layer.

    `pictures` are their numbers as they are shown; `key` is the one that is coded as IDR picture:
    the first, or a later one from which those before it are drawn. `faceless` are those in which
    no face was found.
    """

    key: int
    pictures: list[int] = field(default_factory=list)
    faceless: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class CodedSegment:
    """What became of a segment: the output pictures of each coded picture.

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

    @property
    def size(self) -> int:
        """Bytes of coded pictures and messages."""
        return len(self.stream) + sum(
            _MESSAGE_HEADER_BYTES + len(message.payload)
            for of_unit in self.messages
            for message in of_unit
        )


@dataclass(frozen=True, slots=True)
class _Coded:
    """A coded picture by its number, seen and made ready as decoded; a lone one is not prepared."""

    number: int
    analysis: Analysis
    reference: Reference | None


class SegmentCoder:
    """Codes segments, one after the other, into a stream.

    Faces are described against decoded coded pictures, so a segment is coded once it is complete:
    first its base layer, then the faces of its other pictures. Where many are coded, and to code
    all pictures takes fewer bits, with reordering and by `all_qps`, all are; None for never.
    """

    def __init__(
        self,
        model: AnimationModel,
        analyser: Analyser,
        pictures: PictureStore,
        base: BaseLayerCoder,
        qps: SequenceQps,
        messages: SequenceMessages,
        writer: StreamWriter,
        choose: ChooseCoded,
        all_qps: SequenceQps | None = None,
    ) -> None:
        self._model = model
        self._analyser = analyser
        self._pictures = pictures
        self._base = base
        self._qps = qps
        self._messages = messages
        self._writer = writer
        self._choose = choose
        self._all_qps = all_qps

    def code(self, segment: Segment) -> CodedSegment | None:
        """Code a segment, and write it.

        None, and nothing written, when its coded key picture shows no face.
        """
        chosen = self._choose(segment)
        while True:
            shown = (self._pictures[number] for number in chosen)
            coded = self._base.code(shown, self._qps)
            # Nothing can be drawn from the others: the coded picture before them serves.
            kept = [
                number
                for place, number in enumerate(chosen)
                if self._analyser.analyse_key(coded.picture(place)) is not None
            ]
            if segment.key not in kept:
                return None
            if kept == chosen:
                break
            chosen = kept
        drawn = self._drawn(segment, coded, chosen)
        count = len(segment.pictures)
        is_dense = count >= LEAST_PICTURES and len(chosen) > DENSE_SHARE * count
        if is_dense and self._all_qps is not None:
            stream = self._all_coded(segment, self._all_qps)
            if len(stream) <= drawn.size:
                self._writer.write_as_coded(stream)
                return CodedSegment([1] * count, shown_as_coded=True)
        self._writer.write_sequence(drawn.stream, drawn.schedule, drawn.messages)
        return CodedSegment([1 + count for count in drawn.schedule.driven])

    def _all_coded(self, segment: Segment, qps: SequenceQps) -> bytes:
        with PictureSpool() as spool:
            for number in segment.pictures:
                spool.append(to_picture420(self._pictures[number]))
            return self._base.encode(spool, qps, reordered=True)

    def _drawn(self, segment: Segment, coded: CodedSequence, chosen: Sequence[int]) -> _Drawn:
        place_of = {number: place for place, number in enumerate(segment.pictures)}
        places = [place_of[number] for number in chosen]
        leading = segment.pictures[: places[0]]
        gaps = [
            segment.pictures[place + 1 : following]
            for place, following in pairwise([*places, len(segment.pictures)])
        ]
        driven = [len(gap) for gap in gaps]
        driven[0] += len(leading)
        sent: list[int] = []
        messages: list[tuple[SeiMessage, ...]] = []
        start = 0
        # One is looked at ahead, no more: a segment may have many coded pictures.
        coming = pairwise(chain(self._coded_keys(chosen, coded), [None]))
        for number, (key, following) in enumerate(coming):
            assert key is not None
            before = leading[::-1] if number == 0 else []
            if gaps[number] or (number == 0 and any(driven)):
                of_unit = self._messages.of_unit(
                    self._unit(key, before, gaps[number], following), names_model=number == 0
                )
                sent += [start + picture for picture in of_unit.sent]
                messages.append(of_unit.messages)
            else:
                messages.append(())
            start += driven[number]
        schedule = SequenceSchedule(tuple(driven), tuple(sent), len(leading), len(chosen) > 1)
        return _Drawn(coded.stream, schedule, messages)

    def _coded_keys(self, chosen: Sequence[int], coded: CodedSequence) -> Iterator[_Coded]:
        """The coded pictures as a receiver has them, each made ready when its turn comes."""
        for place, number in enumerate(chosen):
            decoded = coded.picture(place)
            analysis = self._analyser.analyse_key(decoded)
            assert analysis is not None
            # A lone one makes no pair.
            reference = (
                prepare_key(self._model, decoded, analysis.parameters) if len(chosen) > 1 else None
            )
            yield _Coded(number, analysis, reference)

    def _unit(
        self,
        key: _Coded,
        before: Sequence[int],
        gap: Sequence[int],
        following: _Coded | None,
    ) -> UnitFaces:
        """Faces of a coded picture, of pictures shown before it, and of those up to the next."""
        parameters = key.analysis.parameters
        weights = self._model.value_weights(parameters)
        leading, faces = (self._faces(numbers, key.analysis) for numbers in (before, gap))
        if following is None:
            return UnitFaces(parameters, weights, leading, faces)
        assert key.reference is not None
        assert following.reference is not None
        ends = pair_keys(self._model, key.reference, following.reference).ends
        if ends is None:
            return UnitFaces(parameters, weights, leading, faces)
        first, last = self._faces([key.number, following.number], key.analysis)
        if first is not None and last is not None:
            faces = through_ends(faces, (first, last), ends, self._model.layout)
        return UnitFaces(parameters, weights, leading, faces, ends[1])

    def _faces(self, numbers: Sequence[int], key: Analysis) -> Faces:
        """Parameters of pictures against a coded one; None without a face."""
        found = (self._analyser.analyse(self._pictures[number], key) for number in numbers)
        return [None if analysis is None else analysis.parameters for analysis in found]


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
