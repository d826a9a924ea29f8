"""What of a decoded picture is meant to be seen, where the container says that it is not all.

QuickTime and MP4 have a clean aperture (`clap`) for it, Matroska has PixelCrop. What a codec crops
by its own parameter sets is not in the decoded picture in the first place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gfvc.rectangle import Rectangle
from gfvc.video.described import described

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Of libavformat's demuxers, those that state it.
_FORMATS = ("mov", "matroska")
# In what libavformat says of a stream: what is cropped on each side.
_CROPPED = re.compile(r"^ +Frame Cropping: (\d+)/(\d+)/(\d+)/(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cropping:
    """How many columns and rows of a stored picture are hidden on each side."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0

    def leaves_nothing(self, width: int, height: int) -> bool:
        """Whether no column or row of a picture would be left, which cannot be meant."""
        return self.left + self.right >= width or self.top + self.bottom >= height

    def visible(self, width: int, height: int) -> Rectangle:
        """What is seen of a picture as stored; all of it where nothing would be left."""
        if self.leaves_nothing(width, height):
            return Rectangle(0, 0, width, height)
        return Rectangle(
            self.left, self.top, width - self.left - self.right, height - self.top - self.bottom
        )


def cropping_of(container: InputContainer, stream: VideoStream) -> Cropping:
    """What the container says is to be cropped from the pictures of a stream."""
    if not container.format.name.startswith(_FORMATS):
        return Cropping()
    found = _CROPPED.search(described(container, stream))
    return Cropping() if found is None else Cropping(*map(int, found.groups()))
