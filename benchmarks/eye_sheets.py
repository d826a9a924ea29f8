"""Sheets for the eye: moments of a clip in the source, decoded by gfvc, and by VVenC.

    python -m benchmarks.eye_sheets CLIP... --out DIR [--rates 2,4,8] [--peer-rate 8]
        [--seconds S] [--size N] [--model NAME] [--columns N]

Makes DIR/CLIP.png of each clip. Its rows are the source, gfvc at each of `--rates` kbit/s
(`gfvc encode --bitrate`), and VVenC at `--peer-rate`: the finest QP that keeps to it, at whole or
half size, whichever has the higher PSNR at the moments shown. Its columns are the first picture and
the moments at which lids, lips and pose differ most from it in the source, in the order of time. A
rate that cannot be reached has a grey row that says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from base_codec_adapters.errors import BaseCodecError
from base_codec_adapters.video import find_video_encoder
from benchmarks.command import command_parser
from gfvc import EncodeOptions, decode, encode
from gfvc.bench.coding import coded
from gfvc.bench.plan import PeerSettings
from gfvc.bench.source_video import ClipName, SourceVideo, name_clips, prepare_reference
from gfvc.cli.console import note
from gfvc.errors import GfvcError
from gfvc.options.encoding import SourceOptions
from gfvc.picture_strip import png, write_text
from gfvc.report.media import pictures_at
from models.contract import FloatArray, Picture
from models.errors import ModelError
from models.landmarks.face_space import find_pose
from models.landmarks.points import (
    ALL_POINTS,
    FOREHEAD,
    LEFT_EYE_OUTER_CORNER,
    NOSE,
    RIGHT_EYE_OUTER_CORNER,
)
from models.landmarks.tracking import FaceTracker
from models.metrics.openings import openings
from models.metrics.similarity import psnr
from sei import printable

APART_SECONDS = 0.3
"""Least time between two columns."""
PEER = "vvenc"
PEER_SIZES = (1, 2)
FINEST_QP = 17

# Points that hardly move with the expression.
_RIGID = (*NOSE, FOREHEAD, RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER)

_LABEL_WIDTH, _LABEL_HEIGHT, _LINE = 190, 24, 18
_GREY, _WHITE = 160, 255


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture by number, and why it is shown."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: lines of its label, its pictures; None where there are none."""

    label: tuple[str, ...]
    pictures: list[Picture] | None


def differences(landmarks: Sequence[FloatArray | None]) -> dict[str, list[float]]:
    """How far lids, lips (eye distances) and pose (degrees) are from those of the first face.

    Landmarks are those of each picture; one without a face differs by 0.
    """
    first = next((found for found in landmarks if found is not None), None)
    found_by: dict[str, list[float]] = {"lids": [], "lips": [], "pose": []}
    for found in landmarks:
        if first is None or found is None:
            values = (0.0, 0.0, 0.0)
        else:
            before, now = openings(first), openings(found)
            values = abs(now.lids - before.lids), abs(now.lips - before.lips), _turn(first, found)
        for kind, value in zip(found_by.values(), values, strict=True):
            kind.append(value)
    return found_by


def _turn(first: FloatArray, found: FloatArray) -> float:
    """Angle in degrees by which the head is turned."""
    weights = np.zeros(ALL_POINTS)
    weights[list(_RIGID)] = 1 / len(_RIGID)
    rotation = find_pose(first, found, weights).rotation
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def choose_moments(changes: dict[str, list[float]], count: int, apart: int) -> list[Moment]:
    """The first picture, and in turn those of the greatest change of each kind, in order of time.

    At most `count`, at least `apart` pictures from each other.
    """
    chosen = [Moment(0, "first")]
    ranked = {
        kind: sorted(range(len(values)), key=lambda number: -values[number])
        for kind, values in changes.items()
    }
    while len(chosen) < count and any(ranked.values()):
        for kind, numbers in ranked.items():
            free = [n for n in numbers if all(abs(n - each.number) >= apart for each in chosen)]
            if free and len(chosen) < count:
                chosen.append(Moment(free[0], kind))
            ranked[kind] = free[1:]
    return sorted(chosen, key=lambda moment: moment.number)


def find_moments(reference: SourceVideo, count: int) -> list[Moment]:
    """The moments of a clip to show."""
    with FaceTracker() as tracker:
        landmarks = [tracker.look(picture) for picture in reference.read()]
    return choose_moments(
        differences(landmarks), count, max(1, round(APART_SECONDS * float(reference.rate)))
    )


def rows_of_gfvc(
    reference: SourceVideo, rates: Sequence[float], model: str | None, numbers: Sequence[int]
) -> Iterator[Row]:
    """A row for each target rate in kbit/s."""
    for rate in rates:
        title = f"gfvc {rate:g} kbit/s"
        options = EncodeOptions(
            model=model,
            bitrate=rate * 1000,
            crop="none",
            size=reference.size[0],
            rate=reference.rate,
        )
        with tempfile.TemporaryDirectory() as folder:
            stream, video = Path(folder, "coded.266"), Path(folder, "decoded.mkv")
            try:
                encode(reference.path, stream, options)
                decode(stream, video)
            except GfvcError as error:
                yield Row((title, "cannot be reached"), None)
                note(f"{title}: {error}")
                continue
            kbps = 8 * stream.stat().st_size / reference.seconds / 1000
            found = pictures_at(video, reference.rate, numbers)
            yield Row((title, f"is {kbps:.2f}"), [found[number] for number in numbers])


