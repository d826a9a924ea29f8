"""Opening video, picture and sound files so that only the file that was given is read.

libavformat tells what a file is by what is in it, whatever its name. Some formats name further
files or addresses (playlists, lists of parts, scripts), and some take pictures of plain text: a
file is opened as one of the formats listed here or not at all, nothing is read but files, tracks
of a QuickTime file that point elsewhere stay shut, and "%03d" in a name is part of the name.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError, let_deadline_by
from gfvc.given import not_a_file
from gfvc.media_boxes import top_boxes
from gfvc.png_chunks import is_animated, refuse_expanding

if TYPE_CHECKING:
    from av import CodecContext, Packet
    from av.container import InputContainer

# Names are libavformat's. "mov" stands for MP4, QuickTime, 3GP, M4V, AVIF and HEIF.
_CONTAINERS = ("mov", "matroska", "mpegts", "mpeg", "avi", "flv", "mxf", "nut")

STREAM_FORMATS = frozenset(_CONTAINERS)
"""Containers from which VVC, HEVC or H.264 streams are read."""

_OTHER_VIDEO = (
    *("asf", "dv", "gif", "ivf", "live_flv", "ogg", "rm", "wtv", "yuv4mpegpipe"),
    *("av1", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vvc"),
)
_PICTURES = (
    *("apng", "image2", "bmp_pipe", "j2k_pipe", "jpeg_pipe", "jpegls_pipe", "jpegxl_anim"),
    *("jpegxl_pipe", "pam_pipe", "pbm_pipe", "pgm_pipe", "png_pipe", "ppm_pipe", "qoi_pipe"),
    *("tiff_pipe", "webp_pipe"),
)
# They are opened to say that they hold no video, or only a cover picture.
_SOUND = ("aac", "flac", "mp3", "wav")

VIDEO_FORMATS = frozenset((*_CONTAINERS, *_OTHER_VIDEO, *_PICTURES, *_SOUND))
"""Formats from which pictures are read."""

# How files begin that hold the names of other files.
_LISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<ASX", b"<asx", b"<smil", b"v=0")
_HEAD = 512

_ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/+")


def open_media(path: Path, formats: frozenset[str], *, follow_edits: bool = True) -> InputContainer:
    """Open a file as one of `formats`: `VIDEO_FORMATS` or fewer.

    Without `follow_edits` an edit list (MP4) only says what time 0 is, and hides nothing. Decoders
    have no threads of their own: where damage is concealed, what comes out would depend on which
    of them is first.

    The caller closes the container; while reading from it, `media_errors` tells of damage. Raises
    `InputError` when it is missing, empty, no file, of another format, damaged, or names other
    files.
    """
    import av

    _check_file(path)
    options = {
        "format_whitelist": ",".join(sorted(formats)),
        "protocol_whitelist": "file",
        "enable_drefs": "0",
        "use_absolute_path": "0",
        "pattern_type": "none",
        "advanced_editlist": str(int(follow_edits)),
    }
    try:
        refuse_expanding(path)
        # Absolute, since the library takes what is before a colon for a protocol.
        container: InputContainer = av.open(
            str(path.absolute()),
            # Its own look is at the first KiB or two, and text may come before.
            format="apng" if "apng" in formats and is_animated(path) else None,
            container_options=options,
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        let_deadline_by(error)
        if _is_list(path):
            problem = "a playlist, which names other files; give the video itself"
        elif _is_part(path):
            problem = (
                "a part of a stream (DASH, HLS) without the header that all its parts have; put "
                "that file before it (cat INIT PART > WHOLE.mp4)"
            )
        elif isinstance(error, av.ArgumentError):
            # What libavformat says when it knows the format, and that is not in the list.
            problem = "of a kind that is not read here; make MP4 or Matroska of it"
        else:
            problem = f"not a video that can be read ({reason(error)})"
        raise InputError(f"{path}: {problem}") from error
    for stream in container.streams:
        context: CodecContext | None = stream.codec_context
        if context is not None:
            context.thread_count = 1
    return container


@contextlib.contextmanager
def media_errors(label: str) -> Iterator[None]:
    """Turn what the library raises on damaged content into `InputError`; `label` is a name."""
    import av

    try:
        yield
    except BrokenPipeError:
        raise
    except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
        let_deadline_by(error)
        raise InputError(f"{label}: damaged or cut off ({reason(error)})") from error


def refuse_encrypted(path: Path, packet: Packet[Any]) -> None:
    """Raise `InputError` where the content of a packet is encrypted (ISO/IEC 23001-7)."""
    if packet.has_sidedata("encryption_info"):
        raise InputError(f"{path}: is encrypted, as protected content is; it can be read decrypted")


def reason(error: Exception) -> str:
    """What an error of the library or the system says, in one line."""
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__


def _check_file(path: Path) -> None:
    try:
        if not path.is_file():
            # A path has one slash less than an address.
            label = _ADDRESS.sub(r"\1://", str(path))
            raise InputError(f"{label}: {_not_a_file(path)}")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty")
    except (OSError, ValueError) as error:
        let_deadline_by(error)
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


def _not_a_file(path: Path) -> str:
    """What a path is that names no file."""
    if _ADDRESS.match(str(path)) and not path.exists():
        return "is an address, and only files are read; download it first"
    once = ", and cannot be read twice; gfvc encode - reads standard input"
    return not_a_file(path) + (once if path.is_fifo() else "")


def _is_part(path: Path) -> bool:
    """Whether a file is a fragment of MP4 alone: samples, and no header before them."""
    try:
        with path.open("rb") as file:
            names = (box.name for box in top_boxes(file))
            return next((name for name in names if name in {b"moof", b"moov"}), None) == b"moof"
    except OSError:
        return False


def _is_list(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return head.startswith(_LISTS) or b"<MPD" in head
