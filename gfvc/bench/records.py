"""Clips and points as results of `gfvc bench` hold them, checked; docs/bench.md is the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gfvc.face_square import FaceSquare
from gfvc.json_checking import CheckedObject
from gfvc.options.encoding import MAX_RATE, MIN_RATE
from sei import printable

MAX_PICTURES = 1 << 20


@dataclass(frozen=True, slots=True)
class MeasuredClip:
    """A clip; `rate` is pictures per second, `source` the H.264 file of the pictures coded.

    `square` is where the face was measured in whole pictures; None where it fills them.
    """

    identifier: str
    name: str
    pictures: int
    rate: Fraction
    width: int
    height: int
    source: Path
    square: FaceSquare | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A measured point of a clip.

    `bits` and `kbps` are of the whole file. `scores` are those of the clip by measure,
    `picture_scores` one value or None for each picture, `picture_bits` bits of each picture or
    None, `picture_bits_of` the same by what they are of, where results tell. `encoder` names the
    conventional encoder, None for gfvc. `video` is the decoded one.
    """

    clip: str
    curve: str
    label: str
    encoder: str | None
    bits: int
    kbps: float
    scores: Mapping[str, float | None]
    faces_lost: int
    encode_seconds: float
    decode_seconds: float
    picture_scores: Mapping[str, tuple[float | None, ...]]
    picture_bits: tuple[int, ...] | None
    picture_bits_of: Mapping[str, tuple[int, ...]]
    video: Path

    @property
    def name(self) -> str:
        """Curve and place on it."""
        return f"{self.curve} {self.label}"

    @property
    def is_ours(self) -> bool:
        """Whether gfvc coded it."""
        return self.encoder is None


def clip_of(item: CheckedObject, folder: Path) -> MeasuredClip:
    """A clip of results in `folder`; raise `InputError` for one that cannot be."""
    return MeasuredClip(
        identifier=item.text("id"),
        name=item.text("name"),
        pictures=item.whole("pictures", 1, MAX_PICTURES),
        rate=item.rate("fps", MIN_RATE, MAX_RATE),
        width=item.whole("width", 1, 1 << 16),
        height=item.whole("height", 1, 1 << 16),
        source=item.file("source", folder),
        square=_square_of(item),
    )


def _square_of(clip: CheckedObject) -> FaceSquare | None:
    """The face square of a clip; None also in results from before whole pictures were coded."""
    item = clip.object_or_none("face_square")
    if item is None:
        return None
    try:
        square = FaceSquare(item.whole("left"), item.whole("top"), item.whole("side"))
    except ValueError as error:
        raise clip.refuse(f"face_square: {error}") from None
    if not square.fits(clip.whole("width"), clip.whole("height")):
        raise clip.wrong("face_square", "within the pictures")
    return square


def _bits_of(item: CheckedObject, clip: MeasuredClip) -> dict[str, tuple[int, ...]]:
    """Bits of each picture by what they are of; empty in results from before they were told."""
    if not item.has("picture_bits_of"):
        return {}
    parts = item.object("picture_bits_of")
    found = {
        printable(name): parts.whole_numbers_or_none(name, clip.pictures)
        for name in parts.keys()  # noqa: SIM118
    }
    return {name: bits for name, bits in found.items() if bits is not None}


def point_of(item: CheckedObject, folder: Path, clips: Mapping[str, MeasuredClip]) -> Point:
    """A point of one of `clips` with its files in `folder`; raise `InputError` as `clip_of`."""
    clip: MeasuredClip = item.choice("clip", clips)
    is_ours: bool = item.choice("codec", {"gfvc": True, "peer": False})
    scores = item.object("scores")
    picture_scores = item.object("picture_scores")
    seconds = item.object("seconds")
    return Point(
        clip=clip.identifier,
        curve=item.text("curve"),
        label=item.text("label"),
        encoder=None if is_ours else item.object("settings").text("encoder"),
        bits=item.whole("bits", 1),
        kbps=item.positive("kbps"),
        scores={name: scores.number_or_none(name) for name in scores.keys()},  # noqa: SIM118
        faces_lost=item.whole("faces_lost"),
        encode_seconds=seconds.number("encode"),
        decode_seconds=seconds.number("decode"),
        picture_scores={
            name: picture_scores.numbers(name, clip.pictures)
            for name in picture_scores.keys()  # noqa: SIM118
        },
        picture_bits=item.whole_numbers_or_none("picture_bits", clip.pictures),
        picture_bits_of=_bits_of(item, clip),
        video=item.object("files").file("decoded", folder),
    )


def has_its_files(point: CheckedObject, folder: Path) -> bool:
    """Whether the files of a point are there, the stream with the bits that it says.

    Raises `InputError` where it names none in `folder`.
    """
    stream, decoded = (point.object("files").file(kind, folder) for kind in ("stream", "decoded"))
    is_there = stream.is_file() and decoded.is_file()
    return is_there and 8 * stream.stat().st_size == point.whole("bits", 1)
