"""When decoded sound is heard that is coded anew: by its stamps, where these mean something.

Segments that were encoded one by one overlap where they were joined, as do the parts that an edit
list (MP4) shows. Other stamps are coarse, tremble, drift a little, or were made for another rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from gfvc.video.sound_parts import BACKWARDS_SECONDS, JoinedPart

# Of a frame of AAC at the highest rate, in which sound is cut anew: within a half, times go on.
_AAC_SECONDS = Fraction(1024, 96000)
# Sound that is later than this, and stays so for so long, is not so by stamps that tremble.
_LATE_SECONDS = Fraction(1, 100)
_AHEAD_SECONDS = 1
_ANOTHER_RATE = Fraction(1, 4)


class _Stamped(NamedTuple):
    """A decoded frame, when it is heard by its stamp, and how much sound was decoded before it."""

    frame: Any
    time: Fraction
    before: Fraction
    lasts: Fraction


def frames_in_step(
    frames: Iterable[Any], start: Fraction, parts: Sequence[JoinedPart]
) -> Iterator[Any]:
    """Decoded frames from `start` on, timed from there, in samples, by their stamps.

    An MP4 file holds no times that go back, so a frame that overlaps is heard right behind the one
    before. Where sound is late for good, as much of it is left out. A clock that goes back is that
    of a joined part: the next one of `parts`, or, where these do not tell, one that begins where
    the sound before ends.
    """
    coming = _stamped(frames, start, parts)
    waiting = deque[_Stamped]()
    due: Fraction | None = None
    late = Fraction(0)  # what is to be left out
    while True:
        while not waiting or waiting[-1].before - waiting[0].before < _AHEAD_SECONDS:
            following = next(coming, None)
            if following is None:
                break
            waiting.append(following)
        if not waiting:
            return
        one = waiting.popleft()
        frame, time, lasts = one.frame, one.time, one.lasts
        if due is not None and due - time > min(lasts, _AAC_SECONDS) / 2:
            late = late or _late_for_good(due, one, waiting)
            samples = round(late * frame.rate)
            if late and samples >= frame.samples:
                late = max(late - lasts, Fraction(0))
                continue
            if samples:
                frame = _without_head(frame, samples)
                lasts = Fraction(frame.samples, frame.rate)
            time = due
        late = Fraction(0)
        due = time + lasts
        if due > 0:
            # In samples, since some stamps (of AVI) count packets, which are cut anew later.
            frame.time_base = Fraction(1, frame.rate)
            frame.pts = round(time * frame.rate)
            yield frame


def _late_for_good(due: Fraction, one: _Stamped, following: Sequence[_Stamped]) -> Fraction:
    """By how much a frame and all that follow would be late behind what ends when it is `due`.

    0 where they become later and later: stamps at another rate than the sound say nothing.
    """
    late = due - one.time
    if late <= _LATE_SECONDS or not following:
        return Fraction(0)
    runs_on = due - one.before
    rest = [runs_on - (each.time - each.before) for each in following]
    if rest[-1] - late > (following[-1].before - one.before) * _ANOTHER_RATE:
        return Fraction(0)
    late = min(late, *rest)
    return late if late > _LATE_SECONDS else Fraction(0)


def _stamped(
    frames: Iterable[Any], start: Fraction, parts: Sequence[JoinedPart]
) -> Iterator[_Stamped]:
    further = iter(parts)
    shift = before = Fraction(0)
    last: Fraction | None = None
    ends = Fraction(0)
    for frame in frames:
        time = ends
        if frame.pts is not None and frame.time_base is not None:
            stamp = frame.pts * frame.time_base - start
            if last is not None and last - stamp > BACKWARDS_SECONDS:
                part = next(further, None)
                shift = ends - stamp if part is None else part.shift
            last = stamp
            time = stamp + shift
        lasts = Fraction(frame.samples, frame.rate)
        yield _Stamped(frame, time, before, lasts)
        before += lasts
        ends = time + lasts


def _without_head(frame: Any, samples: int) -> Any:
    """A frame without its first samples, of which it has more."""
    from av.filter import Graph

    graph = Graph()
    source: Any = graph.add_abuffer(
        sample_rate=frame.rate,
        format=frame.format.name,
        layout=frame.layout.name,
        time_base=Fraction(1, frame.rate),
    )
    trim, sink = graph.add("atrim", f"start_sample={samples}"), graph.add("abuffersink")
    graph.link_nodes(source, trim, sink).configure()
    graph.push(frame)
    return graph.pull()
