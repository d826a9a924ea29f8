"""Which video stream of a file is its video: covers, thumbnails and tiles are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, media_errors, open_media
from gfvc.media_packets import packets_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_LOOKED_AT = 300  # packets


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """A video stream, and a note that says which it is where there are several."""

    stream: VideoStream
    note: str | None


def choose_stream(container: InputContainer, path: Path) -> StreamChoice:
    """The video stream to read of a container that is open, and its file.

    Of several, streams of more than one picture come before still pictures (an animated AVIF
    holds both), then those that are marked as default, then the largest, then the first. Covers,
    thumbnails and what nothing here decodes are never chosen. Raises `InputError` when no stream
    is left.
    """
    from av.stream import Disposition

    streams = list(container.streams.video)
    if not streams:
        raise InputError(f"{path}: holds no video{_unless_copied(container)}")
    apart = Disposition.attached_pic | Disposition.timed_thumbnails
    videos = [stream for stream in streams if not stream.disposition & apart]
    if not videos:
        raise InputError(f"{path}: holds no video but a cover picture")
    whole = [stream for stream in videos if not stream.disposition & Disposition.dependent]
    if not whole:
        raise InputError(
            f"{path}: is a picture made of {len(videos)} tiles, which are not put together here; "
            "convert it to JPEG or PNG first"
        )
    # There is none where nothing here decodes the codec.
    contexts: list[Any] = [stream.codec_context for stream in whole]
    whole = [stream for stream, context in zip(whole, contexts, strict=True) if context is not None]
    if not whole:
        raise InputError(
            f"{path}: its pictures are of a codec that is not decoded here"
            f"{_unless_copied(container) or '; convert it first, to H.264 for example'}"
        )
    if len(contexts) == 1:
        return StreamChoice(whole[0], None)
    stills = {stream.index for stream in whole if stream.frames == 1}
    if not all(stream.frames for stream in whole):
        stills |= _single_pictures(path)
    chosen = min(whole, key=lambda stream: (stream.index in stills, *_rank(stream)))
    context = chosen.codec_context
    return StreamChoice(
        chosen,
        f"{path}: holds {len(contexts)} video streams; number {chosen.index} is read "
        f"({context.codec.canonical_name}, {context.width}x{context.height})",
    )


def _unless_copied(container: InputContainer) -> str:
    """What else may be, and what to do, of a format that does not name its codecs."""
    if container.format.name != "mpeg":
        return ""
    return (
        ", or pictures that were copied from MP4 to an MPEG program stream without their start "
        "codes; give the MP4, or copy it with -bsf:v h264_mp4toannexb"
    )


def _single_pictures(path: Path) -> set[int]:
    """Video streams that have one picture where another has several, seen from the file's start."""
    pictures: Counter[int] = Counter()
    with open_media(path, VIDEO_FORMATS) as container, media_errors(str(path)):
        packets = packets_of(path, container, *container.streams.video)
        for packet in islice(packets, _LOOKED_AT):
            pictures[packet.stream.index] += packet.size > 0
    several = max(pictures.values(), default=0) > 1
    return {index for index, count in pictures.items() if count == 1 and several}


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    from av.stream import Disposition

    context = stream.codec_context
    return (
        not stream.disposition & Disposition.default,
        -context.width * context.height,
        stream.index,
    )
