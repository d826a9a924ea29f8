"""Pictures between two coded pictures, drawn from both: measures, against simpler ways.

    python -m benchmarks.reference_pairs CLIP... [--models mesh face] [--steps 6 12 25] [--qp N]
        [--first-qp N] [--pictures N] [--every N] [--ways earlier mean pair coded] [--no-texture]
        [--no-post-filter] [--bent SHARE] [--sheets DIR]

Of each square clip the pictures 0, STEP, 2 STEP, … are coded as one VVC sequence of low delay, and
those between are drawn by each model in three ways: from the earlier coded picture alone
(`earlier`), as the mean of what both draw, weighted by time (`mean`, for which the face parameters
against the later are found as well), and by the model's `ReferencePair` (`pair`); `coded` are the
coded pictures themselves, as they are shown, without the first. They take texture of the first one
(`models.landmarks.key_texture`), unless there is `--no-texture`; all go by the post-filter, unless
there is `--no-post-filter`. Parameters are quantised as for a message; the rate printed is that of
the coded pictures alone. Measures are of the drawn pictures, and defined in docs/measures.md;
flicker is against the measured picture before.
Times are of drawing, one picture after the other. Then comes on how many clips each model is better
than the first one. `--bent` has `face` take at most another share of the bent references than
`models.face.bent.MOST_BENT`. A sheet has a row for each of some pictures: source, the two coded
pictures, and what each way made of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import command_parser
from benchmarks.model_quality import make_sheet
from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.metrics import MEASURES, ClipMeasure
from gfvc.picture_strip import png
from gfvc.post_filtering import PostFiltering
from gfvc.video_reader import read_pictures
from models import AnimationModel, FaceParameters, Reference, ReferencePair, default_registry
from models.contract import Picture
from models.face import bent
from models.post_filter import WHOLE

RATE = Fraction(25)
SHOWN = (
    "ms_ssim",
    "cw_ssim",
    "landmark_error",
    "lid_error",
    "lip_error",
    "face_ssim",
    "mouth_ssim",
    "source_sharpness",
    "flicker",
    "moving_flicker",
)
SHEET_ROWS = 5


@dataclass(frozen=True, slots=True)
class Between:
    """A picture between two references: its parameters against both, and where it lies in time."""

    number: int
    against_earlier: FaceParameters
    against_later: FaceParameters
    position: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Two successive coded pictures made ready, and the pictures between them that are drawn.

    `end` is the number of the later one; `coded` are the two as they are shown.
    """

    end: int
    references: tuple[Reference, Reference]
    coded: tuple[Picture, Picture]
    pair: ReferencePair
    pictures: tuple[Between, ...]


Way = Callable[[Interval, Between], Picture]


def _mean(interval: Interval, picture: Between) -> Picture:
    earlier, later = interval.references
    drawn = earlier.animate(picture.against_earlier), later.animate(picture.against_later)
    mean = cv2.addWeighted(drawn[0], 1 - picture.position, drawn[1], picture.position, 0)
    return np.asarray(mean, np.uint8)


WAYS: dict[str, Way] = {
    "earlier": lambda interval, at: interval.references[0].animate(at.against_earlier),
    "mean": _mean,
    "pair": lambda interval, at: interval.pair.animate(at.against_earlier, at.position),
}

CODED = "coded"


def code(
    pictures: Sequence[Picture], qp: int, first_qp: int, post_filter: bool = True
) -> tuple[list[Picture], int]:
    """Pictures coded as one sequence, decoded again and filtered, and the bits of the stream."""
    coded = BaseLayerCoder("vvc", RATE).code(pictures, SequenceQps(first_qp, qp))
    if post_filter:
        coded = replace(coded, post_filter=PostFiltering(WHOLE))
    return [coded.picture(place) for place in range(len(pictures))], 8 * len(coded.stream)


def intervals(
    model: AnimationModel,
    pictures: Sequence[Picture],
    coded: Sequence[Picture],
    step: int,
    texture: bool = True,
) -> Iterator[Interval]:
    """The pictures between each two coded ones; what shows no face is left out.

    With `texture`, coded pictures take that of the first one.
    """
    with model.open_analyser() as analyser:
        keys = [analyser.analyse_key(picture) for picture in coded]
        ready = [
            None if key is None else model.prepare(picture, key.parameters)
            for key, picture in zip(keys, coded, strict=True)
        ]
        shown = list(coded)
        for place, reference in enumerate(ready[1:] if texture else [], 1):
            if reference is not None and ready[0] is not None:
                taken = reference.take_texture(ready[0], coded[place])
                shown[place] = coded[place] if taken is None else taken
        for start in range(len(coded) - 1):
            key, next_key = keys[start : start + 2]
            earlier, later = ready[start : start + 2]
            if key is None or next_key is None or earlier is None or later is None:
                continue
            between = []
            for number in range(start * step + 1, (start + 1) * step):
                first = analyser.analyse(pictures[number], key)
                second = analyser.analyse(pictures[number], next_key)
                if first is not None and second is not None:
                    between.append(
                        Between(
                            number,
                            _received(model, first.parameters),
                            _received(model, second.parameters),
                            number / step - start,
                        )
                    )
            yield Interval(
                (start + 1) * step,
                (earlier, later),
                (shown[start], shown[start + 1]),
                model.pair(earlier, later),
                tuple(between),
            )


