"""The sound of a stream's container, beside the decoded pictures in an MP4 file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gfvc.errors import InputError, OutputError, let_deadline_by
from gfvc.media_files import VIDEO_FORMATS, open_media, reason
from gfvc.media_packets import demuxed
from gfvc.stream.containers import BIT_EXACT, open_file_as_container
from gfvc.stream.edit_lists import pictures_start
from gfvc.stream.names import MP4_SUFFIX, is_mp4
from gfvc.telling import Notes
from gfvc.video.sound import SoundCoding, SoundTrack, check_sound, is_heard
from gfvc.video.sound_parts import JoinedPart


def has_sound(path: Path) -> bool:
    """Whether a stream is in a container with sound; `InputError` when it cannot be read."""
    container = open_file_as_container(path)
    if container is None:
        return False
    with container:
        return bool(container.streams.audio)


def sound_to_keep(
    source: Path,
    output: Path,
    asked: str | None,
    notes: Notes,
    *,
    in_time: bool,
    parts: Sequence[JoinedPart] = (),
) -> SoundCoding | None:
    """How the sound of a stream goes into the output, None if it does not.

    `asked` is "none", "copy", "aac", or None: copied where an MP4 file is written that can hold it.
    `in_time` says that pictures are shown at the rate that the sound was made for. `parts` are the
    `joined_parts`. `notes` is told of sound that is left out without having been asked. Raises
    `OutputError` or `InputError` where what was asked for cannot be.
    """
    if asked == "none":
        return None
    holds_sound = is_mp4(output)
    if asked is not None and not holds_sound:
        raise OutputError(f"{output}: only an {MP4_SUFFIX} file can hold sound (--audio {asked})")
    if not has_sound(source):
        if asked is not None:
            notes(f"{source}: has no sound to keep")
        return None
    if asked is not None:
        coding: SoundCoding = "aac" if asked == "aac" else "copy"
        start = pictures_start(source)
        check_sound(source, coding, start, parts)
        return coding if is_heard(source, notes, start) else None
    if not holds_sound:
        notes(f"{source}: the sound is left out; an {MP4_SUFFIX} file would keep it")
    elif not in_time:
        notes(
            f"{source}: the sound is left out, for --fps changes the speed; --audio copy keeps it"
        )
    else:
        start = pictures_start(source)
        try:
            check_sound(source, "copy", start, parts)
        except InputError as error:
            notes(f"{error}; it is left out")
        else:
            return "copy" if is_heard(source, notes, start) else None
    return None


def add_sound(
    pictures: Path,
    source: Path,
    output: Path,
    coding: SoundCoding,
    parts: Sequence[JoinedPart] = (),
) -> None:
    """Write an MP4 file of the video in `pictures`, its mark, and the sound of a stream.

    `parts` are those of `sound_to_keep`. Raises `OutputError` when it cannot be written,
    `InputError` for damaged sound.
    """
    import av

    try:
        with (
            av.open(str(output), "w", format="mp4", options=BIT_EXACT) as container,
            open_media(pictures, VIDEO_FORMATS) as video,
            open_media(source, VIDEO_FORMATS, follow_edits=False) as with_sound,
        ):
            container.metadata.update(video.metadata)
            stream: Any = container.add_stream_from_template(video.streams.video[0])
            stream.time_base = video.streams.video[0].time_base
            start = pictures_start(source)
            track = SoundTrack(source, with_sound, container, coding, start, parts)
            track.write(_copied(video, stream))
    except (av.FFmpegError, OSError, ValueError) as error:
        let_deadline_by(error)
        raise OutputError(f"{output}: cannot be written ({reason(error)})") from error


def _copied(video: Any, stream: Any) -> Iterator[Any]:
    for packet in demuxed(video, video.streams.video[0]):
        if packet.dts is not None:
            packet.stream = stream
            yield packet
