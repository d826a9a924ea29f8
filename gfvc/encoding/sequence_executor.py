"""Carries out what is decided about pictures, a sequence of the base layer at a time."""

from __future__ import annotations

from gfvc.encoding.executor import Tally
from gfvc.encoding.ordinary_video import SequenceCoder
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.planner import Decision, Key, Ordinary, Still
from gfvc.encoding.segments import Segment, SegmentCoder
from gfvc.errors import GfvcError
from gfvc.stream.sequence import MAX_LEADING
from gfvc.stream.writer import StreamWriter


class SequenceExecutor:
    """Collects the pictures of a segment from a key picture to the next, and has them coded.

    Pictures are in the store until their segment is written. A segment whose key picture cannot be
    drawn from becomes ordinary video, or raises what `refusal` is, if there shall be none.
    """

    def __init__(
        self,
        pictures: PictureStore,
        segments: SegmentCoder,
        ordinary: SequenceCoder,
        writer: StreamWriter,
        refusal: GfvcError | None = None,
    ) -> None:
        self._pictures = pictures
        self._segments = segments
        self._ordinary = ordinary
        self._writer = writer
        self._refusal = refusal
        self._open: Segment | None = None
        self._waiting: list[int] = []  # ordinary video
        self.tally = Tally()
        self.pictures_of_units: list[int] = []
        """Output pictures of each coded picture."""
        self.lost_keys = 0
        """Key pictures whose coded form showed no face."""

    def carry_out(self, decision: Decision) -> None:
        """Take what is decided about a picture; code what is complete."""
        if isinstance(decision, Key):
            self.finish()
            self._open = Segment(decision.picture, [decision.picture])
        elif isinstance(decision, Ordinary):
            if decision.starts or self._open is not None:
                self.finish()
            self._waiting.append(decision.picture)
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
        if self._waiting:
            self._code_ordinary(self._waiting)
            self._waiting = []

    def _code(self, segment: Segment) -> None:
        shown = sorted(segment.pictures)
        if shown.index(segment.key) > MAX_LEADING:
            # They show no face, and the key picture stands still for each: it may come first.
            shown = segment.pictures
        segment.pictures = shown
        units = self._segments.code(segment)
        if units is None:
            self.lost_keys += 1
            if self._refusal is not None:
                raise self._refusal
            self._code_ordinary(shown)
            return
        self._count(len(shown), units)
        self.tally.key_pictures += 1
        self.tally.low_confidence_pictures += len(segment.faceless)
        self._pictures.drop(shown)

    def _code_ordinary(self, numbers: list[int]) -> None:
        for number in numbers:
            self._ordinary.add(self._pictures[number])
        stream, count = self._ordinary.finish()
        self._writer.write_as_coded(stream)
        self._count(count, [1] * count)
        self.tally.fallback_pictures += count
        self._pictures.drop(numbers)

    def _count(self, pictures: int, units: list[int]) -> None:
        self.tally.frames += pictures
        self.tally.coded_pictures += len(units)
        self.pictures_of_units += units
