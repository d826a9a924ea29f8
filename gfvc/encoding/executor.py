"""Carries out what the planner decides about pictures.

Picture by picture that is all. Segment by segment `SegmentCoder` decides more of a complete
segment, and `SequenceExecutor` does what follows from that: where the coded key picture shows no
face, the segment becomes ordinary video or is refused, as the options ask for. Where more pictures
would come before the key picture than a stream can say, the key picture comes first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from base_codec_adapters import PictureSpool
from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.colour import to_rgb
from gfvc.encoding.decisions import Decision, Driven, Key, Ordinary, Still
from gfvc.encoding.face_units import FaceUnits
from gfvc.encoding.filter_choice import with_filter_if_better
from gfvc.encoding.measured_facts import MeasuredFacts
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import Segment, SegmentCoder
from gfvc.encoding.work_done import WorkDone
from gfvc.errors import GfvcError
from gfvc.post_filtering import UNFILTERED, PostFiltering
from gfvc.stream.sequence import MAX_LEADING
from gfvc.stream.writer import StreamWriter
from models import FaceParameters
from models.contract import Closable, Picture


@dataclass(slots=True)
class Tally:
    """Output pictures so far, by kind.

    `coded_pictures` are those of the base layer, of which decoding can start at `key_pictures`.
    `low_confidence_pictures` show no face, which stands still there; `fallback_pictures` are
    ordinary video, of which `cheaper_pictures` because that takes fewer bits;
    `pictures_from_earlier_keys` are driven by another key picture than the last.
    """

    frames: int = 0
    coded_pictures: int = 0
    key_pictures: int = 0
    low_confidence_pictures: int = 0
    fallback_pictures: int = 0
    pictures_from_earlier_keys: int = 0
    cheaper_pictures: int = 0


class OrdinaryVideo(Closable):
    """Pictures that wait in a file, to be coded as a sequence and shown as they are.

    With `low_delay` they are coded in output order, otherwise as takes the fewest bits. They go by
    the post-filter `filtering`, or, where that `may_be_none`, by the better of it and none. `work`
    is told how much is done.
    """

    def __init__(
        self,
        base: BaseLayerCoder,
        qps: SequenceQps,
        writer: StreamWriter,
        work: WorkDone,
        *,
        low_delay: bool = False,
        filtering: PostFiltering = UNFILTERED,
        may_be_none: bool = False,
    ) -> None:
        self._base = base
        self._qps = qps
        self._writer = writer
        self._work = work
        self._low_delay = low_delay
        self._filtering = filtering
        self._may_be_none = may_be_none
        self._spool: PictureSpool | None = None

    @property
    def waiting(self) -> int:
        """Pictures that wait to be coded."""
        return 0 if self._spool is None else len(self._spool)

    def add(self, picture: Picture) -> None:
        """Add a picture uint8 [height, width, 3] with even sides."""
        if self._spool is None:
            self._spool = PictureSpool()
        self._spool.append(self._base.sampled(picture))

    def write(self) -> int:
        """Write the pictures that wait, one or more, as a sequence; how many they are."""
        assert self._spool is not None
        count = len(self._spool)
        tell = self._work.of_segment(count)
        reordered = not self._low_delay
        stream = self._base.encode(self._spool, self._qps, reordered=reordered, tell=tell)
        filtering = self._filtering
        if filtering and self._may_be_none:
            decoded = self._base.decoded(stream, self._spool, self._qps, reordered=reordered)
            coded = replace(decoded, post_filter=filtering)
            filtering = with_filter_if_better(coded, self._source).post_filter
        self._writer.write_as_coded(stream, filtering.number, self._base.told(self._qps))
        self.close()
        return count

    def _source(self, number: int) -> Picture:
        assert self._spool is not None
        return to_rgb(self._spool[number])

    def close(self) -> None:
        """Forget what waits."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None


class Executor(Closable, ABC):
    """Writes the stream of a clip, decision by decision.

    `tally` are the output pictures so far, `pictures_of_units` those of each coded picture.
    """

    def __init__(self, ordinary: OrdinaryVideo) -> None:
        self._ordinary = ordinary
        self.tally = Tally()
        self.pictures_of_units: list[int] = []

    @property
    @abstractmethod
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""

    @abstractmethod
    def carry_out(self, decision: Decision) -> None:
        """Do what is decided about a picture, now or later."""

    @abstractmethod
    def finish(self) -> None:
        """Code and write what is held back, at the end of the clip."""

    def close(self) -> None:
        """Free files."""
        self._ordinary.close()

    def _count(self, units: list[int]) -> None:
        """Count coded pictures by the output pictures of each."""
        self.tally.frames += sum(units)
        self.tally.coded_pictures += len(units)
        self.pictures_of_units += units

    def _write_ordinary(self) -> None:
        count = self._ordinary.write()
        self._count([1] * count)
        self.tally.fallback_pictures += count


