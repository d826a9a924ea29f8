"""Checks of what a stream has one of throughout: network, colours, a place to start decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from base_codec_adapters import Codec as BaseCodec
from base_codec_adapters import StreamInvalidError, most_samples
from gfvc.base_colour import ColourWatch
from gfvc.colour import UnknownColourError
from gfvc.limits import MAX_AREA
from gfvc.stream.codec_change import CodecChange
from gfvc.stream.information import is_ours
from gfvc.stream.one_network import OneNetwork
from gfvc.stream.parameter_sets import CodedBytes, ParameterSetWatch
from gfvc.stream.picture_cost import PictureCost
from gfvc.stream.sequence_starts import SequenceStarts
from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.verification.findings import Check, Finding, Place
from gfvc.verification.user_data import UserDataCheck
from sei import Codec, GenerativeFaceVideo, NalUnit, NetworkUri
from sei.inspection import InspectedMessage, InspectedUnit

MAX_COLOUR_LOOKS = 32
"""Different parameter sets whose colours are read: each takes 0.1 s in the largest pictures."""

# Of an access unit, and of a NAL unit in it: sets are small, and slices are not looked into.
_KEPT_BYTES = 2**16
_PARAMETER_SETS = frozenset({"VPS", "SPS", "PPS", "PREFIX_APS", "PH"})


class NetworkCheck(Check):
    """Base messages of the faces that are drawn name one network, if they name one."""

    name = "network"

    def __init__(self, user_data: UserDataCheck) -> None:
        self._user_data = user_data
        self._network = OneNetwork()
        self._told: set[int] = set()
        self._further: Place | None = None  # a message of a further face
        self._any_first = False

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if not isinstance(message, GenerativeFaceVideo) or message.is_reserved:
            return
        gfv_id = message.gfv_id
        which = self._user_data.drawn_face(gfv_id)
        if which is None:
            return
        self._any_first |= not which
        if which and self._further is None:
            self._further = place
        if not message.base_picture_flag or not isinstance(message.network, NetworkUri):
            return
        wrong = self._network.see(gfv_id, message.network.uri, is_first=not which)
        if wrong is not None and gfv_id not in self._told:
            self._told.add(gfv_id)
            yield self.warning(place, f"{wrong[0]}: gfvc decode refuses that; {wrong[1]}")

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if self._further is not None and not self._any_first:
            yield self.warning(
                self._further,
                "there are messages of further faces, this being the first, and none of the first "
                "face: gfvc decode refuses that",
            )


class CodecChangeCheck(Check):
    """The stream stays in its codec, and if it is one of gfvc, this is one that is decoded."""

    name = "codec"

    def __init__(self) -> None:
        self._change: CodecChange | None = None
        self._told = self._told_avc = False

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        if self._change is None:
            self._change = CodecChange(inspected.unit.codec)
        if self._told or not self._change.sees_one(inspected.unit):
            return ()
        self._told = True
        assert self._change.other is not None
        text = (
            f"the stream goes on in {self._change.other.name} with the sequence parameter set at "
            f"byte {self._change.at}: gfvc decode refuses that"
        )
        return (self.warning(place, text),)

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterable[Finding]:
        """See a message."""
        message, said = inspected.message, inspected.sei_message
        if self._told_avc or inspected.where.unit.codec is not Codec.AVC:
            return ()
        if not isinstance(message, GenerativeFaceVideo) and (said is None or not is_ours(said)):
            return ()
        self._told_avc = True
        text = "the stream is H.264: gfvc decode refuses that, and takes VVC and HEVC"
        return (self.warning(place, text),)


class PictureCostCheck(Check):
    """No coded picture has so many parameter sets and slices that decoders take gigabytes."""

    name = "picture cost"

    def __init__(self) -> None:
        self._cost = PictureCost()
        self._told = False

    @property
    def is_exceeded(self) -> bool:
        """Whether this access unit has too many, and is not to be decoded."""
        return self._cost.is_exceeded

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        if inspected.unit.codec is Codec.AVC:
            return ()  # which is not decoded
        too_many = self._cost.exceeds(inspected.unit)
        if too_many is None or self._told:
            return ()
        self._told = True
        return (self.error(place, f"{too_many}: gfvc decode refuses that"),)


class PictureFormatCheck(Check):
    """Coded pictures have one size and depth, by parameter sets that come before them."""

    name = "picture format"

    def __init__(self, user_data: UserDataCheck) -> None:
        self._user_data = user_data
        self._sets = ParameterSetWatch()
        self._told = self._any_picture = False
        # Told once a picture comes with it: decoders get no sets without one.
        self._wrong: tuple[Place, str] | None = None
        self._held: Finding | None = None  # until it is known that its picture is decoded

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if unit.codec is Codec.AVC:
            return ()
        problem = self._sets.see(unit)
        if problem is not None and self._wrong is None and not self._told:
            subject = "the coded pictures " if self._sets.is_change else ""
            self._wrong = place, f"{subject}{problem}"
        is_of_picture = unit.is_vcl or unit.starts_picture
        return self._see_picture(place, unit) if is_of_picture else ()

    def _see_picture(self, place: Place, unit: NalUnit) -> Iterator[Finding]:
        missing = self._sets.missing
        if not self._any_picture and missing is not None:
            yield self.warning(
                place,
                f"no {missing} comes before the first coded picture: gfvc decode refuses that",
            )
        self._any_picture = True
        if unit.starts_picture and self._held is not None:
            yield self._held
            self._held = None
        if self._wrong is not None and not self._told:
            self._told = True
            where, text = self._wrong
            self._held = self.warning(where, f"{text}: gfvc decode refuses that")

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if self._held is not None and not self._user_data.leaves_out_last:
            yield self._held
        missing = self._sets.missing_video
        if self._any_picture and missing is not None:
            number, at = missing
            yield self.warning(
                Place(offset=at),
                f"the SPS refers to VPS {number}, which the stream does not have: gfvc decode "
                "refuses that",
            )
        late = self._sets.late_video
        if late is not None:
            number, at, video_at = late
            yield self.warning(
                Place(offset=at),
                f"the SPS refers to VPS {number}, which comes after a picture, at byte {video_at}: "
                "gfvc decode puts it first, other decoders may refuse that",
            )


class ColourCheck(Check):
    """Coded pictures are of one kind of colours."""

    name = "colours"

    def __init__(self, cost: PictureCostCheck, user_data: UserDataCheck) -> None:
        self._cost = cost
        self._user_data = user_data
        self._held: Finding | None = None  # until it is known that its picture is decoded
        self._codec: BaseCodec = "vvc"
        self._watch: ColourWatch | None = None
        self._coded = CodedBytes()  # of an access unit with a sequence parameter set
        self._states = self._told = False
        self._picture: Place | None = None

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if unit.is_vcl and self._held is not None:
            held, self._held = self._held, None
            return (held,)
        if self._told or unit.codec is Codec.AVC:
            return ()
        if self._watch is None:
            self._codec = "vvc" if unit.codec is Codec.VVC else "hevc"
            self._watch = ColourWatch(self._codec)
        self._states |= unit.type_name == "SPS"
        is_wanted = unit.type_name in _PARAMETER_SETS or (unit.is_vcl and self._states)
        if is_wanted and len(self._coded.data) < _KEPT_BYTES:
            self._coded.add(unit, b"\0\0\1" + unit.data[:_KEPT_BYTES])
        if unit.is_vcl and self._picture is None:
            self._picture = place
        return ()

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        coded, self._coded = bytes(self._coded.data), CodedBytes()
        picture, self._picture = self._picture, None
        states, self._states = self._states, False
        if not states or picture is None or self._watch is None or self._cost.is_exceeded:
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
            if most_samples(coded, self._codec) > MAX_AREA:
                return  # which decoders refuse
            change = self._watch.see(coded)
        except StreamInvalidError:
            return
        except UnknownColourError as error:
            change = str(error)
        if change is not None:
            self._told = True
            text = f"colours change ({change}): gfvc decode refuses that"
            self._held = self.warning(picture, text)

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        if self._held is not None and not self._user_data.leaves_out_last:
            yield self._held


class SkippedPictureCheck(Check):
    """No picture stands where decoders skip it."""

    name = "skipped pictures"

    def __init__(self) -> None:
        self._skipped = SkippedPictures()
        self._count = 0
        self._first = Place()

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        if inspected.unit.codec is not Codec.AVC and self._skipped.sees_one(inspected.unit):
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
                "decoders may skip them, and gfvc decode refuses the stream where its decoder does",
            )


class UntoldPictureCheck(Check):
    """Coded pictures without face messages are ones of which user data say so.

    `starts` is shown the stream by `PictureOrderCheck`.
    """

    name = "untold pictures"

    def __init__(self, starts: SequenceStarts, user_data: UserDataCheck) -> None:
        self._starts, self._user_data = starts, user_data
        self._any_message = False  # of the face that decoders draw first
        self._coded: Place | None = None  # the coded picture of the access unit
        self._is_untold = False  # the last coded picture is
        self._count = 0
        self._first = Place()

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterable[Finding]:
        """See a NAL unit."""
        if inspected.unit.is_vcl and inspected.unit.codec is not Codec.AVC and self._coded is None:
            self._coded = place
        return ()

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterable[Finding]:
        """See a message."""
        message = inspected.message
        if isinstance(message, GenerativeFaceVideo) and not message.is_reserved:
            self._any_message |= self._user_data.drawn_face(message.gfv_id) == 0
        return ()

    def see_end_of_picture(self) -> Iterable[Finding]:
        """See the end of an access unit."""
        if self._coded is not None:
            self._is_untold = self._starts.is_untold
            if self._is_untold and not self._count:
                self._first = self._coded
            self._count += self._is_untold
        self._coded = None
        return ()

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        count = self._count - (self._is_untold and self._user_data.leaves_out_last)
        if count and self._any_message:
            yield self.warning(
                self._first,
                f"coded pictures without face messages of which no user data tells, {count} of "
                "them, this being the first: gfvc decode shows them as coded",
            )
