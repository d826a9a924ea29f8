"""What libavformat says of a stream in words: side data that the video library does not give."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# A stream by its number, what it holds, and by which codec.
_STREAM = re.compile(r"^  Stream #0:(\d+)", re.MULTILINE)
_KIND = re.compile(r"^[^:]*: (\w+): (\w+)")

# libavutil's AV_LOG_QUIET: even what is said before a crash is above it.
_QUIET = -8

_one_at_a_time = threading.Lock()


def described(container: InputContainer, stream: VideoStream) -> str:
    """What libavformat says of a stream, as the ffmpeg program prints it."""
    return _by_number(container).get(stream.index, "")


def codec_now(container: InputContainer, stream: VideoStream) -> str | None:
    """Of which codec a stream is where a file was read last; a transport stream may change it.

    None where libavformat does not say.
    """
    found = _KIND.match(described(container, stream))
    return None if found is None else found[2]


def later_kinds(container: InputContainer) -> set[str]:
    """What streams hold that were not there when a file was opened: Video, Audio, Subtitle, Data.

    They are known when their first packet was read.
    """
    said = _by_number(container).items()
    later = [_KIND.match(text) for number, text in said if number >= len(container.streams)]
    return {found[1] for found in later if found is not None}


def _by_number(container: InputContainer) -> dict[int, str]:
    # Number and description of each stream follow each other.
    parts = _STREAM.split(_all_described(container))
    return dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))


def _all_described(container: InputContainer) -> str:
    """The same of a file.

    The video library collects it from the log, which is off otherwise: meanwhile what other threads
    log goes nowhere.
    """
    from av import logging

    with _one_at_a_time, logging.Capture(local=False):
        level = logging.get_level()
        logging.set_level(logging.INFO)
        try:
            # Its type hints leave this out.
            said: Any = container
            return str(said.dumps_format())
        finally:
            if level is None or level <= _QUIET:
                _turn_off()
            else:
                logging.set_level(level)


def _turn_off() -> None:
    """Have nobody log anything.

    By PyAV's own way, a level of None, a thread that began to say something before would end with a
    traceback: PyAV compares numbers with that level.
    """
    from av import logging

    logging.set_level(_QUIET)
    logging.set_libav_level(_QUIET)
    # With it no thread waits for Python's lock to be told that nobody listens.
    logging.restore_default_callback()
