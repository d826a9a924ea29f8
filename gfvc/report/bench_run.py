"""A finished run of `gfvc bench`, checked as it is read; docs/bench.md is the schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

from gfvc.bench.results import RESULTS_FILE, read_results
from gfvc.errors import InputError
from gfvc.metrics import Better, Measure
from gfvc.options.encoding import MAX_RATE, MIN_RATE

MAX_RESULTS_BYTES = 1 << 28
MAX_PICTURES = 1 << 20
_MAX_RATE_TERM = 1001


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip; `rate` is pictures per second, `source` the H.264 file of the pictures coded."""

    identifier: str
    name: str
    pictures: int
    rate: Fraction
    width: int
    height: int
    source: Path


@dataclass(frozen=True, slots=True)
class Point:
    """A measured point of a clip.

    `bits` and `kbps` are of the whole file. `scores` are means over pictures by measure,
    `picture_scores` one value or None for each picture, `picture_bits` bits of each picture or
    None. `encoder` names the conventional encoder, None for gfvc. `video` is the decoded one.
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
    video: Path

    @property
    def name(self) -> str:
        """Curve and place on it."""
        return f"{self.curve} {self.label}"

    @property
    def is_ours(self) -> bool:
        """Whether gfvc coded it."""
        return self.encoder is None


@dataclass(frozen=True, slots=True)
class RateRow:
    """A Bjøntegaard rate: of a clip, or of all when `clip` is None.

    `percent` is None where there is none; `remark` says why, or what to make of it.
    """

    clip: str | None
    measure: str
    anchor: str
    test: str
    percent: float | None
    remark: str


@dataclass(frozen=True, slots=True)
class BenchRun:
    """All that a report shows of a run. `failures` are sentences."""

    folder: Path
    program: str
    size: int
    seconds: float | None
    missing: tuple[str, ...]
    measures: tuple[Measure, ...]
    clips: tuple[Clip, ...]
    points: tuple[Point, ...]
    rates: tuple[RateRow, ...]
    failures: tuple[str, ...]

    def points_of(self, clip: Clip) -> tuple[Point, ...]:
        """The points of a clip."""
        return tuple(point for point in self.points if point.clip == clip.identifier)


def read_bench_run(folder: Path) -> BenchRun:
    """Read what `gfvc bench` left in a folder.

    Raises `InputError` when the folder holds no such results, when a value is not what it
    should be, or when a file named there lies outside the folder. Files need not be there.
    """
    path = folder / RESULTS_FILE
    try:
        if not folder.is_dir():
            kind = "is not a folder" if folder.exists() else "no such folder"
            raise InputError(f"{folder}: {kind}; give the folder that gfvc bench wrote")
        if not path.is_file():
            raise InputError(f"{folder}: holds no {RESULTS_FILE}; give a finished gfvc bench run")
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None
    if size > MAX_RESULTS_BYTES:
        raise InputError(f"{path}: has {size} bytes, more than the {MAX_RESULTS_BYTES} taken")
    results = _Object(read_results(path), "", path)
    plan = results.object("plan")
    clips = tuple(_clip(item, folder) for item in results.objects("clips"))
    by_identifier = {clip.identifier: clip for clip in clips}
    if len(by_identifier) != len(clips):
        raise InputError(f"{path}: two clips have one id; run gfvc bench again")
    return BenchRun(
        folder=folder,
        program=f"gfvc {results.text('gfvc')}, Python {results.text('python')}, "
        f"{results.text('processor')}",
        size=plan.whole("size"),
        seconds=plan.number_or_none("seconds"),
        missing=plan.texts("missing"),
        measures=tuple(_measure(item) for item in results.objects("measures")),
        clips=clips,
        points=tuple(_point(item, folder, by_identifier) for item in results.objects("points")),
        rates=(
            *(_mean_rate(item) for item in results.objects("mean_bd_rates")),
            *(_clip_rate(item) for item in results.objects("bd_rates")),
        ),
        failures=tuple(
            f"{item.text('clip')}, {item.text('curve')}, {item.text('label')}: "
            f"{item.text('reason')}"
            for item in results.objects("failures")
        ),
    )


class _Object:
    """An object of bench.json whose members are checked as they are taken."""

    def __init__(self, value: object, where: str, path: Path) -> None:
        self._where = where
        self._path = path
        if not isinstance(value, dict):
            raise self._wrong("", "an object")
        self._value: dict[str, Any] = value

    def _wrong(self, key: str, wanted: str) -> InputError:
        where = f"{self._where}.{key}".strip(".") or "all of it"
        return InputError(f"{self._path}: {where} is not {wanted}; run gfvc bench again")

    def text(self, key: str) -> str:
        """A string."""
        value = self._value.get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._value.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def whole(self, key: str, low: int = 0, high: int = 1 << 53) -> int:
        """An integer within bounds."""
        value = self._value.get(key)
        if not _is_whole(value) or not low <= value <= high:
            raise self._wrong(key, f"a whole number in {low}..{high}")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self._value.get(key)
        if not _is_number(value):
            raise self._wrong(key, "a number")
        return float(value)

    def positive(self, key: str) -> float:
        """A finite number above zero."""
        value = self.number(key)
        if value <= 0:
            raise self._wrong(key, "above zero")
        return value

    def rate(self, key: str) -> Fraction:
        """Pictures per second, as far as videos are read."""
        value = self.number(key)
        if not MIN_RATE <= value <= MAX_RATE:
            raise self._wrong(key, f"a rate in {MIN_RATE}..{MAX_RATE}")
        return Fraction(value).limit_denominator(_MAX_RATE_TERM)

    def number_or_none(self, key: str) -> float | None:
        """A finite number, or None where there is none."""
        return None if self._value.get(key) is None else self.number(key)

    def numbers(self, key: str, count: int) -> tuple[float | None, ...]:
        """A list of a certain length with finite numbers and None."""
        value = self._value.get(key)
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(item is None or _is_number(item) for item in value)
        ):
            raise self._wrong(key, f"a list of {count} numbers")
        return tuple(value)

    def whole_numbers_or_none(self, key: str, count: int) -> tuple[int, ...] | None:
        """A list of a certain length with whole numbers from 0, or None."""
        value = self._value.get(key)
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(_is_whole(item) and item >= 0 for item in value)
        ):
            raise self._wrong(key, f"a list of {count} whole numbers")
        return tuple(value)

    def object(self, key: str) -> _Object:
        """An object."""
        return _Object(self._value.get(key), f"{self._where}.{key}".strip("."), self._path)

    def objects(self, key: str) -> list[_Object]:
        """A list of objects."""
        value = self._value.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        where = f"{self._where}.{key}".strip(".")
        return [_Object(item, f"{where}[{i}]", self._path) for i, item in enumerate(value)]

    def keys(self) -> list[str]:
        """The names of all members."""
        return list(self._value)

    def file(self, key: str, folder: Path) -> Path:
        """The path of a file inside `folder`, links followed."""
        name = self.text(key)
        try:
            path = (folder / name).resolve()
            inside = path.is_relative_to(folder.resolve())
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside:
            raise self._wrong(key, f"a file inside {folder}")
        return path

    def choice(self, key: str, known: Mapping[str, Any]) -> Any:
        """What a word stands for."""
        word = self.text(key)
        if word not in known:
            raise self._wrong(key, f"one of {', '.join(known)}")
        return known[word]


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    # An integer too long for a float raises where one asks whether it is finite.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 1e300 if isinstance(value, int) else math.isfinite(value)


def _measure(item: _Object) -> Measure:
    directions = {better.value: better for better in Better}
    return Measure(
        item.text("name"), item.text("title"), item.text("unit"), item.choice("better", directions)
    )


def _clip(item: _Object, folder: Path) -> Clip:
    return Clip(
        identifier=item.text("id"),
        name=item.text("name"),
        pictures=item.whole("pictures", 1, MAX_PICTURES),
        rate=item.rate("fps"),
        width=item.whole("width", 1, 1 << 16),
        height=item.whole("height", 1, 1 << 16),
        source=item.file("source", folder),
    )


def _point(item: _Object, folder: Path, clips: Mapping[str, Clip]) -> Point:
    clip: Clip = item.choice("clip", clips)
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
        video=item.object("files").file("decoded", folder),
    )


def _mean_rate(item: _Object) -> RateRow:
    compared, left_out = item.whole("clips"), item.whole("left_out")
    return RateRow(
        clip=None,
        measure=item.text("measure"),
        anchor=item.text("anchor"),
        test=item.text("test"),
        percent=item.number_or_none("percent"),
        remark=f"{compared} of {compared + left_out} clips",
    )


def _clip_rate(item: _Object) -> RateRow:
    status, gap = item.text("status"), item.number_or_none("gap")
    remark = f"overlap {100 * item.number('overlap'):.0f} %" if status == "compared" else status
    if status == "no overlap" and gap:
        remark += f", {'better' if gap > 0 else 'worse'} by {abs(gap):.3g} at least"
    return RateRow(
        clip=item.text("clip"),
        measure=item.text("measure"),
        anchor=item.text("anchor"),
        test=item.text("test"),
        percent=item.number_or_none("percent"),
        remark=remark,
    )
