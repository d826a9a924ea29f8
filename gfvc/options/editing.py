"""What to change of a face: the options of `gfvc.edit` and `gfvc edit`, and what a script holds.

`gfvc.face_edits` carries them out; `gfvc.editing` takes SEI messages out and puts them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gfvc.options.declaration import OptionGroup, described_options, documented, option
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.encoding import PICTURE_RATE
from gfvc.options.kinds import between, pair

_ANGLE = between(-90, 90, "a number of degrees")
_GAIN = between(0, 4)
_TIME = between(0, 1e6, "a number of seconds")


@documented
@dataclass(frozen=True, kw_only=True)
class FaceEdit(OptionGroup, title="what to change"):
    """One edit of a face, over the whole clip or a time of it.

    What is None stays as filmed.
    """

    yaw: float | None = option(
        _ANGLE, "turn the head by so many degrees, to the right of the picture where positive"
    )
    pitch: float | None = option(_ANGLE, "turn it by so many degrees, down where positive")
    roll: float | None = option(
        _ANGLE, "tilt it by so many degrees, to the left of the picture where positive"
    )
    pose: float | None = option(
        _GAIN, "how lively the head moves about its mean pose: 0 still, 1 as filmed"
    )
    shift: tuple[float, float] | None = option(
        pair(-1, 1),
        "move the head right and down, in picture widths and heights; --shift=-0.1,0 to the left",
    )
    zoom: float | None = option(between(0.25, 4), "make the head so many times as large")
    expression: float | None = option(
        _GAIN, "gain of the whole expression: 0 that of the key picture, 1 as filmed"
    )
    mouth: float | None = option(_GAIN, "gain of the opening of the lips: 0 closed, 1 as filmed")
    open: float | None = option(
        between(-1, 1), "open the lips so much further, in distances of the outer eye corners"
    )
    eyes: float | None = option(_GAIN, "gain of the opening of the lids: 1 as filmed, 1.2 wider")
    blink: float | None = option(
        between(0, 1), "close the lids by this share of their opening: 1 closed"
    )
    gaze: tuple[float, float] | None = option(
        pair(-1, 1),
        "move where the eyes look, right and down, where pupils are sent; no model here sends any, "
        "so it is refused",
    )
    smile: float | None = option(
        between(-2, 2),
        "move the corners of the mouth apart and up: 1 is a smile, -1 a frown",
    )
    smooth: float | None = option(
        between(0, 10, "a number of seconds"),
        "take out what trembles faster than in so many seconds, without delay",
    )
    start: float | None = option(
        _TIME, "second at which the edit begins", flag="from", shown="the start"
    )
    end: float | None = option(_TIME, "second at which it ends", flag="to", shown="the end")
    soft: float = option(
        between(0, 60, "a number of seconds"),
        "seconds that it takes to come in after --from, and to go out before --to",
        0.4,
    )

    @property
    def asked(self) -> dict[str, object]:
        """What is to be changed: names and values."""
        names = described_options(FaceEdit).keys() - {"start", "end", "soft"}
        values = {name: getattr(self, name) for name in sorted(names)}
        return {name: value for name, value in values.items() if value is not None}

    def conflict(self) -> str | None:
        """Whether it changes nothing, or never."""
        if not self.asked:
            return "an edit changes something: give {yaw}, {mouth} or another of its options"
        if self.end is not None and self.end <= (self.start or 0):
            return "{end} is not after {start}"
        return None


@documented
@dataclass(frozen=True, kw_only=True)
class EditedStream(BaseLayerOptions):
    """How a stream that is edited is read; `runtime` says how networks run."""

    rate: Fraction | None = option(
        PICTURE_RATE,
        "pictures per second, by which times of an edit are counted; a stream that states none is "
        "refused even so",
        flag="fps",
        shown="what IN states",
    )
