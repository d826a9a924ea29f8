"""What a benchmark measures: the points of each clip, and the presets that name sets of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from base_codec_adapters.requests import MAX_QP
from base_codec_adapters.video import Structure, find_video_encoder
from gfvc.default_model import BEST
from gfvc.errors import InputError
from gfvc.options.encoding import EncodeOptions

# Options of the encoder that a benchmark sets by itself.
_OURS = frozenset(
    {"model", "key_qp", "bitrate", "quality", "crop", "size", "rate", "codec", "audio", "timeout"}
)


@dataclass(frozen=True, slots=True)
class GfvcSettings:
    """A point of gfvc: model, key picture QP, and further options of the encoder by name."""

    model: str
    key_qp: int
    variant: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    kind = "gfvc"

    @property
    def curve(self) -> str:
        """Points of one clip with the same name make a curve."""
        return f"gfvc {self.model} {self.variant}".rstrip()

    @property
    def label(self) -> str:
        """Where on its curve the point lies."""
        return f"key QP {self.key_qp}"

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return {
            "model": self.model,
            "key_qp": self.key_qp,
            "variant": self.variant,
            "options": dict(self.options),
        }

    def encode_options(self, size: int, rate: Fraction) -> EncodeOptions:
        """Options for `gfvc.encode` of pictures that are cropped and scaled already."""
        return EncodeOptions(
            model=self.model,
            key_qp=self.key_qp,
            crop="none",
            size=size,
            rate=rate,
            codec="vvc",
            **dict(self.options),
        )


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """A point of a conventional codec; `reduction` 2 codes at half the width and height."""

    encoder: str
    quality: int
    reduction: int
    structure: Structure
    preset: str

    kind = "peer"

    @property
    def curve(self) -> str:
        """Points of one clip with the same name make a curve."""
        return self.encoder if self.reduction == 1 else f"{self.encoder} half size"

    @property
    def label(self) -> str:
        """Where on its curve the point lies."""
        return f"{find_video_encoder(self.encoder).scale} {self.quality}"

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return dataclasses.asdict(self)


Settings = GfvcSettings | PeerSettings


@dataclass(frozen=True, slots=True)
class Peer:
    """A conventional codec and the qualities, on its own scale, at which it is measured."""

    encoder: str
    qualities: tuple[int, ...]
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured of every clip.

    `variants` maps a name to further options of the gfvc encoder; the empty name is no options.
    `seconds` cuts clips, None takes them whole. `below_kbps` leaves points of more kbit/s out of
    Bjøntegaard rates. `missing` says in sentences what the plan stands for and cannot do.
    """

    models: tuple[str, ...] = (BEST,)
    key_qps: tuple[int, ...] = (22, 27, 32, 37, 42, 47)
    variants: Mapping[str, tuple[tuple[str, Any], ...]] = field(default_factory=lambda: {"": ()})
    peers: tuple[Peer, ...] = ()
    reductions: tuple[int, ...] = (1, 2)
    structure: Structure = "random_access"
    size: int = 256
    seconds: float | None = None
    vmaf: bool = True
    below_kbps: float | None = None
    missing: tuple[str, ...] = ()

    def points(self) -> tuple[Settings, ...]:
        """The settings of all points of a clip, those of gfvc first."""
        ours = [
            GfvcSettings(model, qp, variant, options)
            for model in self.models
            for variant, options in self.variants.items()
            for qp in self.key_qps
        ]
        peers = [
            PeerSettings(
                peer.encoder,
                quality,
                reduction,
                self.structure,
                peer.preset or find_video_encoder(peer.encoder).preset,
            )
            for peer in self.peers
            for reduction in self.reductions
            for quality in peer.qualities
        ]
        return (*ours, *peers)

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON object."""
        plain = dataclasses.asdict(self)
        plain["variants"] = {name: dict(options) for name, options in self.variants.items()}
        return plain


# From what is hard to tell from the source down to the coarsest that the encoder knows.
LADDERS = {
    "vvenc": (32, 37, 42, 47, 52, 57, 63),
    "x265": (31, 35, 39, 43, 47, 51),
    "svtav1": (39, 45, 51, 57, 63),
}
_COARSE_LADDERS = {"vvenc": (42, 52, 63), "x265": (39, 45, 51), "svtav1": (45, 55, 63)}
PEERS = ("vvenc", "x265")
PRESETS = ("full", "quick", "jvet")

_JVET_MISSING = (
    "the sequences of JVET's test conditions are not here: the clips given stand in for them",
    "VTM's low-delay anchor is not here: VVenC in low delay stands in for it, at its own QPs",
)


def peers_by_name(names: Sequence[str], *, coarse: bool = False) -> tuple[Peer, ...]:
    """The peers of these names with their usual ladders of qualities."""
    ladders = _COARSE_LADDERS if coarse else LADDERS
    return tuple(Peer(find_video_encoder(name).name, ladders[name]) for name in names)


def preset(name: str, peers: Sequence[str] | None = None) -> Plan:
    """A plan by name: "full", "quick" (first four seconds, few points), "jvet".

    "jvet" has the key picture QPs and the low-delay structure of JVET's test conditions for
    generative face video, and says what it lacks of them. `peers` replaces the preset's.
    Raises `UnknownAdapterError` for a peer that there is not.
    """
    if name == "quick":
        chosen = peers_by_name(peers if peers is not None else ("vvenc",), coarse=True)
        return Plan(key_qps=(27, 37, 47), peers=chosen, seconds=4.0)
    if name == "jvet":
        chosen = peers_by_name(peers if peers is not None else ("vvenc",))
        return Plan(
            key_qps=(22, 32, 42, 52),
            peers=chosen,
            reductions=(1,),
            structure="low_delay",
            missing=_JVET_MISSING,
        )
    return Plan(peers=peers_by_name(peers if peers is not None else PEERS))


def parse_variant(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Read `NAME:option=value,…`, options being fields of `gfvc.EncodeOptions`.

    Values are JSON where they read as JSON, else text; of `without`, names with + between them.
    Raises `ValueError`.
    """
    name, colon, rest = text.partition(":")
    known = {field.name for field in dataclasses.fields(EncodeOptions)} - _OURS
    options: dict[str, Any] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = part.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or key not in known:
            raise ValueError(f"{part!r} is no option=value with one of {', '.join(sorted(known))}")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = _names(value) if key == "without" else value
    if not name or not options:
        raise ValueError(f"{text!r} is not NAME:option=value,…")
    try:
        EncodeOptions(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{text!r}: {error}") from None
    return name, tuple(sorted(options.items()))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().replace("-", "_") for name in text.split("+"))


def check_plan(plan: Plan) -> None:
    """Raise `InputError` for a plan that no clip could be measured by."""
    if not plan.points():
        raise InputError("there is nothing to measure: name a model or a peer")
    for qp in plan.key_qps:
        if not 0 <= qp <= MAX_QP["vvc"]:
            raise InputError(f"key picture QP {qp}: VVC has 0..{MAX_QP['vvc']}")
    if 2 in plan.reductions and plan.size % 4:
        raise InputError(f"size {plan.size}: half of it must be even, so give a multiple of 4")
