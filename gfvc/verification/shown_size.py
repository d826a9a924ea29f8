"""Check of the size that our user data have pictures shown at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from base_codec_adapters import StreamInvalidError
from gfvc.errors import StreamError
from gfvc.stream.face_stream import ShownSizeChange
from gfvc.stream.parameter_sets import ShownFormat
from gfvc.stream.shown_size import ShownSize, shown_size_fault
from gfvc.verification.findings import Check, Finding, Place
from gfvc.verification.user_data import StatedInformation
from models.post_filter import enlargement
from sei import Codec
from sei.inspection import InspectedMessage, InspectedUnit


class ShownSizeCheck(Check):
    """Pictures are shown at one size, as they are coded or a few times larger."""

    name = "shown size"

    def __init__(self, stated: StatedInformation) -> None:
        self._stated = stated
        self._format = ShownFormat()
        self._size: tuple[int, int] | None = None  # of coded pictures
        # Where the access unit starts, its coded picture, and what its last user data state.
        self._start: int | None = None
        self._picture: Place | None = None
        self._here: tuple[Place, ShownSize | None] | None = None
        # How much the post-filter enlarges, by the last user data and by the first.
        self._enlargement = self._first_enlargement = 1
        self._first: ShownSize | None = None
        self._any = self._told = False
        self._is_entry = False  # decoding may start here

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if self._start is None and unit.offset is not None:
            self._start = unit.offset - unit.start_code_size
        if unit.is_vcl and not unit.layer_id and self._picture is None:
            self._picture = place
            self._is_entry = unit.is_irap
        if unit.codec is not Codec.AVC:
            with suppress(StreamInvalidError):  # As decoding will tell.
                self._format.see(unit)
            if (found := self._format.format) is not None:
                self._size = found.width, found.height
        yield from ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        with suppress(StreamError):  # As the check of user data tells.
            information = self._stated.of(inspected)
            if information is not None:
                self._here = place, information.shown_size
                self._enlargement = enlargement(information.post_filter)
        yield from ()

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit, whose parameter sets and messages are all there."""
        here, self._here = self._here, None
        picture, self._picture = self._picture, None
        start, self._start = self._start, None
        if here is None and picture is not None:
            # Without user data, pictures are shown as they are coded.
            if not self._any:
                here = picture, None
            elif self._is_entry:
                here, self._enlargement = (picture, self._first), 1
        if here is None or self._told:
            return
        place, shown = here
        if not self._any:
            self._any, self._first, self._first_enlargement = True, shown, self._enlargement
        if shown != self._first:
            self._told = True
            change = ShownSizeChange(shown, start).told(self._first)
            yield self.error(place, f"changes {change}: gfvc decode refuses that; split it there")
        elif self._enlargement != self._first_enlargement:
            self._told = True
            asks = "is" if self._enlargement > 1 else "is not"
            yield self.error(
                place,
                f"what is coded {asks} enlarged by the post-filter from here on: gfvc decode "
                "refuses that; split it there",
            )
        elif self._size is not None:
            width, height = (self._enlargement * side for side in self._size)
            fault = shown_size_fault(shown, width, height)
            if fault is not None:
                self._told = True
                yield self.error(place, fault)
