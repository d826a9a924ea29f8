"""What is asked of an encoder or decoder, and what comes back: immutable values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.errors import RequestInvalidError
from base_codec_adapters.pictures import Picture420
from base_codec_adapters.spool import PictureSpool

Structure = Literal["intra", "low_delay", "random_access"]
"""How the pictures of a sequence refer to each other.

"intra": each is an IDR picture with its parameter sets. Otherwise only the first is, and all others
are predicted. "low_delay": from earlier ones, so that decoding order is output order.
"random_access": from earlier and later ones, in the encoder's own groups of pictures, so that
decoding order is another than output order.
"""

Effort = Literal["fast", "medium", "slow"]
"""How long an encoder may look for what takes fewer bits; some have no such choice."""

MAX_QP: dict[Codec, int] = {"vvc": 63, "hevc": 51}
"""Largest quantisation parameter for 8 bits (H.266 7.4.3.5, H.265 7.4.7.1); the smallest is 0."""


@dataclass(frozen=True)
class ColourDescription:
    """Code points of Rec. ITU-T H.273 that a stream signals in its video usability information.

    ``primaries``, ``transfer`` and ``matrix`` are 0..255; ``full_range`` is False for luma of
    16..235.
    """

    primaries: int
    transfer: int
    matrix: int
    full_range: bool

    def __post_init__(self) -> None:
        for name in ("primaries", "transfer", "matrix"):
            value = getattr(self, name)
            if not 0 <= value <= 255:
                raise RequestInvalidError(f"colour {name} is {value}: code points are 0..255")


BT709_LIMITED = ColourDescription(primaries=1, transfer=1, matrix=1, full_range=False)
"""Rec. ITU-R BT.709, limited range."""


@dataclass(frozen=True)
class EncodeRequest:
    """Pictures of one size, in output order, to be coded as one sequence.

    ``pictures`` of a long sequence may be a `PictureSpool`, which keeps them in a file. ``qp`` is
    the quantisation parameter, 0..63 for VVC and 0..51 for HEVC (the encoder checks its own
    range): that of every intra picture; with other structures that of the sequence, from which the
    encoder derives each picture's. ``key_qp``, not for "intra", is exactly that of the first
    picture, the IDR picture, in the same range; it changes no other picture's. Without it that
    picture has ``qp`` like the others, or what the encoder derives from it. ``fps`` is pictures a
    second. The colour description says what the samples are, nothing is converted. ``effort``
    changes no QP. ``progress`` is told meanwhile how many pictures are coded, by programs that
    tell.

    Raises:
        RequestInvalidError: no pictures, unequal sizes, a value out of range, or ``key_qp`` with
            the structure "intra".
    """

    pictures: tuple[Picture420, ...] | PictureSpool
    qp: int
    fps: Fraction = Fraction(25)
    colour: ColourDescription = BT709_LIMITED
    structure: Structure = "intra"
    key_qp: int | None = None
    effort: Effort = "medium"
    progress: Callable[[int], object] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.pictures, PictureSpool):
            object.__setattr__(self, "pictures", tuple(self.pictures))
        object.__setattr__(self, "fps", Fraction(self.fps))
        if not self.pictures:
            raise RequestInvalidError("nothing to encode: give at least one picture")
        if not isinstance(self.pictures, PictureSpool):
            sizes = {(picture.width, picture.height) for picture in self.pictures}
            if len(sizes) > 1:
                raise RequestInvalidError(
                    f"pictures of one sequence differ in size: {sorted(sizes)}"
                )
        for name, qp in self.qps.items():
            if not 0 <= qp <= max(MAX_QP.values()):
                raise RequestInvalidError(f"{name} is {qp}: give 0..{max(MAX_QP.values())}")
        if self.fps <= 0:
            raise RequestInvalidError(f"frame rate is {self.fps}: give more than 0")
        for name, words in (("structure", get_args(Structure)), ("effort", get_args(Effort))):
            if getattr(self, name) not in words:
                raise RequestInvalidError(
                    f"{name} is {getattr(self, name)!r}: give one of {', '.join(words)}"
                )
        if self.key_qp is not None and self.structure == "intra":
            raise RequestInvalidError(
                "key_qp is given, but all pictures are key pictures: give qp, or another structure"
            )

    @property
    def qps(self) -> dict[str, int]:
        """The quantisation parameters given, by what messages call them."""
        qps = {"QP": self.qp}
        if self.key_qp is not None:
            qps["QP of the key picture"] = self.key_qp
        return qps

    @property
    def key_qp_offset(self) -> int | None:
        """How far the QP of the key picture is above that of the sequence; None as ``key_qp``."""
        return None if self.key_qp is None else self.key_qp - self.qp

    @property
    def width(self) -> int:
        """Luma samples in a row of every picture."""
        return self.pictures[0].width

    @property
    def height(self) -> int:
        """Luma rows of every picture."""
        return self.pictures[0].height


@dataclass(frozen=True)
class EncodeResult:
    """A coded sequence.

    ``stream`` is an Annex B byte stream that starts with its parameter sets; ``bit_depth`` is that
    of the coded samples; ``version`` names the program; ``command`` is what was run, for the last
    picture where it was run for each.
    """

    stream: bytes
    codec: Codec
    bit_depth: int
    version: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class DecodeLimits:
    """What a stream may ask for at most before it is refused; checked before decoding starts.

    ``width`` and ``height`` of a picture are in luma samples, ``area`` is their product: a picture
    must keep within all three. ``pictures`` counts coded pictures. ``total_bytes`` is the raw video
    of all of them together, which a decoder writes to the temporary folder: 1.5 bytes a luma
    sample of 8 bits, 3 of 10 bits.

    A few bytes of stream ask for a picture of any size, and its decoding takes time and memory in
    proportion to ``area``.

    Raises:
        RequestInvalidError: one is less than 1.
    """

    width: int = 8192
    height: int = 8192
    area: int = 4096 * 2304
    pictures: int = 100_000
    total_bytes: int = 4 << 30

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value < 1:
                raise RequestInvalidError(f"limit {limit.name} is {value}: give at least 1")


@dataclass(frozen=True)
class DecodeRequest:
    """An Annex B byte stream to be decoded.

    ``expected_pictures``: how many pictures must come out, None for as many as are coded.
    ``lenient``: return the pictures that can be decoded from a damaged or cut-off stream, instead
    of raising at the first error; the count is then not checked.
    """

    stream: bytes
    expected_pictures: int | None = None
    lenient: bool = False
    limits: DecodeLimits = DecodeLimits()


@dataclass(frozen=True)
class DecodeResult:
    """Decoded pictures in output order, cropped to the conformance window, and rounded to 8 bits.

    ``pictures`` of a program lie in a file until they are asked for, see `DecodedPictures`.
    ``bit_depth`` is that of the stream (8 or 10); ``version`` and ``command`` as in `EncodeResult`.
    """

    pictures: Sequence[Picture420]
    bit_depth: int
    version: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class ProgramInfo:
    """A program that is there and does what its adapter needs."""

    executable: Path
    version: str


@dataclass(frozen=True)
class Unavailable:
    """Why an adapter cannot be used, in one line, with what to do about it."""

    reason: str


ProbeResult = ProgramInfo | Unavailable
