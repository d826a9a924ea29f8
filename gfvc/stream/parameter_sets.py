"""Parameter sets of a base layer: in an order that decoders take, and one format of its pictures.

H.265 asks for each only before it is used; ffmpeg wants a VPS before the SPS that refers to it.
"""

from __future__ import annotations

from base_codec_adapters import Codec as BaseCodec
from base_codec_adapters import StreamInvalidError
from base_codec_adapters.active_sets import ActiveSets
from base_codec_adapters.byte_stream import PARAMETER_SET_BYTES, PictureFormat
from base_codec_adapters.byte_stream import NalUnit as BaseUnit
from sei import Codec, NalUnit

_CODECS: dict[Codec, BaseCodec] = {Codec.VVC: "vvc", Codec.HEVC: "hevc"}
_FIRST, _OTHERS = "VPS", frozenset({"SPS", "PPS"})


class CodedBytes:
    """The bytes of the NAL units of a coded picture, a VPS before any SPS and PPS."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._others_at: int | None = None

    def add(self, unit: NalUnit, data: bytes) -> None:
        """Take the next NAL unit, and the bytes that stand for it."""
        if self._others_at is not None and unit.type_name == _FIRST:
            self.data[self._others_at : self._others_at] = data
            self._others_at += len(data)
            return
        if self._others_at is None and unit.type_name in _OTHERS:
            self._others_at = len(self.data)
        self.data += data


class ShownFormat:
    """The format of the pictures of a base layer, by the sets that these activate.

    It is shown the NAL units of VVC or HEVC, in order.
    """

    def __init__(self) -> None:
        self._sets: ActiveSets | None = None

    @property
    def format(self) -> PictureFormat | None:
        """That of the last picture; None before any, or where no set came."""
        active = None if self._sets is None else self._sets.active
        return None if active is None else active.format

    @property
    def area(self) -> int:
        """Luma samples of the last picture before cropping; 0 where `format` is None."""
        active = None if self._sets is None else self._sets.active
        return 0 if active is None else active.coded_size[0] * active.coded_size[1]

    @property
    def came_with_picture(self) -> bool:
        """Whether the sets of the last picture came with it, as far as known."""
        return self._sets is not None and self._sets.came_with_picture

    def see(self, unit: NalUnit) -> bool:
        """See the next NAL unit; whether a picture starts with it.

        Raises `StreamInvalidError` for a sequence parameter set that is damaged, or not 4:2:0.
        """
        if unit.type_name not in _OTHERS and not unit.starts_picture:
            return False
        if self._sets is None:
            self._sets = ActiveSets(_CODECS[unit.codec])
        header, payload = unit.data[:2], unit.data[2 : 2 + PARAMETER_SET_BYTES]
        return self._sets.see(
            BaseUnit(unit.offset or 0, unit.nal_unit_type, unit.layer_id, header, payload)
        )


class ParameterSetWatch:
    """Sees the NAL units of the base layer of VVC or HEVC, in order."""

    def __init__(self) -> None:
        self._shown = ShownFormat()
        # Of VPS by their identifiers: bytes and place of the first.
        self._video: dict[int, tuple[bytes, int | None]] = {}
        self._came: set[int] = set()  # since the last picture
        self._asked_for: set[int] = set()  # by SPS since the last picture
        self._is_apart = False  # some SPS comes with a picture, and its VPS does not
        self._late: dict[int, int | None] = {}  # that pictures come before, and the byte of the SPS
        self._wanted: dict[int, int | None] = {}  # of those that SPS refer to, and the byte of one
        self._before: set[str] = set()  # types before the first picture
        self._any_picture = False
        self.first_picture: int | None = None
        """Byte of the first picture."""
        self.is_change = False
        """Whether the last problem is a change of the format, and not a set that is damaged."""

    def see(self, unit: NalUnit) -> str | None:
        """See the next NAL unit; what keeps a parameter set, or a picture, from being decoded.

        That is a predicate of the coded pictures where `is_change`. Sets that no picture activates
        change nothing.
        """
        if unit.is_vcl or unit.starts_picture:
            if not self._any_picture:
                self._any_picture, self.first_picture = True, unit.offset
            if self._asked_for or self._came:
                self._see_video_sets()
        elif not self._any_picture:
            self._before.add(unit.type_name)
        if unit.codec is Codec.HEVC and len(unit.data) > unit.header_size:
            number = unit.data[unit.header_size] >> 4
            if unit.type_name == "VPS":
                self._came.add(number)
                # A long one, which is none that counts, is not kept.
                data = unit.to_annex_b() if len(unit.data) <= PARAMETER_SET_BYTES else b""
                self._video.setdefault(number, (data, unit.offset))
            elif unit.type_name == "SPS":
                self._asked_for.add(number)
                self._wanted.setdefault(number, unit.offset)
        before = self._shown.format
        try:
            self._shown.see(unit)
        except StreamInvalidError as error:
            self.is_change = False
            return str(error).removeprefix(f"byte {unit.offset or 0}: ")
        found = self._shown.format
        if before in (None, found):
            return None
        self.is_change = True
        return f"change from {before} to {found}"

    def _see_video_sets(self) -> None:
        """A picture starts, behind some VPS or SPS."""
        self._is_apart |= not self._asked_for <= self._came
        for number in self._asked_for - self._video.keys():
            self._late.setdefault(number, self._wanted[number])
        self._asked_for.clear()
        self._came.clear()

    @property
    def area(self) -> int:
        """Luma samples of the last picture before cropping; 0 where it is not known."""
        return self._shown.area

    @property
    def came_with_picture(self) -> bool:
        """Whether the sets that the last picture activates came with it, as far as known."""
        return self._shown.came_with_picture

    @property
    def missing(self) -> str | None:
        """What does not come before the first picture: SPS, PPS or both; None where both do."""
        return " and no ".join(name for name in ("SPS", "PPS") if name not in self._before) or None

    @property
    def missing_video(self) -> tuple[int, int | None] | None:
        """The first VPS that the stream lacks, and the byte of an SPS that refers to it."""
        lacking = (each for each in self._wanted.items() if each[0] not in self._video)
        return next(lacking, None)

    @property
    def late_video(self) -> tuple[int, int | None, int | None] | None:
        """The first VPS that comes after a picture, the byte of an SPS that refers to it, and its.

        The SPS stands before that picture.
        """
        late = (
            (number, at, self._video[number][1])
            for number, at in self._late.items()
            if number in self._video
        )
        return next(late, None)

    @property
    def video_sets(self) -> bytes:
        """VPS for pictures that one does not come with, by any SPS that does; of each the first.

        Empty where all come with their SPS. Decoders look for them, and go by nothing in them.
        """
        return b"".join(data for data, _ in self._video.values()) if self._is_apart else b""
