"""Checks of what a stream has one of throughout: network, colours, a place to start decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from base_codec_adapters import Codec as BaseCodec
from base_codec_adapters import StreamInvalidError, picture_format
from gfvc.base_colour import ColourWatch
from gfvc.colour import UnknownColourError
from gfvc.limits import MAX_AREA
from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.verification.findings import Check, Finding, Place
from sei import Codec, GenerativeFaceVideo, NetworkUri
from sei.inspection import InspectedMessage, InspectedUnit

MAX_COLOUR_LOOKS = 32
"""Different parameter sets whose colours are read: each takes 0.1 s in the largest pictures."""

# Of an access unit, and of a NAL unit in it: sets are small, and slices are not looked into.
_KEPT_BYTES = 2**16
_PARAMETER_SETS = frozenset({"VPS", "SPS", "PPS", "PREFIX_APS", "PH"})


class NetworkCheck(Check):
    """Base messages that name a network name one and the same."""

    name = "network"

    def __init__(self) -> None:
        self._first: dict[int, str] = {}  # URI by gfv_id
        self._told: set[int] = set()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if not isinstance(message, GenerativeFaceVideo) or message.is_reserved:
            return
        if not message.base_picture_flag or not isinstance(message.network, NetworkUri):
            return
        uri = message.network.uri
        first = self._first.setdefault(message.gfv_id, uri)
        if uri != first and message.gfv_id not in self._told:
            self._told.add(message.gfv_id)
            yield self.warning(
                place,
                f"names the network {uri}, and those before it {first}: gfvc decode refuses that",
            )


class ColourCheck(Check):
    """Coded pictures are of one kind of colours."""

    name = "colours"

    def __init__(self) -> None:
        self._codec: BaseCodec = "vvc"
        self._watch: ColourWatch | None = None
        self._coded = bytearray()  # of an access unit with a sequence parameter set
        self._states = self._told = False
        self._picture: Place | None = None

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if self._told or unit.codec is Codec.AVC:
            return ()
        if self._watch is None:
            self._codec = "vvc" if unit.codec is Codec.VVC else "hevc"
            self._watch = ColourWatch(self._codec)
        self._states |= unit.type_name == "SPS"
        is_wanted = unit.type_name in _PARAMETER_SETS or (unit.is_vcl and self._states)
        if is_wanted and len(self._coded) < _KEPT_BYTES:
            self._coded += b"\0\0\1" + unit.data[:_KEPT_BYTES]
        if unit.is_vcl and self._picture is None:
            self._picture = place
        return ()

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        coded, self._coded = self._coded, bytearray()
        picture, self._picture = self._picture, None
        states, self._states = self._states, False
        if not states or picture is None or self._watch is None:
            return
        if self._watch.looks == MAX_COLOUR_LOOKS:
            self._told = True
            yield self.warning(
                picture,
                f"after {MAX_COLOUR_LOOKS} parameter sets the colours that they state are not "
                "compared any more",
            )
            return
        try:
            found = picture_format(bytes(coded), self._codec)
            if found is None or found.width * found.height > MAX_AREA:
                return  # which decoders refuse
            change = self._watch.see(bytes(coded))
        except StreamInvalidError:
            return
        except UnknownColourError as error:
            change = str(error)
        if change is not None:
            self._told = True
            yield self.warning(picture, f"colours change ({change}): gfvc decode refuses that")


class SkippedPictureCheck(Check):
    """No picture stands where decoders skip it."""

    name = "skipped pictures"

    def __init__(self) -> None:
        self._skipped = SkippedPictures()
        self._count = 0
        self._first = Place()

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        if self._skipped.sees_one(inspected.unit):
            if not self._count:
                self._first = place
            self._count += 1
        return ()

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if self._count:
            yield self.warning(
                self._first,
                f"coded pictures, {self._count} of them, this being the first, refer to what comes "
                "before the point where decoding starts (RASL, or no random access point came): "
                "decoders skip them, and gfvc decode refuses the stream",
            )
