"""What a benchmark measures: the points of each clip, and the presets that name sets of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.requests import MAX_QP, Structure
from base_codec_adapters.video import find_video_encoder
from base_codec_adapters.video_quality import find_vmaf
from gfvc.errors import InputError
from gfvc.options.benchmarking import FACE_KBPS, PEERS, WHOLE_KBPS
from gfvc.options.encoding import DEFAULT_MODEL, FACE_SIDE, EncodeOptions, SourceOptions, View
from gfvc.scaling import Size
from sei.escaping import shorten

# Options of the encoder that a benchmark sets by itself.
_OURS = frozenset(
    {
        "model",
        "key_qp",
        "bitrate",
        "quality",
        "view",
        "crop",
        "face_at",
        "size",
        "rate",
        "codec",
        "audio",
        "timeout",
        "runtime",
    }
)

_SEVERAL = frozenset({"without", "restarts"})
_YES_AND_NO = {"true": True, "on": True, "false": False, "off": False}


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

    @property
    def quality(self) -> int:
        """What orders the points of a curve: higher is coarser."""
        return self.key_qp

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return dataclasses.asdict(self) | {"options": dict(self.options)}

    def encode_options(self, view: View, size: Size, rate: Fraction) -> EncodeOptions:
        """Options for `gfvc.encode` of pictures that are cropped and scaled already."""
        return EncodeOptions(
            model=self.model,
            key_qp=self.key_qp,
            view=view,
            crop="none" if view == "face" else None,
            size=min(size),
            rate=rate,
            codec="vvc",
            **dict(self.options),
        )


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """A point of a conventional codec.

    `quality` is the QP or CRF that the encoder is asked for. `reduction` 2 codes at half the width
    and height, `rate_reduction` 2 every second picture.
    """

    encoder: str
    quality: int
    reduction: int
    structure: Structure
    preset: str
    rate_reduction: int = 1

    kind = "peer"

    @property
    def curve(self) -> str:
        """Points of one clip with the same name make a curve."""
        return self.encoder + _SIZES[self.reduction] + _RATES[self.rate_reduction]

    @property
    def label(self) -> str:
        """Where on its curve the point lies."""
        return f"{find_video_encoder(self.encoder).scale} {self.quality}"

    def to_json(self) -> dict[str, Any]:
        """The settings as a JSON object."""
        return dataclasses.asdict(self)


Settings = GfvcSettings | PeerSettings

# What the names of curves say of a reduction.
_SIZES = {1: "", 2: " half size", 4: " quarter size"}
_RATES = {1: "", 2: " half rate"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A conventional codec and the qualities, QPs or CRFs of its encoder, at which it is measured.

    Each is taken at each of `reductions` of width and height (1, 2 or 4) and each of
    `rate_reductions` of the picture rate (1 or 2).
    """

    encoder: str
    qualities: tuple[int, ...]
    preset: str | None = None
    reductions: tuple[int, ...] = (1,)
    rate_reductions: tuple[int, ...] = (1,)

    def points(self, structure: Structure) -> list[PeerSettings]:
        """The settings of all points, curve after curve."""
        preset = self.preset or find_video_encoder(self.encoder).preset
        return [
            PeerSettings(self.encoder, quality, reduction, structure, preset, rate_reduction)
            for reduction in self.reductions
            for rate_reduction in self.rate_reductions
            for quality in self.qualities
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured of every clip.

    `view` and `size` are what of a clip all codecs code, as options of the gfvc encoder; `variants`
    maps a name to further ones, the empty name to none.
    `seconds` cuts clips, None takes them whole. Bjøntegaard rates are of what lies within
    `above_kbps` and `below_kbps` (kbit/s). `missing` says in sentences what the plan stands for and
    cannot do.
    """

    view: View = "face"
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    key_qps: tuple[int, ...] = (22, 27, 32, 37, 42, 47)
    variants: Mapping[str, tuple[tuple[str, Any], ...]] = field(default_factory=lambda: {"": ()})
    peers: tuple[Peer, ...] = ()
    structure: Structure = "random_access"
    size: int | Size | None = None
    seconds: float | None = None
    vmaf: bool = True
    above_kbps: float = 1.0
    below_kbps: float = FACE_KBPS
    missing: tuple[str, ...] = ()

    @property
    def source(self) -> SourceOptions:
        """What of a clip is coded."""
        return SourceOptions(view=self.view, size=self.size)

    def framing(self) -> dict[str, Any]:
        """The part of the plan that the pictures to code depend on, as a JSON object."""
        sides = list(self.size) if isinstance(self.size, tuple) else self.size
        if self.view == "whole":
            return {"view": self.view, "size": sides, "seconds": self.seconds}
        # As it was before there were views: what is measured already is measured still.
        return {"size": FACE_SIDE if sides is None else sides, "seconds": self.seconds}

    def points(self) -> tuple[Settings, ...]:
        """The settings of all points of a clip, those of gfvc first."""
        ours = [
            GfvcSettings(model, qp, variant, options)
            for model in self.models
            for variant, options in self.variants.items()
            for qp in self.key_qps
        ]
        peers = [point for peer in self.peers for point in peer.points(self.structure)]
        return (*ours, *peers)

    def curves(self) -> list[list[Settings]]:
        """The settings of each curve, the coarsest first."""
        curves: dict[str, list[Settings]] = {}
        for point in self.points():
            curves.setdefault(point.curve, []).append(point)
        return [sorted(curve, key=lambda point: -point.quality) for curve in curves.values()]

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON object."""
        plain = dataclasses.asdict(self)
        plain["variants"] = {name: dict(options) for name, options in self.variants.items()}
        return plain | self.framing()


# From what is hard to tell from the source down to the coarsest that the encoder knows.
LADDERS = {
    "vvenc": (32, 37, 42, 47, 52, 57, 63),
    "x265": (31, 35, 39, 43, 47, 51),
    "svtav1": (39, 45, 51, 57, 63),
}
# Of small pictures a coarse one shows nothing any more, and a fine one costs little.
_QUARTER_LADDER = (22, 27, 32, 37, 42, 47)
_COARSE_LADDERS = {"vvenc": (42, 52, 63), "x265": (39, 45, 51), "svtav1": (45, 55, 63)}
_QUICK_PEERS = ("vvenc",)

_JVET_MISSING = (
    "the sequences of JVET's test conditions are not here: the clips given stand in for them",
    "VTM's low-delay anchor is not here: VVenC in low delay stands in for it, at its own QPs",
)


def _full_peers(names: Sequence[str]) -> tuple[Peer, ...]:
    """Peers as a user short of bits would run them: VVenC at lower sizes and rates too."""
    peers: list[Peer] = []
    for name in names:
        encoder = find_video_encoder(name).name
        if encoder == "vvenc":
            peers += [
                Peer(encoder, LADDERS[encoder], None, (1, 2), (1, 2)),
                Peer(encoder, _QUARTER_LADDER, None, (4,), (1, 2)),
            ]
        else:
            peers.append(Peer(encoder, LADDERS[encoder]))
    return tuple(peers)


def _few_peers(names: Sequence[str], ladders: Mapping[str, tuple[int, ...]]) -> tuple[Peer, ...]:
    """Peers at whole and half size and the whole rate: where points take long, or are to be few."""
    encoders = [find_video_encoder(name).name for name in names]
    return tuple(Peer(name, ladders[name], None, (1, 2)) for name in encoders)


def native(peers: Sequence[Peer]) -> tuple[Peer, ...]:
    """What is left of some peers without lower sizes and rates."""
    return tuple(
        replace(peer, reductions=(1,), rate_reductions=(1,))
        for peer in peers
        if 1 in peer.reductions and 1 in peer.rate_reductions
    )


def preset(name: str, peers: Sequence[str] | None = None, view: View = "face") -> Plan:
    """A plan of a view by name: "full", "quick" (first four seconds, few points), "jvet".

    "jvet" has the key picture QPs and the low-delay structure of JVET's test conditions for
    generative face video, and says what it lacks of them. `peers` replaces the preset's, of which
    those are left out that the ffmpeg at hand cannot code; so is VMAF. `missing` says so.
    Raises `UnknownAdapterError` for a peer that there is not.
    """
    missing: tuple[str, ...] = ()
    if peers is None:
        peers, missing = _usable(PEERS if name == "full" else _QUICK_PEERS)
    without_vmaf = _vmaf_missing()
    plan = Plan(
        view=view,
        below_kbps=WHOLE_KBPS if view == "whole" else FACE_KBPS,
        vmaf=not without_vmaf,
        missing=(*missing, *without_vmaf),
    )
    if name == "quick":
        return replace(
            plan, key_qps=(27, 37, 47), peers=_few_peers(peers, _COARSE_LADDERS), seconds=4.0
        )
    full = _few_peers(peers, LADDERS) if view == "whole" else _full_peers(peers)
    if name == "jvet":
        return replace(
            plan,
            key_qps=(22, 32, 42, 52),
            peers=native(full),
            structure="low_delay",
            missing=(*_JVET_MISSING, *plan.missing),
        )
    return replace(plan, peers=full)


def _usable(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The peers that can be run here, and a sentence for each that cannot."""
    usable: list[str] = []
    missing: list[str] = []
    for name in names:
        encoder = find_video_encoder(name)
        try:
            encoder.find_program()
        except ProgramNotFoundError as error:
            reason = str(error).splitlines()[0]
            missing.append(f"{encoder.title} is left out: {reason}")
        else:
            usable.append(name)
    return usable, tuple(missing)


def _vmaf_missing() -> tuple[str, ...]:
    """Why VMAF cannot be measured here, as a sentence; none where it can."""
    try:
        find_vmaf()
    except ProgramNotFoundError as error:
        return (f"VMAF is left out: {str(error).splitlines()[0]}",)
    return ()


def parse_variant(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Read `NAME:option=value,…`, options being fields of `gfvc.EncodeOptions`.

    Values are JSON where they read as JSON, else text; yes and no may be said in Python's words
    and in those of the command line. Several of `without` and `restarts` have + between them.
    Raises `ValueError`.
    """
    name, colon, rest = text.partition(":")
    known = {field.name for field in dataclasses.fields(EncodeOptions)} - _OURS
    options: dict[str, Any] = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = part.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or key not in known:
            raise ValueError(
                f"{shorten(part)!r} is no option=value with one of {', '.join(sorted(known))}"
            )
        if key in options:
            raise ValueError(f"{shorten(text)!r} says {key} twice")
        options[key] = _several(value) if key in _SEVERAL else _value(value)
    if not name or not options:
        raise ValueError(f"{shorten(text)!r} is not NAME:option=value,…")
    try:
        EncodeOptions(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{shorten(text)!r}: {shorten(str(error))}") from None
    return name, tuple(sorted(options.items()))


def parse_variants(texts: Iterable[str]) -> dict[str, tuple[tuple[str, Any], ...]]:
    """Read several, as `parse_variant` does; also two of one name raise `ValueError`."""
    variants: dict[str, tuple[tuple[str, Any], ...]] = {}
    for name, options in map(parse_variant, texts):
        if name in variants:
            raise ValueError(f"{shorten(name)!r} is the name of two; give each its own")
        variants[name] = options
    return variants


def _value(text: str) -> Any:
    word = text.strip().lower()
    if word in _YES_AND_NO:
        return _YES_AND_NO[word]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return tuple(found) if isinstance(found, list) else found


def _several(text: str) -> tuple[Any, ...]:
    found = _value(text)
    if not isinstance(found, str):
        return found if isinstance(found, tuple) else (found,)
    return tuple(_value(part.strip().replace("-", "_")) for part in found.split("+"))


def check_plan(plan: Plan) -> None:
    """Raise `InputError` for a plan that no clip could be measured by."""
    if not plan.points():
        raise InputError("there is nothing to measure: name a model or a peer")
    for qp in plan.key_qps:
        if not 0 <= qp <= MAX_QP["vvc"]:
            raise InputError(f"key picture QP {qp}: VVC has 0..{MAX_QP['vvc']}")
    if not 0 <= plan.above_kbps < plan.below_kbps:
        raise InputError(
            f"no rate lies above {plan.above_kbps:.10g} and below {plan.below_kbps:.10g} kbit/s"
        )