class PictureExecutor(Executor):
    """Has key pictures coded one by one; `pool` of them may be referred to."""

    def __init__(
        self, facts: MeasuredFacts, units: FaceUnits, ordinary: OrdinaryVideo, pool: int = 1
    ) -> None:
        super().__init__(ordinary)
        self._facts = facts
        self._units = units
        self._keys: deque[int] = deque(maxlen=pool)  # the last one first

    @property
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""
        return self._facts.lost_keys

    def carry_out(self, decision: Decision) -> None:
        """Code what is decided about a picture."""
        if isinstance(decision, Key):
            self._begin(decision)
        elif isinstance(decision, Driven):
            self._add(self._facts.parameters(decision.picture, decision.key), decision.key)
        elif isinstance(decision, Still):
            self.tally.low_confidence_pictures += 1
            self._add(None, decision.key)
        else:
            if decision.starts:
                self._finish_sequence()
            self._ordinary.add(self._facts.picture(decision.picture))

    def finish(self) -> None:
        """Write what is held back, at the end of the clip."""
        self._finish_sequence()
        self._units.close()

    def _begin(self, decision: Key) -> None:
        self._finish_sequence()
        stream, parameters, weights = self._facts.coded_key(decision.picture)
        self._keys.appendleft(decision.picture)
        self._count([1])
        self.tally.key_pictures += 1
        self._units.begin(stream, parameters, weights)

    def _add(self, parameters: FaceParameters | None, key: int) -> None:
        back = self._keys.index(key)
        self.tally.frames += 1
        self.tally.pictures_from_earlier_keys += back > 0
        self.pictures_of_units[-1] += 1
        self._units.add(parameters, back)

    def _finish_sequence(self) -> None:
        """Code and write the pictures of ordinary video that wait for it."""
        if self._ordinary.waiting:
            self._units.close()
            self._write_ordinary()


class SequenceExecutor(Executor):
    """Collects the pictures of a segment from a key picture to the next, and has them coded.

    Pictures are in the store until their segment is written. `place_of` tells where the first face
    is in a key picture. A segment whose key picture cannot be drawn from becomes ordinary video, or
    raises what `refusal` is, if there shall be none.
    """

    def __init__(
        self,
        pictures: PictureStore,
        segments: SegmentCoder,
        ordinary: OrdinaryVideo,
        place_of: Callable[[int], int],
        refusal: GfvcError | None = None,
    ) -> None:
        super().__init__(ordinary)
        self._pictures = pictures
        self._segments = segments
        self._place_of = place_of
        self._refusal = refusal
        self._open: Segment | None = None
        self._lost_keys = 0

    @property
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""
        return self._lost_keys

    def carry_out(self, decision: Decision) -> None:
        """Take what is decided about a picture; code what is complete."""
        if isinstance(decision, Key):
            self.finish()
            place = self._place_of(decision.picture)
            self._open = Segment(decision.picture, [decision.picture], place=place)
        elif isinstance(decision, Ordinary):
            if decision.starts or self._open is not None:
                self.finish()
            self._add_ordinary([decision.picture])
        else:
            assert self._open is not None
            self._open.pictures.append(decision.picture)
            if isinstance(decision, Still):
                self._open.faceless.add(decision.picture)

    def finish(self) -> None:
        """Code the pictures that are held back: a segment is complete."""
        segment, self._open = self._open, None
        if segment is not None:
            self._code(segment)
        if self._ordinary.waiting:
            self._write_ordinary()

    def close(self) -> None:
        """Free files."""
        super().close()
        self._pictures.close()

    def _code(self, segment: Segment) -> None:
        shown = sorted(segment.pictures)
        if shown.index(segment.key) > MAX_LEADING:
            # They show no face, and the key picture stands still for each: it may come first.
            shown = segment.pictures
        segment.pictures = shown
        coded = self._segments.code(segment)
        if coded is None:
            self._lost_keys += 1
            if self._refusal is not None:
                raise self._refusal
            self._add_ordinary(shown)
            return
        self._count(coded.units)
        if coded.shown_as_coded:
            self.tally.fallback_pictures += len(shown)
            self.tally.cheaper_pictures += len(shown)
        else:
            self.tally.key_pictures += 1
            self.tally.low_confidence_pictures += len(segment.faceless)
        self._pictures.drop(shown)

    def _add_ordinary(self, pictures: list[int]) -> None:
        for number in pictures:
            self._ordinary.add(self._pictures[number])
        self._pictures.drop(pictures)
