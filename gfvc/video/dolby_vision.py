"""Dolby Vision whose pictures mean nothing without its own data, which is not applied here.

Most profiles code a picture that any HDR or SDR player shows (7, 8 and 9), and are read as that.
Others code it in IPT, which looks green and purple as Y'CbCr: those whose compatibility is 0 in the
configuration record ("Dolby Vision Streams Within the ISO Base Media File Format", 2.2).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.errors import InputError
from gfvc.video.described import described

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_CODECS = ("hevc", "av1")
# Old files of others leave the compatibility at 0.
_OWN_PROFILES = (5, 10, 20)
_RECORD = re.compile(
    r"^ +DOVI configuration record: .*?profile: (\d+), .*?compatibility id: (\d+)", re.MULTILINE
)


def refuse_own_colours(path: Path, container: InputContainer, stream: VideoStream) -> None:
    """Raise `InputError` where pictures of a stream have the colours of Dolby Vision alone."""
    if stream.codec_context.codec.canonical_name not in _CODECS:
        return
    found = _RECORD.search(described(container, stream))
    if found is None:
        return
    profile, compatible = map(int, found.groups())
    if profile in _OWN_PROFILES and compatible == 0:
        raise InputError(
            f"{path}: is Dolby Vision of profile {profile}, whose colours are not read here; "
            "convert it to HDR10 or standard video first, with a program that applies them"
        )