@dataclass(frozen=True, slots=True)
class _PeerTrial:
    settings: PeerSettings
    kbps: float
    pictures: list[Picture]


def row_of_peer(reference: SourceVideo, rate: float, numbers: Sequence[int]) -> Row:
    """The row of VVenC within a rate in kbit/s."""
    title = f"{find_video_encoder(PEER).title} {rate:g} kbit/s"
    sources = pictures_at(reference.path, reference.rate, numbers)
    trials = [
        trial
        for size in PEER_SIZES
        if (trial := _finest(reference, rate, size, numbers)) is not None
    ]
    if not trials:
        return Row((title, "cannot be reached"), None)

    def quality(trial: _PeerTrial) -> float:
        pairs = zip(numbers, trial.pictures, strict=True)
        return float(np.mean([min(psnr(sources[n], picture), 100.0) for n, picture in pairs]))

    best = max(trials, key=quality)
    label = (title, f"is {best.kbps:.2f}", f"{best.settings.curve}", best.settings.label)
    return Row(label, best.pictures)


def _finest(
    reference: SourceVideo, rate: float, size: int, numbers: Sequence[int]
) -> _PeerTrial | None:
    """The finest QP within a rate, by halving; None when the coarsest needs more."""
    encoder = find_video_encoder(PEER)
    low, high = FINEST_QP, encoder.worst
    best: _PeerTrial | None = None
    while low <= high:
        # The coarsest first: with it all may end.
        qp = high if best is None else (low + high) // 2
        trial = _peer_trial(reference, qp, size, numbers)
        if trial.kbps <= rate:
            best, high = trial, qp - 1
        elif best is None:
            return None
        else:
            low = qp + 1
    return best


def _peer_trial(reference: SourceVideo, qp: int, size: int, numbers: Sequence[int]) -> _PeerTrial:
    preset = find_video_encoder(PEER).preset
    settings = PeerSettings(PEER, qp, size, "random_access", preset)
    wanted = set(numbers)
    with (
        tempfile.TemporaryDirectory() as folder,
        coded(settings, reference, Path(folder)) as result,
    ):
        shown = [picture for n, (picture, _) in enumerate(result.pictures) if n in wanted]
        return _PeerTrial(settings, result.bits / reference.seconds / 1000, shown)


def draw_sheet(title: str, columns: Sequence[str], rows: Sequence[Row], size: int) -> Picture:
    """Rows of pictures of one size, with labels at the left, above, and of all."""
    heads = [_label((title,), _LABEL_WIDTH, _LABEL_HEIGHT)]
    heads += [_label((text,), size, _LABEL_HEIGHT) for text in columns]
    lines = [np.concatenate(heads, axis=1)]
    for row in rows:
        grey = np.full((size, size * len(columns), 3), _GREY, np.uint8)
        shown = grey if row.pictures is None else np.concatenate(row.pictures, axis=1)
        lines.append(np.concatenate([_label(row.label, _LABEL_WIDTH, size), shown], axis=1))
    return np.concatenate(lines)


def _label(texts: Sequence[str], width: int, height: int) -> Picture:
    label = np.full((height, width, 3), _WHITE, np.uint8)
    for number, text in enumerate(texts):
        write_text(label, text, (4, 17 + number * _LINE), 0.45)
    return label


def sheet_of(clip: ClipName, options: argparse.Namespace) -> Picture:
    """The sheet of a clip."""
    with tempfile.TemporaryDirectory() as folder:
        lossless, shown = Path(folder, "source.mkv"), Path(folder, "source.mp4")
        source = SourceOptions(view="face", size=options.size)
        reference = prepare_reference(clip.path, lossless, shown, source, options.seconds)
        moments = find_moments(reference, options.columns)
        numbers = [moment.number for moment in moments]
        sources = pictures_at(lossless, reference.rate, numbers)
        rows = [Row(("source",), [sources[number] for number in numbers])]
        rows += rows_of_gfvc(reference, options.rates, options.model, numbers)
        rows.append(row_of_peer(reference, options.peer_rate, numbers))
        times = [
            f"{moment.number / float(reference.rate):.2f} s, {moment.reason}" for moment in moments
        ]
        return draw_sheet(printable(clip.name), times, rows, reference.size[0])


def _rates(text: str) -> tuple[float, ...]:
    return tuple(_rate(part) for part in text.split(","))


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.1 <= rate <= 1e5:
        raise ValueError(text)
    return rate


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the sheets."""
    parser = command_parser("eye_sheets", __doc__, clips=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rates", type=_rates, default=(2.0, 4.0, 8.0), metavar="KBPS,…")
    parser.add_argument("--peer-rate", type=_rate, default=8.0, metavar="KBPS")
    parser.add_argument("--seconds", type=_rate, metavar="S", help="the first S seconds only")
    parser.add_argument("--size", type=int, default=256, metavar="N")
    parser.add_argument("--model", metavar="NAME", help="default: that of gfvc encode")
    parser.add_argument("--columns", type=int, default=7, metavar="N")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    try:
        clips = name_clips(options.clips)
    except GfvcError as error:
        raise SystemExit(str(error)) from None
    for clip in clips:
        try:
            sheet = sheet_of(clip, options)
        except (GfvcError, ModelError, BaseCodecError) as error:
            note(f"{clip.path}: {error}")
            failed += 1
            continue
        path = options.out / f"{clip.identifier}.png"
        path.write_bytes(png(sheet))
        print(path)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
