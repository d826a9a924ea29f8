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
    from av.video.stream import VideoStream

# Formats in which a packet ends where the next begins: they do not say that the last was cut off.
_WITHOUT_ENDS = frozenset(
    ("mpegts", "mpeg", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "vvc")
)
# Their decoders do not tell of pictures that end early.
_UNTOLD = frozenset(("hevc", "vvc", "libdav1d", "av1"))


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
        try:
            yield container, stream
        finally:
            settle(stream)


def has_no_ends(container: InputContainer) -> bool:
    """Whether packets of a file end where the next begins, so that the last one may be cut off."""
    return container.format.name in _WITHOUT_ENDS


def tells_of_damage(stream: VideoStream) -> bool:
    """Whether the decoder of a stream marks pictures of which a part did not come."""
    return stream.codec_context.name not in _UNTOLD


def set_threads(container: InputContainer, stream: VideoStream) -> None:
    """Have a stream decoded by as many threads as do no harm.

    Where threads have a picture each, a mark of damage may come too late, as it happens: it would
    be another last picture each time.
    """
    counts = has_no_ends(container) and tells_of_damage(stream)
    stream.thread_type = "SLICE" if counts else "AUTO"


def settle(stream: VideoStream) -> None:
    """Wait until no thread of a decoder is at work; pictures that it has not given yet are gone.

    While the log is listened to (`gfvc.video.described`), a thread that has something to say waits
    for Python's lock, also to be told that nobody wants to hear it. Who frees a decoder holds that
    lock, and would wait for the thread for ever.
    """
    stream.codec_context.flush_buffers()


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
    # The file may say one size first, and then ask for another.
    context.options = {"max_pixels": str(MAX_SOURCE_AREA)}
