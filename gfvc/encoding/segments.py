"""Coding a segment: a sequence of the base layer, and the pictures drawn between its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gfvc.encoding.base_sequence import BaseSequenceCoder, CodedSequence
from gfvc.encoding.face_messages import Faces, SequenceMessages, UnitFaces
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.trajectories import Ends, through_ends
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.writer import StreamWriter
from models import Analyser, Analysis, AnimationModel, FaceParameters
from sei import SeiMessage

ChooseCoded = Callable[["Segment"], list[int]]
"""Which pictures of a segment are coded, rising; the key picture is one of them."""


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


class SegmentCoder:
    """Codes segments, one after the other, into a stream.

    Faces are described against decoded coded pictures, so a segment is coded once it is complete:
    first its base layer, then the faces of its other pictures.
    """

    def __init__(
        self,
        model: AnimationModel,
        analyser: Analyser,
        pictures: PictureStore,
        base: BaseSequenceCoder,
        messages: SequenceMessages,
        writer: StreamWriter,
        choose: ChooseCoded,
    ) -> None:
        self._model = model
        self._analyser = analyser
        self._pictures = pictures
        self._base = base
        self._messages = messages
        self._writer = writer
        self._choose = choose

    def code(self, segment: Segment) -> list[int] | None:
        """Code a segment; output pictures of each coded picture.

        None, and nothing written, when its coded key picture shows no face.
        """
        chosen = self._choose(segment)
        while True:
            coded = self._base.code(self._pictures[number] for number in chosen)
            seen = {
                number: self._analyser.analyse_key(decoded)
                for number, decoded in zip(chosen, coded.decoded, strict=True)
            }
            if seen[segment.key] is None:
                return None
            # Nothing can be drawn from the others: the coded picture before them serves.
            kept = [number for number in chosen if seen[number] is not None]
            if kept == chosen:
                break
            chosen = kept
        return self._write(segment, coded, {k: a for k, a in seen.items() if a is not None})

    def _write(
        self, segment: Segment, coded: CodedSequence, seen: dict[int, Analysis]
    ) -> list[int]:
        places = [index for index, number in enumerate(segment.pictures) if number in seen]
        ends_of_gaps = [*places[1:], len(segment.pictures)]
        gaps = [segment.pictures[a + 1 : b] for a, b in zip(places, ends_of_gaps, strict=True)]
        leading = segment.pictures[: places[0]]
        two_references = len(seen) > 1
        driven = [len(gap) for gap in gaps]
        driven[0] += len(leading)
        ends = self._ends(coded, seen, places, segment) if two_references else [None] * len(places)
        sent: list[int] = []
        messages: list[tuple[SeiMessage, ...]] = []
        start = 0
        following = [segment.pictures[place] for place in places[1:]]
        for number, (place, gap) in enumerate(zip(places, gaps, strict=True)):
            if not gap and not (number == 0 and any(driven)):
                messages.append(())
                continue
            key = seen[segment.pictures[place]]
            before = leading[::-1] if number == 0 else []
            unit = UnitFaces(
                key.parameters,
                self._model.value_weights(key.parameters),
                self._faces(before, key),
                *self._between(segment.pictures[place], gap, following[number:], key, ends[number]),
            )
            of_unit = self._messages.of_unit(unit, names_model=number == 0)
            sent += [start + picture for picture in of_unit.sent]
            messages.append(of_unit.messages)
            start += driven[number]
        schedule = SequenceSchedule(tuple(driven), tuple(sent), len(leading), two_references)
        self._writer.write_sequence(coded.stream, schedule, messages)
        return [1 + count for count in driven]

    def _ends(
        self,
        coded: CodedSequence,
        seen: dict[int, Analysis],
        places: Sequence[int],
        segment: Segment,
    ) -> list[Ends | None]:
        """Of each coded picture, what a receiver knows of it and the next one; None of the last."""
        prepared = [
            prepare_key(self._model, decoded, seen[segment.pictures[place]].parameters)
            for place, decoded in zip(places, coded.decoded, strict=True)
        ]
        return [*(pair_keys(self._model, *pair).ends for pair in pairwise(prepared)), None]

    def _between(
        self,
        number: int,
        gap: Sequence[int],
        following: Sequence[int],
        key: Analysis,
        ends: Ends | None,
    ) -> tuple[Faces, FaceParameters | None]:
        """Parameters of pictures after a coded one, and what a receiver knows of the next."""
        faces = self._faces(gap, key)
        if ends is None:
            return faces, None
        found = self._faces([number, following[0]], key)
        if found[0] is None or found[1] is None:
            return faces, ends[1]
        return through_ends(faces, (found[0], found[1]), ends, self._model.layout), ends[1]

    def _faces(self, numbers: Sequence[int], key: Analysis) -> Faces:
        """Parameters of pictures against a coded one; None without a face."""
        found = (self._analyser.analyse(self._pictures[number], key) for number in numbers)
        return [None if analysis is None else analysis.parameters for analysis in found]


def at_distance(distance: float | None) -> ChooseCoded:
    """Coded pictures about so many pictures apart, at equal distances, the last one too.

    None: the key picture alone. Where there is no face, the picture before or after serves.
    """

    def choose(segment: Segment) -> list[int]:
        following = segment.pictures[segment.pictures.index(segment.key) :]
        last = len(following) - 1
        if distance is None or last == 0:
            return [segment.key]
        count = min(last, max(1, round(last / distance)))
        wanted = (following[round(last * index / count)] for index in range(1, count + 1))
        return [segment.key, *(number for number in wanted if number not in segment.faceless)]

    return choose
