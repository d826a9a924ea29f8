"""Opening a file and its video stream, ready to be decoded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.errors import InputError
from gfvc.limits import MAX_SOURCE_AREA
from gfvc.media_edits import refuse_edits
from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.media_packets import PNG_CODECS
from gfvc.png_chunks import with_compressed_hidden
from gfvc.video.dolby_vision import refuse_own_colours
from gfvc.video.stated import is_animated_webp
from gfvc.video.stream_choice import choose_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

# Formats in which a packet ends where the next begins: they do not say that the last was cut off.
_WITHOUT_ENDS = frozenset(
    ("mpegts", "mpeg", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "vvc")
)
# Their decoders do not tell of pictures that end early.
_UNTOLD = frozenset(("hevc", "vvc", "libdav1d", "av1"))
# A file may say one size first, and then ask for another.
_LIMITS = {"max_pixels": str(MAX_SOURCE_AREA)}


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A file and its video stream; raises `InputError` for none, or for what cannot be read."""
    with open_media(path, VIDEO_FORMATS) as container:
        if is_animated_webp(path):
            raise InputError(
                f"{path}: is an animated WebP picture, which cannot be read here; convert it to a "
                "video first"
            )
        stream = choose_stream(container, path).stream
        refuse_own_colours(path, container, stream)
        refuse_edits(path, container, stream.id)
        _set_decoder(path, stream)
        yield container, stream


def has_no_ends(container: InputContainer) -> bool:
    """Whether packets of a file end where the next begins, so that the last one may be cut off."""
    return container.format.name in _WITHOUT_ENDS


def tells_of_damage(stream: VideoStream) -> bool:
    """Whether the decoder of a stream marks pictures of which a part did not come."""
    return stream.codec_context.name not in _UNTOLD


def decoder_like(context: VideoCodecContext) -> VideoCodecContext:
    """Another decoder of the same stream."""
    import av

    other = av.CodecContext.create(context.codec.name, "r")
    assert isinstance(other, av.VideoCodecContext)
    other.extradata = context.extradata
    other.flags = context.flags
    other.thread_count = context.thread_count
    other.options = dict(_LIMITS)
    return other


def _set_decoder(path: Path, stream: VideoStream) -> None:
    """Have pictures as the stream crops them, and none that would take too much memory.

    Raises `InputError` where the file says that they would; others are refused as they come.
    """
    from av.codec.context import Flags

    context = stream.codec_context
    if context.width * context.height > MAX_SOURCE_AREA:
        raise InputError(
            f"{path}: is {context.width}x{context.height}; a picture may have {MAX_SOURCE_AREA} "
            "samples; make it smaller first"
        )
    # Else columns on the left that the stream hides are shown, to where memory is aligned.
    context.flags |= Flags.unaligned
    # Chunks that an animated PNG has before its first picture.
    if context.name in PNG_CODECS and context.extradata:
        context.extradata = with_compressed_hidden(context.extradata)
    context.options = dict(_LIMITS)
