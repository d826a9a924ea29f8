"""Whether a container shows coded pictures when the stream says.

Pictures are shown at the rate that the user data state, one after the other. A container has times
of its own, and they may tell of a gap, or of another speed, or be wrong, as where a raw stream was
put into it at some rate. Its sound is at these times whatever is right.
"""

from __future__ import annotations

from array import array
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gfvc.errors import InputError
from gfvc.stream.containers import (
    WITH_DECODING_TIMES,
    annex_b_packets,
    coded_track,
    open_file_as_container,
)
from gfvc.stream.edit_lists import pictures_start
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.picture_order import OrderCounts
from gfvc.telling import Notes
from gfvc.video.sound_parts import JoinedPart
from sei import Codec, SeiError, split_annex_b

# Containers of which joined files are refused, or whose clock goes on in them.
_NEVER_GO_BACK = {"mov", "flv", "avi"}

FloatArray = NDArray[np.float64]

# What is less is hardly noticed, and containers round their times.
_NOTICED_SECONDS = 0.2
# Periods that are as long are told apart by the rounding of containers alone.
_ROUNDED_SECONDS = 0.003


def tell_of_times(
    path: Path, stream: FaceStream, rate: Fraction, notes: Notes, *, with_sound: bool = True
) -> None:
    """Tell where pictures that are shown at a rate are out of step with the container, if they are.

    Sound that is kept, `with_sound`, goes by the container.

    Where it cannot be known, since times are missing or headers cannot be read, nothing is told,
    nor where the container only counts coded pictures, or the file is damaged.
    """
    told = _Pictures()
    try:
        time_base = told.read(path)
    except (InputError, SeiError):
        return
    count = len(stream.coded_units)
    if len(told.order) < 2 * count or not count:
        return
    starts, counts = np.array(told.order[: 2 * count], np.int64).reshape(-1, 2).T
    in_order = np.lexsort((counts, starts))
    lasting = np.fromiter((unit.pictures for unit in stream.coded_units), np.int64, count)[in_order]
    shown = (np.cumsum(lasting) - lasting) / float(rate)
    given = np.array(told.times[:count], np.float64)[in_order] * float(time_base)
    given -= float(pictures_start(path) or 0)
    period = 1 / float(rate)
    if _is_in_step(given, shown, period):
        return
    late_start = _late_start(given, shown, period) if told.starts_at_zero else 0
    if late_start:
        if with_sound:
            notes(
                f"{path}: its pictures may have been {late_start:.2f} s later, for AVI has the "
                "first one at 0 whatever its time was; sound is kept from the start, and may be "
                "out of step"
            )
        return
    misses = np.abs(given - shown)
    late = np.flatnonzero(misses > _NOTICED_SECONDS)
    if late.size:
        notes(
            f"{path}: coded pictures are shown at other times than in the container, from "
            f"{shown[late[0]]:.2f} s on, by {misses[late].max():.2f} s at most; "
            + (
                "sound is kept at the container's times, and may be out of step"
                if with_sound
                else f"they follow at {float(rate):.5g} a second, and --fps gives another rate"
            )
        )


def _is_in_step(given: FloatArray, shown: FloatArray, period: float) -> bool:
    """Whether a container's times are those at which pictures are shown, or say nothing."""
    is_late = (np.abs(given - shown) > _NOTICED_SECONDS).any()  # not where there is no time
    return not is_late or _is_counted(given, shown, period)


def _late_start(given: FloatArray, shown: FloatArray, period: float) -> float:
    """By how much all pictures but the first are late, in seconds, if they are in step else.

    Programs write AVI so where pictures start later than at 0.
    """
    if given.size < 3 or not np.isfinite(given).all():
        return 0
    if not _is_in_step(given[1:] - given[1], shown[1:] - shown[1], period):
        return 0
    periods = np.diff(given[1:])
    is_shown = (np.abs(periods - np.diff(shown[1:])) <= _ROUNDED_SECONDS).all()
    is_counted = _is_even(periods) and not is_shown
    first = periods.mean() if is_counted else shown[1] - shown[0]
    return max(0, float(given[1] - given[0] - first))


def _is_counted(given: FloatArray, shown: FloatArray, period: float) -> bool:
    """Whether a container has one period for all coded pictures, as a raw stream that was put in.

    Of those that drive others, some more than others, it says nothing then. Where all are shown
    equally long it may be meant, unless it is the period of one output picture. Nor does one say
    anything whose times go back in output order: it counts in decoding order, as AVI always does.
    """
    if (np.diff(given) <= 0).any():
        return True
    periods = np.diff(np.sort(given))
    return _is_even(periods) and (
        not _is_even(np.diff(shown)) or abs(float(periods.mean()) - period) < _ROUNDED_SECONDS
    )


def _is_even(periods: FloatArray) -> bool:
    return not periods.size or bool(np.ptp(periods) <= _ROUNDED_SECONDS)


def joined_parts(path: Path, stream: FaceStream, rate: Fraction) -> list[JoinedPart]:
    """What files with sound go on with that were joined byte by byte, by their pictures.

    Those go on one after the other at `rate`, and their clock goes back. None where there is
    nothing of the kind, or it cannot be known.
    """
    told = _Pictures()
    try:
        container = open_file_as_container(path)
        if container is None:
            return []
        with container:
            kind = container.format.name.split(",")[0]
            if kind in _NEVER_GO_BACK or not container.streams.audio:
                return []
        time_base = told.read(path)
    except (InputError, SeiError):
        return []
    count = len(stream.coded_units)
    times = np.array(told.times[:count], np.float64)
    if len(told.order) < 2 * count or not count or not np.isfinite(times).all():
        return []
    starts = np.array(told.order[: 2 * count], np.int64).reshape(-1, 2)[:, 0]
    lasting = np.fromiter((unit.pictures for unit in stream.coded_units), np.int64, count)
    start = pictures_start(path) or Fraction(0)
    parts: list[JoinedPart] = []
    # Those of a sequence are all shown before those of the next one.
    firsts = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    latest = np.maximum.reduceat(times, firsts)
    earliest = np.minimum.reduceat(times, firsts)
    for number in np.flatnonzero(earliest[1:] <= latest[:-1]) + 1:
        begins = Fraction(int(lasting[: firsts[number]].sum())) / rate
        parts.append(JoinedPart(begins, begins - int(earliest[number]) * time_base + start))
    return parts


class _Pictures:
    """Coded pictures of a track in its order: their times, NaN without, and their order counts."""

    def __init__(self) -> None:
        self.times = array("d")
        self.order = array("q")  # two numbers each
        self.starts_at_zero = False  # the first one does, whatever its time

    def read(self, path: Path) -> Fraction:
        """Go through a container; what its times count in. Raises `SeiError` as headers do."""
        container = open_file_as_container(path)
        if container is None:
            return Fraction(0)
        counts = OrderCounts()
        self.starts_at_zero = container.format.name in WITH_DECODING_TIMES
        with container:
            track = coded_track(path, container)
            codec = Codec(track.codec_context.name)
            for time, data in annex_b_packets(path, container, track):
                for unit in split_annex_b(data, codec):
                    order = counts.read(unit)
                    if order is not None:
                        self.times.append(float("nan") if time is None else time)
                        self.order.extend(order)
            return track.time_base or Fraction(0)
