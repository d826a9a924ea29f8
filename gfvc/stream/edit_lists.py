"""Edit lists of MP4 files, which name the part of a track to show.

Players decode what lies before that part and do not show it. Here all coded pictures of a track
are shown, and its sound with them: a cut begins where decoding can start, as in other containers.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.media_edits import other_speed
from gfvc.media_files import STREAM_FORMATS, media_errors, open_media
from gfvc.media_packets import packets_of
from gfvc.stream.containers import coded_track, open_file_as_container
from gfvc.telling import NOTICED_SECONDS, Notes

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


def tell_of_edits(path: Path, container: InputContainer, notes: Notes) -> None:
    """Tell what of the edit list of a container, if any, is not followed."""
    track = coded_track(path, container)
    if other_speed(path, container, track.id) is not None:
        notes(
            f"{path}: its edit list has parts shown at another speed, or standing still, which is "
            "not followed: all is shown as it was coded"
        )
    with open_media(path, STREAM_FORMATS) as edited:
        shown = _stated(coded_track(path, edited))
    if _stated(track) - shown < NOTICED_SECONDS:
        return
    # What a track states may count the delay from decoding to showing, too.
    whole = min(_stated(track), _measured(path))
    outside = whole - shown
    if outside >= NOTICED_SECONDS:
        notes(
            f"{path}: {float(outside):.2f} s of its {float(whole):.2f} s lie outside of the part "
            "that its edit list shows, as of a cut between key pictures, and are shown, too"
        )


def pictures_start(path: Path) -> Fraction | None:
    """When the first coded picture of a container is shown, in seconds, whatever is edited out.

    None where it does not say.
    """
    container = open_file_as_container(path)
    if container is None:
        return None
    with container:
        track = coded_track(path, container)
        return None if track.start_time is None else _seconds(track, track.start_time)


def _measured(path: Path) -> Fraction:
    """How long the coded pictures of a container are shown, whatever is edited out."""
    start, end = None, Fraction(0)
    container = open_file_as_container(path)
    if container is not None:
        with container, media_errors(str(path)):
            track = coded_track(path, container)
            for packet in packets_of(path, container, track):
                if packet.size and packet.pts is not None:
                    time = _seconds(track, packet.pts)
                    start = time if start is None else min(start, time)
                    end = max(end, time + _seconds(track, packet.duration or 0))
    return Fraction(0) if start is None else end - start


def _stated(track: VideoStream) -> Fraction:
    return _seconds(track, track.duration or 0)


def _seconds(track: VideoStream, stamp: int) -> Fraction:
    return stamp * (track.time_base or Fraction(0))
