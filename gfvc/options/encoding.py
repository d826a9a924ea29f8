"""How to encode: the options of `gfvc.encode` and `gfvc encode`, grouped by what they are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal, get_args

from base_codec_adapters import DEFAULT_TIMEOUT, Codec, Effort
from gfvc.face_square import MAX_FACES
from gfvc.options.declaration import OptionGroup, documented, option, switch
from gfvc.options.kinds import (
    either,
    fraction,
    pair,
    picture_size,
    real,
    text,
    whole,
    words,
)
from models import Runtime
from models.face import MAX_FEATURES

Quality = Literal["low", "medium", "high", "best"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
Audio = Literal["none", "copy", "aac"]
FallbackPolicy = Literal["auto", "never", "always"]
View = Literal["whole", "face"]
Crop = Literal["auto", "none"]
VIEWS: tuple[View, ...] = get_args(View)
FALLBACK_POLICIES: tuple[FallbackPolicy, ...] = get_args(FallbackPolicy)
KeyPicturePolicy = Literal["auto", "fixed"]
KEY_PICTURE_POLICIES: tuple[KeyPicturePolicy, ...] = get_args(KeyPicturePolicy)

_AUTOMATIC, _FULL = "auto", "full"

CONTROL_GRIDS = "control_grids"
"""Name of the decision about what moves beside the face."""

DECISIONS = ("separate_parts", "trellis", "byte_filling", "precision")
"""Decisions about face parameters that can be left out (`gfvc.symbol_decisions.Switches`)."""

DEFAULT_KEY_QP = 32
"""A 256x256 face in 2 to 3 kB, with VVC and with HEVC."""
DEFAULT_MULTIPLIER = 0.05
"""Of a bit of the face parameters."""
FACE_SIDE = 256
"""Side of the coded picture where it is of the face alone."""
DEFAULT_MODEL = "face"
MEASURING_MODEL = "face-1"
"""Its network measures features beside the landmarks."""
_SIZE_STEP = 8
MIN_RATE, MAX_RATE = Fraction(1), Fraction(240)
"""Pictures per second."""
MAX_POOL = 8
"""Greatest number of key pictures that a decoder is asked to keep."""

PICTURE_RATE = fraction(
    MIN_RATE, MAX_RATE, f"a rate in {MIN_RATE}..{MAX_RATE} such as 25 or 30000/1001", "RATE"
)


SIDES = 64, 2048
"""Pixels of a side of pictures, at least and at most."""
PICTURE_SIZE = picture_size(*SIDES)


def face_size_conflict(size: int | tuple[int, int] | None) -> str | None:
    """What is wrong with a size of the face alone, as `OptionGroup.conflict` says it."""
    if not isinstance(size, (int, type(None))):
        return "{view} face codes a square; give {size} as one number, or add {view} whole"
    if size is not None and size % _SIZE_STEP:
        return f"{{view}} face wants a {{size}} that is a multiple of {_SIZE_STEP}"
    return None


@dataclass(frozen=True, kw_only=True)
class SourceOptions(OptionGroup, title="what is coded"):
    """What of the input is coded."""

    view: View | None = option(
        words(*VIEWS),
        "whole: the whole picture in its own shape, in which the face is drawn; face: a square "
        "around the face",
        shown="whole; face with --crop",
    )
    crop: Crop | None = option(
        words(*get_args(Crop)),
        "of --view face; auto: find the face and choose a square for the clip; none: take the "
        "whole picture, which must be square",
        shown="auto",
    )
    face_at: tuple[float, float] | None = option(
        pair(0, 65535),
        "the face that is driven, of several: one that is seen at this place of IN, in pixels",
        shown="the largest that moves",
    )
    faces: int | None = option(
        whole(1, MAX_FACES),
        f"faces of whole pictures that are driven at most, 1..{MAX_FACES}, together or in turn, "
        "the largest first; others are part of what is beside them",
        shown=f"{MAX_FACES}; 1 with --face-at, and where only key pictures are coded",
    )
    size: int | tuple[int, int] | None = option(
        PICTURE_SIZE,
        "shorter side of the pictures that come out, or a width and height that they are to fit "
        "into; of --view face the side of the square, a multiple of 8",
        shown=f"IN's, up to 1280x720; {FACE_SIDE} with --view face",
    )
    rate: Fraction | None = option(
        PICTURE_RATE,
        "pictures per second, 25 or 30000/1001; of a raw stream that states none, at which its own "
        "are read",
        flag="fps",
        shown="IN's, else 25",
    )
    audio: Audio = option(
        words(*get_args(Audio)),
        "copy: keep IN's sound, as it is, in an .mp4 OUT; aac: code it anew, as AAC; of several "
        "sound tracks the default one, or the first",
        "none",
    )

    def conflict(self) -> str | None:
        """The face alone is a square; whole pictures are not cropped."""
        if self.crop == "none" and self.face_at is not None:
            return "{crop} none chooses no face; leave out {face_at}"
        if not self.whole_pictures and self.faces not in (None, 1):
            return "{view} face codes one face; leave out {faces}, or code whole pictures"
        if self.whole_pictures:
            if self.crop is not None:
                return "{view} whole codes whole pictures; leave out {crop}"
            return None
        return face_size_conflict(self.size)

    @property
    def whole_pictures(self) -> bool:
        """Whether whole pictures are coded, and not the face alone."""
        return self.view == "whole" or (self.view is None and self.crop is None)

    @property
    def most_faces(self) -> int:
        """How many faces are driven at most."""
        if self.faces is not None:
            return self.faces
        return MAX_FACES if self.whole_pictures and self.face_at is None else 1


@dataclass(frozen=True, kw_only=True)
class BitOptions(OptionGroup, title="how many bits"):
    """How many bits are spent."""

    bitrate: float | None = option(
        real(
            100.0,
            1e8,
            "a number of bits per second in 100..100000k, such as 12k or 12000",
            with_thousands=True,
        ),
        "bits per second that OUT without its sound shall take, within 5 %, such as 12k or 12000, "
        "at least 100 and at most 10⁸; codes the clip several times to find the settings for it",
    )
    quality: Quality | None = option(
        words(*QUALITIES),
        "quantisation parameters, distances of coded pictures and a --symbol-price that go "
        "together; see docs/rate_control.md",
        shown="medium",
    )
    key_qp: int | None = option(
        whole(0, 63),
        "quantisation parameter of key pictures, 0..63 for VVC, 0..51 for HEVC; higher is smaller",
        shown=str(DEFAULT_KEY_QP),
    )
    symbol_price: float | None = option(
        real(0.0, 1e9, "a number"),
        "Lagrangian multiplier: how far the face may be off to save a bit of its parameters, as "
        "mean squared displacement of its landmarks in hundredths of the distance of the eyes",
        shown=f"by --key-qp; {DEFAULT_MULTIPLIER} with --key-pictures fixed",
    )

    def conflict(self) -> str | None:
        """One way of saying how many bits to spend excludes the others."""
        own = self.key_qp is not None or self.symbol_price is not None
        if own + (self.bitrate is not None) + (self.quality is not None) > 1:
            return (
                "{bitrate}, {quality}, and {key_qp} with {symbol_price} are three ways to say how "
                "many bits to spend; choose one"
            )
        return None


@dataclass(frozen=True, kw_only=True)
class CodedPictureOptions(OptionGroup, title="coded pictures"):
    """Which pictures the base codec codes, and how."""

    codec: Codec | None = option(
        words("vvc", "hevc"), "base codec", shown="by OUT's suffix, VVC if that is silent"
    )
    coded_size: int | str = option(
        either(words(_AUTOMATIC, _FULL), whole(*SIDES)),
        "shorter side of coded pictures, which decoders enlarge to --size; full: they are as large "
        "as that; auto: half of it where few bits are asked for, if that is 360 or more and faces "
        "stay large enough, or in VVC if all is 640x480 pixels at most and faces are large, which "
        "a filter enlarges; else full",
        _AUTOMATIC,
    )
    base_encoder: str = option(
        text(),
        "encoder of the coded pictures",
        "auto",
        shown="auto, the first that is installed",
    )
    effort: Effort = option(
        words(*get_args(Effort)),
        "how long that encoder looks for fewer bits: fast codes large pictures much faster, slow "
        "is for what is kept; vtm and hm take no notice",
        "medium",
    )
    key_interval: int | None = option(
        either(words(auto=None), whole(1, of="a whole number of pictures")),
        "send a key picture every N pictures; one is always sent at a scene cut, and when the face "
        "was lost and is found again",
        shown="auto, every 30 s, or sooner with large pictures",
    )
    key_pictures: KeyPicturePolicy | None = option(
        words(*KEY_PICTURE_POLICIES),
        "auto: code pictures between key pictures, too, predicted from those before, and draw the "
        "others from both neighbours; fixed: only key pictures are coded",
        shown="auto; fixed with models that draw from one picture, --low-delay, --reference-pool "
        "and --fallback always",
    )
    coded_qp: int | None = option(
        whole(0, 63),
        "quantisation parameter of predicted coded pictures",
        shown="about 10 above --key-qp",
    )
    coded_interval: float | None = option(
        real(0.0, 3600.0, "a number of seconds"),
        "seconds from coded picture to coded picture, at equal distances",
        shown="where they pay, by --key-qp",
    )
    reorder: bool = switch(
        "let the base codec reorder predicted coded pictures, and code some coarser: fewer bits "
        "where they lie close together, such as --coded-interval 0.12"
    )
    fallback: FallbackPolicy = option(
        words(*FALLBACK_POLICIES),
        "auto: send pictures without a usable face as ordinary video; never: let the face stand "
        "still there, and refuse a clip without one; always: all of it is ordinary video",
        "auto",
    )
    fallback_qp: int | None = option(
        whole(0, 63),
        "quantisation parameter of ordinary video",
        shown="that of key pictures; halfway between --key-qp and --coded-qp where predicted "
        "pictures are coded",
    )
    restarts: tuple[int, ...] = option(
        whole(1, of="the number of a picture, a whole number"),
        "code picture N and what follows it as if the clip began there, counted from 0; may be "
        "repeated, with rising numbers. What comes between does not depend on the rest, so that "
        "gfvc batch --split may code it elsewhere",
        (),
        flag="restart-at",
        repeats=True,
    )
    timeout: float = option(
        real(0.0, 1e6, "a number of seconds"),
        "seconds that a program of the base codec may take for a key picture, or for 25 pictures "
        "of a sequence",
        DEFAULT_TIMEOUT,
    )


@dataclass(frozen=True, kw_only=True)
class FaceOptions(OptionGroup, title="driven pictures"):
    """Which model draws the driven pictures, and what is sent for it."""

    model: str | None = option(
        text(),
        "animation model; see gfvc models",
        shown="face",
    )
    features: int = option(
        whole(0, MAX_FEATURES),
        f"0..{MAX_FEATURES} values a picture for what landmarks do not say, measured and drawn by "
        f"{MEASURING_MODEL}",
        0,
    )
    align: bool | None = option(
        words(auto=None, on=True, off=False),
        "correct each tracked face by what the coded picture that drives it shows when it is bent "
        "so, for models that draw from landmarks",
        shown="auto, on for face, off for mesh",
    )
    post_filter: bool | None = option(
        words(auto=None, on=True, off=False),
        "have decoders filter coded pictures by a small network before they show them and draw "
        "from them; auto: with face, small pictures, or faces that are small in larger ones, where "
        "that makes them more like the source",
        shown="auto",
    )
    reference_pool: int = option(
        whole(1, MAX_POOL),
        "draw each picture from the one of the last N key pictures (1..8) that suits it best; an "
        "extension of gfvc's own, other decoders draw from the last one",
        1,
    )
    low_delay: bool = switch(
        "give each picture a message in a NAL unit of its own, written at once (costs much)"
    )
    symbol_rate: Fraction | str = option(
        either(
            words(_AUTOMATIC, _FULL),
            fraction(
                Fraction(0), MAX_RATE, f"a number of messages a second above 0, at most {MAX_RATE}"
            ),
        ),
        "messages with face parameters a second; between them the decoder interpolates; auto: "
        "where they pay, full: one for each picture",
        _AUTOMATIC,
    )
    without: tuple[str, ...] | frozenset[str] = option(
        words(**{name.replace("_", "-"): name for name in (*DECISIONS, CONTROL_GRIDS)}),
        "leave out a decision about what is sent beside coded pictures (see docs/decisions.md); "
        "may be repeated",
        (),
        repeats=True,
    )

    def conflict(self) -> str | None:
        """Nothing is decided about a message that is sent at once."""
        if self.low_delay and self.reference_pool > 1:
            return (
                "with {low_delay} each picture is drawn from the last key picture; leave out "
                "{reference_pool}"
            )
        if self.low_delay and (self.symbol_rate not in (_AUTOMATIC, _FULL) or self.without):
            return (
                "{low_delay} sends each picture's message at once, so that nothing can be decided "
                "about it; leave out {symbol_rate}, {symbol_price} and {without}"
            )
        return None

    def symbol_interval(self, rate: Fraction) -> int | None:
        """Pictures from message to message at `rate` pictures a second; None: where they pay."""
        if self.symbol_rate == _AUTOMATIC:
            return None
        if self.symbol_rate == _FULL:
            return 1
        return max(1, round(rate / Fraction(self.symbol_rate)))


@dataclass(frozen=True, kw_only=True)
class MarkOptions(OptionGroup, title="marks"):
    """What the stream says of itself."""

    no_marking: bool = switch(
        "leave out the message with each key picture that says that faces are artificially "
        "generated; for conformance work"
    )


@documented
@dataclass(frozen=True, kw_only=True)
class EncodeOptions(MarkOptions, FaceOptions, CodedPictureOptions, BitOptions, SourceOptions):
    """How to encode; None stands for a default that depends on the input or output.

    `runtime` says how networks run.
    """

    runtime: Runtime = field(default_factory=Runtime)

    @property
    def registered_model(self) -> str:
        """The registered name of the model.

        Features beside the landmarks want the network that measures them.
        """
        name = self.model or DEFAULT_MODEL
        if not self.features:
            return name
        return f"{MEASURING_MODEL if name == DEFAULT_MODEL else name}+{self.features}"

    @property
    def asks_for_sequences(self) -> bool:
        """Whether they say something that needs predicted coded pictures."""
        of_these = self.coded_qp is not None or self.coded_interval is not None
        return self.key_pictures == "auto" or of_these or self.reorder

    @property
    def codes_sequences(self) -> bool:
        """Whether there are predicted coded pictures, for a model that draws from two of them."""
        one_by_one = self.low_delay or self.reference_pool > 1 or self.fallback == "always"
        return self.key_pictures != "fixed" and not one_by_one

    @property
    def coded_side(self) -> int | None:
        """Shorter side of coded pictures that is asked for; None: the encoder decides, or all."""
        return self.coded_size if isinstance(self.coded_size, int) else None

    @property
    def most_faces(self) -> int:
        """How many faces are driven at most: those beside the first need coded neighbours."""
        if self.fallback == "always":
            return 0
        return super().most_faces if self.codes_sequences else 1

    def _asked_of_faces(self) -> str:
        """Options that say something of what is sent for faces, in braces."""
        asked = {
            "symbol_price": self.symbol_price is not None,
            "symbol_rate": self.symbol_rate != _AUTOMATIC,
            "features": self.features > 0,
            "align": self.align is not None,
            "without": bool(self.without),
            "reference_pool": self.reference_pool > 1,
        }
        return ", ".join(f"{{{name}}}" for name, is_asked in asked.items() if is_asked)

    def conflict(self) -> str | None:
        """Low delay decides nothing; what is about predicted coded pictures needs these."""
        if self.faces not in (None, 1) and not self.codes_sequences:
            return (
                "only one face is driven with {key_pictures} fixed, {low_delay}, {reference_pool} "
                "or {fallback} always; leave out {faces}"
            )
        if isinstance(self.coded_size, int) and not self.whole_pictures:
            return "{view} face codes the face at its {size}; leave out {coded_size}"
        if self.face_at is not None and self.whole_pictures and not self.most_faces:
            return "no face is driven with {fallback} always; leave out {face_at}"
        if self.fallback == "never" and self.fallback_qp is not None:
            return "nothing becomes ordinary video with {fallback} never; leave out {fallback_qp}"
        if self.fallback == "always" and (idle := self._asked_of_faces()):
            return f"no face is driven with {{fallback}} always; leave out {idle}"
        if any(first >= second for first, second in pairwise(self.restarts)):
            return "{restarts} wants rising numbers"
        if self.restarts and self.reference_pool > 1:
            return "{restarts} forgets key pictures before; leave out {reference_pool}"
        if self.low_delay and self.symbol_price is not None:
            return "{low_delay} decides nothing about messages; leave out {symbol_price}"
        if self.key_pictures == "auto" and not self.codes_sequences:
            return (
                "there are no predicted coded pictures with {low_delay}, {reference_pool} or "
                "{fallback} always; leave out {key_pictures} auto"
            )
        if self.reorder and not self.codes_sequences:
            return (
                "{reorder} is about predicted coded pictures; there are none with {key_pictures} "
                "fixed, {low_delay}, {reference_pool} or {fallback} always"
            )
        if self.coded_qp is None and self.coded_interval is None:
            return None
        if not self.codes_sequences:
            return (
                "{coded_qp} and {coded_interval} are about predicted coded pictures; there are "
                "none with {key_pictures} fixed, {low_delay}, {reference_pool} or {fallback} always"
            )
        if self.bitrate is not None or self.quality is not None:
            return "{bitrate} and {quality} choose {coded_qp} and {coded_interval}; leave these out"
        return None
