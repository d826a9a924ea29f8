"""Which video stream of a file is its video: covers, thumbnails and tiles are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gfvc.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """A video stream, and a note that says which it is where there are several."""

    stream: VideoStream
    note: str | None


def choose_stream(container: InputContainer, label: str) -> StreamChoice:
    """The video stream to read; `label` is what messages call the file.

    Of several, streams of more than one picture come before still pictures (an animated AVIF
    holds both), then those that are marked as default, then the largest, then the first. Covers
    and thumbnails are never chosen. Raises `InputError` when no stream is left.
    """
    from av.stream import Disposition

    streams = list(container.streams.video)
    if not streams:
        raise InputError(f"{label}: holds no video")
    apart = Disposition.attached_pic | Disposition.timed_thumbnails
    videos = [stream for stream in streams if not stream.disposition & apart]
    if not videos:
        raise InputError(f"{label}: holds no video but a cover picture")
    whole = [stream for stream in videos if not stream.disposition & Disposition.dependent]
    if not whole:
        raise InputError(
            f"{label}: is a picture made of {len(videos)} tiles, which are not put together here; "
            "convert it to JPEG or PNG first"
        )
    chosen = min(whole, key=_rank)
    if len(whole) == 1:
        return StreamChoice(chosen, None)
    context = chosen.codec_context
    return StreamChoice(
        chosen,
        f"{label}: holds {len(whole)} video streams; number {chosen.index} is read "
        f"({context.codec.canonical_name}, {context.width}x{context.height})",
    )


def _rank(stream: VideoStream) -> tuple[bool, bool, int, int]:
    from av.stream import Disposition

    context = stream.codec_context
    return (
        stream.frames == 1,  # 0 where the file does not say
        not stream.disposition & Disposition.default,
        -context.width * context.height,
        stream.index,
    )