def _received(model: AnimationModel, parameters: FaceParameters) -> FaceParameters:
    """Parameters as a message carries them."""
    scale = 2.0**model.layout.precisions
    return model.layout.unflatten(np.rint(model.layout.flatten(parameters) * scale) / scale)


def measure(
    pictures: Sequence[Picture], found: Sequence[Interval], ways: Sequence[str], every: int
) -> tuple[dict[str, dict[str, float]], Picture | None]:
    """Means of the measures and milliseconds by way, and the sheet."""
    results: dict[str, dict[str, float]] = {}
    drawn: dict[str, list[Picture]] = {}
    shown = [(i, at) for i in found for at in i.pictures if at.number % every == 0]
    landmarks = None
    drawn_ways = [way for way in ways if way != CODED]
    if CODED in ways and found:
        with ClipMeasure(RATE, vmaf=False) as measured:
            for interval in found:
                measured.add(pictures[interval.end], interval.coded[1], found[0].coded[0])
            results[CODED] = _scores(measured) | {"ms": 0.0}
    for way in drawn_ways:
        start = time.perf_counter()
        drawn[way] = [WAYS[way](interval, at) for interval, at in shown]
        milliseconds = 1000 * (time.perf_counter() - start) / max(1, len(shown))
        with ClipMeasure(RATE, source_landmarks=landmarks, vmaf=False) as measured:
            for (interval, at), picture in zip(shown, drawn[way], strict=True):
                measured.add(pictures[at.number], picture, interval.coded[0])
            results[way] = _scores(measured) | {"ms": milliseconds}
            landmarks = measured.source_landmarks
    if not shown:
        return results, None
    rows = np.linspace(0, len(shown) - 1, SHEET_ROWS + 2).astype(int)[1:-1]
    columns = [
        [pictures[shown[row][1].number] for row in rows],
        *([shown[row][0].coded[side] for row in rows] for side in (0, 1)),
        *([drawn[way][row] for row in rows] for way in drawn_ways),
    ]
    return results, make_sheet(["source", "coded before", "coded after", *drawn_ways], columns)


def _scores(measured: ClipMeasure) -> dict[str, float]:
    """Means over pictures, NaN where there is none."""
    scores = measured.finish()
    values = {name: scores.mean(name) for name in SHOWN}
    return {name: float("nan") if value is None else value for name, value in values.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("reference_pairs", __doc__, clips=True, raw=True)
    parser.add_argument("--models", nargs="+", default=["mesh", "face"], metavar="NAME")
    parser.add_argument("--steps", nargs="+", type=int, default=[6, 12, 25], metavar="STEP")
    parser.add_argument("--qp", type=int, default=42, metavar="N", help="of the sequence")
    parser.add_argument("--first-qp", type=int, default=32, metavar="N", help="of its first")
    parser.add_argument(
        "--pictures", type=int, default=76, metavar="N", help="use the first N of each clip"
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="draw and measure every N pictures"
    )
    kinds = [*WAYS, CODED]
    parser.add_argument("--ways", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--texture", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--post-filter", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--bent", type=float, default=bent.MOST_BENT, metavar="SHARE")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write PNG sheets")
    options = parser.parse_args(arguments)
    bent.MOST_BENT = options.bent
    models = {name: default_registry().find(name).load() for name in options.models}
    scores: dict[tuple[int, str, str], list[dict[str, float]]] = defaultdict(list)
    rates: dict[int, list[float]] = defaultdict(list)
    for path in options.clips:
        pictures = list(islice(read_pictures(path, RATE), options.pictures))
        for step in options.steps:
            coded, bits = code(pictures[::step], options.qp, options.first_qp, options.post_filter)
            rates[step].append(bits * float(RATE) / len(pictures) / 1000)
            for name, model in models.items():
                found = list(intervals(model, pictures, coded, step, options.texture))
                results, sheet = measure(pictures, found, options.ways, options.every)
                for way, values in results.items():
                    scores[step, name, way].append(values)
                if options.sheets and sheet is not None:
                    options.sheets.mkdir(parents=True, exist_ok=True)
                    target = options.sheets / f"{path.stem}_{step}_{name}.png"
                    target.write_bytes(png(sheet))
        sys.stderr.write(f"{path.stem}\n")
    print("step\tkbit/s\tmodel\tway\t" + "\t".join((*SHOWN, "ms")))
    for (step, name, way), of_clips in scores.items():
        cells = [f"{np.nanmean([v[m] for v in of_clips]):.4f}" for m in SHOWN]
        cells.append(f"{np.mean([v['ms'] for v in of_clips]):.1f}")
        print(f"{step}\t{np.mean(rates[step]):.2f}\t{name}\t{way}\t" + "\t".join(cells))
    first, *others = options.models
    for name in others:
        print(f"\nclips on which {name} is better than {first}")
        print("step\tway\tclips\t" + "\t".join(SHOWN))
        for step in options.steps:
            for way in options.ways:
                pairs = list(zip(scores[step, first, way], scores[step, name, way], strict=True))
                # Where one of both was not measured, none is better.
                cells = [
                    str(sum(MEASURES[m].improves(new[m], old[m]) for old, new in pairs))
                    for m in SHOWN
                ]
                print(f"{step}\t{way}\t{len(pairs)}\t" + "\t".join(cells))


if __name__ == "__main__":
    main()
